"""Build a demonstration database from its SQL text, and variations of it for the test suite."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

from sqladder.databases.schema import Database, ddl, open_read_only, quoted, read_schema
from sqladder.demo.variations import STYLES, Rows, vary
from sqladder.errors import InputError
from sqladder.files import replacing


def build(script: Path, folder: Path, variations: int, seed: int) -> list[Path]:
    """Write <folder>/<db_id>.sqlite from a SQL script, and <db_id>_v1.sqlite ... beside it.

    Args:
        script: CREATE TABLE and INSERT statements; its stem is the db_id.
        folder: where the files go.
        variations: how many databases with the same schema and other rows to add.
        seed: same seed, same rows.

    Raises:
        InputError: the script does not run or leaves rows without the row they refer to.
    """
    db_id = script.stem
    # Files of an earlier call with more variations would stay in the suite.
    for old in folder.glob("*.sqlite"):
        old.unlink()
    original = folder / f"{db_id}.sqlite"
    _run_script(script, original)
    schema, rows = read_schema(original), read_rows(original)
    paths = [original]
    for number in range(1, variations + 1):
        style = STYLES[(number - 1) % len(STYLES)]
        varied = vary(schema, rows, style, random.Random(f"{seed}/{db_id}/{number}"))
        paths.append(folder / f"{db_id}_v{number}.sqlite")
        write_database(paths[-1], schema, varied)
    return paths


def _run_script(script: Path, path: Path) -> None:
    with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as connection:
        try:
            connection.executescript(f"BEGIN; {script.read_text(encoding='utf-8')} COMMIT;")
        except sqlite3.Error as error:
            raise InputError(f"{script} does not run in SQLite: {error}") from error
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        if orphans:
            table, row, parent, _ = orphans[0]
            raise InputError(f"{script}: row {row} of {table} refers to a missing row of {parent}")


def read_rows(path: Path) -> Rows:
    """All rows of a database by table, in the order of insertion."""
    with open_read_only(path) as connection:
        names = [table.name for table in read_schema(path).tables]
        return {
            name: connection.execute(f"SELECT * FROM {quoted(name)}").fetchall() for name in names
        }


def write_database(path: Path, schema: Database, rows: Rows) -> None:
    """Write a database file with the given schema and rows; keys are checked by SQLite."""
    with replacing(path) as temporary, closing(sqlite3.connect(temporary)) as connection:
        connection.executescript(ddl(schema))
        for table in schema.tables:
            marks = ", ".join("?" * len(table.columns))
            connection.executemany(
                f"INSERT INTO {quoted(table.name)} VALUES ({marks})", rows[table.name]
            )
        connection.commit()
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        if orphans:
            raise InputError(f"{path}: {len(orphans)} rows refer to missing rows")
