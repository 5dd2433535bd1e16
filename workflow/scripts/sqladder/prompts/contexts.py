"""What a context makes of a question's database: the schema's text, and the values to be mentioned."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from sqladder.databases.question_values import ValueIndex
from sqladder.databases.sample_values import ColumnName, ColumnValues, read_examples
from sqladder.databases.schema import Database, read_schema, read_views
from sqladder.databases.shown import SQLITE_SPELLING, read_shown
from sqladder.prompts.descriptions import read_descriptions
from sqladder.prompts.linking import Linker
from sqladder.prompts.schema_forms import FORMS, Notes, values_block
from sqladder.prompts.settings import Descriptions, SchemaSettings

if TYPE_CHECKING:
    from sqladder.prompts.canonical import Canonical


class Written(NamedTuple):
    """The texts for {schema} and {values}."""

    schema: str
    values: str


class ContextWriter:
    """Writes schemas for questions; a database is read once."""

    def __init__(self, databases: Path, settings: SchemaSettings) -> None:
        """Take the folder that holds <db_id>/<db_id>.sqlite."""
        self._folder = databases
        self._settings = settings
        self._known: dict[str, _Known] = {}

    def __len__(self) -> int:
        """Count the databases read so far."""
        return len(self._known)

    def write(self, db_id: str, question: str, order: Random | None = None) -> Written:
        """Write the schema of a database, and the values in it that the question mentions.

        Args:
            db_id: names the database.
            question: in words.
            order: draws the order of tables and columns; without it they stand as in the file.

        Raises:
            InputError: the database is missing or cannot be read.
        """
        return self._database(db_id).write(question, order)

    def canonical(self, db_id: str, sql: str) -> str | None:
        """A query on a database in its canonical spelling, None where it has none.

        Raises:
            InputError: the database is missing or cannot be read.
        """
        return self._database(db_id).canonical.write(sql)

    def dialect(self, db_id: str) -> str:
        """The name of the dialect in which queries on a database are written.

        Raises:
            InputError: the database is missing or cannot be read.
        """
        return self._database(db_id).spelling.engine

    def _database(self, db_id: str) -> "_Known":
        if db_id not in self._known:
            self._known[db_id] = _Known(self._folder / db_id, self._settings)
        return self._known[db_id]


class _Known:
    """One database with what was read of it; what no question has needed is not read."""

    def __init__(self, folder: Path, settings: SchemaSettings) -> None:
        self._settings = settings
        self._form = FORMS[settings.form]
        self._path = folder / f"{folder.name}.sqlite"
        # Values come from tables alone: a view has no others, and to compute its rows can take for ever.
        self._stored = read_schema(self._path)
        shown = read_shown(folder)
        self._database = (
            shown.database if shown else Database((*self._stored.tables, *read_views(self._path)))
        )
        self.spelling = shown.spelling if shown else SQLITE_SPELLING
        self._notes = Notes(
            folder.name,
            read_examples(self._path, self._stored) if self._form.shows_examples else {},
            descriptions=self._described(folder, settings.descriptions),
            spelling=self.spelling,
        )

    def _described(self, folder: Path, wanted: Descriptions | None) -> Mapping[ColumnName, str]:
        if wanted is None:
            return {}
        tables = Path(wanted.tables) if wanted.tables else None
        return read_descriptions(folder, self._database, tables)

    @cached_property
    def _plain(self) -> str:
        return self._form.write(self._database, self._notes)

    @cached_property
    def _values(self) -> ValueIndex:
        return ValueIndex(self._path, self._stored)

    @cached_property
    def _linker(self) -> Linker:
        return Linker(self._database, self._notes.descriptions)

    @cached_property
    def canonical(self) -> "Canonical":
        """What writes queries on the database in one spelling."""
        # Imported here: it brings sqlglot along, which only answers that are taught need.
        from sqladder.prompts.canonical import Canonical

        return Canonical(self._path, self._database)

    def write(self, question: str, order: Random | None) -> Written:
        wanted = self._settings.values
        mentioned: ColumnValues = {}
        if wanted:
            mentioned = self._values.mentioned(question, wanted.per_column, wanted.at_most)
        if wanted and wanted.place == "in_schema" and mentioned:
            notes = replace(self._notes, mentioned=mentioned)
            shown = _ordered(self._linked(question, notes), order)
            return Written(self._form.write(shown, notes), "")
        if self._settings.linking is None and order is None:
            return Written(self._plain, values_block(self._database, mentioned, self.spelling))
        linked = self._linked(question, self._notes)
        schema = self._form.write(_ordered(linked, order), self._notes)
        return Written(schema, values_block(linked, mentioned, self.spelling))

    def _linked(self, question: str, notes: Notes) -> Database:
        if self._settings.linking is None:
            return self._database
        # The tables of mentioned values matter whether or not the prompt shows the values.
        mentioned = self._values.mentioned(question)
        budget = self._settings.linking.budget
        return self._linker.link(
            question, mentioned, budget, lambda database: len(self._form.write(database, notes))
        )


def _ordered(database: Database, order: Random | None) -> Database:
    """The database with its tables, and the columns of each, in a drawn order; keys stay what they are."""
    if order is None:
        return database
    return Database(
        tuple(
            replace(table, columns=tuple(order.sample(table.columns, len(table.columns))))
            for table in order.sample(database.tables, len(database.tables))
        )
    )
