"""One spelling for queries that mean the same: what a model is taught, where a context asks for it.

People write one query in many ways: `SELECT T1.Name FROM singer AS T1`, `select name from singer`. A small model
that is taught all of them has to choose, and uses an alias before it has declared it. Here keywords are in capitals,
names are spelled as in the schema, tables have no alias where they need none, columns have their table's name where
there are several tables, and texts stand in single quotes.
"""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.generators.sqlite import SQLiteGenerator
from sqlglot.optimizer.scope import Scope, traverse_scope

from sqladder.databases.schema import Database, open_read_only, quoted


class Canonical:
    """Writes queries on one database in one spelling."""

    def __init__(self, path: Path, database: Database) -> None:
        """Take the database's file, and its tables and views as they were read from it."""
        self._path = path
        self._names = {table.name.lower(): table.name for table in database.tables}
        self._columns = {
            table.name.lower(): {column.name.lower(): column.name for column in table.columns}
            for table in database.tables
        }

    def write(self, sql: str) -> str | None:
        """The query in its canonical spelling, None where SQLite does not compile it to the same program.

        A compiled program names tables by their place in the file and has no aliases, so two spellings of one query
        have equal programs (https://www.sqlite.org/opcode.html). Nothing is executed.
        """
        try:
            rewritten = self._rewritten(sql)
        except (SqlglotError, RecursionError):
            return None
        with open_read_only(self._path) as connection:
            is_same = _program(connection, sql) == _program(connection, rewritten) is not None
        return rewritten if is_same else None

    def _rewritten(self, sql: str) -> str:
        query = parse_one(sql, read="sqlite")
        if not isinstance(query, exp.Query):
            raise SqlglotError("no query")
        scopes = traverse_scope(query)
        # A subquery that looks into the query around it needs its aliases to tell the two apart.
        is_correlated = any(
            column.table.lower() not in {"", *map(str.lower, scope.sources)}
            for scope in scopes
            for column in _own_columns(scope)
        )
        for scope in scopes:
            self._rewrite(scope, is_correlated)
        return _Generator().generate(query)

    def _rewrite(self, scope: Scope, keeps_aliases: bool) -> None:
        tables = {
            alias: source.name.lower()
            for alias, source in scope.sources.items()
            if isinstance(source, exp.Table) and source.name.lower() in self._names
        }
        keeps_aliases = keeps_aliases or len(set(tables.values())) < len(scope.sources)
        for column in _own_columns(scope):
            self._rewrite_column(column, scope, tables, keeps_aliases)
        for alias, name in tables.items():
            table = cast(exp.Table, scope.sources[alias])
            table.set("this", _identifier(self._names[name]))
            if not keeps_aliases:
                table.set("alias", None)

    def _rewrite_column(
        self, column: exp.Column, scope: Scope, tables: dict[str, str], keeps_aliases: bool
    ) -> None:
        name, qualifier = column.name.lower(), column.table
        owners = [
            alias
            for alias, table in tables.items()
            if name in self._columns[table] and qualifier.lower() in ("", alias.lower())
        ]
        if len(owners) == 1:
            table = tables[owners[0]]
            column.set("this", _identifier(self._columns[table][name]))
            shown = owners[0] if keeps_aliases else self._names[table]
            is_needed = len(scope.sources) > 1 or (keeps_aliases and qualifier)
            column.set("table", _identifier(shown) if is_needed else None)
        elif not owners and not qualifier and _is_text(column, scope):
            column.replace(exp.Literal.string(column.name))


class _Generator(SQLiteGenerator):
    """Writes `a != b` and `a NOT IN (...)`, as people do, where sqlglot has `a <> b` and `NOT a IN (...)`."""

    def neq_sql(self, expression: exp.NEQ) -> str:
        return self.binary(expression, "!=")

    def not_sql(self, expression: exp.Not) -> str:
        inner, written = expression.this, super().not_sql(expression)
        for kind, word in (
            (exp.In, "IN"),
            (exp.Like, "LIKE"),
            (exp.Between, "BETWEEN"),
            (exp.Is, "IS"),
        ):
            if isinstance(inner, kind):
                operand = self.sql(inner, "this")
                rest = written.removeprefix(f"NOT {operand} {word}")
                if rest != written:
                    return (
                        f"{operand} IS NOT{rest}" if word == "IS" else f"{operand} NOT {word}{rest}"
                    )
        return written


def _own_columns(scope: Scope) -> Iterator[exp.Column]:
    """A scope's columns without those of the queries in it."""
    inner = {id(column) for child in scope.subquery_scopes for column in child.columns}
    return (column for column in scope.columns if id(column) not in inner)


def _is_text(column: exp.Column, scope: Scope) -> bool:
    """SQLite reads a name in double quotes that is none as a text."""
    aliases = {select.alias.lower() for select in getattr(scope.expression, "selects", ())}
    return bool(column.this.quoted) and column.name.lower() not in aliases


def _identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=quoted(name) != name)


def _program(connection: sqlite3.Connection, sql: str) -> list[tuple[object, ...]] | None:
    try:
        return [tuple(row[1:7]) for row in connection.execute(f"EXPLAIN {sql}")]
    except sqlite3.Error:
        return None
