"""Spider's exact set match: whether two queries have the same clauses, values left aside.

A query matches if each of ten partial comparisons is whole and the tables are the same. Columns
that foreign keys link count as one. Values and DISTINCT are ignored on the outermost level and
in set operations; inside conditions' sub-queries only values are, in FROM's nothing is.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqladder.metric.grammar import (
    COMPARISONS,
    ColumnRef,
    Condition,
    GrammarError,
    Query,
    Schema,
    Value,
    conditions_of,
    parse,
)
from sqladder.metric.input_error import InputError
from sqladder.metric.read_only import read_only_uri

PARTS = (
    "select",
    "select(no AGG)",
    "where",
    "where(no OP)",
    "group(no Having)",
    "group",
    "order",
    "and/or",
    "IUEN",
    "keywords",
)
KeyMap = dict[str, str]


@dataclass(frozen=True)
class Part:
    """One partial comparison: how many elements either side has, and whether they agree."""

    predicted: int
    gold: int
    whole: bool


@dataclass(frozen=True)
class Match:
    """Whether a prediction matches exactly, and its partial comparisons by name."""

    exact: bool
    parts: dict[str, Part]


class Matcher:
    """Compares queries on one database."""

    def __init__(self, schema: Schema, keys: KeyMap) -> None:
        self.schema, self.keys = schema, keys

    def match(self, gold: str, prediction: str) -> Match:
        """Compare a prediction with gold.

        A prediction outside the grammar is an empty query. `value` in a prediction becomes `1`,
        as before execution.

        Raises:
            GrammarError: gold is outside the grammar.
        """
        wanted = self._prepared(parse(gold, self.schema))
        try:
            found = parse(prediction.replace("value", "1"), self.schema)
        except GrammarError:
            found = Query()
        return compare(self._prepared(found), wanted)

    def _prepared(self, query: Query) -> Query:
        # Only columns of the outermost query's tables are unified, set operations included.
        tables = {table.removesuffix("__") for table in query.tables if isinstance(table, str)}

        def unify(column: str) -> str:
            return self.keys.get(column, column) if column.partition(".")[0] in tables else column

        return _merge_keys(_without_values(query), unify)


def compare(predicted: Query, gold: Query) -> Match:
    """Compare two prepared queries."""
    parts = {name: part(predicted, gold) for name, part in _COMPARISONS.items()}
    exact = all(part.whole for part in parts.values())
    return Match(exact and _same_tables(predicted, gold), parts)


def read_schema(database: Path) -> Schema:
    """Lower-case columns of each lower-case table of a database file."""
    # The file belongs to the benchmark and the statements are ours: no sandbox is needed.
    with closing(sqlite3.connect(read_only_uri(database), uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {
            name.lower(): [
                row[0].lower()
                for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))
            ]
            for (name,) in names.fetchall()
        }


def declared_keys(database: Path) -> KeyMap:
    """The first of the columns that the foreign keys of a database file link, for each that is linked."""
    with closing(sqlite3.connect(read_only_uri(database), uri=True)) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        columns = [
            (place, column, key)
            for place, table in enumerate(tables)
            for column, key in connection.execute(
                "SELECT name, pk FROM pragma_table_info(?)", (table,)
            ).fetchall()
        ]
        found = [
            (place, *link)
            for place, table in enumerate(tables)
            for link in connection.execute(
                'SELECT "from", "table", "to", seq FROM pragma_foreign_key_list(?) ORDER BY id, seq',
                (table,),
            ).fetchall()
        ]
    numbers = {(place, name.lower()): number for number, (place, name, _) in enumerate(columns)}
    # A key that names no column means the primary key, whose columns count from 1.
    primary = {(place, key): name for place, name, key in columns if key}
    places = {table.lower(): place for place, table in enumerate(tables)}
    linked = []
    for place, child, table, parent, seq in found:
        other = places.get(table.lower())
        if other is None:
            continue
        target = parent or primary.get((other, seq + 1)) or ""
        pair = numbers.get((place, child.lower())), numbers.get((other, target.lower()))
        if None not in pair:
            linked.append(pair)
    return _key_map(
        {
            "table_names_original": tables,
            "column_names_original": [(place, name) for place, name, _ in columns],
            "foreign_keys": linked,
        }
    )


def read_key_maps(path: Path) -> dict[str, KeyMap]:
    """For each database of a tables.json file, the first of the columns that keys link.

    Raises:
        InputError: the file is not a tables.json file.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {entry["db_id"]: _key_map(entry) for entry in entries}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path} is no tables.json of Spider: {type(error).__name__} {error}"
        ) from error


def _key_map(entry: dict[str, Any]) -> KeyMap:
    tables = entry["table_names_original"]
    columns = [
        f"__{tables[table]}.{name}__".lower() if table >= 0 else "__all__"
        for table, name in entry["column_names_original"]
    ]
    linked: list[set[int]] = []
    for pair in entry["foreign_keys"]:
        # The first group that holds either column: groups that a later key joins stay apart.
        group = next((group for group in linked if group & set(pair)), None)
        if group is None:
            linked.append(group := set())
        group |= set(pair)
    return {columns[i]: columns[min(group)] for group in linked for i in group}


def _without_values(query: Query) -> Query:
    """Conditions compare with nothing or with a nested query; FROM's sub-queries stay."""
    return replace(
        query,
        on=_strip(query.on),
        where=_strip(query.where),
        having=_strip(query.having),
        combined={name: _without_values(nested) for name, nested in query.combined.items()},
    )


