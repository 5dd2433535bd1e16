"""Make the suite of one database: draw candidates, see what each tells apart, keep the fewest that tell the most."""

import random
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqladder.databases.schema import in_quotes
from sqladder.metric.suite import query_key
from sqladder.suites.catalog import Catalog, StoredTable, read_catalog
from sqladder.suites.contents import drop_orphans, make_content, style_of, write_content
from sqladder.suites.cover import choose
from sqladder.suites.golds import Wishes, parsed, wishes_of
from sqladder.suites.judging import GoldCase, Seen, chance_golds, gold_of, see
from sqladder.suites.meaning import same_as_gold
from sqladder.suites.neighbours import neighbours_of
from sqladder.suites.untying import untie
from sqladder.suites.witnesses import Pattern, patterns_of

MOST_NEIGHBOURS = 60
CANDIDATES_PER_FILE = 3
_ROUND = 10
_OFTEN = 6
"""A neighbour that so many candidates tell from gold is not executed on further ones."""
_REPAIRS = 12


@dataclass(frozen=True)
class ContentRequest:
    """What a candidate is made of, and what is executed on it.

    Attributes:
        catalog: schema and values of the original.
        wishes: what gold asks of contents.
        patterns: what gold asks of rows.
        golds: the gold queries.
        alive: for each gold, the positions of the neighbours that are executed.
        settled: positions of the gold queries whose result is to be no matter of chance.
        number: of the candidate.
        seed: of the suite.
        path: the file to write.
    """

    catalog: Catalog
    wishes: Wishes
    patterns: tuple[Pattern, ...]
    golds: tuple[GoldCase, ...]
    alive: list[list[int]]
    settled: list[int]
    number: int
    seed: int
    path: Path


@dataclass(frozen=True)
class DrawnContent:
    """A content that may join the suite, and what it shows."""

    path: Path
    seen: Seen


@dataclass(frozen=True)
class MadeSuite:
    """The suite of one database.

    Attributes:
        db_id: the database.
        golds: its different gold queries with their neighbours.
        files: the contents beside the original, in the order in which they were chosen.
        original: what the original shows.
        seen: what each of the contents shows.
        same: for each gold, the positions of the neighbours that certainly mean the same.
    """

    db_id: str
    golds: tuple[GoldCase, ...]
    files: tuple[Path, ...]
    original: Seen
    seen: tuple[Seen, ...]
    same: tuple[frozenset[int], ...]


def make_suite(
    original: Path,
    sqls: Sequence[str],
    files: int,
    seed: int,
    folder: Path,
    pool: Executor,
    progress: Callable[[], object] = lambda: None,
) -> MadeSuite:
    """Draw contents of a database and choose those that tell the neighbours of its gold queries apart.

    Args:
        original: the database file; it is only read.
        sqls: its gold queries.
        files: number of files of the suite, the original among them.
        seed: another one gives other contents.
        folder: where candidates are written.
        pool: processes that make and judge candidates.
        progress: called as each candidate is judged.

    Raises:
        InputError: the original cannot be read, or has no table.
    """
    catalog = read_catalog(original)
    # One spelling stands for all: blanks, and case outside quotes.
    different = {query_key(sql) or sql: sql for sql in reversed(sqls)}
    golds, wishes, patterns = pool.submit(
        _golds_of, catalog, tuple(reversed(different.values()))
    ).result()
    everything = [list(range(len(gold.neighbours))) for gold in golds]
    on_original = pool.submit(see, original, golds, everything).result()
    by_chance = pool.submit(chance_golds, original, golds, range(len(golds))).result()
    settled = [at for at in range(len(golds)) if at not in {*by_chance, *on_original.failed}]
    told = [dict.fromkeys(numbers, _OFTEN) for numbers in on_original.told]
    candidates: list[DrawnContent] = []
    wanted = (files - 1) * CANDIDATES_PER_FILE
    for start in range(0, wanted, _ROUND):
        alive = [
            [number for number in numbers if told[at].get(number, 0) < _OFTEN]
            for at, numbers in enumerate(everything)
        ]
        requests = [
            ContentRequest(
                catalog,
                wishes,
                patterns,
                golds,
                alive,
                settled,
                number,
                seed,
                folder / f"{number}.sqlite",
            )
            for number in range(start, min(start + _ROUND, wanted))
        ]
        for candidate in pool.map(make_candidate, requests):
            progress()
            candidates.append(candidate)
            for at, numbers in enumerate(candidate.seen.told):
                for number in numbers:
                    told[at][number] = told[at].get(number, 0) + 1
    usable = [own for own in candidates if not set(own.seen.failed) - set(on_original.failed)]
    chosen = choose([own.seen for own in usable], files - 1)
    taken = [usable[number] for number in chosen]
    paths, seen = tuple(own.path for own in taken), tuple(own.seen for own in taken)
    same = pool.submit(same_as_gold, original, catalog, golds).result()
    return MadeSuite(original.stem, golds, paths, on_original, seen, same)


