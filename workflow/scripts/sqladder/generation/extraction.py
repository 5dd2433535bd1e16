"""Find the SQL statement in what a model wrote; what is found is always a piece of that text."""

import re

_CHANGE = (
    r"(?:insert|replace|update|delete|create|drop|alter|pragma|attach|detach|vacuum|reindex)\b"
)
_QUERY = r"values\s*\(|select\b|with\s+(?:recursive\s+)?[\w\"`\[\]]+\s*(?:\([^()]*\)\s*)?as\b"
_CONTINUES = (
    r"(?:select|from|where|group|having|order|limit|offset|join|left|right|full|inner|outer|cross"
    r"|natural|on|using|union|intersect|except|and|or|not|case|when|then|else|end|as|in|with|set"
    r"|values)\b|[^\w\s`]"
)

_FENCE = re.compile(r"^[ \t]*```[ \t]*\w*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL | re.MULTILINE)
_STATEMENT_AT_START = re.compile(rf"\s*(?={_CHANGE}|{_QUERY})", re.IGNORECASE)
_QUERY_AFTER_PROSE = re.compile(rf"(?:^|:)[ \t]*(?={_QUERY})", re.IGNORECASE | re.MULTILINE)
# In lower case, "select" inside a sentence is more often English than SQL.
_SHOUTED_QUERY = re.compile(r"\b(?=SELECT\b)")

# Quoted text and comments may hold a semicolon, a fence or a blank line; nothing in them ends a
# statement. What does: a semicolon, a fence, a blank line before something that is no clause, or a
# line that reads as a sentence. Blank lines before a clause, a bracket or comment that nothing closes are taken as they
# are: looked for again from each of thousands of brackets, the end of one would take minutes.
_END_OF_STATEMENT = re.compile(
    r"""
    (?P<end> ; | ```
        | \n[ \t]*\n (?!\s*(?:CONTINUES))
        | \n[ \t]* (?!CONTINUES) (?-i:[A-Z]\w*[ ][a-z]) [^\n]* [.:!?] [ \t]* (?=\n|\Z)
    )
    | \n[ \t]*\n\s*
    | '(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`\n]*` | \[[^\]\n]*\]? | --[^\n]* | /\*.*?(?:\*/|\Z)
    """.replace("CONTINUES", _CONTINUES),
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


def extract_sql(text: str) -> str:
    """Return the first SQL statement of a completion without its semicolon, or "" if it has none.

    Thinking is skipped, code fences are opened, prose before and after is left out. The result is
    a contiguous piece of `text`: nothing is repaired or completed. A statement that changes data is
    returned too where the answer begins with it, so that the metric can refuse it by name.
    """
    answer = _without_thinking(text)
    for candidate in [*_FENCE.findall(answer), answer]:
        statement = _first_statement(candidate)
        if statement:
            return statement
    return ""


def _without_thinking(text: str) -> str:
    """The text after the think block; an unclosed block was cut off before any answer."""
    _, closing, after = text.rpartition("</think>")
    if closing:
        return after
    return after.partition("<think>")[0]


def _first_statement(text: str) -> str:
    for opening in (_STATEMENT_AT_START.match, _QUERY_AFTER_PROSE.search, _SHOUTED_QUERY.search):
        found = opening(text)
        if found:
            return _cut_at_end(text[found.end() :])
    return ""


def _cut_at_end(statement: str) -> str:
    for token in _END_OF_STATEMENT.finditer(statement):
        if token["end"]:
            return statement[: token.start()].strip()
    return statement.strip()