def _strip(conditions: Iterable[Condition | str]) -> list[Condition | str]:
    return [
        condition
        if isinstance(condition, str)
        else condition._replace(first=_nested(condition.first), second=_nested(condition.second))
        for condition in conditions
    ]


def _nested(side: object) -> Query | None:
    return _without_values(side) if isinstance(side, Query) else None


def _merge_keys(query: Query, unify: Callable[[str], str]) -> Query:
    """Columns unified and DISTINCT forgotten, here and in set operations."""

    def column(unit: ColumnRef) -> ColumnRef:
        return ColumnRef(unit.aggregate, unify(unit.name), None)

    def value(unit: Value) -> Value:
        return Value(unit.operator, column(unit.left), unit.right and column(unit.right))

    def conditions(found: list[Condition | str]) -> list[Condition | str]:
        return [
            unit if isinstance(unit, str) else unit._replace(value=value(unit.value))
            for unit in found
        ]

    return replace(
        query,
        distinct=None,
        select=[(aggregate, value(unit)) for aggregate, unit in query.select],
        on=conditions(query.on),
        where=conditions(query.where),
        group=[column(unit) for unit in query.group],
        having=conditions(query.having),
        order=[value(unit) for unit in query.order],
        combined={name: _merge_keys(nested, unify) for name, nested in query.combined.items()},
    )


def _same_tables(predicted: Query, gold: Query) -> bool:
    """Equal bags of tables; a gold query without tables asks for none."""
    missing = list(gold.tables)
    for table in predicted.tables:
        if table in missing:
            missing.remove(table)
        elif gold.tables:
            return False
    return not missing


def _bag(predicted: Sequence[object], gold: Sequence[object]) -> Part:
    """Whole if both sides hold the same elements equally often."""
    left = list(gold)
    for element in predicted:
        if element in left:
            left.remove(element)
    whole = len(predicted) == len(gold) and not left
    return Part(len(predicted), len(gold), whole)


def _one(predicted: bool, gold: bool, same: bool) -> Part:
    """A clause that is there or not; whole if absent on both sides or the same."""
    return Part(int(predicted), int(gold), predicted == gold and (same or not gold))


def _select(predicted: Query, gold: Query) -> Part:
    return _bag(predicted.select, gold.select)


def _select_without_aggregate(predicted: Query, gold: Query) -> Part:
    return _bag([value for _, value in predicted.select], [value for _, value in gold.select])


def _where(predicted: Query, gold: Query) -> Part:
    return _bag(conditions_of(predicted.where), conditions_of(gold.where))


def _where_columns(predicted: Query, gold: Query) -> Part:
    return _bag(
        [condition.value for condition in conditions_of(predicted.where)],
        [condition.value for condition in conditions_of(gold.where)],
    )


def _group_columns(predicted: Query, gold: Query) -> Part:
    """Columns of GROUP BY by their names alone, whatever their table."""

    def names(query: Query) -> list[str]:
        return [column.name.rpartition(".")[2] for column in query.group]

    return _bag(names(predicted), names(gold))


def _group(predicted: Query, gold: Query) -> Part:
    same = predicted.having == gold.having and (
        [column.name for column in predicted.group] == [column.name for column in gold.group]
    )
    return _one(bool(predicted.group), bool(gold.group), same)


def _order(predicted: Query, gold: Query) -> Part:
    same = (predicted.direction, predicted.order, predicted.limit) == (
        gold.direction,
        gold.order,
        gold.limit,
    )
    return _one(bool(predicted.direction), bool(gold.direction), same)


def _connectors(predicted: Query, gold: Query) -> Part:
    left, right = set(predicted.where[1::2]), set(gold.where[1::2])
    # The official report swaps the two numbers of elements here.
    return Part(1, 1, True) if left == right else Part(len(right), len(left), False)


def _set_operations(predicted: Query, gold: Query) -> Part:
    agreeing = sum(
        compare(predicted.combined[name], gold.combined[name]).exact
        for name in predicted.combined.keys() & gold.combined.keys()
    )
    left, right = len(predicted.combined), len(gold.combined)
    return Part(left, right, left == right == agreeing)


def _keywords_agree(predicted: Query, gold: Query) -> Part:
    left, right = _keywords(predicted), _keywords(gold)
    return Part(len(left), len(right), left == right)


def _keywords(query: Query) -> set[str]:
    lists = (query.on, query.where, query.having)
    conditions = [condition for found in lists for condition in conditions_of(found)]
    words = {COMPARISONS[condition.comparison] for condition in conditions} & {"in", "like"}
    words |= {"not" for condition in conditions if condition.negated}
    words |= {"or" for found in lists if "or" in found[1::2]}
    words |= {query.direction, "order"} if query.direction else set()
    words |= set(query.combined)
    present = {"where": query.where, "group": query.group, "having": query.having}
    present["limit"] = query.limit
    return words | {name for name, clause in present.items() if clause}


_COMPARISONS: dict[str, Callable[[Query, Query], Part]] = dict(
    zip(
        PARTS,
        (
            _select,
            _select_without_aggregate,
            _where,
            _where_columns,
            _group_columns,
            _group,
            _order,
            _connectors,
            _set_operations,
            _keywords_agree,
        ),
        strict=True,
    )
)
