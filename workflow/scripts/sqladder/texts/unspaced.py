"""Scripts that put no space between their words, cut into pairs of characters that overlap.

Two texts that share words share pairs, with no dictionary and in every language of these scripts alike.
"""

import re
from itertools import pairwise

CHARACTERS = (
    "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # Japanese syllables
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u1049\u1780-\u17d3"  # Thai, Lao, Burmese, Khmer
)
"""Their letters, as the inside of a class of a regular expression; text is in the form NFKC."""

HIRAGANA = re.compile("[\u3041-\u309f]")
"""A letter of the syllables that Japanese writes its grammar with."""

RUN = re.compile(f"[{CHARACTERS}]+")


def pairs(run: str) -> list[str]:
    """The pairs of neighbours in a run of these letters; a single one stands alone."""
    return ["".join(pair) for pair in pairwise(run)] or [run]
