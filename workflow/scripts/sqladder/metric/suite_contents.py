"""Digests of what stands in the files of a suite, remembered while the file system says that nobody wrote to them."""

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

# A file that was changed so shortly before it was read may be changed again without another time: of the file systems
# in use FAT has the coarsest, two seconds. Git calls such entries of its index racy, and reads these files too.
_SETTLED = 2.0


class SuiteContents:
    """Digests of suites, kept in a file.

    A digest is taken again where any file of the suite has another path, size, time of change, or place in the file
    system. The time of the last change of any kind (ctime) is among them, which no program sets.

    Args:
        path: the JSON file; what is damaged there is taken anew.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = _read(path)

    def digest(self, files: Sequence[str]) -> str:
        """Digest of the contents of a suite's files, in their order."""
        stamp, changed = _stamp(files)
        stamp_before, content = self._kept.get(files[0], ("", ""))
        if stamp == stamp_before:
            return content
        settled = changed < time.time() - _SETTLED
        content = _digest(files)
        # A file may have been changed while it was read.
        if settled and _stamp(files)[0] == stamp:
            self._kept[files[0]] = stamp, content
            self._write()
        return content

    def _write(self) -> None:
        kept = {file: own for file, own in self._kept.items() if Path(file).exists()}
        # Where nothing can be kept, whoever keeps gold's results says so.
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=self.path.parent) as folder:
                written = Path(folder, self.path.name)
                written.write_text(json.dumps(kept), "utf-8")
                written.replace(self.path)


def _stamp(files: Sequence[str]) -> tuple[str, float]:
    """What of files changes when they do, and when the last of them was changed, in seconds since the epoch."""
    found = [Path(file).stat() for file in files]
    facts = [(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in found]
    whole = hashlib.sha256(repr((list(files), facts)).encode("utf-8", "surrogateescape"))
    return whole.hexdigest(), max(max(s.st_mtime, s.st_ctime) for s in found)


def _digest(files: Sequence[str]) -> str:
    whole = hashlib.sha256()
    for file in files:
        with Path(file).open("rb") as content:
            whole.update(hashlib.file_digest(content, "sha256").digest())
    return whole.hexdigest()


def _read(path: Path) -> dict[str, tuple[str, str]]:
    try:
        content = json.loads(path.read_text("utf-8"))
        return {str(file): (str(stamp), str(digest)) for file, (stamp, digest) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
