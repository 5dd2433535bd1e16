"""What of a query's text is looked at before an engine reads it."""

import re

from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError

MESSAGE_CHARS = 300
"""Characters of an engine's message that are kept."""

# Of all engines: statements that are no query. Those that an engine does not know are no loss.
_OTHER_STATEMENTS = """
    abort alter analyze attach backup begin binlog cache call change check checkpoint checksum close cluster
    comment commit copy create deallocate declare delete detach discard do drop end execute explain export fetch
    flush force grant handler import insert install kill listen load lock merge move notify optimize pragma
    prepare purge reassign refresh reindex release rename repair replace reset resignal restart revoke rollback
    savepoint security set shutdown signal start stop truncate unlisten unlock update upsert use vacuum xa
"""
OTHER_STATEMENTS = frozenset(_OTHER_STATEMENTS.split())
_BEFORE = re.compile(r"(?:\s|\(|--[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|/\*(?!!|M!).*?\*/)*", re.DOTALL)
# In PostgreSQL and DuckDB a backslash escapes nothing but in E'...', and # is an operator; MySQL has comments after it.
_STANDARD = r"""(?<!\w)e'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | (?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)
    | (?P<comment>--[^\n]* | /\*.*?\*/)"""
_MYSQL = r"""'(?:[^'\\]|''|\\.)*' | "(?:[^"\\]|""|\\.)*" | `(?:[^`]|``)*`
    | (?P<comment>--(?=\s|$)[^\n]* | \#[^\n]* | /\*(?!!|M!).*?\*/)"""
_FLAGS = re.VERBOSE | re.DOTALL | re.IGNORECASE
_INSIDE = {"mysql": re.compile(_MYSQL, _FLAGS), "": re.compile(_STANDARD, _FLAGS)}
_WORD = re.compile(r"[^\W\d]\w*")


def check_text(sql: str, limits: Limits) -> None:
    """Refuse a text that no engine should get.

    Raises:
        QueryError: it is empty, too long, begins as a statement that is no query, or holds what no server takes.
    """
    if len(sql) > limits.max_sql_chars:
        raise QueryError("refused", "characters", limits.max_sql_chars, len(sql))
    if "\0" in sql:
        raise QueryError("refused", "nul")
    if any("\ud800" <= letter <= "\udfff" for letter in sql):
        raise QueryError("refused", "surrogate")
    if not sql.strip(" \t\r\n;"):
        raise QueryError("no_sql", "no_statement")
    if (word := first_word(sql)) in OTHER_STATEMENTS:
        raise QueryError("refused", "not_allowed", found=word)


def bare(sql: str, dialect: str) -> str:
    """A text without what says nothing of its form: literals and names in quotes are empty, comments are blanks.

    Args:
        sql: the text.
        dialect: as dialect_marks.py calls it; those of DuckDB and PostgreSQL are alike in this.
    """
    inside = _INSIDE.get(dialect, _INSIDE[""])
    return inside.sub(lambda found: " " if found["comment"] else "''", sql)


def bare_names(sql: str) -> str:
    """A text in the dialect of PostgreSQL or DuckDB without literals and comments; names in quotes stay."""
    return _INSIDE[""].sub(lambda found: found[0] if found[0][0] == '"' else " ", sql)


def first_word(sql: str) -> str:
    """The first word of a text in lower case, "" where something else comes first; comments do not count."""
    before = _BEFORE.match(sql)
    word = _WORD.match(sql, before.end() if before else 0)
    return word[0].lower() if word else ""
