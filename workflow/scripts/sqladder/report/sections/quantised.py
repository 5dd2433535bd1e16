"""What smaller numbers cost: each quantized variant beside the one that it was made from, and what they save."""

from collections.abc import Iterator
from statistics import fmean

from sqladder.report.comparison import make_pair
from sqladder.report.results import Run, Variant
from sqladder.report.sections.report_inputs import Facts, ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import (
    UNKNOWN,
    amount,
    megabytes,
    p_value,
    point_interval,
    points,
    rate,
)

_HEADER = [
    "variant",
    "made from",
    "numbers",
    "weights",
    "of its size",
    "accuracy",
    "points",
    "95 % interval",
    "only it : only the other right",
    "p",
    "same SQL",
]


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    rows = []
    for small, source in _pairs(run, inputs.facts["config"]["variants"]):
        # The comparison of the ranking; its p here is of this pair alone, and so is the interval.
        ranked = inputs.comparison.pair(small.name, source.name)
        pair = make_pair((small.name, source.name), ranked.paired)
        # Where answers are drawn on one side alone, it has seeds that the other has not.
        of_a_kind = len(small.seeds) == len(source.seeds)
        facts = small.seeds[0].training["quantized"]
        rows.append(
            [
                escape(small.name),
                escape(source.name),
                escape(facts["kind"]),
                megabytes(facts["bytes"] / 1e6),
                f"{facts['bytes'] / facts['bytes_before']:.0%}",
                rate(float(small.correct.mean())),
                points(pair.difference),
                point_interval(pair.interval),
                f"{amount(pair.counts.wins)} : {amount(pair.counts.losses)}",
                p_value(pair.p_alone),
                f"{_agreement(small, source):.0%}" if of_a_kind else UNKNOWN,
            ]
        )
    if not rows:
        return ""
    return f"""## Smaller numbers

{table(_HEADER, rows, "lllrrrrccrr")}

The same questions, asked of the same training in numbers of fewer bits. Points: the accuracy less that of the variant
that it was made from. p is of this pair alone. An interval that holds 0 does not say that nothing is lost: it says how
much may be. *Same SQL*: questions to which both write the same text. Speed and engine of both: [Cost](#cost)."""


def _pairs(run: Run, config: Facts) -> Iterator[tuple[Variant, Variant]]:
    """Each variant whose model was made smaller, with the one that it was made from."""
    for small in run.variants:
        entry = config.get(small.name, {})
        if entry.get("method") == "quantized" and "quantized" in small.seeds[0].training:
            yield small, run.named(entry["model_of"])


def _agreement(small: Variant, source: Variant) -> float:
    """Share of the questions to which both write the same SQL, over all seeds."""
    same = [
        mine["sql"] == theirs["sql"]
        for own, other in zip(small.seeds, source.seeds, strict=True)
        for mine, theirs in zip(own.predictions, other.predictions, strict=True)
    ]
    return fmean(same)
