"""`sqladder power`: how many questions and seeds a difference of two variants needs to be found."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from math import ceil
from pathlib import Path
from statistics import fmean, variance

from sqladder.errors import InputError
from sqladder.report.compare_runs import ScoredVariant, is_right, read_run
from sqladder.texts.numbers import number

HELP = "how many questions and seeds a difference needs, from a pilot run or from guesses"
EPILOG = """From a pilot run it takes how often two variants disagree, how alike wordings of one query are,
and how far seeds scatter where the pilot has several; else from --disagreement, --design-effect and --seed-sd. A
difference counts as found if the report's test finds it with a chance of 80 %, corrected for --comparisons. exit
status: 0; 1 an input is missing or malformed."""
SEEDS = (1, 3, 5, 10)
MOST = 1_000_000
"""Questions beyond which nobody asks."""


@dataclass(frozen=True)
class Plan:
    """What a future run is taken to be like.

    Attributes:
        squares: for each question what it adds to the sum of squared differences of groups: the share of questions
            that two variants disagree on, times the design effect of the groups.
        group_size: questions of a group, on average.
        seed_sd: standard deviation of an accuracy between seeds.
        source: where this is from, in words.
    """

    squares: float
    group_size: float
    seed_sd: float
    source: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.add_argument("--pilot", type=Path, help="folder of a finished run")
    text = "the two variants of the pilot (those that are hardest to tell apart)"
    parser.add_argument("--variants", nargs=2, metavar="NAME", help=text)
    text = "questions of 100 that only one of the two answers right, without a pilot (25)"
    parser.add_argument("--disagreement", type=float, default=25, metavar="PERCENT", help=text)
    text = "by how much groups enlarge variances, without a pilot; 1 where no two questions are alike (1.5)"
    parser.add_argument("--design-effect", type=float, default=1.5, metavar="FACTOR", help=text)
    text = "standard deviation between seeds, where no pilot tells it (1)"
    parser.add_argument("--seed-sd", type=float, default=1, metavar="POINTS", help=text)
    text = "difference of two accuracies to find (3)"
    parser.add_argument("--difference", type=float, default=3, metavar="POINTS", help=text)
    text = "comparisons that p is adjusted for: 6 for all pairs of 4 variants (1)"
    parser.add_argument("--comparisons", type=int, default=1, metavar="N", help=text)


def run(args: argparse.Namespace) -> int:
    """Compute, print, and give the exit status.

    Raises:
        InputError: a number lies outside of its range, or the pilot has no two variants.
    """
    _check(args)
    plan = _guessed(args) if args.pilot is None else _of_pilot(args)
    alpha = 0.05 / args.comparisons
    wanted = sorted({1.0, 2.0, 5.0, args.difference})
    # The fewest variants that have as many comparisons: all pairs.
    variants = max(2, ceil((1 + (1 + 8 * args.comparisons) ** 0.5) / 2))
    cells = {(s, d): _needed(plan, s, variants, d, alpha) for s in SEEDS for d in wanted}
    print(plan.source)
    print(
        f"Questions on the same databases that a true difference needs (chance 80 %, {args.comparisons} comparisons):\n"
    )
    print(f"| seeds of each | {' | '.join(f'{d:g} points' for d in wanted)} |")
    print("|--:" * (len(wanted) + 1) + "|")
    for seeds in SEEDS:
        told = [number(cells[seeds, d]) if cells[seeds, d] else "never" for d in wanted]
        print(f"| {seeds} | {' | '.join(told)} |")
    print(f"\n{_sentence(args, cells)}")
    return 0


def _check(args: argparse.Namespace) -> None:
    ranges = {
        "disagreement": (0 < args.disagreement <= 100, "above 0 and at most 100"),
        "design-effect": (args.design_effect >= 1, "1 or more"),
        "seed-sd": (args.seed_sd >= 0, "0 or more"),
        "difference": (0 < args.difference <= 100, "above 0 and at most 100"),
        "comparisons": (args.comparisons >= 1, "1 or more"),
    }
    for name, (holds, allowed) in ranges.items():
        if not holds:
            value = getattr(args, name.replace("-", "_"))
            raise InputError(f"--{name} is {value}, but must be {allowed}")
    if args.variants and args.pilot is None:
        raise InputError("--variants are those of a pilot run: name its folder with --pilot")


def _guessed(args: argparse.Namespace) -> Plan:
    effect = args.design_effect
    source = (
        f"Guessed: two variants disagree on {args.disagreement:g} % of the questions, groups enlarge variances "
        f"{effect:g}-fold, seeds scatter by {args.seed_sd:g} points."
    )
    return Plan(args.disagreement / 100 * effect, effect, args.seed_sd / 100, source)


def _of_pilot(args: argparse.Namespace) -> Plan:
    """What a finished run tells; of its pairs the one that is hardest to tell apart, unless two are named."""
    found = read_run(args.pilot)
    names = args.variants or list(found)
    for name in names:
        if name not in found:
            raise InputError(f"{args.pilot} has no variant {name!r}: it has {', '.join(found)}")
    if len(names) < 2:
        raise InputError(f"{args.pilot} has one variant, {names[0]}: a pilot run needs two")
    plans = [_of_pair(found, pair, args.seed_sd) for pair in combinations(names, 2)]
    return max(plans, key=lambda plan: plan.squares)


def _of_pair(found: dict[str, ScoredVariant], pair: tuple[str, str], seed_sd: float) -> Plan:
    import numpy as np  # here, because the command line must start without numpy and scipy

    from sqladder.statistics.groups import Groups
    from sqladder.statistics.paired_difference import PairedDifference

    rows = [found[name].seeds for name in pair]
    keys = [key for key in rows[0][0] if all(key in own for seeds in rows for own in seeds)]
    if not keys:
        raise InputError(f"variants {pair[0]!r} and {pair[1]!r} share no question")
    first, second = (
        np.array([[is_right(own[key]) for key in keys] for own in seeds]) for seeds in rows
    )
    groups = Groups.of([rows[0][0][key].get("group", key) for key in keys])
    gap = PairedDifference.of(first, second, groups)
    if not gap.values.any():
        raise InputError(f"{pair[0]} and {pair[1]} are right on the same questions: state a guess")
    scatter = _seed_sd(found.values())
    sd = seed_sd / 100 if scatter is None else scatter
    measured = (
        "a guess, as the pilot has one seed of each" if scatter is None else "as in the pilot"
    )
    source = (
        f"Pilot: {pair[0]} and {pair[1]} disagree on {100 * sum(gap.counts) / gap.n:.1f} % of {number(gap.n)} "
        f"questions in {number(len(groups.sizes))} groups; seeds scatter by {100 * sd:.1f} points, {measured}."
    )
    return Plan(gap.question_variance * gap.n, gap.n / len(groups.sizes), sd, source)


def _seed_sd(variants: Iterable[ScoredVariant]) -> float | None:
    """How far the accuracies of all of a pilot's trainings scatter between seeds; None where each has one."""
    means = {
        own.models: [fmean(map(is_right, rows.values())) for rows in own.seeds]
        for own in variants
        # Answers drawn of one model by several seeds tell nothing of trainings.
        if 1 < len(own.seeds) == len(set(own.models))
    }
    return fmean(map(variance, means.values())) ** 0.5 if means else None


