"""What two texts have in common once case, spaces, punctuation and the many forms of Unicode are set aside."""

import re
import unicodedata

_WORD = re.compile(r"[^\W_]+")


def without_case(text: str) -> str:
    """Text with compatibility forms and case folded (Unicode NFKC)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return text.casefold()


def words(text: str) -> list[str]:
    """Words of a text: runs of letters and digits, compatibility forms and case folded (Unicode NFKC)."""
    return _WORD.findall(without_case(text))


def folded(text: str) -> str:
    """Text without case, punctuation and extra space, by which two questions are the same.

    A text of punctuation only is left as it is.
    """
    return " ".join(words(text)) or text.strip()
