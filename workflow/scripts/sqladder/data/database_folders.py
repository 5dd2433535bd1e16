"""Find the databases that lie in a folder, as people have them: with their test suites, or flat."""

from collections.abc import Iterator
from pathlib import Path

from sqladder.databases.engine import is_sqlite
from sqladder.errors import LOG, InputError
from sqladder.metric.database_files import SUFFIXES, suite_of


def find_databases(folder: Path) -> dict[str, list[Path]]:
    """Find the databases below a folder, links followed: `db_id` -> its file and the others of its suite.

    They are <db_id>/<db_id>.sqlite at any depth with their suites beside them; or, where there is none of these,
    <db_id>.sqlite without suites. Both may end in .db or .sqlite3.

    Raises:
        InputError: there is none, or one is there twice.
    """
    files = [path for path in _files_below(folder) if _is_database(path)]
    with_suites = [path for path in files if path.stem == path.parent.name]
    found: dict[str, list[Path]] = {}
    for path in with_suites or files:
        if path.stem in found:
            raise InputError(
                f"database {path.stem!r} is there twice: {found[path.stem][0]} and {path}; remove one"
            )
        found[path.stem] = suite_of(path) if with_suites else [path]
    if not found:
        raise InputError(
            f"{folder} holds no database; expected <db_id>/<db_id>.sqlite below it, or <db_id>.sqlite"
        )
    known = {path for suite in found.values() for path in suite}
    if others := [path for path in files if path not in known]:
        LOG.warning(
            f"{len(others)} database files are no <db_id>/<db_id>.sqlite and of no suite, so they are left out; "
            f"the first is {others[0]}"
        )
    return found


def _is_database(path: Path) -> bool:
    # What macOS writes beside a file begins with a dot; much that is no database ends in .db.
    hidden, end = path.name.startswith("."), path.suffix
    return not hidden and (end == ".sqlite" or (end in SUFFIXES and is_sqlite(path)))


def _files_below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """Yield files in order of their names; a link that leads back to where it lies is not followed."""
    place = folder.resolve()
    if place in above:
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _files_below(path, above | {place})
        elif path.is_file():
            yield path
