"""Databases that are named by a URL: those of servers. A URL may be logged, so it must hold no password."""

from urllib.parse import parse_qsl, urlsplit

from sqladder.errors import InputError

POSTGRESQL_SCHEMES = ("postgresql", "postgres")
MYSQL_SCHEMES = ("mysql", "mariadb")
_PREFIXES = tuple(f"{scheme}://" for scheme in POSTGRESQL_SCHEMES + MYSQL_SCHEMES)
_SECRET = ("password", "passwd")


def is_url(source: str) -> bool:
    """Whether a database is named by a URL instead of a file."""
    return source.startswith(_PREFIXES)


def is_mysql(url: str) -> bool:
    """Whether a URL names a database of MySQL or MariaDB."""
    return urlsplit(url).scheme in MYSQL_SCHEMES


def without_password(url: str) -> str:
    """The URL as it may be shown: nothing but server and database."""
    parts = urlsplit(url)
    server = parts.hostname or "the local server"
    scheme = parts.scheme if is_mysql(url) else "postgresql"
    return f"{scheme}://{server}{f':{parts.port}' if parts.port else ''}{parts.path}"


def check_url(url: str) -> None:
    """Refuse a URL that holds a password: it would end up in logs and in the run's facts."""
    parts = urlsplit(url)
    if parts.password is None and not any(key in _SECRET for key, _ in parse_qsl(parts.query)):
        return
    variable, file = ("MYSQL_PWD", "~/.my.cnf") if is_mysql(url) else ("PGPASSWORD", "~/.pgpass")
    raise InputError(
        f"the URL {without_password(url)} holds a password; take it out and give it by the environment "
        f"variable {variable} or by {file}"
    )
