"""Whether two results hold the same table, up to the order of columns and, mostly, of rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Row = tuple[object, ...]

# How many prefixes of a column order are compared before the search is given up. Real results
# need one per column; only tables built to be symmetric need more.
MAX_SEARCH_NODES = 20_000


class TooHardError(Exception):
    """The two tables are so symmetric that matching their columns was given up."""


def results_equal(
    gold: Sequence[Row],
    predicted: Sequence[Row],
    order_matters: bool = False,
    number_keys: bool = False,
) -> bool:
    """Whether some order of the predicted columns gives the gold table.

    Values are compared as Python compares them (1 == 1.0, '1' != 1, no tolerance). Rows form a
    bag, or a list if `order_matters`. Like the official evaluator, tables are first compared
    with the values of each row sorted by their printed form and type, which tells (1, 10) from
    (1.0, 10) but not 1 from 1.0; `number_keys` repairs that by skipping this comparison.

    Raises:
        TooHardError: more than MAX_SEARCH_NODES partial column orders were tried.
    """
    if not gold and not predicted:
        return True
    if len(gold) != len(predicted) or len(gold[0]) != len(predicted[0]):
        return False
    # Equal lists without floats have equal types too, so the printed forms agree as well.
    if gold == predicted and not (_holds_float(gold) or _holds_float(predicted)):
        return True
    if not number_keys and not _same_sorted_rows(gold, predicted, order_matters):
        return False
    # With rows in order, columns are matched whole: equal bags of columns are a bijection.
    if order_matters:
        return Counter(zip(*gold, strict=True)) == Counter(zip(*predicted, strict=True))
    if len(gold[0]) == 1:
        return Counter(gold) == Counter(predicted)
    return _some_column_order_fits(gold, predicted)


def _holds_float(rows: Iterable[Row]) -> bool:
    return any(float in map(type, row) for row in rows)


def _printed(value: object) -> str:
    return str(value) + str(type(value))


def _sorted_rows(rows: Iterable[Row]) -> list[Row]:
    return [tuple(sorted(row, key=_printed)) for row in rows]


def _same_sorted_rows(gold: Sequence[Row], predicted: Sequence[Row], order_matters: bool) -> bool:
    # Sorting one value changes nothing.
    if len(gold[0]) > 1:
        gold, predicted = _sorted_rows(gold), _sorted_rows(predicted)
    if order_matters:
        return list(gold) == list(predicted)
    return set(gold) == set(predicted)


def _some_column_order_fits(gold: Sequence[Row], predicted: Sequence[Row]) -> bool:
    """Search a bijection of columns under which the bags of rows are equal.

    Columns are placed one by one; a partial order survives only if the bags of row prefixes are
    equal, and of several equal columns only the first is tried. This replaces the enumeration
    of all n**n column maps and finds a bijection exactly if that does.
    """
    gold_columns = list(zip(*gold, strict=True))
    predicted_columns = list(zip(*predicted, strict=True))
    bags = [Counter(column) for column in predicted_columns]
    choices = []
    for column in gold_columns:
        wanted = Counter(column)
        choices.append([j for j, bag in enumerate(bags) if bag == wanted])
        if not choices[-1]:
            return False
    return _Search(gold_columns, predicted_columns, choices).succeeds()


class _Node(NamedTuple):
    """A partial column order: numbers for the row prefixes on both sides, and columns used."""

    gold_prefixes: list[int]
    predicted_prefixes: list[int]
    used: frozenset[int]


class _Search:
    """Depth-first search for a column order, with a bound on its nodes."""

    def __init__(self, gold: list[Row], predicted: list[Row], choices: list[list[int]]) -> None:
        # The most constrained columns first: a wrong choice is then seen early.
        order = sorted(range(len(choices)), key=lambda i: len(choices[i]))
        self.gold = [gold[i] for i in order]
        self.choices = [choices[i] for i in order]
        self.predicted = predicted
        kinds: dict[Row, int] = {}
        self.kind = [kinds.setdefault(column, len(kinds)) for column in predicted]
        self.visited = 0

    def succeeds(self) -> bool:
        """Whether all columns can be placed."""
        start = [0] * len(self.gold[0])
        stack = [self._children(_Node(start, start, frozenset()))]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
            elif len(node.used) == len(self.gold):
                return True
            else:
                stack.append(self._children(node))
        return False

    def _children(self, node: _Node) -> Iterator[_Node]:
        """Ways of placing one more gold column under which the bags of prefixes stay equal."""
        depth = len(node.used)
        numbers: dict[tuple[int, object], int] = {}
        pairs = zip(node.gold_prefixes, self.gold[depth], strict=True)
        gold_prefixes = [numbers.setdefault(pair, len(numbers)) for pair in pairs]
        wanted = Counter(gold_prefixes)
        tried: set[int] = set()
        for column in self.choices[depth]:
            if column in node.used or self.kind[column] in tried:
                continue
            tried.add(self.kind[column])
            self.visited += 1
            if self.visited > MAX_SEARCH_NODES:
                raise TooHardError
            pairs = zip(node.predicted_prefixes, self.predicted[column], strict=True)
            # A prefix that gold lacks gets a number that gold's never have.
            prefixes = [numbers.get(pair, -1) for pair in pairs]
            if Counter(prefixes) == wanted:
                yield _Node(gold_prefixes, prefixes, node.used | {column})
