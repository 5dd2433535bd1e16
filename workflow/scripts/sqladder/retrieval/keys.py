"""What questions and examples are compared by: the question, the masked question, or the SQL."""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from sqladder.databases.question_values import ValueIndex
from sqladder.databases.schema import read_schema
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.texts.stems import SPACED, STOPWORDS, WORD, name_words, stem, stems
from sqladder.texts.unspaced import RUN, pairs

KEYS = ("question", "masked_question", "sql")
NAME_MASK, VALUE_MASK = "<name>", "<value>"

_PIECE = re.compile(
    rf"""'[^']+'(?!{SPACED})|"[^"]+"|“[^”]+”|「[^」]+」|『[^』]+』|{WORD}|\s+|.""", re.DOTALL
)
_QUOTE_OR_NUMBER = re.compile(r"""['"“「『].|\d""")


class Masker:
    """Replaces what a question takes from its own database, so that questions compare by their shape.

    "How many singers are older than 30?" becomes "How many <name> are older than <value>?".
    """

    def __init__(self, databases: Path) -> None:
        """Take the folder that holds <db_id>/<db_id>.sqlite."""
        self._databases = databases
        self._known: dict[str, tuple[frozenset[str], ValueIndex]] = {}

    def mask(self, question: str, db_id: str) -> str:
        """Mask names of tables and columns, values of the database, quoted texts and numbers."""
        names, values = self._of_database(db_id)
        found = values.mentioned(question)
        mentioned = {word for texts in found.values() for text in texts for word in stems(text)}
        masked: list[str] = []
        for piece, mask in _marked(question, names, mentioned - STOPWORDS):
            if mask is None:
                masked.append(piece)
            # A name or value of several words is one mask: the space between them goes too.
            elif masked[-2:-1] == [mask] and masked[-1].isspace():
                masked.pop()
            elif masked[-1:] != [mask]:
                masked.append(mask)
        return "".join(masked)

    def _of_database(self, db_id: str) -> tuple[frozenset[str], ValueIndex]:
        if db_id not in self._known:
            path = self._databases / db_id / f"{db_id}.sqlite"
            database = read_schema(path)
            names = [table.name for table in database.tables]
            names += [column.name for table in database.tables for column in table.columns]
            found = frozenset(word for name in names for word in name_words(name))
            self._known[db_id] = found - STOPWORDS, ValueIndex(path, database)
        return self._known[db_id]


def _marked(
    question: str, names: frozenset[str], values: set[str]
) -> Iterator[tuple[str, str | None]]:
    """Yield the pieces of a question, each with its mask, None where it stays."""
    for piece in _PIECE.findall(question):
        if RUN.match(piece):
            masks = _masks_of_letters(piece, names, values)
            for mask, letters in groupby(zip(piece, masks, strict=True), key=itemgetter(1)):
                yield "".join(letter for letter, _ in letters), mask
        else:
            yield piece, _mask_of(piece, names, values)


def _masks_of_letters(run: str, names: frozenset[str], values: set[str]) -> list[str | None]:
    """The mask of each letter of a run without spaces, by the pairs that it is part of."""
    masks: list[str | None] = [None] * len(run)
    for mask, known in ((NAME_MASK, names), (VALUE_MASK, values)):
        for start, pair in enumerate(pairs(run)):
            if pair in known:
                masks[start : start + len(pair)] = [mask] * len(pair)
    return masks


def _mask_of(piece: str, names: frozenset[str], values: set[str]) -> str | None:
    word = stem(piece.casefold())
    if _QUOTE_OR_NUMBER.match(piece) or word in values:
        return VALUE_MASK
    return NAME_MASK if word in names else None


def query_text(by: str, masker: Masker | None) -> Callable[[Row], str]:
    """The function that writes a question for the comparison; its own SQL is never used."""
    return _masked_text(masker) if by == "masked_question" else _question_text


def example_text(by: str, masker: Masker | None) -> Callable[[Row], str]:
    """The function that writes an example of the pool for the comparison."""
    texts = {"question": _question_text, "sql": lambda row: row["sql"]}
    return _masked_text(masker) if by == "masked_question" else texts[by]


def _question_text(row: Row) -> str:
    return row["question"]


def _masked_text(masker: Masker | None) -> Callable[[Row], str]:
    if masker is None:
        raise InputError("by: masked_question needs the databases of the questions")
    return lambda row: masker.mask(row["question"], row["db_id"])
