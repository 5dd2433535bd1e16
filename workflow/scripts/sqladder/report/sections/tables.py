"""The report's tables, one function each, as Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sqladder.report.comparison import Comparison, Pair
from sqladder.report.cost import device_seconds, devices
from sqladder.report.results import (
    LEVELS,
    METRICS,
    Count,
    Run,
    Variant,
    count,
    failure_counts,
    failure_kinds,
    level_count,
    verdict_counts,
)
from sqladder.report.taxonomy import KINDS
from sqladder.statistics.intervals import Interval
from sqladder.statistics.seeds import Marks, new_databases_interval
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, amount, listing, number, p_value, points, rate, seconds

COLUMNS = (*LEVELS, "all", "joint_all")
TITLES = {level: level.title() for level in COLUMNS} | {"joint_all": "Joint_All"}


def share_interval(interval: Interval | None) -> str:
    """An interval of an accuracy."""
    return UNKNOWN if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"


def point_interval(interval: Interval | None) -> str:
    """An interval of a difference in percentage points."""
    return UNKNOWN if interval is None else f"{points(interval.low)} to {points(interval.high)}"


def ranking_table(comparison: Comparison) -> str:
    """Best variant first, with its rank and its gap to the baseline, or else to the first.

    Where variants have several seeds, their number and the spread between them follow the accuracy, a mean.
    """
    seeded = comparison.run.has_seeds
    baseline = comparison.run.baseline
    reference = baseline or comparison.ranking[0].name
    compared = len(comparison.ranking) > 1
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
        rows.append(row + (_gap_cells(comparison, variant.name, reference) if compared else []))
    header = ["rank", "variant", "n", "correct", "accuracy", "95 % interval"]
    align = "clrrrc"
    if seeded:
        header, align = [*header[:2], "seeds", *header[2:]], "clrrrrc"
    if compared:
        of = "baseline" if baseline else "first"
        header += [f"points to {of}", "95 % interval of it", "p (Holm)"]
        align += "rcr"
    return table(header, rows, align)


def seed_table(comparison: Comparison) -> str:
    """How far the seeds of each variant scatter, with the accuracy of each."""
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


def _gap_cells(comparison: Comparison, name: str, reference: str) -> list[str]:
    if name == reference:
        return ["(baseline)" if comparison.run.baseline else "(first)", "", ""]
    pair = comparison.pair(name, reference)
    return [points(pair.difference), point_interval(pair.interval), p_value(pair.p)]


def level_table(run: Run, metric: str = "test_suite") -> str:
    """The published table: the number of questions, then one row a variant."""
    first = run.variants[0]
    counts = [number(level_count(run, first, level, metric).n) for level in COLUMNS]
    rows = [["questions", *counts]]
    for variant in run.variants:
        rates = [rate(level_count(run, variant, level, metric).rate) for level in COLUMNS]
        rows.append([escape(variant.name), *rates])
    return table(["variant", *TITLES.values()], rows, "lrrrrrr")


def ranking_list(comparison: Comparison) -> str:
    """The variants by accuracy over all questions, with shared ranks named."""
    lines = []
    for variant in comparison.ranking:
        total = level_count(comparison.run, variant, "all")
        lines.append(
            f"- rank {comparison.rank(variant.name)}: **{escape(variant.name)}** ({rate(total.rate)})"
        )
    return "\n".join(lines)


def best_of(comparison: Comparison, level: str) -> tuple[list[Variant], list[str]]:
    """Variants with the highest accuracy of a level, and those not told apart from the first."""
    run = comparison.run
    correct = {v.name: level_count(run, v, level).correct for v in run.variants}
    best = [v for v in run.variants if correct[v.name] == max(correct.values())]
    others = [
        variant.name
        for variant in run.variants
        if variant not in best and not comparison.pair(best[0].name, variant.name, level).told_apart
    ]
    return best, others


def best_table(comparison: Comparison) -> str:
    """Best variant of each level, with the variants that may be as good."""
    rows = []
    for level in (*LEVELS, "all"):
        n = level_count(comparison.run, comparison.run.variants[0], level).n
        if n == 0:
            rows.append([TITLES[level], "0", "no questions", UNKNOWN, UNKNOWN])
            continue
        best, others = best_of(comparison, level)
        rows.append(
            [
                TITLES[level],
                number(n),
                listing([escape(variant.name) for variant in best]) + " (tie)" * (len(best) > 1),
                rate(level_count(comparison.run, best[0], level).rate),
                ", ".join(escape(name) for name in others) or "none",
            ]
        )
    header = ["level", "n", "highest accuracy", "accuracy", "not told apart from it"]
    return table(header, rows, "lrlrl")


def pair_table(comparison: Comparison) -> str:
    """Every pair of variants: difference, both intervals, test and what the test could find."""
    rows = []
    for pair in comparison.pairs:
        smallest = pair.detectable
        rows.append(
            [
                f"{escape(pair.first)} − {escape(pair.second)}",
                points(pair.difference),
                point_interval(pair.interval),
                point_interval(comparison.on_new_databases(pair)),
                f"{amount(pair.counts.wins)} : {amount(pair.counts.losses)}",
                p_value(pair.p_alone),
                p_value(pair.p),
                UNKNOWN if smallest is None else f"{100 * smallest:.1f}",
                "yes" if pair.told_apart else "no",
            ]
        )
    header = [
        "pair",
        "points",
        "95 % interval",
        "95 % interval, new databases",
        "only first : only second right",
        "p",
        "p (Holm)",
        "detectable points",
        "told apart",
    ]
    return table(header, rows, "lrcccrrrc")


def group_table(run: Run, groups: Mapping[str, Marks], title: str) -> str:
    """Accuracy of every variant on groups of questions: databases or SQL features."""
    rows = []
    for name, chosen in groups.items():
        rates = [rate(count(variant.correct, chosen).rate) for variant in run.variants]
        rows.append([escape(name), number(int(chosen.sum())), *rates])
    names = [escape(variant.name) for variant in run.variants]
    return table([title, "n", *names], rows, "lr" + "r" * len(names))


def database_interval_table(run: Run) -> str:
    """Each variant's accuracy with the interval over questions and the one over databases."""
    rows = []
    for variant in run.variants:
        total = level_count(run, variant, "all")
        clustered = new_databases_interval(variant.correct, run.databases)
        rows.append(
            [
                escape(variant.name),
                rate(total.rate),
                share_interval(total.interval),
                share_interval(clustered),
            ]
        )
    header = [
        "variant",
        "accuracy",
        "95 % interval, same databases",
        "95 % interval, new databases",
    ]
    return table(header, rows, "lrcc")


