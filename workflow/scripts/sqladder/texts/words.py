"""What two texts have in common once case, spaces, punctuation and the many forms of Unicode are set aside."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Words of a text: runs of letters and digits, compatibility forms and case folded (Unicode NFKC)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.casefold())


def folded(text: str) -> str:
    """Text without case, punctuation and extra space; a text of punctuation only is left as it is."""
    return " ".join(words(text)) or text.strip()
