"""Measure search by words in Chinese and Japanese, which put no spaces between them: a table of docs/contexts.md.

48 questions of ours over eight of Spider's databases, two ways of asking for each query, in three languages; values
stand in them as they are stored. With --cutter the runs without spaces are cut otherwise: characters, whole (parted
from Latin letters only), or by the segmenters jieba (Chinese) and janome (Japanese), where these are installed.

Example: SQLADDER_SPIDER=... python benchmarks/unspaced_scripts.py --cutter pairs
"""

import argparse
import os
import re
import sys
import tarfile
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

sys.path += [
    str(Path(__file__).resolve().parents[1] / part) for part in ("workflow/scripts", "tests")
]

from sqladder.databases.question_values import ValueIndex
from sqladder.databases.schema import Database, read_schema
from sqladder.files import Row, read_jsonl
from sqladder.prompts.linking import Linker
from sqladder.prompts.schema_forms import FORMS, Notes
from sqladder.retrieval.example_pool import Pool
from sqladder.retrieval.search import bm25_examples
from sqladder.texts import stems
from sqladder.texts.unspaced import pairs
from tables_read import tables_read

BENCHMARKS = Path(__file__).resolve().parent
LANGUAGES = {"en": "English", "zh": "Chinese", "ja": "Japanese"}
LITERAL = re.compile(r"'([^']*)'")
# What is the same in every language.
LATIN = re.compile(r"[A-Za-zÀ-ÿ]+|\d+")


def cutter(name: str, language: str) -> Callable[[str], list[str]]:
    """How a run of letters without spaces is cut."""
    # By name: neither is a package of the project.
    if name == "segmenter" and language == "zh":
        cut: Callable[[str], list[str]] = import_module("jieba").lcut
        return cut
    if name == "segmenter" and language == "ja":
        tokenizer = import_module("janome.tokenizer").Tokenizer()
        return lambda run: list(tokenizer.tokenize(run, wakati=True))
    return {"characters": list, "whole": lambda run: [run]}.get(name, pairs)


def nearest(questions: list[Row], language: str, *, hide_latin: bool) -> int:
    """For how many questions BM25 finds the other way of asking for the same query first."""

    def text(row: Row) -> str:
        return LATIN.sub(" ", row[language]) if hide_latin else row[language]

    rows = [{**row, "question": row[language]} for row in questions]
    found = bm25_examples(Pool(rows), rows, 1, text, text)
    return sum(
        bool(first) and rows[first[0].position]["id"][:2] == row["id"][:2]
        for row, first in zip(rows, found, strict=True)
    )


def values_found(questions: list[Row], language: str, indexes: dict[str, ValueIndex]) -> str:
    """Text literals of the gold that are among the values that a question mentions, of those that are stored."""
    there = found = 0
    for row in questions:
        index = indexes[row["db_id"]]
        stored = {value.text for value in index}
        shown = {text for texts in index.mentioned(row[language]).values() for text in texts}
        literals = [text for text in LITERAL.findall(row["sql"]) if text in stored]
        there += len(literals)
        found += sum(text in shown for text in literals)
    return f"{found} of {there}"


def length(database: Database) -> int:
    """Characters of the schema as DDL."""
    return len(FORMS["ddl"].write(database, Notes()))


def linked(
    questions: list[Row], language: str, databases: Path, indexes: dict[str, ValueIndex]
) -> str:
    """Questions whose tables survive where the schema is cut to half of its length."""
    described = read_jsonl(BENCHMARKS / "translated_columns.jsonl")
    survived = 0
    for row in questions:
        path = databases / row["db_id"] / f"{row['db_id']}.sqlite"
        own = [each for each in described if each["db_id"] == row["db_id"]]
        names = {(each["table"], each["column"]): each.get(language, "") for each in own}
        database = read_schema(path)
        mentioned = indexes[row["db_id"]].mentioned(row[language])
        budget = length(database) // 2
        kept = Linker(database, names).link(row[language], mentioned, budget, length)
        survived += tables_read(path, row["sql"]) <= {table.name.lower() for table in kept.tables}
    return f"{survived} of {len(questions)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cutter", choices=("pairs", "characters", "whole", "segmenter"), default="pairs"
    )
    args = parser.parse_args()
    questions = read_jsonl(BENCHMARKS / "translated_questions.jsonl")
    print("| cut into | language | BM25 | without names and numbers | values | tables |")
    print("|---|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as work:
        with tarfile.open(Path(os.environ["SQLADDER_SPIDER"]) / "databases.tar.xz") as archive:
            archive.extractall(work, filter="data")
        databases = Path(work) / "database"
        for language, name in LANGUAGES.items():
            vars(stems)["pairs"] = cutter(args.cutter, language)
            indexes = {
                db_id: ValueIndex(path, read_schema(path))
                for db_id in dict.fromkeys(row["db_id"] for row in questions)
                for path in [databases / db_id / f"{db_id}.sqlite"]
            }
            cells = (
                nearest(questions, language, hide_latin=False),
                "" if language == "en" else nearest(questions, language, hide_latin=True),
                values_found(questions, language, indexes),
                linked(questions, language, databases, indexes),
            )
            print("|", " | ".join(map(str, (args.cutter, name, *cells))), "|")


if __name__ == "__main__":
    main()
