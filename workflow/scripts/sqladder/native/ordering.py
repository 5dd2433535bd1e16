"""Whether the order of a query's rows counts, told from a text in any dialect."""

import re

from sqladder.databases.query_text import bare

_SIGN = re.compile(r"[()]|\border\s+by\b", re.IGNORECASE)


def order_matters(gold: str, dialect: str) -> bool:
    """Whether the outermost query sorts: `ORDER BY` outside of parentheses, literals and comments.

    Of a query that stands in parentheses as a whole, these do not count.
    """
    text = bare(gold, dialect).strip(" \t\r\n;")
    while text.startswith("(") and _end_of_first(text) == len(text):
        text = text[1:-1].strip()
    depth = 0
    for sign in _SIGN.findall(text):
        if sign in "()":
            depth += 1 if sign == "(" else -1
        elif depth == 0:
            return True
    return False


def _end_of_first(text: str) -> int:
    """Where the parenthesis that a text begins with is closed."""
    depth = 0
    for sign in re.finditer(r"[()]", text):
        depth += 1 if sign[0] == "(" else -1
        if depth == 0:
            return sign.end()
    return 0