def metric_table(run: Run) -> str:
    """The headline metric beside the secondary ones, over all questions."""
    metrics = [metric for metric in METRICS if metric in run.variants[0].marks]
    rows = [
        [escape(v.name), *(rate(level_count(run, v, "all", metric).rate) for metric in metrics)]
        for v in run.variants
    ]
    header = ["variant", *(METRICS[metric] for metric in metrics)]
    return table(header, rows, "l" + "r" * len(metrics))


def verdict_kinds(run: Run) -> list[str]:
    """The verdicts that occur, correct first, then by how often they occur."""
    total: Counter[str] = Counter()
    for variant in run.variants:
        total.update(verdict_counts(variant))
    return sorted(total, key=lambda kind: (kind != "correct", -total[kind], kind))


def verdict_table(run: Run) -> str:
    """How many answers of each variant got which verdict."""
    kinds = verdict_kinds(run)
    rows = []
    for variant in run.variants:
        counts = verdict_counts(variant)
        rows.append([escape(variant.name), *(amount(counts.get(kind, 0)) for kind in kinds)])
    return table(["variant", *kinds], rows, "l" + "r" * len(kinds))


def failure_table(run: Run) -> str:
    """How many failures of each variant are of which kind."""
    rows = []
    for kind in failure_kinds(run):
        counts = [failure_counts(variant)[kind] for variant in run.variants]
        rows.append([KINDS[kind], *map(amount, counts)])
    names = [escape(variant.name) for variant in run.variants]
    return table(["what went wrong", *names], rows, "l" + "r" * len(names))


