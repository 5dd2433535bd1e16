"""Which gold queries fail only because they are written in another engine's dialect."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from sqladder.data.gold_execution import DIALECT, FAILING, Check
from sqladder.databases.dialects import Tables, dialect_fault
from sqladder.databases.schema import read_schema
from sqladder.files import Row


def with_dialects(
    examples: Iterable[Row],
    databases: Mapping[str, Path],
    checks: Mapping[str, Check],
    own: str = "sqlite",
) -> dict[str, Check]:
    """The checks, where failing gold that another engine takes has a status of its own.

    Args:
        examples: id, db_id, sql, and alternatives where there are some.
        databases: db_id -> the SQLite file that gold was executed on, or the copy of what it was executed on.
        checks: id -> check.
        own: the dialect of the engine that executed it.
    """
    found, tables = dict(checks), dict[str, Tables]()
    for row in examples:
        check, db_id = checks[row["id"]], row["db_id"]
        if check.status != FAILING:
            continue
        if db_id not in tables:
            tables[db_id] = _tables(databases[db_id])
        texts = (row["sql"], *row.get("alternatives", ()))
        faults = (dialect_fault(text, check.detail, tables[db_id], own) for text in texts)
        if fault := next(filter(None, faults), ""):
            found[row["id"]] = replace(check, status=DIALECT, detail=f"{check.detail} ({fault})")
    return found


def _tables(path: Path) -> Tables:
    return {
        table.name: [column.name for column in table.columns] for table in read_schema(path).tables
    }
