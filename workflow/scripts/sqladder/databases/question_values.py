"""Values of a database that a question mentions, found by their words.

A value counts as mentioned when its words stand in the question in their order, or when the rarer
part of them does. Reading is bounded in rows, values and SQLite steps, which are counts: the same
database gives the same values on every machine.
"""

import math
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sqladder.databases.sample_values import (
    LONGEST,
    ColumnName,
    is_writable,
)
from sqladder.databases.schema import Database, in_quotes, open_read_only
from sqladder.texts.stems import SPACED, STOPWORDS, stems
from sqladder.texts.unspaced import RUN
from sqladder.texts.words import without_case

# Part of a value's weight (rare words weigh more) that a question must hold.
ENOUGH = 0.6
# A word that more values than this hold does not tell one from another.
COMMON = 500
_QUOTED = re.compile(
    rf"""(?<!{SPACED})(?:'([^']+)'|"([^"]+)"|‘([^’]+)’|“([^”]+)”|「([^」]+)」|『([^』]+)』)(?!{SPACED})"""
)


@dataclass(frozen=True)
class ValueLimits:
    """How much of a database is read: rows and different values a column, values and steps in all."""

    rows: int = 100_000
    values_per_column: int = 20_000
    values: int = 300_000
    vm_steps: int = 500_000_000


class StoredValue(NamedTuple):
    """One value where it stands, with its folded words."""

    column: ColumnName
    text: str
    words: tuple[str, ...]


class ValueIndex:
    """The different texts of a database, ready to be looked up by the words of a question."""

    def __init__(self, path: Path, database: Database, limits: ValueLimits | None = None) -> None:
        """Read the values; `cut` names the columns of which only a part was read."""
        self.cut: set[ColumnName] = set()
        self._values = self._read(path, database, limits or ValueLimits())
        self._holders: dict[str, list[int]] = defaultdict(list)
        for number, value in enumerate(self._values):
            for word in set(value.words):
                self._holders[word].append(number)

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[StoredValue]:
        return iter(self._values)

    def _read(self, path: Path, database: Database, limits: ValueLimits) -> list[StoredValue]:
        values: list[StoredValue] = []
        with open_read_only(path) as connection:
            _stop_after(connection, limits.vm_steps)
            for table in database.tables:
                for column in table.columns:
                    name = table.name, column.name
                    room = min(limits.values_per_column, limits.values - len(values))
                    texts = self._read_column(connection, name, limits.rows, room)
                    values += (StoredValue(name, text, tuple(stems(text))) for text in texts)
        return [value for value in values if value.words]

    def _read_column(
        self, connection: sqlite3.Connection, name: ColumnName, rows: int, room: int
    ) -> list[str]:
        table, column = map(in_quotes, name)
        statement = (
            f"SELECT DISTINCT value FROM (SELECT {column} AS value FROM {table} LIMIT {rows})"
            f" WHERE typeof(value) = 'text' AND length(value) <= {LONGEST}"
        )
        texts: list[str] = []
        try:
            for (text,) in connection.execute(statement):
                if len(texts) >= room:
                    self.cut.add(name)
                    break
                texts.append(text)
            beyond = f"SELECT 1 FROM {table} LIMIT 1 OFFSET {rows}"
            if connection.execute(beyond).fetchone():
                self.cut.add(name)
        except sqlite3.OperationalError:
            # The steps are used up; what was read before stays.
            self.cut.add(name)
        return [text for text in texts if is_writable(text)]

    def mentioned(
        self, question: str, per_column: int = 3, at_most: int = 10
    ) -> dict[ColumnName, tuple[str, ...]]:
        """Find the values that a question mentions, the surest first, in the schema's words.

        Args:
            question: the question's text.
            per_column: the most values of one column.
            at_most: the most values in all.
        """
        asked, said = stems(question), without_case(question)
        quoted = {tuple(stems(next(filter(None, found)))) for found in _QUOTED.findall(question)}
        scores = self._scores(asked)
        scored = [
            (_certainty(value, asked, said, quoted, score), number)
            for number, score in scores.items()
            if _may_match(value := self._values[number], question, quoted)
        ]
        ranked = sorted((-certainty, number) for certainty, number in scored if certainty > 0)
        chosen: dict[ColumnName, tuple[str, ...]] = {}
        taken: Counter[ColumnName] = Counter()
        for _, number in ranked:
            value = self._values[number]
            if taken.total() < at_most and taken[value.column] < per_column:
                taken[value.column] += 1
                chosen[value.column] = (*chosen.get(value.column, ()), value.text)
        return chosen

    def _scores(self, asked: list[str]) -> dict[int, float]:
        """Add to each value that shares a telling word with the question its part of the weight."""
        found = {
            number
            for word in set(asked) - STOPWORDS
            if len(self._holders.get(word, ())) <= COMMON
            for number in self._holders.get(word, ())
        }
        present = set(asked)
        return {number: self._part(self._values[number], present) for number in found}

    def _part(self, value: StoredValue, present: set[str]) -> float:
        weights = {word: self._weight(word) for word in value.words}
        return sum(weights[word] for word in weights if word in present) / sum(weights.values())

    def _weight(self, word: str) -> float:
        if word in STOPWORDS:
            return 0.1
        return 1 + math.log(len(self._values) / len(self._holders[word]))


def _stop_after(connection: sqlite3.Connection, vm_steps: int) -> None:
    every = 10_000
    left = vm_steps // every

    def out_of_steps() -> bool:
        nonlocal left
        left -= 1
        return left < 0

    connection.set_progress_handler(out_of_steps, every)


def _may_match(value: StoredValue, question: str, quoted: set[tuple[str, ...]]) -> bool:
    """Short and numeric values say little: they must stand in quotes or as they are stored."""
    if value.words in quoted:
        return True
    if len(value.text) < 2 or value.text.isdecimal():
        return len(value.text) >= 4 and value.text in question
    return True


def _certainty(
    value: StoredValue, asked: list[str], said: str, quoted: set[tuple[str, ...]], score: float
) -> float:
    """Rank a value: quoted, then standing in the question whole (longer first), then in part; or 0."""
    if value.words in quoted:
        return 100 + len(value.words)
    if _contains(asked, value.words) or _is_part(without_case(value.text), said):
        return 10 + len(value.words)
    return score if score >= ENOUGH else 0


def _is_part(text: str, said: str) -> bool:
    """Whether a text without spaces stands in the question, whatever letters are next to it."""
    return not text.isascii() and bool(RUN.search(text)) and text in said


def _contains(asked: list[str], phrase: tuple[str, ...]) -> bool:
    length = len(phrase)
    return any(tuple(asked[i : i + length]) == phrase for i in range(len(asked) - length + 1))
