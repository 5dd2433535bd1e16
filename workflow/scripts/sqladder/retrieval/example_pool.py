"""The examples that a prompt may show, and which of them a question may not see."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqladder.files import Fields, Row
from sqladder.texts.words import folded

POOL_FIELDS: Fields = {"id": str, "question": str, "sql": str}
"""What an example needs to be shown."""


class Found(NamedTuple):
    """A chosen example: its position in the pool, and how near the question it was found."""

    position: int
    score: float


class Pool:
    """Examples in a fixed order, with the means to keep a question from its own answer."""

    def __init__(self, examples: Sequence[Row]) -> None:
        self.examples = examples
        self._by_question: dict[str, list[int]] = defaultdict(list)
        for position, example in enumerate(examples):
            self._by_question[folded(example["question"])].append(position)

    def __len__(self) -> int:
        return len(self.examples)

    def hidden_from(self, query: Row) -> set[int]:
        """Name the positions that a question must not see: every example that asks the same.

        A training question finds itself in the pool; a test question would find its gold there
        wherever the pool was not cleaned.
        """
        return set(self._by_question.get(folded(query["question"]), ()))

    def rows(self, found: Iterable[Found]) -> list[Row]:
        """Write the chosen examples as rows: id, question, sql, score."""
        return [
            {
                **{key: self.examples[position][key] for key in ("id", "question", "sql")},
                "score": round(score, 6),
            }
            for position, score in found
        ]
