"""Whether a text that sqlglot reads is a query by the grammar that the engines share; sqlglot lets more pass."""

import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

# The clauses of a SELECT stand in this order in every engine.
_RANKS = {
    TokenType.FROM: 1,
    TokenType.WHERE: 2,
    TokenType.GROUP_BY: 3,
    TokenType.HAVING: 4,
    # These two change places between engines.
    TokenType.QUALIFY: 5,
    TokenType.WINDOW: 5,
    TokenType.ORDER_BY: 6,
    TokenType.LIMIT: 7,
    TokenType.OFFSET: 7,
    TokenType.FETCH: 7,
}
_ONCE = {2, 3, 4, 6}
_SETS = {TokenType.UNION, TokenType.EXCEPT, TokenType.INTERSECT}
_ENDS = {*_RANKS, TokenType.R_PAREN, TokenType.SEMICOLON}
_TAKES_LAST_COMMA = {"duckdb", "snowflake", "bigquery"}
_WINDOW_ONLY = (
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.Ntile,
    exp.PercentRank,
    exp.CumeDist,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
)
_IN_WINDOW = (exp.Window, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)


def is_well_formed(sql: str, tree: exp.Query, dialect: str) -> bool:
    """Whether no engine's grammar forbids a query.

    Args:
        sql: the text.
        tree: what sqlglot read.
        dialect: in which it read.

    Raises:
        SqlglotError: the text has no tokens.
    """
    tokens = sqlglot.tokenize(sql, read=dialect)
    return (
        _in_order(tokens)
        and (dialect in _TAKES_LAST_COMMA or not _has_last_comma(tokens))
        and not any(select.args.get("into") for select in tree.find_all(exp.Select))
        and all(isinstance(node.parent, _IN_WINDOW) for node in tree.find_all(*_WINDOW_ONLY))
        and all(_fits_its_side(row, dialect) for row in tree.find_all(exp.Tuple))
    )


def _in_order(tokens: list[Token]) -> bool:
    """Whether each SELECT has its clauses in order, and none is sorted or cut before a UNION."""
    # The clause that was last, for each open parenthesis.
    last, before = [0], None
    for token in tokens:
        kind = token.token_type
        if kind is TokenType.L_PAREN:
            last.append(0)
        elif kind is TokenType.R_PAREN and len(last) > 1:
            last.pop()
        elif kind in _SETS:
            if last[-1] >= _RANKS[TokenType.ORDER_BY]:
                return False
            last[-1] = 0
        # The other FROM is that of IS DISTINCT FROM.
        elif kind in _RANKS and before is not TokenType.DISTINCT:
            rank = _RANKS[kind]
            if rank < last[-1] or (rank == last[-1] and rank in _ONCE):
                return False
            last[-1] = rank
        before = kind
    return True


def _has_last_comma(tokens: list[Token]) -> bool:
    kinds = [token.token_type for token in tokens]
    following = (*kinds[1:], TokenType.SEMICOLON)
    pairs = zip(kinds, following, strict=True)
    return any(kind is TokenType.COMMA and after in _ENDS for kind, after in pairs)


def _fits_its_side(row: exp.Tuple, dialect: str) -> bool:
    """Whether values in parentheses are compared with as many, and are selected only where an engine takes them."""
    parent = row.parent
    if isinstance(parent, exp.Select):
        return dialect in ("postgres", "duckdb")
    if isinstance(parent, exp.In) and parent.this is row:
        return all(_width(side) in (0, len(row.expressions)) for side in parent.expressions)
    if isinstance(parent, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        other = parent.expression if parent.this is row else parent.this
        return _width(other) in (0, len(row.expressions))
    return True


def _width(side: exp.Expr) -> int:
    """How many values a side of a comparison has; 0 if that is not seen."""
    if isinstance(side, exp.Tuple):
        return len(side.expressions)
    query = side.unnest()
    if isinstance(query, exp.Any | exp.All):
        query = query.this.unnest()
    if isinstance(query, exp.Query):
        return 0 if query.is_star else len(query.selects)
    return 1