def _needed(plan: Plan, seeds: int, variants: int, points: float, alpha: float) -> int | None:
    """Questions with which a difference is found; None where no number is enough."""

    def found(n: int) -> bool:
        smallest = _smallest(plan, seeds, variants, n, alpha)
        return smallest is not None and smallest <= points / 100

    if not found(MOST):
        return None
    low, high = 2, MOST
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if found(middle) else (middle + 1, high)
    return low


def _smallest(plan: Plan, seeds: int, variants: int, n: int, alpha: float) -> float | None:
    from sqladder.statistics.groups import VarianceComponent
    from sqladder.statistics.power import (
        detectable_difference,
        detectable_over_seeds,
        planned_error,
    )

    groups = max(2, round(n / plan.group_size))
    if seeds == 1:
        return detectable_difference(plan.squares * n, groups, n, alpha)
    questions = VarianceComponent(plan.squares / n, groups - 1)
    return detectable_over_seeds(planned_error(questions, plan.seed_sd, seeds, variants), alpha)


def _sentence(args: argparse.Namespace, cells: dict[tuple[int, float], int | None]) -> str:
    """What the asked difference needs."""
    one = cells[1, args.difference]
    several = next((seeds for seeds in SEEDS[1:] if cells[seeds, args.difference]), None)
    models = f"{number(one)} questions" if one else "more questions than can be asked"
    start = f"A difference of {args.difference:g} points between two models trained once each needs {models}"
    if several is None:
        return f"{start}; between two methods, {SEEDS[-1]} seeds of each do not tell it."
    questions = number(cells[several, args.difference])
    return f"{start}; between two methods, {several} seeds of each and {questions} questions."
