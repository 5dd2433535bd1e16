"""How accuracy grows with the number of training rows, and what twice the rows would bring."""

from sqladder.report.charts import learning_curve_chart
from sqladder.report.learning_curves import LearningCurve
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import (
    number,
    plural,
    point_interval,
    points,
    rate,
    seconds,
    share_interval,
)

HEADER = ["training rows", "validation", "95 % interval", "draws", "time of all devices"]


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    curves = inputs.comparison.run.learning_curves
    if not curves:
        return ""
    parts = [_curve(own) for own in curves.values()]
    return f"""## How many training rows

The same recipe was trained on nested samples of its rows, each larger one with all rows of the smaller ones, and
measured by validation questions; no model but that of all rows was asked a question of the test. Each stands here with
the checkpoint that these questions chose, so all accuracies are somewhat too high, and their differences less so.

{"".join(parts)}{inputs.chart(learning_curve_chart.CHART)}"""


def _curve(curve: LearningCurve) -> str:
    rows = [
        [
            number(size),
            rate(curve.rates[place]),
            share_interval(curve.interval(place)),
            number(len(curve.answers[place])),
            seconds(3600 * curve.hours[place]),
        ]
        for place, size in enumerate(curve.rows)
    ]
    return f"""### Rows of {escape(curve.variant)}

{table(HEADER, rows, "rrcrr")}

{twice_the_rows(curve)}

"""


def twice_the_rows(curve: LearningCurve) -> str:
    """What twice the rows would bring, or why that cannot be said, as sentences."""
    law, most = curve.law, curve.rows[-1]
    if law.objection:
        return f"What twice the rows would bring cannot be said: {law.objection}."
    known = (
        f"{plural(curve.n, 'question')} and {plural(curve.draws, 'draw')} of the rows"
        if curve.draws > 1
        else f"{plural(curve.n, 'question')}; how much another draw of the rows would change is not in it"
    )
    low, high = law.exponent_interval
    return (
        f"Twice the rows, {2 * most:,} instead of {most:,}, would bring {points(law.gain)} points (95 % interval "
        f"{point_interval(law.gain_interval)}), if the errors go on to fall as rows^−{law.exponent:.2f} (exponent "
        f"{low:.2f} to {high:.2f}) beyond what was measured. The intervals are of {known}."
    )
