"""What a generation has finished, on disk while it goes on: after a kill nothing of it is drawn again.

JSON Lines. The first line says by a digest what the answers were asked with: those of anything else are left aside. A
line that a kill has torn is cut off. Of a finished answer only its place in the file is kept in memory.
"""

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqladder.errors import LOG
from sqladder.files import Row

Key = tuple[str | int, ...]
"""What a row is kept under."""


class WorkFile:
    """Rows that are kept under keys, each written once.

    Attributes:
        path: the file.
        found: how many rows an earlier attempt had left.
        seconds: what finishing the rows took, over all attempts, by the first parts of their keys.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any]) -> None:
        """Open a file, with what an earlier attempt with the same settings, as JSON, has left in it."""
        text = json.dumps(settings, sort_keys=True)
        header = {"settings": hashlib.sha256(text.encode()).hexdigest()}
        self.path = path
        self.seconds: defaultdict[str | int, float] = defaultdict(float)
        self._places: dict[Key, int] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+b")
        self._read(header)
        self.found = len(self._places)

    def _read(self, header: Row) -> None:
        self._file.seek(0)
        first = _parsed(self._file.readline())
        whole = self._file.tell()
        if first != header:
            if first is not None:
                LOG.info(f"{self.path} has answers that were asked with other settings: left aside")
            self._file.truncate(0)
            self._append([header])
            return
        while (line := _parsed(self._file.readline())) is not None:
            self._places[tuple(line["key"])] = whole
            self.seconds[line["key"][0]] += line.get("seconds", 0)
            whole = self._file.tell()
        self._file.truncate(whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if not self._places:
            self.remove()

    def __contains__(self, key: Key) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[Key]:
        return iter(self._places)

    def __getitem__(self, key: Key) -> Any:
        self._file.seek(self._places[key])
        return json.loads(self._file.readline())["row"]

    def add(self, rows: Mapping[Key, Any], seconds: float = 0.0) -> None:
        """Keep some rows; when this returns they are on disk.

        Args:
            rows: JSON values by keys that are not in the file yet, and whose first parts are equal.
            seconds: what it took to finish them.
        """
        lines: list[Row] = [{"key": key, "row": row} for key, row in rows.items()]
        if lines and seconds:
            lines[0] = {"seconds": round(seconds, 6), **lines[0]}
            self.seconds[next(iter(rows))[0]] += seconds
        places = self._append(lines)
        self._places |= dict(zip(rows, places, strict=True))

    def _append(self, lines: list[Row]) -> list[int]:
        """Write lines to the file's end; where each begins."""
        places = []
        try:
            place = self._file.seek(0, os.SEEK_END)
            for line in lines:
                places.append(place)
                place += self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            # A full disk names no file.
            error.filename = str(self.path)
            raise
        return places

    def remove(self) -> None:
        """Remove the file, whose content stands elsewhere now."""
        self.path.unlink(missing_ok=True)


def _parsed(line: bytes) -> Row | None:
    """The object of a whole line; None for one that is torn, or none."""
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
