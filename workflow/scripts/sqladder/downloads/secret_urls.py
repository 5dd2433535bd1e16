"""URLs of downloads: what of them stands in commands and records, and what only the environment knows."""

import hashlib
import os
import re
from functools import cache

from sqladder.metric.showing import without_secrets

_VARIABLE = re.compile(r"\$(\w+|\{[^}]*\})")


def unset_variables(url: str) -> list[str]:
    """The environment variables of a URL that are not set."""
    names = [name.strip("{}") for name in _VARIABLE.findall(url)]
    return [name for name in names if name not in os.environ]


def has_secrets(url: str) -> bool:
    """Whether a URL shows user, password, parameters or a fragment, which no command may."""
    return without_secrets(url) != url


@cache
def variable_of(url: str) -> str:
    """The environment variable that hands a URL with secrets over to the job that fetches it.

    Its name tells addresses apart, so that another address is another job; the password does not count, and the slow
    digest keeps short secrets from being guessed by it.
    """
    address = url.partition("://")[2].rpartition("@")[2]
    digest = hashlib.scrypt(address.encode(), salt=b"sqladder", n=2**14, r=8, p=1, dklen=6)
    return f"SQLADDER_URL_{digest.hex()}"