def wins_table(pairs: Sequence[Pair], run: Run) -> str:
    """Which questions each variant of a pair wins: how many by level, and what the other did wrong."""
    rows = []
    for pair in pairs:
        for winner, loser in ((pair.first, pair.second), (pair.second, pair.first)):
            won, kinds = won_by(run, winner, loser)
            counts = [won[run.select(level)].sum() for level in ("all", *LEVELS)]
            faults = [f"{KINDS[kind]} ({amount(n)})" for kind, n in kinds.most_common(3)]
            names = f"{escape(winner)}, not {escape(loser)}"
            rows.append([names, *map(amount, counts), ", ".join(faults) or "none"])
    header = ["right", "questions", *LEVELS, "most frequent faults of the other"]
    return table(header, rows, "lrrrrrl")


def won_by(run: Run, winner: str, loser: str) -> tuple[NDArray, Counter[str]]:
    """Which questions only the first of two variants answers right, and what the other did wrong.

    Returns:
        For each question the share of the pairs of their seeds in which it is so, 0 or 1 with one seed
        each; and the sum of these shares by the kind of the loser's failure.
    """
    right, others = run.named(winner).correct.mean(axis=0), run.named(loser)
    kinds: Counter[str] = Counter()
    for own in others.seeds:
        for place in np.flatnonzero(right > 0):
            if own.failures[place]:
                kinds[own.failures[place]["kind"]] += right[place] / len(others.seeds)
    return right * (1 - others.correct.mean(axis=0)), kinds


def training_table(run: Run, disk: Mapping[str, int]) -> str:
    """What each training took; "-" where not known or not trained here."""
    rows = []
    for own in run.replicates:
        facts = own.training
        size = disk.get(own.replicate.name)
        rows.append(
            [
                escape(own.label),
                escape(facts.get("method") or UNKNOWN),
                number(facts.get("trainable_parameters")),
                number(facts.get("steps")),
                number(facts.get("tokens")),
                seconds(facts.get("seconds")),
                str(devices(facts)) if facts.get("device") else UNKNOWN,
                seconds(device_seconds(facts)),
                number(facts.get("tokens_per_second")),
                _megabytes(facts.get("peak_memory_mb")),
                _megabytes(None if size is None else size / 1e6),
                escape(facts.get("device") or UNKNOWN),
            ]
        )
    header = [
        "variant",
        "method",
        "trainable parameters",
        "steps",
        "tokens",
        "training",
        "devices",
        "time x devices",
        "tokens/s",
        "peak memory",
        "model on disk",
        "device",
    ]
    return table(header, rows, "llrrrrrrrrrl")


def generation_table(run: Run) -> str:
    """What each generation took; "-" where not known."""
    rows = []
    for own in run.replicates:
        facts = own.generation
        rows.append(
            [
                escape(own.label),
                escape(facts.get("engine") or UNKNOWN),
                seconds(facts.get("seconds")),
                number(facts.get("prompts_per_second"), 1),
                _per_question(facts.get("prompts_per_second")),
                number(facts.get("output_tokens")),
                _megabytes(facts.get("peak_memory_mb")),
                escape(facts.get("device") or UNKNOWN),
            ]
        )
    header = [
        "variant",
        "engine",
        "generation",
        "prompts/s after the start",
        "time a question",
        "output tokens",
        "peak memory",
        "device",
    ]
    return table(header, rows, "llrrrrrl")


def _per_question(prompts_per_second: float | None) -> str:
    return f"{1 / prompts_per_second:.3g} s" if prompts_per_second else UNKNOWN


def _megabytes(value: float | None) -> str:
    return UNKNOWN if value is None else f"{number(value, 0 if value >= 100 else 1)} MB"


def time_table(times: Sequence[Mapping[str, Any]]) -> str:
    """Wall time, CPU time and peak memory of each job of the workflow."""
    rows = [
        [
            escape(job["rule"]),
            escape(job["name"]),
            seconds(job["seconds"]),
            seconds(job["cpu_seconds"]),
            _megabytes(job["peak_rss_mb"]),
        ]
        for job in times
    ]
    return table(["rule", "job", "time", "CPU time", "peak memory"], rows, "llrrr")
