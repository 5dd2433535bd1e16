"""A digest of the code that each program runs: when it changes, the program's jobs run again, and only then.

The code is the syntax tree of the program and of every module of the package that it can reach, so that comments,
docstrings and line breaks do not count, nor do times of files. Reached is what is imported, wherever the import
stands, and what a text names: a program (`"train_worker.py"`) or a module, as where a process is started with code of
its own. Files beside a reached module that are no Python, such as the page's template, count by their content.
Nothing is executed.
"""

import ast
import gc
import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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


def code_digests(scripts: Path) -> dict[str, str]:
    """Return the digest of the code of each program in a folder, by the program's name."""
    with _without_garbage_collection():
        reach = _Reach(scripts)
        return {path.name: reach.digest(path) for path in sorted(scripts.glob("*.py"))}


def reached_files(program: Path) -> list[Path]:
    """Return the files whose content decides the digest of a program's code, sorted, itself among them."""
    return sorted(_Reach(program.parent).files(program))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A quarter of the time would go into looking for cycles, of which syntax trees have none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


# Which files a program reaches


class _Reach:
    """The files of a folder with programs and their package; each is read once, for all programs."""

    def __init__(self, scripts: Path) -> None:
        self._scripts = scripts
        self._programs = {path.name: path for path in scripts.glob("*.py")}
        self._modules: dict[str, Path] = {}
        self._data: dict[Path, list[Path]] = {}
        for path in sorted((scripts / PACKAGE).rglob("*")):
            if path.suffix == ".py":
                self._modules[_dotted(path.relative_to(scripts))] = path
            elif path.is_file() and _is_data(path):
                self._data.setdefault(path.parent, []).append(path)
        self._needs: dict[Path, set[Path]] = {}
        self._digests: dict[Path, str] = {}

    def digest(self, program: Path) -> str:
        found = hashlib.sha256()
        for path in sorted(self.files(program)):
            found.update(f"{path.relative_to(self._scripts).as_posix()} ".encode())
            found.update(f"{self._digests[path]}\n".encode())
        return found.hexdigest()

    def files(self, program: Path) -> set[Path]:
        found = {program}
        pending = [program]
        while pending:
            new = self._needed_by(pending.pop()) - found
            found |= new
            pending += new
        return found

    def _needed_by(self, path: Path) -> set[Path]:
        if path not in self._needs:
            self._needs[path] = self._read(path)
        return self._needs[path]

    def _read(self, path: Path) -> set[Path]:
        if path.suffix != ".py":
            self._digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
            return set()
        code = read_code(path)
        self._digests[path] = code.digest
        needed = {self._programs[name] for name in code.mentions & self._programs.keys()}
        needed |= self._named(code.imports)
        needed |= self._named(code.mentions & self._modules.keys())
        return needed | {data for each in needed for data in self._data.get(each.parent, [])}

    def _named(self, names: Iterable[str]) -> set[Path]:
        """Return the modules of dotted names, and the packages on the way, which run first."""
        found = set()
        for name in names:
            parts = name.split(".")
            prefixes = [".".join(parts[: i + 1]) for i in range(len(parts))]
            modules = [each for each in prefixes if each in self._modules]
            found |= {self._modules[each] for each in modules}
            if self._modules[modules[-1]].name == "__init__.py":
                # Not a module but the package, or a name that it may take from any of its modules when it is asked.
                inside = f"{modules[-1]}."
                found |= {path for each, path in self._modules.items() if each.startswith(inside)}
        return found


def _dotted(path: Path) -> str:
    parts = path.parent.parts if path.name == "__init__.py" else path.with_suffix("").parts
    return ".".join(parts)


def _is_data(path: Path) -> bool:
    """Whether a file is of the project, and not what Python or an editor leaves."""
    is_leftover = path.name.startswith((".", "#")) or path.name.endswith("~")
    return not is_leftover and path.parent.name != "__pycache__"


# What a file holds


def read_code(path: Path) -> Code:
    """Return what a file of Python holds.

    Raises:
        InputError: it imports by a relative name, which is not followed.
    """
    imports: set[str] = set()
    mentions: set[str] = set()
    lines: list[str] = []
    # A list instead of recursion, and types instead of isinstance, because this visits every node of the project at
    # every start. Type names begin with a capital, fields do not, and values are literals, so that different trees give
    # different lines.
    pending: list[Any] = [ast.parse(path.read_bytes(), path)]
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
            lines.append(repr(node))
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
