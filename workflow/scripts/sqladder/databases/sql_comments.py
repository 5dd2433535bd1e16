"""Comments that a CREATE TABLE statement holds beside its columns."""

import re

_TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|'(?:[^']|'')*'|[^\s(),'"`\[]+)
      | (?P<open>\() | (?P<close>\)) | (?P<comma>,) | (?P<newline>\n) | [^\S\n]+ | .""",
    re.VERBOSE | re.DOTALL,
)


def column_comments(statement: str) -> dict[str, str]:
    """Read the comments that stand behind a column's definition on the same line.

    `CREATE TABLE t (a INT, -- how many` gives {"a": "how many"}. The first word of a table constraint
    counts as a name too: whoever asks knows the columns.
    """
    comments: dict[str, str] = {}
    depth = 0
    column, ended = "", True
    for token in _TOKEN.finditer(statement):
        kind, text = token.lastgroup, token[0]
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
        elif kind == "comma" and depth == 1:
            ended = True
        elif kind == "newline" and ended:
            column = ""
        elif kind == "name" and depth == 1 and ended:
            column, ended = _bare(text), False
        elif kind == "comment" and column:
            comments[column] = f"{comments.get(column, '')} {_text(text)}".strip()
    return comments


def _bare(name: str) -> str:
    if name[0] in "\"`'":
        return name[1:-1].replace(name[0] * 2, name[0])
    return name[1:-1] if name[0] == "[" else name


def _text(comment: str) -> str:
    body = comment[2:] if comment.startswith("--") else comment[2:-2]
    return " ".join(body.split())
