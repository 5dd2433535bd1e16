"""Gold results kept between runs: of each gold query, the outline of its result on each file of a database.

A file of the folder belongs to one suite, by the content of its database files, and to all that a result hangs on
besides: options, limits, this package's code, and the versions of SQLite and Python. What stands there is therefore
never wrong, and never has to be removed but for its space. Results that may be others the next time (today's date,
random numbers) and failures are not kept.
"""

import hashlib
import json
import logging
import os
import sqlite3
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqladder.metric.limits import Limits
from sqladder.metric.outlines import Outline
from sqladder.metric.suite import Options

Known = dict[int, Outline]
"""Outlines of one gold query by the numbers of the database files."""

_LOG = logging.getLogger(__name__)


def default_folder() -> Path | None:
    """Where a user's programs keep what can be made again, None where the user has no home.

    Source: the XDG Base Directory Specification.
    """
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return cache / "sqladder" / "gold"


@dataclass(frozen=True)
class SuiteResults:
    """What is kept for one suite.

    Attributes:
        path: the file that holds it.
        known: the outlines, by gold query.
    """

    path: Path
    known: Mapping[str, Known]


class GoldResults:
    """A folder of gold results.

    Args:
        folder: where they are kept; it is made when there is something to keep.
        options: how texts are compared.
        limits: what one execution may cost.
    """

    def __init__(self, folder: Path, options: Options, limits: Limits) -> None:
        self.folder = folder
        # What else the options say is done to answers alone.
        compared = [options.keep_distinct, sorted(options.repairs)]
        engine = [sqlite3.sqlite_version, *sys.version_info[:2], _code()]
        self._settings = json.dumps([compared, asdict(limits), engine])

    def read(self, files: Sequence[str]) -> SuiteResults:
        """What is kept for the files of a suite, in their order; nothing where it is damaged."""
        name = hashlib.sha256(self._settings.encode())
        for file in files:
            with Path(file).open("rb") as content:
                name.update(hashlib.file_digest(content, "sha256").digest())
        path = self.folder / f"{name.hexdigest()[:32]}.json"
        return SuiteResults(path, _read(path))

    def add(self, suite: SuiteResults, found: Mapping[str, Known]) -> None:
        """Keep what is new, beside what other runs have kept meanwhile; warn where the folder cannot be written."""
        new = {gold: known for gold, known in found.items() if known != suite.known.get(gold, {})}
        if not new:
            return
        kept = _read(suite.path)
        whole = kept | {gold: kept.get(gold, {}) | known for gold, known in new.items()}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder) as folder:
                written = Path(folder, suite.path.name)
                written.write_text(json.dumps(whole, separators=(",", ":")), "utf-8")
                written.replace(suite.path)
        except OSError as error:
            _LOG.warning(
                "results of gold cannot be kept in %s (%s); --gold-results names another folder",
                self.folder,
                error.strerror,
            )


def _code() -> str:
    """Digest of this package's code."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def _read(path: Path) -> dict[str, Known]:
    try:
        content = json.loads(path.read_text("utf-8"))
        return {
            gold: {int(number): Outline(*outline) for number, outline in known.items()}
            for gold, known in content.items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
