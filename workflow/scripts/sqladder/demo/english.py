"""Words for tables, columns and conditions, made from the identifiers themselves.

A column whose name is a plural noun counts things ("pages"), so it reads "more than 300 pages";
any other number reads "a price above 3"; years and dates read "after" and "before".
"""

COMPARISONS = {
    "things": {">": "more than {} {noun}", "<": "fewer than {} {noun}", "=": "exactly {} {noun}"},
    "number": {">": "{a} {noun} above {}", "<": "{a} {noun} below {}", "=": "{a} {noun} of {}"},
    "time": {">": "{a} {noun} after {}", "<": "{a} {noun} before {}", "=": "the {noun} {}"},
}
RANGES = {
    "things": "between {} and {} {noun}",
    "number": "{a} {noun} between {} and {}",
    "time": "{a} {noun} between {} and {}",
}
SUPERLATIVES = {
    "things": {"DESC": "the most {noun}", "ASC": "the fewest {noun}"},
    "number": {"DESC": "the highest {noun}", "ASC": "the lowest {noun}"},
    "time": {"DESC": "the latest {noun}", "ASC": "the earliest {noun}"},
}
AVERAGES = {
    "things": {">": "more {noun} than the average", "<": "fewer {noun} than the average"},
    "number": {">": "{a} {noun} above the average", "<": "{a} {noun} below the average"},
}
AGGREGATES = {"AVG": "average", "SUM": "total", "MAX": "highest", "MIN": "lowest"}
AGGREGATES_OF_TIME = {"MAX": "latest", "MIN": "earliest"}


def plural(noun: str) -> str:
    """Plural of a regular English noun: city, cities; class, classes; book, books."""
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def is_plural(noun: str) -> bool:
    """Whether a column name is a plural already: pages, but not address."""
    return noun.endswith("s") and not noun.endswith("ss")


def article(noun: str) -> str:
    """The indefinite article of a noun."""
    return "an" if noun[0] in "aeiou" else "a"


def counted(few: int, noun: str) -> str:
    """A small number of things: 1 book, 3 books."""
    return f"{few} {noun if few == 1 else plural(noun)}"


def number(value: float) -> str:
    """A number without a needless fraction: 12.0 is 12."""
    return str(int(value)) if value == int(value) else repr(value)
