"""What files of Python hold, kept from one start of Snakemake to the next: to read all of them takes half a second."""

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqladder.experiment import code_of_file
from sqladder.experiment.code_of_file import Code, read_code
from sqladder.files import write_json


class KeptCode:
    """What files hold, by their content; a change of the code that reads them, or of Python, reads all anew."""

    def __init__(self, file: Path | None) -> None:
        """Take what a file has from earlier; None has nothing, and keeps nothing."""
        self._file = file
        self._reader = _digest(Path(code_of_file.__file__).read_bytes() + sys.version.encode())
        self._before = {} if file is None else _read(file, self._reader)
        self._now: dict[str, Code] = {}

    def of(self, path: Path) -> Code:
        """What a file of Python holds."""
        content = path.read_bytes()
        key = _digest(content)
        self._now[key] = self._before.get(key) or read_code(content, path)
        return self._now[key]

    def keep(self) -> None:
        """Write what was asked for, where that is not what is kept."""
        if self._file is None or self._now.keys() == self._before.keys():
            return
        files = {
            key: [code.digest, sorted(code.imports), sorted(code.mentions)]
            for key, code in self._now.items()
        }
        # A plan needs no folder that can be written.
        with suppress(OSError):
            write_json(self._file, {"checksum": _checksum(self._reader, files), "files": files})


def _read(file: Path, reader: str) -> dict[str, Code]:
    """What is kept; nothing of another reader, or of a file that is damaged, as it saves time and no more."""
    try:
        kept = json.loads(file.read_bytes())
        # A wrong digest would have every job run again, and say nothing.
        if kept["checksum"] != _checksum(reader, kept["files"]):
            return {}
        return {
            key: Code(digest, frozenset(imports), frozenset(mentions))
            for key, (digest, imports, mentions) in kept["files"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _checksum(reader: str, files: Any) -> str:
    return _digest(f"{reader} {json.dumps(files)}".encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
