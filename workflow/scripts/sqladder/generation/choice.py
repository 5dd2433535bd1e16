"""Which of several samples is the answer."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqladder.files import Row

# What a prediction takes over from the sample that was chosen.
_OF_THE_ANSWER = ("sql", "text", "finish_reason", "output_tokens")


def likeliest(samples: Sequence[Row]) -> int:
    """Position of the sample with the greatest mean log-probability of its tokens; the first of equal ones."""
    return max(range(len(samples)), key=lambda place: samples[place]["log_probability"])


def voted(samples: Sequence[Row], groups: Sequence[int | None]) -> int:
    """Position of the likeliest sample among those whose result most samples give.

    Of several largest groups the one with the likeliest sample wins. Where no sample has a result, it is the likeliest
    of all.

    Args:
        samples: the samples in the order in which they were drawn.
        groups: the group of each sample's result, None for one without (metric.grouping).
    """
    sizes: Counter[int | None] = Counter(group for group in groups if group is not None)
    most = max(sizes.values(), default=0)
    # Of none where no sample has a result: then all are.
    places = [place for place, group in enumerate(groups) if sizes.get(group, 0) == most]
    return places[likeliest([samples[place] for place in places])]


def with_choice(row: Row, groups: Sequence[int | None] | None = None) -> Row:
    """The prediction of a question: a row of samples with one of them as the answer.

    Where samples that failed were asked again, `unrepaired` is what would have been chosen if they had not been.

    Args:
        row: the row as it was generated.
        groups: the group of each sample's result, for a vote; None for the likeliest.
    """
    samples = row["samples"]
    chosen = _chosen(samples, groups)
    answer: dict[str, Any] = {name: samples[chosen][name] for name in _OF_THE_ANSWER}
    if "unrepaired" in row:
        answer["unrepaired"] = _unrepaired(samples, groups)
    if groups is not None:
        samples = [
            {**sample, "group": group} for sample, group in zip(samples, groups, strict=True)
        ]
    return {**row, **answer, "samples": samples, "chosen": chosen}


def _chosen(samples: Sequence[Row], groups: Sequence[int | None] | None) -> int:
    return likeliest(samples) if groups is None else voted(samples, groups)


def _unrepaired(samples: Sequence[Row], groups: Sequence[int | None] | None) -> str:
    """What would have been chosen among the first answers: those that were asked again had no result."""
    firsts = [sample["rounds"][0] if "rounds" in sample else sample for sample in samples]
    if groups is not None:
        groups = [
            None if "rounds" in sample else group
            for sample, group in zip(samples, groups, strict=True)
        ]
    return firsts[_chosen(firsts, groups)]["sql"]
