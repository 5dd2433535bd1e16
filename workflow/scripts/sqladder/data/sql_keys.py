"""What two SQL texts have in common once values, aliases, quotes and case are set aside.

Every statement is cut by one regular expression in linear time; nothing is parsed, so that a text that is no SQL has a
key as well.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<skip>    \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<value>   '(?:[^']|'')*' | [0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)? | \.[0-9]+ )
    | (?P<quoted>  "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] )
    | (?P<word>    [^\W\d][\w$]* )
    | (?P<sign>    <> | != | <= | >= | == | \|\| | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_COMPARISONS = frozenset({"=", "!=", "<", ">", "<=", ">=", "like", "glob", "between"})
_SAME = {"<>": "!=", "==": "="}
# Words that change nothing where they stand.
_EMPTY = frozenset({"inner", "outer", "asc", ";"})
# Words that may follow a name and are no alias of it.
_KEYWORDS = """
    all and as between by case collate cross desc distinct else end escape except exists from full glob group having
    in intersect is join left like limit natural not null offset on or order right select set then union using values
    when where with
"""
_AFTER_NAME = frozenset(_KEYWORDS.split())
VALUE = "?"

Token = tuple[str, str]


def tokens(sql: str) -> Iterator[Token]:
    """Kind (word, name, value, sign) and folded text of each token."""
    for match in _TOKEN.finditer(sql):
        kind, text = str(match.lastgroup), match.group()
        if kind == "word":
            yield "word", text.casefold()
        elif kind == "sign":
            yield "sign", _SAME.get(text, text)
        elif kind != "skip":
            yield kind, text[1:-1].casefold() if kind == "quoted" else VALUE


def statement_key(sql: str) -> str:
    """The text that statements share which differ in values, aliases, qualifiers, quotes, case and space only.

    `SELECT T1.Name FROM singer AS T1 WHERE T1.age > 30` has the key `select name from singer where age > ?`. A name in
    double quotes counts as a value where a value is compared, as SQLite itself may read it.
    """
    found = [token for token in tokens(sql) if token[1] not in _EMPTY]
    kept: list[str] = []
    position, size, values_until = 0, len(found), 0
    while position < size:
        kind, text = found[position]
        following = found[position + 1][1] if position + 1 < size else ""
        if (kind != "sign" and following == ".") or (kind, text) == ("word", "as"):
            position += 2
        elif _is_alias(kind, text, found, position):
            position += 1
        else:
            if kind == "quoted" and (position < values_until or _is_compared(kept)):
                text = VALUE
            # Looking for each list's end inside another list would take quadratic time.
            if text == "in" and following == "(" and position >= values_until:
                values_until = _end_of_list(found, position + 2)
            kept.append(text)
            position += 1
    return " ".join(kept)


def _is_alias(kind: str, text: str, found: list[Token], position: int) -> bool:
    """A bare name right after a name is an alias that AS was left out of."""
    if kind != "word" or text in _AFTER_NAME or not position:
        return False
    before_kind, before = found[position - 1]
    return before_kind == "quoted" or (before_kind == "word" and before not in _AFTER_NAME)


def _is_compared(kept: list[str]) -> bool:
    if not kept:
        return False
    return kept[-1] in _COMPARISONS or kept[-3:-1] == ["between", VALUE]


def _end_of_list(found: list[Token], start: int) -> int:
    """Where a list of values after IN ends; a subquery is none."""
    if start < len(found) and found[start][1] == "select":
        return start
    for position in range(start, len(found)):
        if found[position][1] == ")":
            return position
    return len(found)


_CONSTRAINTS = frozenset({"primary", "foreign", "unique", "check", "constraint", "key", "index"})


def table_columns(ddl: str) -> frozenset[tuple[str, str]]:
    """Read (table, column) pairs, folded, from CREATE TABLE statements; other statements are passed over."""
    found = list(tokens(ddl))
    pairs: set[tuple[str, str]] = set()
    place = 0
    while place < len(found):
        opening = _column_list(found, place)
        place += 1
        if opening:
            # Of `IF NOT EXISTS main.song (`, the last name is the table's.
            table = found[opening - 1][1]
            columns, place = _columns(found, opening + 1)
            pairs.update((table, column) for column in columns)
    return frozenset(pairs)


def _column_list(found: list[Token], place: int) -> int:
    """Where the column list of a CREATE TABLE that begins at a place opens; 0 if none begins there."""
    if found[place : place + 2] != [("word", "create"), ("word", "table")]:
        return 0
    # A few names stand in between, one at least.
    for opening in range(place + 3, min(place + 10, len(found))):
        if found[opening][1] == "(":
            return opening
    return 0


def _columns(found: list[Token], start: int) -> tuple[list[str], int]:
    """The first word of each part of a column list but constraints, and where the list ends."""
    columns, depth, is_first = [], 1, True
    for place in range(start, len(found)):
        kind, text = found[place]
        if depth == 1 and is_first and kind in ("word", "quoted"):
            if not (kind == "word" and text in _CONSTRAINTS):
                columns.append(text)
            is_first = False
        depth += {"(": 1, ")": -1}.get(text, 0)
        if not depth:
            return columns, place
        is_first = is_first or (depth == 1 and text == ",")
    return columns, len(found)
