"""Schema linking: keep the tables that a question is about, as many as a budget of characters admits.

Tables are ranked by the words that they share with the question; tables that join chosen ones are
kept with them. No model is asked, so that a prompt depends on nothing but the question and the
database.
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from sqladder.databases.sample_values import ColumnName
from sqladder.databases.schema import Database, Table
from sqladder.texts.stems import STOPWORDS, name_words, stems

# What a question's word weighs where it is found; a value names its table most surely.
VALUE, TABLE_NAME, COLUMN_NAME = 3.0, 2.0, 1.0
# Tables between two chosen ones that are kept for the join.
LONGEST_BRIDGE = 2


class Linker:
    """Chooses tables of one database."""

    def __init__(self, database: Database, descriptions: Mapping[ColumnName, str]) -> None:
        self._database = database
        self._tables = {table.name: table for table in database.tables}
        self._neighbours = _neighbours(database)
        self._weights: dict[str, dict[str, float]] = defaultdict(dict)
        for table in database.tables:
            for word, weight in _table_words(table, descriptions).items():
                self._weights[word][table.name] = weight
        self._lengths: dict[str, int] = {}

    def link(
        self,
        question: str,
        mentioned: Collection[ColumnName],
        budget: int,
        length: Callable[[Database], int],
    ) -> Database:
        """The database with the tables that matter; at least one, and all if all fit.

        Args:
            question: the question's text.
            mentioned: columns that hold a value which the question mentions.
            budget: characters that the written schema may have.
            length: gives the characters of a written schema.
        """
        # Writing a large schema for each question takes long; where it is far too long, it is not tried.
        if self._estimate(self._tables, length) <= 4 * budget and length(self._database) <= budget:
            return self._database
        scores = self._scores(question, mentioned)
        kept: dict[str, None] = {}
        for name in self._by_relevance(scores):
            for group in ([*self._bridge(name, kept), name], [name]):
                names = {**kept, **dict.fromkeys(group)}
                if not kept or self._estimate(names, length) <= budget:
                    kept = names
                    break
        while len(kept) > 1 and length(self._part(kept)) > budget:
            kept.popitem()
        return self._part(kept)

    def _scores(self, question: str, mentioned: Collection[ColumnName]) -> dict[str, float]:
        scores = dict.fromkeys(self._tables, 0.0)
        # Not a set: sums in another order differ in their last digit, and a prompt with them.
        for word in dict.fromkeys(stems(question)):
            holders = {} if word in STOPWORDS else self._weights.get(word, {})
            for name, weight in holders.items():
                scores[name] += weight * (1 + math.log(len(self._tables) / len(holders)))
        for table in {table for table, _ in mentioned} & scores.keys():
            scores[table] += VALUE
        return scores

    def _by_relevance(self, scores: Mapping[str, float]) -> Iterable[str]:
        """Tables with a shared word, best first; then their neighbours; then the others."""
        found = [name for name in scores if scores[name] > 0]
        found.sort(key=lambda name: -scores[name])
        near = dict.fromkeys(other for name in found for other in self._neighbours[name])
        return dict.fromkeys([*found, *near, *scores])

    def _bridge(self, name: str, kept: Collection[str]) -> list[str]:
        """Find the tables between a table and the nearest kept one, () where they touch or never meet."""
        previous: dict[str, str | None] = {name: None}
        queue = deque([(name, 0)])
        while queue:
            current, distance = queue.popleft()
            if current in kept:
                return _steps_back(current, previous)[1:-1]
            if distance <= LONGEST_BRIDGE:
                for other in self._neighbours[current]:
                    if other not in previous:
                        previous[other] = current
                        queue.append((other, distance + 1))
        return []

    def _estimate(self, names: Iterable[str], length: Callable[[Database], int]) -> int:
        for name in names:
            if name not in self._lengths:
                self._lengths[name] = length(self._part([name]))
        return sum(self._lengths[name] for name in names)

    def _part(self, names: Iterable[str]) -> Database:
        """The database with some tables, in its own order, without keys to the other ones."""
        chosen = {name.lower() for name in names}
        tables = [table for table in self._database.tables if table.name.lower() in chosen]
        return Database(
            tuple(
                replace(
                    table,
                    foreign_keys=tuple(
                        key for key in table.foreign_keys if key.table.lower() in chosen
                    ),
                )
                for table in tables
            )
        )


def _steps_back(name: str | None, previous: Mapping[str, str | None]) -> list[str]:
    steps = []
    while name is not None:
        steps.append(name)
        name = previous[name]
    return steps


def _neighbours(database: Database) -> dict[str, dict[str, None]]:
    """Each table's neighbours by foreign keys, in a fixed order."""
    names = {table.name.lower(): table.name for table in database.tables}
    neighbours: dict[str, dict[str, None]] = {name: {} for name in names.values()}
    for table in database.tables:
        for key in table.foreign_keys:
            parent = names.get(key.table.lower())
            if parent and parent != table.name:
                neighbours[table.name][parent] = None
                neighbours[parent][table.name] = None
    return neighbours


def _table_words(table: Table, descriptions: Mapping[ColumnName, str]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for column in table.columns:
        described = stems(descriptions.get((table.name, column.name), ""))
        weights |= dict.fromkeys([*name_words(column.name), *described], COLUMN_NAME)
    return weights | dict.fromkeys(name_words(table.name), TABLE_NAME)
