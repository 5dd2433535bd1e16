"""Measure the contexts on Spider's dev questions: the tables of docs/contexts.md.

Example: SQLADDER_SPIDER=... python benchmarks/context_figures.py --tokenizers Qwen3=QWEN3 SmolLM2=SMOLLM2
"""

import argparse
import json
import lzma
import os
import re
import statistics
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from tokenizers import Tokenizer

sys.path += [
    str(Path(__file__).resolve().parents[1] / part) for part in ("workflow/scripts", "tests")
]

from sqladder.databases.question_values import ValueIndex
from sqladder.databases.schema import read_schema
from sqladder.files import Row, read_jsonl
from sqladder.prompts.contexts import ContextWriter
from sqladder.prompts.descriptions import read_descriptions
from sqladder.prompts.linking import Linker
from sqladder.prompts.schema_forms import FORMS, Notes
from sqladder.prompts.settings import SchemaSettings
from sqladder.settings.problems import settings_of
from tables_read import tables_read

BUDGETS = (600, 800, 1000, 1500)
LITERAL = re.compile(r"'([^']*)'|\"([^\"]*)\"")


VALUES = {"place": "block", "per_column": 3, "at_most": 10}


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a folder, whose file may be packed."""
    packed = folder / "tokenizer.json.xz"
    if packed.is_file():
        return Tokenizer.from_str(lzma.decompress(packed.read_bytes()).decode())
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def measure_forms(databases: Path, questions: list[Row], tokenizers: dict[str, Tokenizer]) -> None:
    columns = [f"{name}: tokens, median | most | characters a token" for name in tokenizers]
    print("| form | CPU s | characters, median | " + " | ".join(columns) + " |")
    print("|---|" + "--:|" * (2 + 3 * len(tokenizers)))
    for name in FORMS:
        writer = ContextWriter(databases, settings_of(SchemaSettings, {"schema": name}))
        start = time.process_time()
        texts = [writer.write(row["db_id"], row["question"]).schema for row in questions]
        seconds = time.process_time() - start
        sizes = [len(text) for text in texts]
        line = f"| {name} | {seconds:.2f} | {statistics.median(sizes):g} |"
        for tokenizer in tokenizers.values():
            tokens = {
                text: len(tokenizer.encode(text, add_special_tokens=False).ids)
                for text in set(texts)
            }
            counts = [tokens[text] for text in texts]
            line += (
                f" {statistics.median(counts):g} | {max(counts)} | {sum(sizes) / sum(counts):.2f} |"
            )
        print(line)


def measure_values(databases: Path, questions: list[Row]) -> None:
    known: dict[str, ValueIndex] = {}
    there = found = shown = asked = plain = shown_in_plain = 0
    for row in questions:
        path = databases / row["db_id"] / f"{row['db_id']}.sqlite"
        if row["db_id"] not in known:
            known[row["db_id"]] = ValueIndex(path, read_schema(path))
        index = known[row["db_id"]]
        values = {value for texts in index.mentioned(row["question"]).values() for value in texts}
        stored = {value.text for value in index}
        literals = [single or double for single, double in LITERAL.findall(row["sql"])]
        there += sum(literal in stored for literal in literals)
        found += sum(literal in stored and literal in values for literal in literals)
        shown += len(values)
        asked += bool(values)
        plain += not literals
        shown_in_plain += bool(values) and not literals
    print(
        f"\ntext literals of the gold that stand in a database: {there}; shown: {found} "
        f"({found / there:.1%}). Questions with values: {asked} of {len(questions)}, "
        f"{shown / asked:.1f} values each; with values although the gold has no text: "
        f"{shown_in_plain} of {plain}."
    )


def measure_linking(databases: Path, questions: list[Row]) -> None:
    print(
        "\n| budget, characters | questions cut | tables kept of those | gold survives | of all |"
    )
    print("|--:|--:|--:|--:|--:|")
    known = {}
    for row in questions:
        folder = databases / row["db_id"]
        if row["db_id"] not in known:
            path = folder / f"{folder.name}.sqlite"
            database = read_schema(path)
            linker = Linker(database, read_descriptions(folder, database))
            known[row["db_id"]] = path, database, linker, ValueIndex(path, database)
    for budget in BUDGETS:
        cut = kept = tables = survived = 0
        for row in questions:
            path, database, linker, values = known[row["db_id"]]
            mentioned = values.mentioned(row["question"])
            linked = linker.link(
                row["question"],
                mentioned,
                budget,
                lambda part: len(FORMS["ddl"].write(part, Notes())),
            )
            if linked is database:
                continue
            names = {table.name.lower() for table in linked.tables}
            cut += 1
            kept += len(names)
            tables += len(database.tables)
            survived += tables_read(path, row["sql"]) <= names
        everything = len(questions) - cut + survived
        print(
            f"| {budget} | {cut} | {kept / tables:.0%} | {survived} ({survived / cut:.1%}) "
            f"| {everything} ({everything / len(questions):.1%}) |"
        )


def measure_all(databases: Path, questions: list[Row]) -> None:
    for name in FORMS:
        entry = {"schema": name, "descriptions": {}, "linking": {"budget": 1500}, "values": VALUES}
        writer = ContextWriter(databases, settings_of(SchemaSettings, entry))
        start = time.process_time()
        for row in questions:
            writer.write(row["db_id"], row["question"])
        print(f"\n{name} with values and linking: {time.process_time() - start:.2f} CPU s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokenizers", nargs="+", required=True, help="NAME=FOLDER")
    named = [item.partition("=") for item in parser.parse_args().tokenizers]
    tokenizers = {name: load_tokenizer(Path(folder)) for name, _, folder in named}
    spider = Path(os.environ["SQLADDER_SPIDER"])
    with tempfile.TemporaryDirectory() as work:
        with tarfile.open(spider / "databases.tar.xz") as archive:
            archive.extractall(work, filter="data")
        databases = Path(work) / "database"
        questions = read_jsonl(spider / "dev.jsonl")
        questions = [row for row in questions if (databases / row["db_id"]).is_dir()]
        print(json.dumps({"questions": len(questions)}))
        measure_forms(databases, questions, tokenizers)
        measure_values(databases, questions)
        measure_linking(databases, questions)
        measure_all(databases, questions)


if __name__ == "__main__":
    main()
