"""Lengths of training rows in tokens: statistics, a histogram, and what becomes of rows over the cutoff."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.metric.showing import brief

Messages = list[dict[str, str]]

DROP, CUT, STOP = "drop", "cut", "stop"
ACTIONS = (DROP, CUT, STOP)

_WORD = re.compile(r"\S+\s*|\s+")


@dataclass
class Lengths:
    """Lengths of the rows as they came, in tokens, prompt and answer together.

    Attributes:
        tokens: length -> rows.
        cut: rows whose schema was cut.
        dropped: rows that were left out.
    """

    tokens: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    dropped: int = 0

    def facts(self, cutoff: int) -> dict[str, Any]:
        """The statistics as JSON holds them."""
        values = np.array(sorted(self.tokens.elements()))
        edges = histogram_edges(int(values[-1]))
        counts, _ = np.histogram(values, bins=edges)
        return {
            "rows": len(values),
            "tokens": {
                "total": int(values.sum()),
                "mean": round(float(values.mean()), 1),
                "shortest": int(values[0]),
                "median": int(np.percentile(values, 50, method="nearest")),
                "p95": int(np.percentile(values, 95, method="nearest")),
                "p99": int(np.percentile(values, 99, method="nearest")),
                "longest": int(values[-1]),
            },
            "cutoff": cutoff,
            "over_cutoff": int((values > cutoff).sum()),
            "cut": self.cut,
            "dropped": self.dropped,
            "histogram": {"edges": edges, "rows": counts.tolist()},
        }


def histogram_edges(longest: int, bins: int = 40) -> list[int]:
    """Edges of about `bins` equal bins that end beyond the longest row."""
    width = max(1, -(-(longest + 1) // bins))
    return list(range(0, (longest // width + 1) * width + 1, width))


class Fitter:
    """Keeps rows within a cutoff, as a tokenizer counts them."""

    def __init__(self, tokens: Callable[[Messages], int], cutoff: int, over: str) -> None:
        """Remember how rows are measured.

        Args:
            tokens: counts the tokens of a row's messages, prompt and answer together.
            cutoff: tokens.
            over: what becomes of a longer row: "drop", "cut" (words of the schema, from its end) or "stop".
        """
        self._length, self._cutoff, self._over = tokens, cutoff, over
        self.lengths = Lengths()

    def fit(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows that fit, or that were made to: id and messages.

        Args:
            rows: id, messages, and under `schema` where the schema stands, as `prompts.rendering` says it.

        Raises:
            InputError: a row is too long and the run is to stop at it.
        """
        for row in rows:
            length = self._length(row["messages"])
            self.lengths.tokens[length] += 1
            fits = length <= self._cutoff
            messages = row["messages"] if fits else self._shorten(row, length)
            if messages:
                yield {"id": row["id"], "messages": messages}

    def _shorten(self, row: Row, length: int) -> Messages | None:
        if self._over == STOP:
            raise InputError(
                f"training row {brief(row['id'])} has {length} tokens, more than the cutoff length of {self._cutoff}; "
                "raise it, or set over_cutoff to drop or cut"
            )
        messages = self._with_less_schema(row) if self._over == CUT else None
        if messages is None:
            self.lengths.dropped += 1
        else:
            self.lengths.cut += 1
        return messages

    def _with_less_schema(self, row: Row) -> Messages | None:
        """Leave out words at the end of the schema until the row fits; None if no schema at all is still too long."""
        messages, spans = row["messages"], row["schema"]
        place = next(n for n, message in enumerate(messages) if message["role"] == "user")
        content = messages[place]["content"]
        words = _WORD.findall(content[slice(*spans[0])])

        def with_words(count: int) -> Messages:
            text = _replaced(content, spans, "".join(words[:count]).rstrip())
            return [*messages[:place], {"role": "user", "content": text}, *messages[place + 1 :]]

        most = largest(lambda n: self._length(with_words(n)) <= self._cutoff, len(words))
        return None if most is None else with_words(most)


def _replaced(text: str, spans: Iterable[tuple[int, int]], new: str) -> str:
    """A text with something else in the place of each span."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [text[done:start], new]
        done = end
    return "".join([*pieces, text[done:]])


def largest(holds: Callable[[int], bool], most: int) -> int | None:
    """The largest number up to `most` for which a falling condition holds; None if it holds for none."""
    if not holds(0):
        return None
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
