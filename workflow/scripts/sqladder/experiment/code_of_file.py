"""What one file of Python holds that decides when jobs run again: its syntax tree, and what it can reach."""

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqladder.errors import InputError

PACKAGE = "sqladder"
_MODULE_IN_TEXT = re.compile(rf"\b{PACKAGE}(?:\.\w+)+")
# Where a name stands says whether it is read or written; the rest is for type checkers and of no effect.
_WITHOUT_EFFECT = frozenset(
    {"ctx", "kind", "type_comment", "type_ignores"}
    | {"lineno", "col_offset", "end_lineno", "end_col_offset"}
)


class Code(NamedTuple):
    """What one file of Python holds.

    Attributes:
        digest: of its syntax tree.
        imports: dotted names of this package, `a.b` for `import a.b` and for `from a import b`.
        mentions: names in texts, of programs and of modules, that may be run through them.
    """

    digest: str
    imports: frozenset[str]
    mentions: frozenset[str]


def read_code(content: bytes, path: Path) -> Code:
    """Return what a file of Python holds.

    Args:
        content: of the file.
        path: of the file, for messages.

    Raises:
        InputError: it imports by a relative name, which is not followed.
    """
    imports: set[str] = set()
    mentions: set[str] = set()
    lines: list[str] = []
    # A list instead of recursion, and types instead of isinstance, because this visits every node of the project at a
    # first start. Type names begin with a capital, fields do not, and values are literals, so that different trees give
    # different lines.
    pending: list[Any] = [ast.parse(content, path)]
    while pending:
        node = pending.pop()
        kind = type(node)
        if kind is list:
            children = [
                child for child in node if type(child) is not ast.Expr or not _is_text(child)
            ]
            lines.append(f"[{len(children)}")
            pending.extend(children)
            continue
        if not hasattr(kind, "_fields"):
            # Not repr, which writes a character as it is from the Python on whose Unicode has it.
            lines.append(ascii(node))
            continue
        lines.append(kind.__name__)
        if kind is ast.Import or kind is ast.ImportFrom:
            imports.update(_imported(node, path))
        elif kind is ast.Constant and type(node.value) is str:
            mentions.update(_names_in(node.value))
        for field, value in vars(node).items():
            # Empty ones are left out: a later Python may have more of them.
            if field in _WITHOUT_EFFECT or value is None or value == []:
                continue
            lines.append(field)
            pending.append(value)
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return Code(digest, frozenset(imports), frozenset(mentions))


def _is_text(statement: ast.Expr) -> bool:
    """Whether a statement is a text alone, as a docstring is."""
    return type(statement.value) is ast.Constant and type(statement.value.value) is str


def _imported(node: ast.Import | ast.ImportFrom, path: Path) -> Iterator[str]:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif node.level:
        raise InputError(f"{path}, line {node.lineno}: imports by a relative name; write it out")
    else:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    return (name for name in names if name.split(".")[0] == PACKAGE)


def _names_in(text: str) -> list[str]:
    """Return the names of programs and modules in a text: it may be one, or code with some in it."""
    return [text] if text.endswith(".py") else _MODULE_IN_TEXT.findall(text)
