"""Which modules of this package a program imports, so that a rule can list them as its inputs.

A rule whose inputs name exactly the code that it runs is run again when that code changes, and only then: an edited
chart retrains nothing.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "sqladder"


def imported_modules(program: Path) -> list[Path]:
    """List the files of this package that a program imports, directly or not, sorted.

    Imports are read from the source, wherever in it they stand; nothing is executed.
    """
    root = program.parent
    found: set[Path] = set()
    pending = [program]
    while pending:
        for path in _package_files(pending.pop(), root):
            if path not in found:
                found.add(path)
                pending.append(path)
    return sorted(found)


def _package_files(source: Path, root: Path) -> Iterator[Path]:
    for name in _imported_names(ast.parse(source.read_text(encoding="utf-8"))):
        parts = name.split(".")
        # `from sqladder.x import y` may name the module x/y.py or something in x.py: each prefix that is a file counts,
        # packages on the way by their __init__.py.
        for length in range(1, len(parts) + 1):
            stem = root.joinpath(*parts[:length])
            for path in (stem.with_suffix(".py"), stem / "__init__.py"):
                if path.is_file():
                    yield path


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == PACKAGE)
