"""Measure download, import, decontamination and rendering of a training set as large as the published one.

The rows are made up, but of the lengths of fahmiaziz/text2sql-dataset (about 200 tokens with its prompt); 356 of them
have an evaluation question, as many as the published experiment dropped. They come from a server on this machine.

Example: python benchmarks/clean_corpus.py --rows 126641 --work-folder /tmp/clean_corpus
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow
import pyarrow.parquet

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "workflow/scripts"
sys.path += [str(ROOT / "tests"), str(SCRIPTS)]

from fault_server import fault_server  # noqa: E402
from published_texts import FLAGS  # noqa: E402
from sqladder.files import write_jsonl  # noqa: E402

QUESTIONS, PLANTED = 1034, 356
RULES = ["folded_question", "ngram_8", "ngram_13", "near_duplicate", "sql", "schema"]
_TYPES = ("INTEGER", "VARCHAR(255)", "DATE", "REAL", "TEXT")
_SYLLABLES = (
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "la",
    "me",
    "ni",
    "po",
    "ru",
    "sa",
    "te",
    "vi",
    "wo",
    "zu",
    "kra",
    "plo",
)


# The peak that the system counts for a process begins with that of the one it was forked from, which here holds the
# inputs: a small process in between keeps it out.
_METER = """
import json, resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([status, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""


class Step(NamedTuple):
    """What one program took."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


def make_row(draw: random.Random, names: list[str]) -> dict[str, str]:
    """One row: a table or two with some rows, a question and its SQL."""
    tables = []
    for _ in range(draw.choice((1, 1, 2))):
        table, columns = draw.choice(names), draw.sample(names, draw.randint(4, 7))
        lines = ", ".join(f"{column} {draw.choice(_TYPES)}" for column in columns)
        values = ", ".join(f"'{draw.choice(names)}'" for _ in columns)
        rows = f" INSERT INTO {table} ({', '.join(columns)}) VALUES ({values});"
        tables.append((table, columns, f"CREATE TABLE {table} ({lines});{rows}"))
    table, columns, _ = tables[0]
    value = draw.randint(1, 9999)
    words = " ".join(draw.sample(names, 5))
    return {
        "prompt": f"What is the {columns[0]} of each {table} whose {columns[1]} is over {value}, by {words}?",
        "context": " ".join(ddl for _, _, ddl in tables),
        "answer": f"SELECT {columns[0]}, COUNT(*) FROM {table} WHERE {columns[1]} > {value} GROUP BY {columns[0]};",
    }


def rows_with_planted(
    count: int, evaluation: list[dict[str, str]], seed: int
) -> Iterator[dict[str, str]]:
    """The training rows; the planted questions stand anywhere among them."""
    draw = random.Random(seed)
    names = make_names(seed)
    places = dict(zip(draw.sample(range(count), PLANTED), evaluation, strict=False))
    for number in range(count):
        row = make_row(draw, names)
        if number in places:
            row["prompt"] = f"{places[number]['prompt']} "
        yield row


def make_names(seed: int) -> list[str]:
    """Two thousand different words."""
    draw = random.Random(seed)
    return sorted({"".join(draw.choices(_SYLLABLES, k=3)) for _ in range(2500)})[:2000]


def make_inputs(folder: Path, count: int) -> bytes:
    """Write the evaluation and its database; give the training set as a Parquet file."""
    draw, names = random.Random(1), make_names(2)
    evaluation = [make_row(draw, names) for _ in range(QUESTIONS)]
    questions = [
        {"id": f"e{n}", "db_id": "one", "question": row["prompt"], "sql": row["answer"]}
        for n, row in enumerate(evaluation)
    ]
    write_jsonl(folder / "evaluation.jsonl", questions)
    (folder / "databases/one").mkdir(parents=True)
    with sqlite3.connect(folder / "databases/one/one.sqlite") as connection:
        connection.execute("CREATE TABLE plokra (ba TEXT, ce TEXT, di TEXT)")
    table = pyarrow.Table.from_pylist(list(rows_with_planted(count, evaluation, seed=3)))
    pyarrow.parquet.write_table(table, folder / "train.parquet", row_group_size=10_000)
    return (folder / "train.parquet").read_bytes()


def run(name: str, *arguments: object, **environment: str) -> Step:
    """Run one program and measure it."""
    command = [sys.executable, str(SCRIPTS / f"{name}.py"), *map(str, arguments)]
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _METER, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    status, cpu_seconds, peak = json.loads(done.stdout.splitlines()[-1])
    if status:
        sys.exit(f"{name} failed:\n{done.stderr}")
    return Step(name, seconds, cpu_seconds, peak / 1024)


def measure(folder: Path, count: int) -> list[Step]:
    """Take the training set from the server to prompts."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    columns = ["--columns-question=prompt", "--columns-schema=context", "--columns-sql=answer"]
    content = make_inputs(folder, count)
    with fault_server() as server:
        server.add_dataset("some/rows", {"train.parquet": content})
        fetch = run(
            "fetch",
            *(
                "--source",
                "huggingface",
                "--repository",
                "some/rows",
                "--revision",
                "main",
                "--files",
                "*.parquet",
            ),
            *("--record", folder / "record.json", "--work-folder", folder / "work"),
            *("--output", folder / "download"),
            HF_ENDPOINT=server.url,
        )
    rows = folder / "examples.jsonl"
    imported = run(
        "import_rows",
        *("--rows", folder / "download", "--format", "parquet", *columns),
        *("--output", rows),
    )
    cleaned = run(
        "decontaminate",
        *("--examples", rows, "--evaluation", folder / "evaluation.jsonl"),
        *("--evaluation-databases", folder / "databases", "--drop", "exact_question"),
        *("--mark", *RULES, "--output", folder / "clean.jsonl", "--marks", folder / "marks.jsonl"),
        *("--evaluation-marks", folder / "e.jsonl", "--report", folder / "report.md"),
        *("--facts", folder / "facts.json"),
    )
    rendered = run(
        "render_prompts",
        *("--examples", folder / "clean.jsonl", "--with-answer", "--schema", "ddl"),
        *(*FLAGS, "--output", folder / "prompts.jsonl"),
    )
    return [fetch, imported, cleaned, rendered]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=126_641)
    parser.add_argument("--work-folder", type=Path, required=True, help="emptied first")
    args = parser.parse_args()
    small, large = (measure(args.work_folder, count) for count in (args.rows // 10, args.rows))
    facts = json.loads((args.work_folder / "facts.json").read_text())["training_rows"]
    characters = (args.work_folder / "prompts.jsonl").stat().st_size / facts["kept"]
    print(f"{facts['seen']} rows -> {facts['kept']}; {characters:.0f} characters a rendered row")
    print("| program | s | CPU s | peak MB | peak MB with a tenth of the rows |")
    print("|---|--:|--:|--:|--:|")
    for step, before in zip(large, small, strict=True):
        print(
            f"| {step.name} | {step.seconds:.1f} | {step.cpu_seconds:.1f} | {step.peak_mb:.0f} | {before.peak_mb:.0f} |"
        )
    print(
        f"| all | {sum(s.seconds for s in large):.1f} | {sum(s.cpu_seconds for s in large):.1f} | | |"
    )


if __name__ == "__main__":
    main()
