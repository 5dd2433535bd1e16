"""What the settings of each variant were chosen among, and whether the choice mattered."""

from sqladder.report.charts import candidate_costs
from sqladder.report.judged_candidates import JudgedCandidates, sweeps_of
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import (
    UNKNOWN,
    number,
    p_phrase,
    plural,
    point_interval,
    points,
    rate,
    seconds,
    share_interval,
)

HEADER = [
    "candidate",
    "validation",
    "95 % interval",
    "chosen − it, points",
    "95 % interval",
    "time of all devices",
]


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    known = sweeps_of(inputs.comparison.run.replicates)
    if not known:
        return ""
    parts = [_sweep(own.replicate.variant, judged) for own, judged in known]
    return f"""## Sweeps

Settings were chosen by validation questions; only the model that was chosen was asked a question of the test. A
candidate stands here with its best checkpoint. The best of several looks better on the questions that it was chosen by
than it is: its accuracy here, and its lead, estimate nothing. Differences are paired by question, p is not adjusted.

{"".join(parts)}{inputs.chart(candidate_costs.CHART)}"""


def _sweep(name: str, judged: JudgedCandidates) -> str:
    rows = [
        [
            escape(label) + _outcome(judged, place),
            rate(judged.rates[place]),
            share_interval(judged.interval(place)),
            *_lead(judged, place),
            seconds(3600 * judged.hours[place]),
        ]
        for place, label in enumerate(judged.labels)
    ]
    rows += [[f"{escape(label)} (not started)", *[UNKNOWN] * 5] for label, _ in judged.left_out]
    return f"""### Sweep of {escape(name)}

{table(HEADER, rows, "lrcrcr")}

{_whether_it_mattered(judged)} All together took {seconds(3600 * sum(judged.hours))} of all
devices.{_scaled(judged)}{_halved(judged)}{_left_out(judged)}

"""


def _outcome(judged: JudgedCandidates, place: int) -> str:
    if place == judged.chosen:
        return " (chosen)"
    share = judged.stopped[place]
    return "" if share is None else f" (stopped after {100 * share:.0f} %)"


def _scaled(judged: JudgedCandidates) -> str:
    """What changed with the rank."""
    if not judged.scales:
        return ""
    ranks, scales = list(judged.scales), list(judged.scales.values())
    return (
        f" Rank was tried with alpha at {judged.alpha}, so that\nthe update's scale, alpha / rank, fell from "
        f"{scales[0]:g} to {scales[-1]:g} as rank rose from {ranks[0]} to {ranks[-1]}: a lead may come\nof either."
    )


def _halved(judged: JudgedCandidates) -> str:
    """How candidates were stopped on their way."""
    shares = sorted({share for share in judged.stopped if share is not None})
    if not shares:
        return ""
    parts = [f"{judged.stopped.count(share)} after {100 * share:.0f} %" for share in shares]
    return (
        f" Successive halving stopped {', '.join(parts)} of\ntheir training. They stand with their best checkpoint "
        "until then, and are compared with the chosen one's best until\nthen; how they would have ended is not known."
    )


def _left_out(judged: JudgedCandidates) -> str:
    """What the budget kept from being tried."""
    if not judged.left_out:
        return ""
    count = plural(len(judged.left_out), "candidate")
    return f" The budget left out {count}, the first because {judged.left_out[0][1]}."


def _lead(judged: JudgedCandidates, place: int) -> list[str]:
    if place == judged.chosen:
        return ["", ""]
    behind = judged.behind(place)
    return [points(behind.mean), point_interval(behind.interval())]


def _whether_it_mattered(judged: JudgedCandidates) -> str:
    n, tried = judged.n, len(judged.labels)
    if tried == 1:
        return f"One candidate, judged by {plural(n, 'question')}: nothing was chosen."
    worst = judged.behind(judged.worst)
    said = (
        f"the chosen one is {100 * worst.mean:.1f} points ahead of the worst ({p_phrase(worst.p)})"
        if worst.mean
        else "all have as many right answers, so the first was taken"
    )
    return (
        f"{plural(tried, 'candidate')} were judged by {plural(n, 'question')}: {said}, and "
        f"{number(judged.equal)} of them, itself included, cannot be told from it"
        f"{' after as much training' if any(judged.stopped) else ''}."
    )
