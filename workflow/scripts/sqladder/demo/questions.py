"""Questions with gold SQL over one database: every type, as many as fit, each checked by running."""

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqladder.databases.schema import open_read_only
from sqladder.demo import combined, single
from sqladder.demo.draw import Draw, NothingFitsError
from sqladder.demo.fields import Facts, read_facts
from sqladder.demo.single import Draft, Type

# The level of each type follows from the shape of its query; the tests compare it with the metric.
LEVELS: dict[str, dict[str, Type]] = {
    "easy": {
        "listing": single.listing,
        "distinct": single.distinct,
        "filter_text": single.filter_text,
        "filter_number": single.filter_number,
        "filter_between": single.filter_between,
        "count": single.count,
        "count_filter": single.count_filter,
        "count_known": single.count_known,
        "count_distinct": single.count_distinct,
        "aggregate": single.aggregate,
        "aggregate_filter": single.aggregate_filter,
        "sort": single.sort,
        "having": single.having,
    },
    "medium": {
        "listing_two": single.listing_two,
        "filter_like": single.filter_like,
        "filter_and": single.filter_and,
        "filter_or": single.filter_or,
        "filter_sort": single.filter_sort,
        "top": single.top,
        "group_count": single.group_count,
        "group_aggregate": single.group_aggregate,
        "join_list": combined.join_list,
        "join_filter": combined.join_filter,
        "join_show": combined.join_show,
        "join_group": combined.join_group,
        "join_having": combined.join_having,
    },
    "hard": {
        "filter_top": single.filter_top,
        "group_top": single.group_top,
        "join_sort": combined.join_sort,
        "not_in": combined.not_in,
        "in_filter": combined.in_filter,
        "above_average": combined.above_average,
        "extreme": combined.extreme,
        "intersect": combined.intersect,
        "union": combined.union,
        "except": combined.except_,
    },
    "extra": {
        "filter_and_sort": single.filter_and_sort,
        "join_top": combined.join_top,
        "join_group_top": combined.join_group_top,
        "in_sort": combined.in_sort,
        "above_average_and": combined.above_average_and,
        "above_average_sort": combined.above_average_sort,
    },
}
TYPES: dict[str, Type] = {name: draft for level in LEVELS.values() for name, draft in level.items()}


@dataclass(frozen=True)
class DemoQuestion:
    """One question of a database with its gold query.

    Attributes:
        source: the question type.
        key: what must not be shared between splits: schema, type, and the values that the
            question names (its SQL where it names none).
    """

    db_id: str
    source: str
    question: str
    sql: str
    key: str


def generate(path: Path, limit: int, seed: int) -> dict[str, list[DemoQuestion]]:
    """Draw up to `limit` different questions of each type over a database file.

    A question is kept if its gold query returns at least one row that is not all NULL.
    """
    facts = read_facts(path)
    with open_read_only(path) as connection:
        return {source: _generate_type(facts, connection, source, limit, seed) for source in TYPES}


def _generate_type(
    facts: Facts, connection: sqlite3.Connection, source: str, limit: int, seed: int
) -> list[DemoQuestion]:
    draw = Draw(facts, random.Random(f"{seed}/{facts.db_id}/{source}"))
    answered: dict[str, bool] = {}
    found: dict[str, DemoQuestion] = {}
    for _ in range(8 * limit):
        try:
            draft = TYPES[source](draw)
        except NothingFitsError:
            continue
        if draft.sql not in answered:
            answered[draft.sql] = _has_answer(connection, draft.sql)
        if answered[draft.sql] and len(found) < limit:
            question = _question(facts.db_id, source, draft, draw.rng)
            found.setdefault(question.question, question)
    return list(found.values())


def _question(db_id: str, source: str, draft: Draft, rng: random.Random) -> DemoQuestion:
    key = "\t".join([db_id, source, *(draft.values or [draft.sql])])
    return DemoQuestion(db_id, source, rng.choice(draft.questions), draft.sql, key)


def _has_answer(connection: sqlite3.Connection, sql: str) -> bool:
    rows = connection.execute(sql).fetchall()
    return any(value is not None for row in rows for value in row)
