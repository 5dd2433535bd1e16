"""A content of a made suite, a SQLite file, in the engine where the data live: beside the original, under its names."""

import re
from dataclasses import dataclass
from pathlib import Path

from sqladder.databases.conversion import Row
from sqladder.databases.engine import DUCKDB, POSTGRESQL, Engine, kind_of
from sqladder.databases.query_text import bare_names
from sqladder.databases.schema import in_quotes, open_read_only, read_schema
from sqladder.errors import InputError
from sqladder.metric.limits import Limits

HAVE_CONTENTS = (DUCKDB, POSTGRESQL)
"""Engines that can hold a content without being written: DuckDB in memory, PostgreSQL in temporary tables."""

_OF_ORIGINAL = re.compile(r'(?<![\w.])"?public"?\s*\.', re.IGNORECASE)


@dataclass(frozen=True)
class TableRows:
    """The rows of one table, values as SQLite stores them."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]


def read_content(path: Path, *, backwards: bool = False) -> list[TableRows]:
    """All rows of a content, in the order of the file or the other way round."""
    tables = []
    with open_read_only(path) as connection:
        for table in read_schema(path).tables:
            columns = tuple(column.name for column in table.columns)
            listed = ", ".join(map(in_quotes, columns))
            rows = connection.execute(f"SELECT {listed} FROM {in_quotes(table.name)}").fetchall()
            tables.append(TableRows(table.name, columns, rows[::-1] if backwards else rows))
    return tables


def open_content(source: str, tables: list[TableRows], limits: Limits) -> Engine:
    """Open a content; rows that the engine's types or constraints refuse are left out.

    Args:
        source: the original, which is only read.
        tables: the rows.
        limits: what one execution may cost.

    Raises:
        InputError: the original cannot be opened, or its tables or views cannot be made again.
    """
    kind = kind_of(source)
    if kind == POSTGRESQL:
        from sqladder.databases.postgresql import PostgresqlEngine

        return PostgresqlEngine(source, limits, tables)
    if kind == DUCKDB:
        from sqladder.databases.duck import DuckEngine

        return DuckEngine(Path(source), limits, tables)
    raise InputError(f"suites cannot be loaded into the engine of {source}: leave suite out")


def reads_original(sql: str, source: str) -> bool:
    """Whether a query names the schema of the original, whose tables it would read instead of the content's."""
    return kind_of(source) == POSTGRESQL and bool(_OF_ORIGINAL.search(bare_names(sql)))
