"""A database's schema as its own engine shows it: types, names, quotes; kept in a file beside the SQLite copy."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqladder.databases.schema import Column, Database, ForeignKey, Table, quoted, type_name
from sqladder.errors import InputError
from sqladder.files import write_json


@dataclass(frozen=True)
class Spelling:
    """How names and types are written in a dialect.

    Attributes:
        dialect: as dialect_marks.py calls it.
        names: names that are not written as they are, with how they are written; for SQLite, its own rules hold.
        engine: as people call it.
    """

    dialect: str = "sqlite"
    names: Mapping[str, str] = field(default_factory=dict)
    engine: str = "SQLite"

    def name(self, name: str) -> str:
        """A table's or column's name as a query writes it."""
        return quoted(name) if self.dialect == "sqlite" else self.names.get(name, name)

    def type(self, kind: str) -> str:
        """A column's type as a definition writes it."""
        return type_name(kind) if self.dialect == "sqlite" else kind


SQLITE_SPELLING = Spelling()


@dataclass(frozen=True)
class Shown:
    """Tables and views, and how their names and types are written."""

    database: Database
    spelling: Spelling


def shown_path(folder: Path) -> Path:
    """Where the schema of the engine stands, in the folder of a database."""
    return folder / f"{folder.name}.schema.json"


def write_shown(path: Path, shown: Shown) -> None:
    """Keep a schema in a file."""
    tables = [asdict(table) for table in shown.database.tables]
    spelling = {"dialect": shown.spelling.dialect, "names": dict(shown.spelling.names)}
    spelling |= {"engine": shown.spelling.engine}
    write_json(path, {**spelling, "tables": tables})


def read_shown(folder: Path) -> Shown | None:
    """The schema as the engine shows it, None for a database whose engine is SQLite.

    Raises:
        InputError: the file is no such schema.
    """
    path = shown_path(folder)
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text("utf-8"))
        tables = tuple(_table(row) for row in content["tables"])
        return Shown(
            Database(tables), Spelling(content["dialect"], content["names"], content["engine"])
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} holds no schema of an engine: {error}") from error


def _table(row: dict) -> Table:
    keys = [
        ForeignKey(tuple(key["columns"]), key["table"], tuple(key["references"]))
        for key in row["foreign_keys"]
    ]
    columns = tuple(Column(**column) for column in row["columns"])
    return Table(row["name"], columns, tuple(row["primary_key"]), tuple(keys), row["is_view"])


def names_of(database: Database) -> list[str]:
    """The names of all tables and columns, each once."""
    names = (
        name
        for table in database.tables
        for name in (table.name, *(column.name for column in table.columns))
    )
    return list(dict.fromkeys(names))
