"""The predictions that `plug_value` tries: gold's values in the literal places of a prediction.

Everything here works on text, as the official evaluator does: a `value` is a quoted literal (in
single or double quotes, so also a quoted name) or a blank-separated token that is a number or
looks like one. What a prediction says in those places never has to be right.
"""

import re
from collections.abc import Iterator
from itertools import islice, permutations, product

from sqladder.metric import lexer

_SLOT = "VALUERARE"
_FLOAT = re.compile(r"[-+]?\d*\.\d+")
# Any character but t before the digits, so that aliases such as T1 are no values; c1 is one.
_INTEGER = re.compile(r"[^tT]\d+")
_ALIAS_DOT = re.compile(r"[Tt]\d+\.")
_ALIAS_BLANK = re.compile(r"(T\d+\.)\s")
_ALIAS_STARS = ("t1.*", "t2.*", "t3.*", "T1.*", "T2.*", "T3.*")
_LINE_END = re.compile(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")|(?:\r\n|\r|\n)")


def values_of(sql: str) -> list[str]:
    """The distinct values of a prepared gold text, in the order in which they occur."""
    return list(dict.fromkeys(_strip(_respaced(sql))[1]))


def skeleton_of(sql: str) -> list[str]:
    """The tokens of a prepared prediction, lower-cased; a place for a value is `valuerare`."""
    return _strip(_respaced(sql))[0]


def alternatives(gold: str, prediction: str, limit: int) -> tuple[list[str], bool]:
    """Distinct texts of a prediction with gold's values in its places.

    Likely ones come first: values in gold's own order, then all assignments.

    Returns:
        At most `limit` texts, and whether that is all of them.
    """
    values, skeleton = values_of(gold), skeleton_of(prediction)
    places = [i for i, token in enumerate(skeleton) if token == _SLOT.lower()]
    assignments = _assignments(values, len(places))
    texts = dict.fromkeys(_plug(skeleton, places, chosen) for chosen in islice(assignments, limit))
    return list(texts), next(assignments, None) is None


def _assignments(values: list[str], places: int) -> Iterator[tuple[str, ...]]:
    """All choices of one value a place; those that use each value once, in order, come first."""
    # Guesses worth trying before the bound cuts off; the full product repeats them harmlessly.
    if 1 < places <= len(values):
        yield from islice(permutations(values, places), 24)
    yield from product(values, repeat=places)


def _plug(skeleton: list[str], places: list[int], chosen: tuple[str, ...]) -> str:
    tokens = skeleton[:]
    for place, value in zip(places, chosen, strict=True):
        tokens[place] = value
    return " ".join(tokens)


def _respaced(sql: str) -> str:
    """One blank between all tokens, semicolons and tabs gone, also inside literals."""
    sql = sql.strip().replace(";", "").replace("\t", "")
    sql = " ".join(token.text for token in lexer.tokenize(sql) if token.kind != lexer.SPACE)
    for star in _ALIAS_STARS:
        sql = sql.replace(star, "*")
    return _ALIAS_BLANK.sub(r"\1", _without_line_ends(sql))


def _without_line_ends(sql: str) -> str:
    """Blanks before a line end go, as the official formatting step removes them."""
    parts, position = [], 0
    for match in _LINE_END.finditer(sql):
        if match.group(1) is None:
            parts += [sql[position : match.start()].rstrip(), "\n"]
            position = match.end()
    return "".join([*parts, sql[position:].rstrip()])


def _strip(sql: str) -> tuple[list[str], list[str]]:
    """Skeleton tokens and values of a respaced text."""
    values = []
    for token in lexer.tokenize(sql):
        if token.kind in (lexer.SINGLE, lexer.DOUBLE):
            values.append(token.text)
            # Everywhere in the text, also inside a later literal: a quirk that decides verdicts.
            sql = sql.replace(token.text.strip(), _SLOT)
    # Numbers are looked for in the whole text but must be whole blank-separated tokens.
    tokens = sql.split()
    tokens = _mark(tokens, set(_FLOAT.findall(sql)), values)
    integers = {text.strip() for text in _INTEGER.findall(" ".join(tokens))}
    tokens = _mark(tokens, integers, values)
    return [piece for token in tokens for piece in _pieces(token)], values


def _mark(tokens: list[str], numbers: set[str], values: list[str]) -> list[str]:
    values += [token for token in tokens if token in numbers]
    return [_SLOT if token in numbers else token for token in tokens]


def _pieces(token: str) -> list[str]:
    if _ALIAS_DOT.search(token):
        token = token.replace(".", " . ")
        return token.lower().split()
    return [token.lower()]
