"""Which checkpoint of each training went on, and how sure that choice is."""

from sqladder.report.charts import validation_curves
from sqladder.report.judged_checkpoints import JudgedCheckpoints, of_each
from sqladder.report.results import OneSeed
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import (
    listing,
    number,
    plural,
    point_interval,
    points,
    rate,
    share_interval,
)

HEADER = [
    "training",
    "checkpoints",
    "chosen",
    "validation",
    "95 % interval",
    "last",
    "chosen − last, points",
    "95 % interval",
    "none worse",
    "judging",
]


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    known = of_each(inputs.comparison.run.replicates)
    if not known:
        return ""
    rows = [[escape(own.label), *_cells(judged)] for own, judged in known]
    return f"""## Checkpoints

{table(HEADER, rows, "lrrrcrrcrr")}

{_questions([judged for _, judged in known])} Each checkpoint answered all of them greedily, and the one with the most
right answers is the variant's model, the earliest of equal ones; no question of the test was read before. The best of
several looks better on the questions that it was chosen by than it is: its accuracy here estimates nothing, that of the
test does. Chosen: step of all steps (epoch). Chosen − last is paired by question, and as flattered. None worse:
checkpoints that a test at the level of 0.05 does not tell from the chosen one, itself among them. Judging: share of the
training's time.{_other_engines(known)}

{inputs.chart(validation_curves.CHART)}"""


def _cells(judged: JudgedCheckpoints) -> list[str]:
    place = judged.chosen
    stopped = ", stopped early" if judged.stopped_early else ""
    return [
        f"{number(len(judged.steps))}{stopped}",
        f"{number(judged.steps[place])} of {number(judged.steps[-1])} ({judged.epochs[place]:.2f})",
        rate(judged.rates[place]),
        share_interval(judged.interval(place)),
        rate(judged.rates[-1]),
        points(judged.gain.mean),
        point_interval(judged.gain.interval()),
        number(judged.equal),
        f"{judged.share:.0%}",
    ]


def _other_engines(known: list[tuple[OneSeed, JudgedCheckpoints]]) -> str:
    """What is said where another engine asked than the variant's own."""
    others = [(own, judged) for own, judged in known if judged.instead_of]
    if not others:
        return ""
    labels = listing([escape(own.label) for own, _ in others])
    _, judged = others[0]
    return (
        f"\n**Those of {labels} were asked by {judged.engine}, not by {judged.instead_of} as the test is:** it was not "
        "installed where they were trained."
    )


def _questions(known: list[JudgedCheckpoints]) -> str:
    judged = known[0]
    return (
        f"Checkpoints were judged by {plural(judged.n, 'validation question')} on "
        f"{plural(judged.databases, 'database')}, in {plural(len(judged.groups.sizes), 'group')}."
    )
