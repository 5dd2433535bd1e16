"""Which neighbours a content tells from their gold, and for which gold queries the result is a matter of chance."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.sandbox import QueryError, Sandbox
from sqladder.metric.suite import CORRECT, GOLD_ERROR, GoldQuery, Options
from sqladder.suites.golds import parsed
from sqladder.suites.neighbours import Neighbour
from sqladder.suites.ties import TieQuery, tie_of, tie_queries

LIMITS = Limits(max_vm_steps=4_000_000, max_rows=100_000)
"""What one execution on a content may cost; a neighbour beyond it is told from gold, as a prediction would be."""

_REPAIRS = QUIRKS["repaired"]
_AS_SCORED = Options(repairs=_REPAIRS)
_WITH_DISTINCT = Options(repairs=_REPAIRS, keep_distinct=True)


@dataclass(frozen=True)
class GoldCase:
    """A gold query of a database.

    Attributes:
        sql: the query.
        neighbours: the queries beside it.
        tie_queries: queries that give rows in gold's order with what it is sorted by, and where it cuts.
    """

    sql: str
    neighbours: tuple[Neighbour, ...]
    tie_queries: tuple[TieQuery, ...]


@dataclass
class Seen:
    """What one content shows.

    Attributes:
        told: for each gold, the positions of the neighbours that differ.
        rows: for each gold whether it has rows.
        failed: positions of gold queries that fail.
        chance: positions of gold queries whose result depends on the order of rows in the file.
    """

    told: list[list[int]]
    rows: list[bool]
    failed: list[int]
    chance: list[int]


def chance_golds(path: Path, golds: Sequence[GoldCase], looked_at: Sequence[int]) -> list[int]:
    """Positions of gold queries whose result depends on the order of rows in the file.

    Args:
        path: the content.
        golds: the gold queries of the database.
        looked_at: positions of those that are looked at.
    """
    with (
        closing(Sandbox(path, LIMITS)) as forwards,
        closing(Sandbox(path, LIMITS, reverse_unordered=True)) as backwards,
    ):
        return [at for at in looked_at if _is_chance(golds[at], forwards, backwards)]


def _is_chance(gold: GoldCase, forwards: Sandbox, backwards: Sandbox) -> bool:
    if any(tie_of(query, forwards) for query in gold.tie_queries):
        return True
    query = GoldQuery([forwards, backwards], gold.sql, _AS_SCORED, LIMITS)
    try:
        results = [query.result_on(number).rows for number in (0, 1)]
        return not results_equal(results[0], results[1], query.ordered, number_keys=True)
    except (QueryError, TooHardError):
        return False


def see(path: Path, golds: Sequence[GoldCase], alive: Sequence[Sequence[int]]) -> Seen:
    """Execute gold queries and neighbours on a content.

    Args:
        path: the content.
        golds: the gold queries of the database.
        alive: for each gold, the positions of the neighbours that are executed.
    """
    seen = Seen([], [], [], [])
    with closing(Sandbox(path, LIMITS)) as content:
        for at, gold in enumerate(golds):
            queries = {
                keeps: GoldQuery(
                    [content], gold.sql, _WITH_DISTINCT if keeps else _AS_SCORED, LIMITS
                )
                for keeps in (False, True)
            }
            try:
                seen.rows.append(bool(queries[False].result_on(0).rows))
            except QueryError:
                seen.rows.append(False)
                seen.failed.append(at)
            told = []
            for number in alive[at] if at not in seen.failed else ():
                neighbour = gold.neighbours[number]
                verdict = queries[neighbour.keeps_distinct].judge(neighbour.sql, plug=False).verdict
                if verdict not in (CORRECT, GOLD_ERROR):
                    told.append(number)
            seen.told.append(told)
    return seen


def gold_of(sql: str, neighbours: Sequence[Neighbour]) -> GoldCase:
    """A gold query with its neighbours and what finds its ties."""
    tree = parsed(sql)
    return GoldCase(sql, tuple(neighbours), tie_queries(tree) if tree else ())
