"""How much training itself varies between seeds: a section of runs with several."""

from sqladder.report.comparison import Comparison
from sqladder.report.results import Count, Variant, level_count
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, listing, number, rate


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    if not comparison.run.has_seeds:
        return ""
    return f"""## Seeds

{seed_table(comparison)}

Accuracy over all questions. SD is the standard deviation between seeds, which a few of them tell
badly{_together(comparison)}
A variant with one seed answers the same with every seed, was made elsewhere, or was trained once. One that
was trained once is taken to vary as much between seeds as those that it is compared with tell; between two that were,
only the questions are known to be uncertain."""


def _together(comparison: Comparison) -> str:
    """Whose seeds the tests ask how far seeds scatter."""
    if comparison.marks.scatter.trainings is None:
        return "."
    told = ": tests take how\nfar seeds scatter from those of all variants together."
    alone = [escape(name) for name in comparison.marks.standing_out]
    if alone:
        told += (
            f"\n**The seeds of {listing(alone)} scatter more than those of the others** (F-test at 5 %, each alone): "
            "only\ntheir own say how far."
        )
    return told


def seed_table(comparison: Comparison) -> str:
    """How much the accuracy of each variant varies between seeds, and that of each seed."""
    rows = []
    for variant in comparison.ranking:
        total = level_count(comparison.run, variant, "all")
        rows.append([escape(variant.name), number(len(variant.seeds)), *_spread_cells(total)])
        rows[-1].append(", ".join(_seed_rates(variant, total)))
    header = ["variant", "seeds", "mean", "SD, points", "lowest", "highest", "each seed"]
    return table(header, rows, "lrrrrrc")


def _spread_cells(total: Count) -> list[str]:
    if total.sd is None:
        return [rate(total.rate), UNKNOWN, UNKNOWN, UNKNOWN]
    ends = [rate(min(total.rates)), rate(max(total.rates))]
    return [rate(total.rate), f"{100 * total.sd:.1f}", *ends]


def _seed_rates(variant: Variant, total: Count) -> list[str]:
    """The accuracy of each seed with its name; a single one has none."""
    if len(variant.seeds) == 1:
        return [UNKNOWN]
    return [
        f"{own.replicate.seed}: {rate(share)}"
        for own, share in zip(variant.seeds, total.rates, strict=True)
    ]
