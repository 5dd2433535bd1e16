"""Which parts of SQL a gold query needs, for accuracy by feature."""

import re

FEATURES = ("join", "nested query", "group by", "set operation", "order by or limit")

_LITERAL = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"")
_PATTERNS = {
    "join": re.compile(r"\bjoin\b|\bfrom\s+\w+(?:\s+(?:as\s+)?\w+)?\s*,", re.IGNORECASE),
    "nested query": re.compile(r"\(\s*select\b", re.IGNORECASE),
    "group by": re.compile(r"\bgroup\s+by\b", re.IGNORECASE),
    "set operation": re.compile(r"\b(?:union|intersect|except)\b", re.IGNORECASE),
    "order by or limit": re.compile(r"\border\s+by\b|\blimit\b", re.IGNORECASE),
}


def sql_features(sql: str) -> frozenset[str]:
    """Name the features that occur in a query; words inside of quotes do not count."""
    bare = _LITERAL.sub("''", sql)
    return frozenset(name for name in FEATURES if _PATTERNS[name].search(bare))
