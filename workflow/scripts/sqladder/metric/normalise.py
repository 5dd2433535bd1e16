"""What happens to the texts of gold and prediction before they are executed.

Each quirk of the official evaluator that can change a verdict is kept by default and has a named
repair; docs/metric.md lists them.
"""

import re
from collections.abc import Callable
from itertools import pairwise

from sqladder.metric import lexer, sqlite_tokens

REPAIRS = {
    "value-in-names": "leave `value` in predictions alone instead of writing `1` for it",
    "is-distinct-from": "keep the DISTINCT of IS [NOT] DISTINCT FROM, which is no modifier",
    "literals": "mend `> =`, `< =`, `! =` and YEAR(CURDATE()) outside literals only",
    "order-by": "order matters where the outermost query sorts, not where the text says `order by`",
    "number-keys": "sort the values of a row by number, so that 1 and 1.0 are one value",
    "empty-columns": "two empty results need the same number of columns",
    "one-statement": "refuse a text with a second statement instead of dropping that",
}

QUIRKS = {"official": frozenset[str](), "repaired": frozenset(REPAIRS)}
"""Whether the official evaluator's quirks hold: what is repaired."""

_OPERATORS = (("> =", ">="), ("< =", "<="), ("! =", "!="))
_CURRENT_YEAR = re.compile(r"YEAR\s*\(\s*CURDATE\s*\(\s*\)\s*\)\s*", re.IGNORECASE)
_QUOTED = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")")
Repairs = frozenset[str]


def prepare_prediction(
    sql: str, keep_distinct: bool = False, repairs: Repairs = frozenset()
) -> str:
    """Text of a prediction as it is compared: `value` replaced, then as for gold."""
    if "value-in-names" not in repairs:
        sql = sql.replace("value", "1")
    return prepare_gold(sql, keep_distinct, repairs)


def prepare_gold(sql: str, keep_distinct: bool = False, repairs: Repairs = frozenset()) -> str:
    """Text of a gold query as it is compared: operators joined, DISTINCT and a tail removed."""
    sql = _outside_literals(_join_operators, sql, repairs)
    if keep_distinct or not ("distinct" in sql.lower() or ";" in sql):
        return sql
    tokens = lexer.first_statement(sql)
    kept = [
        token.text
        for position, token in enumerate(tokens)
        if token.text.lower() != "distinct"
        or ("is-distinct-from" in repairs and _follows_is(tokens, position))
    ]
    return "".join(kept)


def executable(sql: str, repairs: Repairs = frozenset()) -> str:
    """The text that SQLite gets: MySQL's YEAR(CURDATE()) is the year of the data set, 2020."""
    if "curdate" not in sql.lower():
        return sql
    return _outside_literals(lambda text: _CURRENT_YEAR.sub("2020", text), sql, repairs)


def order_matters(gold: str, repairs: Repairs = frozenset()) -> bool:
    """Whether rows are compared in order, decided on the prepared gold text."""
    if "order-by" not in repairs:
        return "order by" in gold.lower()
    depth = 0
    # A gold that is no SQL to SQLite has no result whose order could matter.
    for word, following in pairwise(sqlite_tokens.words(gold) or []):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0 and (word, following) == ("order", "by"):
            return True
    return False


def has_second_statement(sql: str) -> bool:
    """Whether something other than blanks and comments follows the first statement."""
    first = "".join(token.text for token in lexer.first_statement(sql))
    return ";" in first and lexer.has_statement(sql[len(first) :])


def _join_operators(sql: str) -> str:
    for apart, joined in _OPERATORS:
        sql = sql.replace(apart, joined)
    return sql


def _outside_literals(change: Callable[[str], str], sql: str, repairs: Repairs) -> str:
    if "literals" not in repairs:
        return change(sql)
    return "".join(
        part if number % 2 else change(part) for number, part in enumerate(_QUOTED.split(sql))
    )


def _follows_is(tokens: list[lexer.Token], position: int) -> bool:
    words = [
        token.text.lower()
        for token in tokens[:position]
        if token.kind not in (lexer.SPACE, lexer.NEWLINE, lexer.COMMENT)
    ]
    return words[-1:] == ["is"] or words[-2:] == ["is", "not"]
