"""Render Spider's 1,034 dev questions as prompts with the workflow's own program, for measurements of speed.

Needs the folder that SQLADDER_SPIDER names (databases.tar.xz, dev.jsonl, tables.json.xz). A
database that is missing there is made from tables.json, without rows: a prompt shows its schema.

Example: SQLADDER_SPIDER=/data/spider python benchmarks/spider_prompts.py --output prompts.jsonl
"""

import argparse
import json
import lzma
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "workflow/scripts/render_prompts.py"
sys.path[:0] = [str(ROOT / "workflow/scripts"), str(ROOT / "tests")]

from published_texts import FLAGS  # noqa: E402

TYPES = {"text": "TEXT", "number": "INTEGER", "time": "DATE", "boolean": "BOOL", "others": "BLOB"}


def make_database(path: Path, entry: dict[str, Any]) -> None:
    """Make an empty database from an entry of Spider's tables.json."""
    columns = entry["column_names_original"]
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        for number, table in enumerate(entry["table_names_original"]):
            parts = [
                f'"{name}" {TYPES[kind]}' + (" PRIMARY KEY" if i in entry["primary_keys"] else "")
                for i, ((owner, name), kind) in enumerate(
                    zip(columns, entry["column_types"], strict=True)
                )
                if owner == number
            ]
            for left, right in entry["foreign_keys"]:
                if columns[left][0] == number:
                    other = entry["table_names_original"][columns[right][0]]
                    parts.append(
                        f'FOREIGN KEY ("{columns[left][1]}") REFERENCES '
                        f'"{other}"("{columns[right][1]}")'
                    )
            connection.execute(f'CREATE TABLE "{table}" ({", ".join(parts)})')
        connection.commit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=Path, help="prompts, JSON Lines")
    parser.add_argument("--schema", default="ddl")
    args = parser.parse_args()
    if "SQLADDER_SPIDER" not in os.environ:
        sys.exit("SQLADDER_SPIDER is not set: it names the folder with dev.jsonl")
    spider = Path(os.environ["SQLADDER_SPIDER"])
    entries = json.loads(lzma.decompress((spider / "tables.json.xz").read_bytes()))
    tables = {entry["db_id"]: entry for entry in entries}
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(spider / "databases.tar.xz") as archive:
            archive.extractall(name, filter="data")
        databases = Path(name) / "database"
        rows = [json.loads(line) for line in (spider / "dev.jsonl").open()]
        for database in sorted({row["db_id"] for row in rows}):
            if not (databases / database).is_dir():
                make_database(databases / database / f"{database}.sqlite", tables[database])
                print(f"{database}: made from tables.json", flush=True)
        command = [sys.executable, str(PROGRAM), f"--examples={spider / 'dev.jsonl'}"]
        command += [f"--databases={databases}", f"--schema={args.schema}"]
        subprocess.run([*command, *FLAGS, f"--output={args.output}"], check=True)


if __name__ == "__main__":
    main()