def _golds_of(
    catalog: Catalog, sqls: Sequence[str]
) -> tuple[tuple[GoldCase, ...], Wishes, tuple[Pattern, ...]]:
    trees = [parsed(sql) for sql in sqls]
    read = [tree for tree in trees if tree]
    wishes, patterns = wishes_of(read, catalog), patterns_of(read, catalog)
    golds = tuple(
        gold_of(sql, neighbours_of(tree, catalog, wishes, MOST_NEIGHBOURS) if tree else [])
        for sql, tree in zip(sqls, trees, strict=True)
    )
    return golds, wishes, tuple(patterns)


def make_candidate(request: ContentRequest) -> DrawnContent:
    """Draw one content, write it, and see what it shows."""
    # A text as the seed gives the same numbers in every process.
    rng = random.Random(f"{request.seed} {request.number}")
    style = style_of(request.number, rng)
    with closing(
        make_content(request.catalog, request.wishes, request.patterns, style, rng)
    ) as content:
        chance = _settle(content, request, rng)
        seen = see(request.path, request.golds, request.alive)
    seen.chance = chance
    return DrawnContent(request.path, seen)


def _settle(content: sqlite3.Connection, request: ContentRequest, rng: random.Random) -> list[int]:
    """Write the content, after rows are added or left out until no gold's result hangs on their order."""
    for left in reversed(range(_REPAIRS)):
        request.path.unlink(missing_ok=True)
        write_content(content, str(request.path))
        chance = chance_golds(request.path, request.golds, request.settled)
        if not chance or not left:
            return chance
        # What gold asks for goes last, and so does what other rows refer to: with it would go much that is no matter
        # of chance.
        is_last = left <= _REPAIRS // 3
        asked = {} if is_last else request.wishes.constants
        tied = [
            at
            for at in chance
            if is_last or not untie(content, request.golds[at].sql, request.catalog, rng)
        ]
        thinned = {
            table.name: table
            for at in tied
            for table in _thinned_for(request.golds[at], request.catalog, everything=is_last)
        }
        for table in thinned.values():
            _thin(content, table, asked, rng)
        drop_orphans(content, request.catalog)
    return []


def _thinned_for(gold: GoldCase, catalog: Catalog, *, everything: bool) -> list[StoredTable]:
    """The tables that a query names; of those only the ones that refer to another, where there are any."""
    words = {word.lower() for word in re.findall(r"\w+", gold.sql)}
    named = [own for own in catalog.tables if set(re.findall(r"\w+", own.name.lower())) <= words]
    children = [own for own in named if own.table.foreign_keys]
    return named if everything else children or named


def _thin(
    content: sqlite3.Connection,
    table: StoredTable,
    asked: Mapping[str, Sequence[Any]],
    rng: random.Random,
) -> None:
    """Leave out a few rows of a table, of those that hold no value that gold asks for."""
    name = in_quotes(table.name)
    columns = [own.name for own in table.columns]
    key = ", ".join(map(in_quotes, columns))
    # Values of a boolean's or a key's kind are in too many rows to be spared.
    spared = [
        {value for value in asked.get(column.lower(), ()) if isinstance(value, str)}
        for column in columns
    ]
    rows = [
        row
        for row in content.execute(f"SELECT {key} FROM {name}").fetchall()
        if not any(value in values for value, values in zip(row, spared, strict=True))
    ]
    places = ", ".join("?" * len(columns))
    for row in rng.sample(rows, min(len(rows), max(1, len(rows) // 20))):
        content.execute(f"DELETE FROM {name} WHERE ({key}) IS ({places})", row)
