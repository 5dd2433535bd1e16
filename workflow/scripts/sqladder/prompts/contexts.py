"""What a context makes of a question's database: the schema's text, and the values to be mentioned."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from sqladder.databases.question_values import ValueIndex
from sqladder.databases.sample_values import ColumnName, ColumnValues, read_examples
from sqladder.databases.schema import Database, read_schema, read_views
from sqladder.prompts.descriptions import read_descriptions
from sqladder.prompts.linking import Linker
from sqladder.prompts.schema_forms import FORMS, Notes, values_block
from sqladder.prompts.settings import Descriptions, SchemaSettings


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

    def write(self, db_id: str, question: str) -> Written:
        """Write the schema of a database, and the values in it that the question mentions.

        Raises:
            InputError: the database is missing or cannot be read.
        """
        if db_id not in self._known:
            self._known[db_id] = _Known(self._folder / db_id, self._settings)
        return self._known[db_id].write(question)


class _Known:
    """One database with what was read of it; what no question has needed is not read."""

    def __init__(self, folder: Path, settings: SchemaSettings) -> None:
        self._settings = settings
        self._form = FORMS[settings.form]
        self._path = folder / f"{folder.name}.sqlite"
        # Values come from tables alone: a view has no others, and to compute its rows can take for ever.
        self._stored = read_schema(self._path)
        self._database = Database((*self._stored.tables, *read_views(self._path)))
        self._notes = Notes(
            folder.name,
            read_examples(self._path, self._stored) if self._form.shows_examples else {},
            descriptions=self._described(folder, settings.descriptions),
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

    def write(self, question: str) -> Written:
        wanted = self._settings.values
        mentioned: ColumnValues = {}
        if wanted:
            mentioned = self._values.mentioned(question, wanted.per_column, wanted.at_most)
        if wanted and wanted.place == "in_schema" and mentioned:
            notes = replace(self._notes, mentioned=mentioned)
            return Written(self._form.write(self._linked(question, notes), notes), "")
        if self._settings.linking is None:
            return Written(self._plain, values_block(self._database, mentioned))
        linked = self._linked(question, self._notes)
        return Written(self._form.write(linked, self._notes), values_block(linked, mentioned))

    def _linked(self, question: str, notes: Notes) -> Database:
        if self._settings.linking is None:
            return self._database
        # The tables of mentioned values matter whether or not the prompt shows the values.
        mentioned = self._values.mentioned(question)
        budget = self._settings.linking.budget
        return self._linker.link(
            question, mentioned, budget, lambda database: len(self._form.write(database, notes))
        )
