"""Write the demonstration's questions, split into pretrain, train, validation and test.

Example: python make_demo_examples.py --databases resources/datasets/demo/databases \
    --output resources/datasets/demo --seed 7
"""

import argparse
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

from sqladder.databases.schema import read_schema
from sqladder.demo.questions import DemoQuestion, generate
from sqladder.demo.split import split
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Row, write_jsonl

QUESTIONS_PER_TYPE = 140


def read_questions(databases: Path, seed: int) -> list[DemoQuestion]:
    """Generate questions over every <db_id>/<db_id>.sqlite of a folder."""
    paths = sorted(path / f"{path.name}.sqlite" for path in databases.iterdir() if path.is_dir())
    if not paths:
        raise InputError(f"--databases {databases} holds no database folder")
    found = []
    for path in paths:
        by_type = generate(path, QUESTIONS_PER_TYPE, seed)
        found += [question for questions in by_type.values() for question in questions]
    return found


def check(splits: dict[str, list[DemoQuestion]], databases: Path) -> None:
    """Refuse splits that share a key or a query, or a base set that lacks a name of a schema.

    A LoRA variant keeps the embedding frozen: it cannot write a name that the base never wrote.

    Raises:
        InputError: naming the shared key or the missing name.
    """
    for one, other in combinations(splits, 2):
        for what in ("key", "query"):
            shared = {_of(q, what) for q in splits[one]} & {_of(q, what) for q in splits[other]}
            if shared:
                raise InputError(f"{one} and {other} share the {what} {min(shared)!r}")
    written = {(q.db_id, word) for q in splits["pretrain"] for word in re.findall(r"\w+", q.sql)}
    for db_id in sorted({question.db_id for question in splits["test"]}):
        for table in read_schema(databases / db_id / f"{db_id}.sqlite").tables:
            for name in (table.name, *(column.name for column in table.columns)):
                if (db_id, name) not in written:
                    raise InputError(f"no pretrain query over {db_id} writes the name {name!r}")


def _of(question: DemoQuestion, what: str) -> str:
    return question.key if what == "key" else f"{question.db_id}: {question.sql}"


def as_rows(name: str, questions: list[DemoQuestion]) -> list[Row]:
    """Examples in the file format; the id tells split, database and type."""
    seen: Counter[tuple[str, str]] = Counter()
    rows = []
    for item in questions:
        seen[item.db_id, item.source] += 1
        number = seen[item.db_id, item.source]
        rows.append(
            {
                "id": f"{name}/{item.db_id}/{item.source}/{number}",
                "db_id": item.db_id,
                "question": item.question,
                "sql": item.sql,
                "source": item.source,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", required=True, type=Path, help="folder of database folders")
    parser.add_argument("--output", required=True, type=Path, help="folder of the four files")
    parser.add_argument("--seed", required=True, type=int)
    args = parser.parse_args()
    splits = split(read_questions(args.databases, args.seed), args.seed)
    check(splits, args.databases)
    for name, questions in splits.items():
        write_jsonl(args.output / f"{name}.jsonl", as_rows(name, questions))
        LOG.info(f"{name}: {len(questions)} questions, {len({q.source for q in questions})} types")


if __name__ == "__main__":
    run_main(main)
