"""One other content of a database: rows that keep keys, NOT NULL, UNIQUE, CHECK and triggers, as SQLite has them."""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from sqladder.databases.schema import ForeignKey, in_quotes
from sqladder.suites.blanks import may_be_blank
from sqladder.suites.catalog import Catalog, StoredTable
from sqladder.suites.golds import Wishes
from sqladder.suites.values import Palette, palette, shared_places
from sqladder.suites.witnesses import Pattern, add_witnesses

_SIZES = (0, 1, 2, 4, 8, 16, 32, 64, 100, 150, 200, 300)
_BLANKS = 0.2
"""Share of NULL in a column that may hold some, though the original has none, in one candidate of four."""
_MOST_TRIES = 4
"""Rows that are tried for each that is wanted; constraints may refuse some."""


@dataclass(frozen=True)
class ContentStyle:
    """How a content is drawn.

    Attributes:
        size: usual number of rows of a table.
        distinct: usual number of different values of a column without key.
        asked: share of gold's constants and their neighbours.
        beside: share of values that lie beside the original's.
        nulls: share of NULL where the original has some, or gold asks for it.
        blanks: share of NULL where a column may have some, though the original has none.
        parents: share of the rows referred to of those that can be.
        few: number of rows that are referred to, each twice as often as the one before; 0 for `parents` and `skew`.
        witnesses: share of gold's patterns that some rows meet.
        skew: how unequal the numbers of rows that refer to one are.
    """

    size: int
    distinct: int
    asked: float
    beside: float
    nulls: float
    blanks: float
    parents: float
    few: int
    witnesses: float
    skew: float


def style_of(number: int, rng: random.Random) -> ContentStyle:
    """The style of the candidate of a number; the first ones are empty and nearly empty."""
    size = _SIZES[number] if number < 3 else rng.choice(_SIZES[3:])
    return ContentStyle(
        size=size,
        distinct=rng.choice((2, 4, 10, 30, 100, 1000, 1000)),
        asked=rng.choice((0.1, 0.3, 0.6)),
        beside=rng.choice((0.3, 0.7, 1.0)),
        nulls=rng.choice((0.0, 0.1, 0.3)),
        blanks=_BLANKS if number % 4 == 3 else 0.0,
        parents=rng.choice((0.3, 0.6, 0.9)),
        few=rng.choice((0, 0, 2, 3, 4, 5)),
        skew=rng.choice((0.0, 1.0, 3.0)),
        witnesses=rng.choice((0.0, 0.5, 0.9)),
    )


def make_content(
    catalog: Catalog,
    wishes: Wishes,
    patterns: Sequence[Pattern],
    style: ContentStyle,
    rng: random.Random,
) -> sqlite3.Connection:
    """A database in memory with the original's schema and other rows, some of which meet patterns of gold."""
    content = sqlite3.connect(":memory:", isolation_level=None)
    content.execute(f"PRAGMA encoding = '{catalog.encoding}'")
    content.execute("PRAGMA foreign_keys = OFF")
    for statement in catalog.statements:
        # What this SQLite cannot make, such as a table of a module that it lacks, gold cannot read either.
        with suppress(sqlite3.Error):
            content.execute(statement)
    content.execute("BEGIN")
    drawer = _Drawer(catalog, wishes, style, rng, {})
    for own in catalog.tables:
        _fill(content, own, drawer)
    drop_orphans(content, catalog)
    add_witnesses(content, patterns, catalog, style.witnesses, rng)
    drop_orphans(content, catalog)
    content.execute("COMMIT")
    return content


def drop_orphans(content: sqlite3.Connection, catalog: Catalog) -> None:
    """Delete rows whose foreign keys refer to no row, until there is none."""
    changed = True
    while changed:
        changed = False
        for own in catalog.tables:
            for key in own.table.foreign_keys:
                # A key that fits no table of the original is no constraint there either.
                with suppress(sqlite3.Error):
                    changed |= content.execute(_orphans(own, key)).rowcount > 0


def _orphans(own: StoredTable, key: ForeignKey) -> str:
    child, parent = in_quotes(own.name), in_quotes(key.table)
    pairs = list(zip(key.columns, key.references, strict=True))
    filled = " AND ".join(f"{child}.{in_quotes(here)} IS NOT NULL" for here, _ in pairs)
    same = " AND ".join(
        f"parent.{in_quotes(there)} = {child}.{in_quotes(here)}" for here, there in pairs
    )
    return f"DELETE FROM {child} WHERE {filled} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {same})"


@dataclass
class _Drawer:
    """What the rows of a content are drawn with; `rows` holds those of the tables so far."""

    catalog: Catalog
    wishes: Wishes
    style: ContentStyle
    rng: random.Random
    rows: dict[str, list[dict[str, Any]]]

    def size(self) -> int:
        """Number of rows that a table is to have."""
        size = self.style.size
        return size if size < 4 else max(1, round(size * self.rng.uniform(0.5, 1.5)))

    def keys(self, own: StoredTable) -> list[ForeignKey]:
        """Declared foreign keys, and columns that are joined as if they were some."""
        declared = [
            key for key in own.table.foreign_keys if len(key.columns) == len(key.references)
        ]
        taken = {column.lower() for key in declared for column in key.columns}
        shared = shared_places(self.catalog, self.wishes)
        for column in own.columns:
            place = shared.get((own.name.lower(), column.name.lower()))
            if place and column.name.lower() not in taken:
                declared.append(ForeignKey((column.name,), place[0], (place[1],)))
        return declared


