"""Which variant answers best, as far as the data tell."""

from sqladder.report.comparison import Comparison
from sqladder.report.judged_candidates import number_tried
from sqladder.report.results import Run, level_count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.wording import trained_once
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import (
    amount,
    number,
    p_value,
    point_interval,
    points,
    rate,
    share_interval,
)


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    seeds = (
        "Variants with several seeds were trained, asked and scored once with each; their numbers are\n"
        "means over seeds. " * comparison.run.has_seeds
    )
    if any(number_tried(variant) > 1 for variant in comparison.ranking):
        seeds += (
            "Tried: candidates that the variant's settings were chosen among, on validation questions\n"
            "([Sweeps](#sweeps)). "
        )
    if len(comparison.ranking) == 1:
        return f"## Ranking\n\n{ranking_table(comparison)}\n\n{seeds}".rstrip()
    shared = any("-" in comparison.rank(variant.name) for variant in comparison.ranking)
    note = (
        "A shared rank such as 1-2 says that the data do not tell which of these ranks the variant\n"
        "has. " * shared
    )
    return f"""## Ranking

{ranking_table(comparison)}

{seeds}{note}Differences are paired: both variants answered the same questions. p is {_test(comparison.run)},
adjusted by Holm over all pairs of variants, and intervals of differences hold for all pairs together. Intervals, p
and ranks speak of further questions on these databases; for new ones see
[Paired differences](#paired-differences). See [Methods](#methods).{trained_once(comparison, comparison.shown_pairs)}"""


def ranking_table(comparison: Comparison) -> str:
    """Best variant first, with its rank and its difference from the baseline.

    Where variants have several seeds, their number and the spread between them follow the accuracy, a mean. Where a
    variant searched its settings, the number of candidates tried stands beside each.
    """
    seeded = comparison.run.has_seeds
    reference = comparison.run.baseline
    compared = len(comparison.ranking) > 1
    searched = any(number_tried(variant) > 1 for variant in comparison.ranking)
    rows = []
    for variant in comparison.ranking:
        total = level_count(comparison.run, variant, "all")
        row = [
            comparison.rank(variant.name),
            escape(variant.name),
            number(total.n),
            amount(total.correct),
            rate(total.rate),
            share_interval(total.interval),
        ]
        if seeded:
            row[2:2] = [number(len(variant.seeds))]
        if searched:
            row[2:2] = [number(number_tried(variant))]
        rows.append(row + (_gap_cells(comparison, variant.name, reference) if compared else []))
    header = ["rank", "variant", "n", "correct", "accuracy", "95 % interval"]
    align = "clrrrc"
    if seeded:
        header, align = [*header[:2], "seeds", *header[2:]], "clrrrrc"
    if searched:
        header, align = [*header[:2], "tried", *header[2:]], f"clr{align[2:]}"
    if compared:
        header += [f"points to {escape(reference)}", "95 % interval of it", "p (Holm)"]
        align += "rcr"
    return table(header, rows, align)


def _gap_cells(comparison: Comparison, name: str, reference: str) -> list[str]:
    if name == reference:
        return ["(baseline)", "", ""]
    pair = comparison.pair(name, reference)
    return [points(pair.difference), point_interval(pair.interval), p_value(pair.p)]


def _test(run: Run) -> str:
    if run.has_seeds:
        return "that of a test over groups of questions and seeds"
    exact = (
        "McNemar's exact test" if run.groups.are_single else "an exact test by groups of questions"
    )
    return f"that of {exact}"
