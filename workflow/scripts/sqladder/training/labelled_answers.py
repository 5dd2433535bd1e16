"""Right and wrong answers, each by itself, as token ids: what KTO learns from."""

from collections.abc import Sequence
from typing import NamedTuple

from sqladder.errors import LOG
from sqladder.training.packing import TokenRow, token_row
from sqladder.training.pairs import TokenPair
from sqladder.training.preferences import Preferred

# LLaMA-Factory's column that says which answers are right.
IS_RIGHT = "kto_tags"


class LabelledAnswer(NamedTuple):
    """One answer as token ids, with its prompt."""

    answer: TokenPair
    is_right: bool


def labelled_answers(pairs: Sequence[Preferred]) -> list[LabelledAnswer]:
    """The different answers of some pairs, and say how many are right: one that stands in several pairs is one."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...], bool], LabelledAnswer] = {}
    for pair in pairs:
        for own in (LabelledAnswer(pair.chosen, True), LabelledAnswer(pair.rejected, False)):
            prompt, answer = own.answer
            found.setdefault((tuple(prompt), tuple(answer), own.is_right), own)
    right = sum(own.is_right for own in found.values())
    LOG.info(f"{right} right and {len(found) - right} wrong answers of {len(pairs)} pairs")
    return list(found.values())


def labelled_rows(answers: Sequence[LabelledAnswer]) -> list[TokenRow]:
    """Answers by the names of LLaMA-Factory's data for KTO.

    Beside each stands its prompt with the answer half the data away, which is one to another question: how far the
    model as a whole is from its start is estimated by such.
    """
    rows = []
    for place, own in enumerate(answers):
        other = answers[(place + len(answers) // 2) % len(answers)]
        mismatched = token_row((own.answer[0], other.answer[1]))
        beside = {f"kl_{name}": ids for name, ids in mismatched.items()}
        rows.append({**token_row(own.answer), **beside})
    return rows
