"""Words of questions, names and values, folded so that `Students` meets `student_id`."""

import re
import unicodedata

from sqladder.texts.unspaced import CHARACTERS, RUN, pairs
from sqladder.texts.words import without_case

SPACED = rf"[^\W{CHARACTERS}]"
"""A letter or digit of a script that puts spaces between words."""

WORD = rf"[{CHARACTERS}]+|{SPACED}+(?:['’]{SPACED}+)*"
"""A word, or a run of letters without a space between its words."""

_WORD = re.compile(WORD)
_LETTER = rf"[^\W\d_{CHARACTERS}]"
# The places inside a name where a word begins: studentId, HTTPServer, address2.
_NAME_PARTS = re.compile(
    rf"[{CHARACTERS}]+|{_LETTER}+?(?=[A-Z][a-z])|[A-Z]?[^\W\d_A-Z{CHARACTERS}]+|[A-Z]+|\d+|{_LETTER}+"
)

_STOPWORDS = """
    a about all an and any are as at be been by can did do does each every find for from get give
    has have having her his how i in is it its least less list many me more most much no not of on
    one or order other out per show some than that the their them there these they this those to two
    was were what when where which who whose with you
"""
STOPWORDS = frozenset(_STOPWORDS.split())


def stems(text: str) -> list[str]:
    """Cut a text into folded words: no case, accents kept, plural and possessive endings removed.

    Where a script puts no space between words, pairs of characters stand for them.
    """
    return [part for word in _WORD.findall(without_case(text)) for part in _parts(word)]


def name_words(name: str) -> list[str]:
    """Cut an identifier into folded words: `Song_releaseYear` gives song, release, year."""
    found = _NAME_PARTS.findall(unicodedata.normalize("NFKC", name))
    return [part for word in found for part in _parts(word.casefold())]


def _parts(word: str) -> list[str]:
    return pairs(word) if RUN.match(word) else [stem(word)]


def stem(word: str) -> str:
    """Remove the endings 's, ies, es and s, so that the singular and the plural of a noun agree."""
    word = re.sub(r"['’]s?$", "", word)
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(?:ss|sh|ch|x|z)es$", word):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
