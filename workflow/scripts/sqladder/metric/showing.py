"""What of foreign text may stand in a log, a message or a page: no control characters, no secrets, no end of it."""

import os
import re

LINE = 1_500
"""Characters of a line of a log or a message that are shown; what data holds can run to millions."""

VALUE = 80
"""Characters of a value of the data that a message quotes."""

HIDDEN = "***"
"""Stands where a secret stood."""

# C0 but for tab and line feed, DEL, C1; marks that order text anew; line and paragraph separators; other invisible
# formatting; half surrogate pairs. Joiners stay: scripts are written with them.
_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)

# Lengths are bounded where a search that fails would begin again at each character.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20}://)([^\s<>]+)")
_AFTER_URL = "'\"),;:.]"
# The user of a URL ends at the last @ before the path. A password with a slash in it looks like a path: what follows a
# colon that begins no port counts as password up to the next @.
_USER = re.compile(r"^(?:[^/?#]*@|[^/?#:@]*:(?!\d*(?:[/?#]|$))[^@]*@)")
_WITHOUT_SCHEME = re.compile(r"(?<![\w.+-])[\w.+-]{1,99}:[^\s/@:'\"]{1,199}@(?=\w)")
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{16,}\b")


def showable(text: str) -> str:
    r"""The text with what acts on a terminal or a page as its escape: an escape character as \x1b."""
    return _UNFIT.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))


def without_secrets(text: str) -> str:
    """The text without secrets: user, password, parameters and fragment of each URL, and tokens of the hub.

    What of a URL is kept says where it leads: scheme, server, path, and the names of its parameters. A secret in a path
    cannot be told from a path; an environment variable that is written as $NAME shows its name only.
    """
    text = _WITHOUT_SCHEME.sub(f"{HIDDEN}@", _URL.sub(_bare, text))
    token = os.environ.get("HF_TOKEN", "")
    if len(token) >= 6:
        text = text.replace(token, HIDDEN)
    return _TOKEN.sub(HIDDEN, text)


def _bare(url: re.Match[str]) -> str:
    address = url[2].rstrip(_AFTER_URL)
    place, *parameters = re.split("[?&;]", _USER.sub(f"{HIDDEN}@", address.partition("#")[0]))
    hidden = [*map(_parameter, parameters)]
    asked = "?" + "&".join(hidden) if hidden else ""
    return url[1] + place + asked + url[2][len(address) :]


def _parameter(text: str) -> str:
    name, equals, value = text.partition("=")
    if not equals:
        return HIDDEN
    return text if _VARIABLE.fullmatch(value) else f"{name}={HIDDEN}"


def shown(text: str) -> str:
    """The text as a log or a message may hold it: without secrets and control characters, long lines cut."""
    return "\n".join(map(cut, showable(without_secrets(text)).split("\n")))


def cut(text: str, limit: int = LINE) -> str:
    """The text up to a number of characters, and how many more there are."""
    more = len(text) - limit
    return f"{text[:limit]}... ({more:,} more characters)" if more > 0 else text


def brief(value: object, limit: int = VALUE) -> str:
    """A value of the data as a message quotes it: in quotes, cut."""
    text = value if isinstance(value, str) else repr(value)
    more = len(text) - limit
    head = repr(text[:limit]) if isinstance(value, str) else text[:limit]
    return f"{head}... ({more:,} more characters)" if more > 0 else head
