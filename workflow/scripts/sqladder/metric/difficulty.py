"""Spider's hardness of a query: easy, medium, hard or extra."""

from collections import Counter
from collections.abc import Iterable

from sqladder.metric import lexer, sqlite_tokens
from sqladder.metric.grammar import (
    COMPARISONS,
    SET_OPERATORS,
    ColumnRef,
    GrammarError,
    Query,
    conditions_of,
    parse,
)

LEVELS = ("easy", "medium", "hard", "extra")
_LIKE = COMPARISONS.index("like")
_AGGREGATE_FUNCTIONS = frozenset(("max", "min", "count", "sum", "avg"))
_CLAUSE_WORDS = frozenset(("select", "from", "on", "where", "group", "having", "order", "limit"))
_CONDITIONAL = frozenset(("on", "where", "having"))
_DEPTH_OF_WITH = 8
_COUNTED = _CLAUSE_WORDS | {"join", "or", "like"}


def hardness(sql: str) -> str:
    """Level of a query, counted on its outermost level only.

    A query outside Spider's grammar, at which the official evaluator stops, gets the level that
    the same components have when they are counted in its tokens.
    """
    try:
        return level(*_components(parse(sql)))
    except GrammarError:
        return level(*_components_of_tokens(sql))


def level(clauses: int, nested: int, others: int) -> str:
    """Level for the numbers of the three kinds of components.

    The limits leave a hole: two clauses with two others are extra, not hard.
    """
    if nested == 0:
        if clauses <= 1 and others == 0:
            return "easy"
        if (clauses <= 1 and others <= 2) or (clauses <= 2 and others < 2):
            return "medium"
        if (clauses <= 2 and others > 2) or (clauses == 3 and others <= 2):
            return "hard"
    elif nested == 1 and clauses <= 1 and others == 0:
        return "hard"
    return "extra"


def _components(query: Query) -> tuple[int, int, int]:
    lists = (query.on, query.where, query.having)
    conditions = [condition for found in lists for condition in conditions_of(found)]
    connectors = [connector for found in lists for connector in found[1::2]]
    clauses = sum(map(bool, (query.where, query.group, query.direction, query.limit)))
    clauses += max(len(query.tables) - 1, 0)
    clauses += connectors.count("or")
    clauses += sum(condition.comparison == _LIKE for condition in conditions)
    nested = sum(
        isinstance(side, Query) for found in conditions for side in (found.first, found.second)
    )
    others = (
        (_aggregates(query) > 1)
        + (len(query.select) > 1)
        + (len(query.where) > 1)
        + (len(query.group) > 1)
    )
    return clauses, nested + len(query.combined), others


def _aggregates(query: Query) -> int:
    """Aggregates as Spider counts them: NOT in WHERE or HAVING and HAVING's connectors too."""
    ordered: list[ColumnRef | None] = [
        column for value in query.order for column in (value.left, value.right)
    ]
    return (
        sum(aggregate != 0 for aggregate, _ in query.select)
        + sum(column.aggregate != 0 for column in [*query.group, *ordered] if column)
        + sum(condition.negated for condition in conditions_of(query.where))
        + sum(condition.negated for condition in conditions_of(query.having))
        + len(query.having[1::2])
    )


def _components_of_tokens(sql: str) -> tuple[int, int, int]:
    """The same components counted by keywords, for SQL that Spider's grammar does not know.

    The queries of a WITH clause count as if they were part of the outermost one.
    """
    words = sqlite_tokens.words(sql)
    if words is None:
        words = [
            token.text.lower()
            for token in lexer.tokenize(sql)
            if token.kind not in (lexer.SPACE, lexer.NEWLINE, lexer.COMMENT)
        ]
    counted = [_components_of_words(query) for query in _queries_of(words)]
    clauses, nested, others = (sum(numbers) for numbers in zip(*counted, strict=True))
    return clauses, nested, others


def _components_of_words(words: list[str]) -> tuple[int, int, int]:
    count = _count_words(words)
    clauses = sum(count[name] > 0 for name in ("where", "group", "order", "limit"))
    clauses += count["join"] + count["from ,"] + count["or"] + count["like"]
    others = (
        (count["aggregate"] > 1)
        + (count["select ,"] > 0)
        + (count["where and"] + count["where or"] > 0)
        + (count["group ,"] > 0)
    )
    return clauses, count["nested"], others


def _queries_of(words: list[str]) -> list[list[str]]:
    """The outermost query and those of its WITH clause, and of theirs down to a depth that people write."""
    queries, waiting = [], [(words, 0)]
    while waiting:
        words, depth = waiting.pop()
        if words[:1] != ["with"] or depth == _DEPTH_OF_WITH:
            queries.append(words)
            continue
        bodies, outermost = _bodies_of_with(words)
        queries.append(outermost)
        waiting += [(body, depth + 1) for body in bodies]
    return queries


def _bodies_of_with(words: list[str]) -> tuple[list[list[str]], list[str]]:
    """What stands in parentheses after AS or MATERIALIZED on the outermost level, and all the rest."""
    bodies: list[list[str]] = []
    rest: list[str] = []
    depth, start, previous = 0, 0, ""
    for position, word in enumerate(words):
        depth += word == "("
        if word == "(" and depth == 1 and previous in ("as", "materialized"):
            start = position + 1
        depth -= word == ")"
        if start and not depth:
            bodies.append(words[start:position])
            start = 0
        elif not start:
            rest.append(word)
        previous = word
    return bodies, rest


def _count_words(words: Iterable[str]) -> Counter[str]:
    """Count what matters on the outermost level, up to the first set operator."""
    count: Counter[str] = Counter()
    clause, previous = "", ""
    # One entry for each open parenthesis: whether it holds a sub-query.
    open_parentheses: list[bool] = []
    for word in words:
        if word == "select" and previous == "(":
            open_parentheses[-1] = True
            count["nested"] += open_parentheses.count(True) == 1 and clause in _CONDITIONAL
        elif word == "(":
            open_parentheses.append(False)
            called = previous in _AGGREGATE_FUNCTIONS and True not in open_parentheses
            count["aggregate"] += called and clause in ("select", "group", "order")
        elif word == ")":
            del open_parentheses[-1:]
        elif word in SET_OPERATORS and not open_parentheses:
            count["nested"] += 1
            break
        elif True not in open_parentheses:
            clause = word if word in _CLAUSE_WORDS else clause
            _count_word(count, word, clause, nested=bool(open_parentheses))
        previous = word
    return count


def _count_word(count: Counter[str], word: str, clause: str, nested: bool) -> None:
    count[word] += word in _COUNTED
    if word == "," and not nested:
        count[f"{clause} ,"] += 1
    elif word == "between":
        # Its own AND joins no conditions; the count below makes up for it.
        count[f"{clause} and"] -= 1
    elif word in ("and", "or"):
        count[f"{clause} {word}"] += 1
        count["aggregate"] += clause == "having"
    elif word == "not":
        count["aggregate"] += clause in ("where", "having")
