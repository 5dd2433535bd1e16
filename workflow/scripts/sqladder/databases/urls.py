"""Databases that are named by a URL: PostgreSQL's. A URL may be logged, so it must hold no password."""

from urllib.parse import urlsplit

from sqladder.errors import InputError

_SCHEMES = ("postgresql://", "postgres://")


def is_url(source: str) -> bool:
    """Whether a database is named by a URL instead of a file."""
    return source.startswith(_SCHEMES)


def without_password(url: str) -> str:
    """The URL as it may be shown: nothing but server and database."""
    parts = urlsplit(url)
    server = parts.hostname or "the local server"
    return f"postgresql://{server}{f':{parts.port}' if parts.port else ''}{parts.path}"


def check_url(url: str) -> None:
    """Refuse a URL that holds a password: it would end up in logs and in the run's facts."""
    if urlsplit(url).password is not None or "password=" in urlsplit(url).query:
        raise InputError(
            f"the URL {without_password(url)} holds a password; take it out and give it by the environment "
            "variable PGPASSWORD or by ~/.pgpass"
        )
