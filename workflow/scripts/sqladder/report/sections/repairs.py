"""What asking again brings: the accuracy of the first answers beside that of the repaired ones, and what it costs."""

import numpy as np

from sqladder.report.comparison import Pair, make_pair
from sqladder.report.results import Variant
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import (
    UNKNOWN,
    amount,
    number,
    p_value,
    point_interval,
    points,
    rate,
    seconds,
)


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    if not inputs.unrepaired:
        return ""
    run = inputs.comparison.run
    rows = []
    for name, first in inputs.unrepaired.items():
        variant = run.named(name)
        difference = PairedDifference.of(variant.correct, first, run.groups, same_models=True)
        pair = make_pair((name, "first answers"), difference)
        rows.append([escape(name), rate(float(first.mean())), *_pair_cells(variant, pair)])
    header = [
        "variant",
        "first answers",
        "repaired",
        "points",
        "95 % interval",
        "only repaired : only first right",
        "p",
    ]
    costs = [[escape(name), *_costs(run.named(name))] for name in inputs.unrepaired]
    cost_header = [
        "variant",
        "without result",
        "asked again",
        "too long",
        "tokens read",
        "tokens written",
        "seconds",
    ]
    return f"""## Repairs

{table(header, rows, "lrrrccr")}

An answer that fails on the original file of its question's database was asked again with the error's text; no gold
query and no other file of the test suite had a part in it. *First answers*: what the same variant would have answered
without. p is of this pair alone and says nothing of other variants.

{table(cost_header, costs, "lrrrrrr")}

All rounds together, means over seeds. *Without result*: answers that failed, in each round. *Asked again*: prompts,
one for all samples that failed alike. *Too long*: prompts that the model could not have taken, which were left out.
The seconds are of the model alone and part of the generation's in the table of costs."""


def _pair_cells(variant: Variant, pair: Pair) -> list[str]:
    return [
        rate(float(variant.correct.mean())),
        points(pair.difference),
        point_interval(pair.interval),
        f"{amount(pair.counts.wins)} : {amount(pair.counts.losses)}",
        p_value(pair.p_alone),
    ]


def _costs(variant: Variant) -> list[str]:
    """Sums over rounds, means over seeds; "-" where generation.json does not tell."""
    told = [own.generation["repair"] for own in variant.seeds if "repair" in own.generation]
    if not told:
        return [UNKNOWN] * 6
    names = ("failing", "asked", "too_long", "prompt_tokens", "output_tokens")
    means = [float(np.mean([sum(r[name] for r in rounds) for rounds in told])) for name in names]
    taken = float(np.mean([sum(r["seconds"] for r in rounds) for rounds in told]))
    return [*(number(round(mean)) for mean in means), seconds(taken)]
