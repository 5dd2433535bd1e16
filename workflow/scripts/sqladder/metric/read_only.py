"""How a SQLite file is opened by those who only read it."""

from pathlib import Path


def read_only_uri(path: Path) -> str:
    """URI by which sqlite3 opens a file that nobody changes: no lock, no journal, no new file."""
    return path.absolute().as_uri() + "?mode=ro&immutable=1"
