"""What a user of MySQL or MariaDB may do beside reading: no user should, with which a model's answers are executed."""

import re
from collections.abc import Callable, Iterator

import pymysql

WAY_OUT = (
    "connect with a user of its own, made by CREATE USER reader IDENTIFIED BY '...'; GRANT SELECT, SHOW VIEW ON "
    "`<database>`.* TO reader"
)

_HARMLESS = frozenset(("USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES"))
_RIGHTS = re.compile(r"GRANT (?P<rights>.+?) ON (?P<place>.+?) TO ", re.IGNORECASE)
_ROLES = re.compile(r"GRANT (?P<roles>.+?) TO ", re.IGNORECASE)
_COLUMNS = re.compile(r"\s*\([^)]*\)")

Read = Callable[..., list[tuple]]


def powers(read: Read) -> Iterator[str]:
    """What the user of a connection, and the roles that it has, may do beside reading, in words.

    Args:
        read: gives the rows of a statement.
    """
    yield from _of("", read, set())
    # Of MariaDB since 10.11: what everybody may.
    yield from _of("PUBLIC", read, set())


def _of(role: str, read: Read, seen: set[str]) -> Iterator[str]:
    seen.add(role)
    try:
        grants = [row[0] for row in read(f"SHOW GRANTS FOR {role}" if role else "SHOW GRANTS")]
    except pymysql.Error as error:
        if role != "PUBLIC":
            yield f"it has the role {role}, whose rights it cannot show: {error.args[-1]}"
        return
    for grant in grants:
        if rights := _RIGHTS.match(grant):
            yield from _beyond_reading(rights["rights"], rights["place"], grant)
        elif roles := _ROLES.match(grant):
            for name in (own.strip() for own in roles["roles"].split(",")):
                if name not in seen:
                    yield from _of(name, read, seen)


def _beyond_reading(rights: str, place: str, grant: str) -> Iterator[str]:
    named = {own.strip().upper() for own in _COLUMNS.sub("", rights).split(",")}
    if found := sorted(named - _HARMLESS):
        yield f"{', '.join(found)} on {place}"
    if grant.upper().rstrip().endswith("WITH GRANT OPTION"):
        yield f"GRANT OPTION on {place}"
