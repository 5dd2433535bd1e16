"""What is said of columns: comments in the database, Spider's tables.json, BIRD's database_description folders."""

import csv
from collections.abc import Mapping
from pathlib import Path

from sqladder.databases.sample_values import ColumnName
from sqladder.databases.schema import Database, open_read_only
from sqladder.databases.sql_comments import column_comments
from sqladder.errors import InputError
from sqladder.files import read_json

BIRD_FOLDER = "database_description"


def read_descriptions(
    database_folder: Path, database: Database, tables_json: Path | None = None
) -> dict[ColumnName, str]:
    """Collect descriptions: of several, BIRD's goes before Spider's name, that before a comment.

    A description that only repeats the column's name is left out, and so is one of a column that
    the database does not have.

    Args:
        database_folder: holds <db_id>.sqlite and, in BIRD, database_description/<table>.csv.
        database: the schema; names are matched to it without regard to case.
        tables_json: Spider's file, in which the database's entry is found by the folder's name.

    Raises:
        InputError: a file is not in its format.
    """
    found = _comments(database_folder / f"{database_folder.name}.sqlite")
    if tables_json:
        found |= _spider_names(tables_json, database_folder.name)
    for path in sorted((database_folder / BIRD_FOLDER).glob("*.csv")):
        found |= _bird_descriptions(path)
    return {
        (table.name, column.name): text
        for table in database.tables
        for column in table.columns
        if (text := found.get((_fold(table.name), _fold(column.name))))
        and _words(text) != _words(column.name)
    }


def _comments(path: Path) -> dict[tuple[str, str], str]:
    """Read the comments in the CREATE TABLE statements, as the database keeps them."""
    with open_read_only(path) as connection:
        tables = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL"
        ).fetchall()
    return {
        (_fold(table), _fold(column)): text
        for table, statement in tables
        for column, text in column_comments(statement).items()
    }


def _spider_names(path: Path, db_id: str) -> dict[tuple[str, str], str]:
    try:
        entries = {entry["db_id"]: entry for entry in read_json(path)}
        entry = entries.get(db_id)
        if entry is None:
            return {}
        tables = entry["table_names_original"]
        pairs = zip(entry["column_names_original"], entry["column_names"], strict=True)
        return {
            (_fold(tables[number]), _fold(original)): name
            for (number, original), (_, name) in pairs
            if number >= 0
        }
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path} is not in the format of Spider's tables.json: {error!r}"
        ) from error


def _bird_descriptions(path: Path) -> dict[tuple[str, str], str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file))
    if rows and "original_column_name" not in rows[0]:
        raise InputError(f"{path} has no column 'original_column_name': it is not BIRD's format")
    return {
        (_fold(path.stem), _fold(row["original_column_name"])): _bird_text(row)
        for row in rows
        if row["original_column_name"]
    }


def _bird_text(row: Mapping[str, str | None]) -> str:
    fields = ("column_name", "column_description", "value_description")
    parts = dict.fromkeys((row.get(field) or "").strip() for field in fields)
    own = row["original_column_name"] or ""
    return "; ".join(part for part in parts if part and _words(part) != _words(own))


def _fold(name: str) -> str:
    return name.strip().casefold()


def _words(text: str) -> list[str]:
    return text.casefold().replace("_", " ").split()
