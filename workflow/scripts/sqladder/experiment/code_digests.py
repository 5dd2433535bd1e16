"""A digest of the code that each program runs: when it changes, the program's jobs run again, and only then.

The code is the syntax tree of the program and of every module of the package that it can reach, so that comments,
docstrings and line breaks do not count, nor do times of files. Reached is what is imported, wherever the import
stands, and what a text names: a program (`"train_worker.py"`) or a module, as where a process is started with code of
its own. Files beside a reached module that are no Python, such as the page's template, count by their content.
Nothing is executed.
"""

import gc
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqladder.experiment.code_of_file import PACKAGE
from sqladder.experiment.kept_code import KeptCode


def code_digests(scripts: Path, kept: Path | None = None) -> dict[str, str]:
    """Return the digest of the code of each program in a folder, by the program's name.

    Args:
        scripts: the folder.
        kept: file of what was read before, which is written where something is new; None to read all anew.
    """
    code = KeptCode(kept)
    with _without_garbage_collection():
        reach = _Reach(scripts, code)
        found = {path.name: reach.digest(path) for path in sorted(scripts.glob("*.py"))}
    code.keep()
    return found


def reached_files(program: Path) -> list[Path]:
    """Return the files whose content decides the digest of a program's code, sorted, itself among them."""
    return sorted(_Reach(program.parent, KeptCode(None)).files(program))


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

    def __init__(self, scripts: Path, code: KeptCode) -> None:
        self._scripts = scripts
        self._code = code
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
        code = self._code.of(path)
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
