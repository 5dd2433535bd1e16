"""The grammar of each question's answer, as the decoding and the question's database say."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqladder.databases.schema import Table, read_schema, read_views
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.generation.question_databases import database_names
from sqladder.generation.settings import GrammarName
from sqladder.generation.sql_grammar import any_names, own_names
from sqladder.metric.database_files import suite_files


@dataclass(frozen=True)
class QuestionFiles:
    """Where the questions are that prompts were made of, and their databases; None where nothing was named."""

    prompts: Path
    examples: Path | None
    databases: Path | None


def grammars_of(
    name: GrammarName, rows: Sequence[Row], files: QuestionFiles
) -> dict[str | int, str]:
    """The grammar of the answer to each prompt, by the prompt's id; empty where answers are free.

    Args:
        name: which grammar.
        rows: the prompts.
        files: what `schema` reads; each database once.

    Raises:
        InputError: a file is not named, is missing or does not fit the prompts.
    """
    if name == "none":
        return {}
    if name == "sql":
        return dict.fromkeys((row["id"] for row in rows), any_names())
    if files.examples is None or files.databases is None:
        raise InputError(
            "the grammar schema needs the names of each question's database: give --examples (id, db_id) and "
            "--databases, or take --grammar sql"
        )
    names = database_names(rows, files.prompts, files.examples)
    texts = {each: grammar_of(name, files.databases, each) for each in set(names.values())}
    return {key: texts[each] for key, each in names.items()}


def grammar_of(name: GrammarName, databases: Path, db_id: str) -> str:
    """The grammar, `sql` or `schema`, of answers on one database."""
    return any_names() if name == "sql" else own_names(tables_of(databases, db_id))


def tables_of(databases: Path, db_id: str) -> list[Table]:
    """The tables and views of a database, as its original file has them."""
    original = Path(suite_files(databases, db_id)[0])
    return [*read_schema(original).tables, *read_views(original)]


def digest(grammars: Mapping[str | int, str]) -> str:
    """What tells the grammars of one run from those of another."""
    texts = "\n".join(sorted(set(grammars.values())))
    return hashlib.sha256(texts.encode()).hexdigest()
