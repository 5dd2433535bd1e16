"""Gold results kept between runs: of each gold query, the outline of its result on each file of a database.

Beside them stand the programs that gave these results on all files, so that another run's answer that SQLite compiles
to one of them is executed on the original file alone, as within one run.

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
from sqladder.metric.suite_contents import SuiteContents

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
        right: names of the programs that are right, by gold query.
    """

    path: Path
    known: Mapping[str, Known]
    right: Mapping[str, Sequence[str]]


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
        self._contents = SuiteContents(folder / "contents.json")

    def read(self, files: Sequence[str]) -> SuiteResults:
        """What is kept for the files of a suite, in their order; nothing where it is damaged."""
        name = hashlib.sha256(self._settings.encode())
        name.update(self._contents.digest(files).encode())
        path = self.folder / f"{name.hexdigest()[:32]}.json"
        return SuiteResults(path, *_read(path))

    def add(
        self,
        suite: SuiteResults,
        found: Mapping[str, Known],
        right: Mapping[str, Sequence[str]],
    ) -> None:
        """Keep what is new, beside what other runs have kept meanwhile; warn where the folder cannot be written.

        Args:
            suite: what was read before.
            found: outlines by gold query.
            right: names of the programs that are right, by gold query.
        """
        new = {gold: known for gold, known in found.items() if known != suite.known.get(gold, {})}
        further = {
            gold: names for gold, names in right.items() if {*names} - {*suite.right.get(gold, ())}
        }
        if not new and not further:
            return
        kept, kept_right = _read(suite.path)
        outlines = kept | {gold: kept.get(gold, {}) | known for gold, known in new.items()}
        programs = kept_right | {
            gold: list(dict.fromkeys([*kept_right.get(gold, ()), *names]))
            for gold, names in further.items()
        }
        whole = {"outlines": outlines, "right": programs}
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


def _read(path: Path) -> tuple[dict[str, Known], dict[str, list[str]]]:
    try:
        content = json.loads(path.read_text("utf-8"))
        outlines = {
            gold: {int(number): Outline(*outline) for number, outline in known.items()}
            for gold, known in content["outlines"].items()
        }
        return outlines, {gold: [*map(str, names)] for gold, names in content["right"].items()}
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        return {}, {}
