"""Whether two queries are one program to SQLite: what it compiles, without executing anything.

A compiled program names tables by their place in the file and columns by their number, and has no aliases. Two texts
with equal programs are two spellings of one query. Source: https://www.sqlite.org/opcode.html.
"""

import hashlib

from sqladder.metric import sqlite_tokens
from sqladder.metric.sandbox import QueryError, Sandbox

_DIGITS_SHOWN = 15


Program = tuple[object, ...]


def program_of(database: Sandbox, sql: str) -> Program | None:
    """What a query shares with another only if both give one result, on a database and on all that have its schema.

    None where SQLite does not compile it, or its result may change from one execution to the next.
    """
    hidden = _hidden(sql)
    if hidden is None:
        return None
    try:
        steps = database.explain(sql)
    except QueryError:
        return None
    # Without the number of each step and its comment.
    program = tuple(step[1:7] for step in steps)
    return (
        None if any("random" in str(operand) for *_, operand, _ in program) else (hidden, program)
    )


def name_of(program: Program) -> str:
    """The digest by which a program is known again, 32 hexadecimal digits."""
    return hashlib.blake2b(repr(program).encode(), digest_size=16).hexdigest()


def is_lasting(program: Program) -> bool:
    """Whether other processes list the program alike: virtual tables stand in it by their place in memory."""
    return "vtab:" not in repr(program)


def _hidden(sql: str) -> tuple[str, ...] | None:
    """Constants of a text that a listed program does not show to the last digit; None if it is no SQL."""
    words = sqlite_tokens.words(sql)
    return None if words is None else tuple(filter(_is_hidden, words))


def _is_hidden(word: str) -> bool:
    is_blob = word[:2] in ("x'", "X'")
    is_number = word[:1].isdigit() or (word[:1] == "." and len(word) > 1)
    return is_blob or (is_number and not (word.isdigit() and len(word) <= _DIGITS_SHOWN))