def _fill(content: sqlite3.Connection, own: StoredTable, drawer: _Drawer) -> None:
    wanted = drawer.size()
    columns = [column.name for column in own.columns]
    places = ", ".join("?" for _ in columns)
    names = ", ".join(map(in_quotes, columns))
    statement = f"INSERT INTO {in_quotes(own.name)} ({names}) VALUES ({places})"
    rows = drawer.rows[own.name.lower()] = []
    for row in _rows(own, drawer, wanted * _MOST_TRIES):
        if len(rows) >= wanted:
            break
        # What a constraint or a trigger refuses is left out.
        with suppress(sqlite3.Error):
            content.execute(statement, [row[name.lower()] for name in columns])
            rows.append(row)


def _rows(own: StoredTable, drawer: _Drawer, most: int) -> Iterator[dict[str, Any]]:
    """Rows by column in lower case, each different in every key of one column."""
    single = own.single_keys
    keys = drawer.keys(own)
    pools = {column.name.lower(): _pool(own, column.name, drawer) for column in own.columns}
    referred = [(key, _Referred(key, own, drawer)) for key in keys]
    used: dict[str, set[Any]] = {name: set() for name in single}
    integer_key = _integer_key(own)
    for _ in range(most):
        row = {name: pool.next() for name, pool in pools.items()}
        for key, parents in referred:
            given = parents.next()
            for here, there in zip(key.columns, key.references, strict=True):
                row[here.lower()] = given.get(there.lower()) if given else None
        if integer_key and row[integer_key] is None:
            continue
        if any(row[name] in used[name] and row[name] is not None for name in single):
            continue
        for name in single:
            used[name].add(row[name])
        yield row


def _integer_key(own: StoredTable) -> str | None:
    # Where NULL stands for the next number, children would not know it.
    key = own.table.primary_key
    return key[0].lower() if len(key) == 1 else None


@dataclass
class _Pool:
    """Values for one column: some are drawn first, rows then take from those."""

    values: list[Any]
    null: float
    rng: random.Random
    fresh: Palette | None
    style: ContentStyle

    def next(self) -> Any:
        """A value for one more row."""
        if self.null and self.rng.random() < self.null:
            return None
        if self.fresh:
            return self.fresh.fresh(self.rng, self.style.size)
        return self.rng.choice(self.values)


def _pool(own: StoredTable, column: str, drawer: _Drawer) -> _Pool:
    style, rng = drawer.style, drawer.rng
    source = palette(own, column, drawer.wishes)
    not_null = next(held.not_null for held in own.columns if held.name == column)
    is_key = any(column in key for key in own.unique)
    can_be_null = not not_null and column not in own.table.primary_key
    is_wished = column in own.has_null or column.lower() in drawer.wishes.nulls
    null = style.nulls if can_be_null and is_wished else 0.0
    if not is_wished and may_be_blank(own, column, drawer.wishes):
        null = style.blanks
    if can_be_null and not source.known and not source.asked:
        # Only NULL is known of it.
        null = 1.0
    if is_key or source.is_ranked:
        # Different values for nearly all rows: asked for ones once, then others.
        return _Pool([], null, rng, source, style)
    values = [source.draw(rng, style.asked, style.beside) for _ in range(style.distinct)]
    return _Pool(values, null, rng, None, style)


class _Referred:
    """Rows of another table that those of this one refer to, some often, some not at all."""

    def __init__(self, key: ForeignKey, own: StoredTable, drawer: _Drawer) -> None:
        self._rng, self._key = drawer.rng, key
        known = drawer.rows.get(key.table.lower(), [])
        self._rows, self._weights = self._chosen(known, drawer.style)
        nullable = {column.name for column in own.columns if not column.not_null}
        is_wished = all(column in own.has_null for column in key.columns)
        self._null = drawer.style.nulls if is_wished and nullable.issuperset(key.columns) else 0.0

    def _chosen(
        self, known: list[dict[str, Any]], style: ContentStyle
    ) -> tuple[list[dict[str, Any]], list[float]]:
        """The rows that are referred to, and how often."""
        if style.few:
            # Numbers so far apart are seldom equal: which row has most of them, or fewest, is no matter of chance then.
            few = self._rng.sample(known, min(style.few, len(known)))
            return few, [2.0**place for place in range(len(few))]
        some = [row for row in known if self._rng.random() < style.parents] or known[:1]
        return some, [self._rng.random() ** style.skew + 0.01 for _ in some]

    def next(self) -> dict[str, Any] | None:
        """The row that one more row refers to, None where it refers to none."""
        if not self._rows or (self._null and self._rng.random() < self._null):
            return None
        return self._rng.choices(self._rows, self._weights)[0]


def write_content(content: sqlite3.Connection, path: str) -> None:
    """Write a database in memory to a file that does not exist."""
    with closing(sqlite3.connect(path)) as file:
        content.backup(file)
