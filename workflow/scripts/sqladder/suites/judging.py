"""Which neighbours a content tells from their gold, and for which gold queries the result is a matter of chance."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.sandbox import QueryError, Sandbox
from sqladder.metric.suite import CORRECT, GOLD_ERROR, GoldQuery, Options
from sqladder.suites.golds import parsed
from sqladder.suites.neighbours import Neighbour

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
    tie_queries: tuple["TieQuery", ...]


@dataclass(frozen=True)
class TieQuery:
    """What finds ties in a sorted query that cuts.

    Attributes:
        sql: its rows up to one more than it takes; first what they are sorted by, then what they show.
        keys: number of columns that they are sorted by.
        taken: number of rows after which it cuts.
    """

    sql: str
    keys: int
    taken: int


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


def tie_queries(tree: exp.Query) -> tuple[TieQuery, ...]:
    """What finds ties where a query, or a query inside it, cuts."""
    found = []
    for select in tree.find_all(exp.Select):
        limit, order = select.args.get("limit"), select.args.get("order")
        if not limit or not order or not isinstance(limit.expression, exp.Literal):
            continue
        taken = int(limit.expression.name)
        shown = select.copy()
        keys = [term.this.copy() for term in order.expressions]
        # An alias of the output is no name inside it.
        aliases = {item.alias.lower(): item.unalias() for item in select.expressions if item.alias}
        keys = [
            aliases.get(key.name.lower(), key).copy() if isinstance(key, exp.Column) else key
            for key in keys
        ]
        shown.set("expressions", [*keys, *(item.copy() for item in select.expressions)])
        shown.set("distinct", None)
        shown.set("limit", exp.Limit(expression=exp.convert(taken + 1)))
        found.append(TieQuery(shown.sql("sqlite"), len(keys), taken))
    return tuple(found)


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
    if any(_has_tie(query, forwards) for query in gold.tie_queries):
        return True
    query = GoldQuery([forwards, backwards], gold.sql, _AS_SCORED, LIMITS)
    try:
        results = [query.result_on(number).rows for number in (0, 1)]
        return not results_equal(results[0], results[1], query.ordered, number_keys=True)
    except (QueryError, TooHardError):
        return False


def _has_tie(query: TieQuery, content: Sandbox) -> bool:
    try:
        rows = content.execute(query.sql).rows
    except QueryError:
        # A query inside another one may need that.
        return False
    if len(rows) <= query.taken:
        return False
    # Also where both show the same: how many such rows there are is what a right answer may give.
    last, next_one = rows[query.taken - 1], rows[query.taken]
    return last[: query.keys] == next_one[: query.keys]


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
