"""What was counted in the finished conditions of a simulation, in a file that a later run goes on from."""

import hashlib
import json
from collections import Counter
from pathlib import Path

from sqladder.experiment.code_digests import code_digests
from sqladder.files import read_jsonl


class KeptCounts:
    """Counts by the names of their conditions.

    Attributes:
        path: JSON Lines, which grow by a line a condition; None where nothing is kept.
        code: digest of the code that counts; what other code has counted is not taken.
    """

    def __init__(self, path: Path | None, code: str) -> None:
        self.path, self.code = path, code
        fields = {"condition": str, "found": dict}
        rows = read_jsonl(path, fields) if path is not None and path.exists() else []
        self._found = {row["condition"]: Counter[str](row["found"]) for row in rows}

    def get(self, name: str) -> Counter[str] | None:
        """What was counted in a condition; None where it is not finished."""
        return self._found.get(f"{name} {self.code}")

    def add(self, name: str, found: Counter[str]) -> None:
        """Keep what was counted."""
        key = f"{name} {self.code}"
        self._found[key] = found
        if self.path is not None:
            with self.path.open("a") as file:
                file.write(json.dumps({"condition": key, "found": found}) + "\n")


def code_of(benchmark: str, scripts: Path, program: str) -> str:
    """The digest of a benchmark's own file and of all code that a program of the workflow reaches."""
    own = hashlib.sha256(Path(benchmark).read_bytes()).hexdigest()
    return f"{own} {code_digests(scripts)[program]}"
