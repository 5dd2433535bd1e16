"""Measure how often the report claims what is not so, and how often its intervals hold the true value.

Runs with the structure of Spider's development questions (972 questions, 520 groups of one gold query, 19 databases)
are drawn, from 45 to 1,034 questions, and the report's own functions say what it would. Claims: all variants are
equally accurate, so each sentence that finds a difference is false. Coverage: the variants differ from each other and
from database to database. The questions' groups and their databases are drawn with the shares that Spider has.

Several seeds are drawn in four ways: seeds that scatter by 1.5 points; by 3 points ("wide"); by 0.5 points but those of
the last variant by 4 ("odd"); and variants that ask the same models in several ways ("one model").

Marks are made of normal effects whose variances were set so that drawn marks are alike within groups and databases as
those of three models on Spider are: correlation of marks within a group .73, within a database .10 to .21; of paired
differences within a group .47 to .66, within a database .03 to .05; two variants disagree on 19 to 38 % of questions.

Prints two Markdown tables and exits 1 where a limit is broken: a kind of sentence is false in more than 5.5 % of the
runs, or an interval holds the true value in less than 93 % or more than 97 % of them (of those for new databases, with
fewer than 100 questions, 98 %; of differences between three seeds and a single one, 99 %). A limit is broken by more
than the Monte Carlo error, two standard errors of a share in as many runs, which the tables say. With ten variants half
as many runs are made: a run takes five times as long.

A full run takes an hour: with `--keep FILE` it goes on from the conditions that were finished with the same code.

Example: nice python benchmarks/claims.py --runs 2000 --jobs 2 --keep /tmp/claims.jsonl
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
sys.path[:0] = [str(SCRIPTS), str(Path(__file__).resolve().parent)]

from kept_counts import KeptCounts, code_of  # noqa: E402
from sqladder.report.comparison import Comparison, compare  # noqa: E402
from sqladder.report.metrics import LEVELS  # noqa: E402
from sqladder.report.results import OneSeed, Run, Variant, level_count  # noqa: E402
from sqladder.report.sections.observations import PARTS  # noqa: E402
from sqladder.statistics.replicates import Replicate  # noqa: E402
from sqladder.statistics.seeds import new_databases_interval  # noqa: E402

GROUPS_OF_DATABASES = (4, 15, 15, 15, 16, 18, 19, 20, 20, 21, 25, 28, 31, 39, 40, 41, 42, 48, 63)
"""Groups on each of Spider's development databases, of those whose databases are public."""

PAIRS = 452 / 520
"""Share of the groups that have two questions; the others have one."""

LEVEL_SHARES = (0.24, 0.43, 0.17, 0.16)

DATABASE, VARIANT_DATABASE, GROUP, QUESTION, VARIANT_QUESTION = 0.15, 0.06, 0.40, 0.02, 0.06
VARIANT_GROUP, SEED_GROUP = 0.23, 0.08
"""Variances of the effects; they add up to 1. With one seed, what it adds to a group is an effect of the variant."""

SEED = 0.04
"""Standard deviation of a seed's own effect: about 1.5 points of accuracy."""

SCATTERS = {"": (SEED, SEED), "wide": (0.08, 0.08), "odd": (0.0125, 0.1)}
"""The same of all variants but the last and of the last: as above, 3 points each, 0.5 and 4 points."""

FALSE_AT_MOST, HELD_AT_LEAST, HELD_AT_MOST = 0.055, 0.93, 0.97
FEW, HELD_AT_MOST_OF_FEW = 100, 0.98
"""With fewer questions than this, intervals for new databases may be wider: they are never narrower than those for the
same databases, so they take the larger of two variances, each of which a few groups tell badly."""

HELD_AT_MOST_OF_LONE = 0.99
"""With a single seed on one side: how its method scatters is told by the other side's seeds alone, and may take all."""

MANY = 10
"""Variants with which half as many runs are made."""

SENTENCES = ("baseline", "baseline by level", "easy and extra", "oracle values", "kinds of failure")
KINDS = ("best", "any pair", *SENTENCES, "databases", "new databases")


class Cell(NamedTuple):
    """A condition that is simulated.

    Attributes:
        n: questions.
        rates: true accuracies of the variants.
        seeds: of each variant.
        runs: that are drawn.
        lone: whether the last variant has only one of these seeds.
        scatter: how far seeds scatter, one of `SCATTERS`.
        one_model: whether the variants are ways to ask the same model, one of each seed.
    """

    n: int
    rates: tuple[float, ...]
    seeds: int
    runs: int
    lone: bool = False
    scatter: str = ""
    one_model: bool = False

    @property
    def told(self) -> list[str]:
        """Its cells of a table."""
        rates = " ".join(f"{rate:.2f}" for rate in dict.fromkeys(self.rates))
        told = ", last 1" * self.lone + f", {self.scatter}" * bool(self.scatter)
        seeds = f"{self.seeds}{told}{', one model' * self.one_model}"
        return [f"{self.n:,}", str(len(self.rates)), seeds, rates]

    @property
    def seed_variances(self) -> NDArray:
        """Of each variant, the variance of its seeds' own effects, shape (variants, 1)."""
        others, last = SCATTERS[self.scatter] if self.seeds > 1 else (0.0, 0.0)
        return np.array([[others**2]] * (len(self.rates) - 1) + [[last**2]])

    def seeds_of(self, number: int) -> range:
        """The seeds of a variant."""
        return range(1 if self.lone and number == len(self.rates) - 1 else self.seeds)

    def chance(self, share: float) -> float:
        """The Monte Carlo error of a share of its runs: two standard errors."""
        return 2 * (share * (1 - share) / self.runs) ** 0.5


class Drawn(NamedTuple):
    """A run and the true accuracy of its variants on questions of the same databases."""

    run: Run
    same_databases: NDArray


def draw(cell: Cell, rng: np.random.Generator, same_everywhere: bool, alike: bool) -> Drawn:
    """Draw a run.

    Args:
        cell: what is drawn.
        rng: source of chance.
        same_everywhere: whether variants differ by as much on every database.
        alike: whether databases are equally hard.
    """
    sizes = sizes_of_groups(cell.n, rng)
    shares = np.array(GROUPS_OF_DATABASES) / sum(GROUPS_OF_DATABASES)
    database = np.sort(rng.choice(len(shares), len(sizes), p=shares))
    group = np.repeat(np.arange(len(sizes)), sizes)
    variants, places = len(cell.rates), len(shares)

    def effect(variance: float, *shape: int) -> NDArray:
        return rng.normal(0, variance**0.5, shape)

    hard = effect(0 if alike else DATABASE, 1, places)
    hard = hard + effect(0 if same_everywhere else VARIANT_DATABASE, variants, places)
    left_out = DATABASE * alike + VARIANT_DATABASE * same_everywhere
    spread = 1 - left_out + cell.seed_variances
    middle = special.ndtri(np.array(cell.rates))[:, None] * spread**0.5
    by_group = effect(GROUP, len(sizes)) + effect(VARIANT_GROUP, variants, len(sizes))
    by_group = by_group + (middle + hard)[:, database]
    # Ways to ask one model share what its seed made of it.
    models = 1 if cell.one_model else variants
    own = by_group[:, None] + effect(SEED_GROUP, models, cell.seeds, len(sizes))
    scatter = effect(1, models, cell.seeds, 1) * cell.seed_variances[:, None] ** 0.5
    own = own + scatter
    asked = own[..., group] + effect(QUESTION, len(group))
    noise = [effect(VARIANT_QUESTION, variants, cell.seeds, len(group)) for _ in range(2)]
    marks, plugged = (asked + part > 0 for part in noise)
    within = spread - (0 if alike else DATABASE) - (0 if same_everywhere else VARIANT_DATABASE)
    true = special.ndtr((middle + hard) / within**0.5) @ shares
    levels = rng.choice(LEVELS, len(sizes), p=LEVEL_SHARES)
    questions = [
        {
            "id": str(i),
            "db_id": f"db_{database[g]}",
            "group": str(g),
            "hardness": str(levels[g]),
            "sql": "",
        }
        for i, g in enumerate(group)
    ]
    error = rng.random((variants, cell.seeds, len(sizes)))[..., group] < 0.3
    found = [
        Variant(
            f"v{number}",
            [
                one_seed(
                    Replicate(f"v{number}", seed),
                    f"v0/seed_{seed}" if cell.one_model else None,
                    marks[number, seed],
                    plugged[number, seed],
                    error[number, seed],
                )
                for seed in cell.seeds_of(number)
            ],
        )
        for number in range(variants)
    ]
    return Drawn(Run(found, questions, [], "v0"), true)


def sizes_of_groups(n: int, rng: np.random.Generator) -> NDArray:
    """Sizes of groups that have n questions together."""
    sizes = np.where(rng.random(n) < PAIRS, 2, 1)
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), n)) + 1]
    sizes[-1] -= sizes.sum() - n
    return sizes


def one_seed(
    replicate: Replicate, model: str | None, marks: NDArray, plugged: NDArray, error: NDArray
) -> OneSeed:
    """What a report reads of one seed of a variant, and of the model that it asks, where that is another's."""
    verdicts = np.where(marks, "correct", np.where(error, "sql_error", "wrong_result"))
    return OneSeed(
        replicate=replicate,
        marks={"test_suite": marks, "plug_value": plugged},
        judged=[{"verdict": verdict} for verdict in verdicts.tolist()],
        failures=[],
        predictions=[],
        joint_all={},
        training={"steps": 1},
        generation={} if model is None else {"model": model},
        scoring={},
    )


def false_claims(cell: Cell) -> Counter[str]:
    """In how many runs of equal variants each kind of sentence is there."""
    rng = np.random.default_rng([cell.n, len(cell.rates), cell.seeds + cell.lone])
    found: Counter[str] = Counter()
    for _ in range(cell.runs):
        equal = compare(draw(cell, rng, same_everywhere=True, alike=False).run)
        found["best"] += equal.ranks[equal.ranking[0].name] == (1, 1)
        found["any pair"] += any(pair.significant for pair in equal.pairs)
        found.update(kind for kind in SENTENCES if any(PARTS[kind](equal)))
        alike = compare(draw(cell, rng, same_everywhere=True, alike=True).run)
        found["databases"] += any(PARTS["databases"](alike))
        elsewhere = compare(draw(cell, rng, same_everywhere=False, alike=False).run)
        intervals = (elsewhere.on_new_databases(pair) for pair in elsewhere.pairs)
        found["new databases"] += any(own and not own.holds_0 for own in intervals)
    return found


def coverage(cell: Cell) -> Counter[str]:
    """In how many runs each interval holds the true value."""
    rng = np.random.default_rng([cell.n, len(cell.rates), cell.seeds + cell.lone, 1])
    held: Counter[str] = Counter()
    for _ in range(cell.runs):
        run, same = draw(cell, rng, same_everywhere=False, alike=False)
        held.update(kind for kind, holds in held_by(compare(run), same, cell) if holds)
    return held


def held_by(comparison: Comparison, same: NDArray, cell: Cell) -> Iterator[tuple[str, bool]]:
    """Yield whether each interval of the first variant, and of its difference from the last, holds the true value."""
    run = comparison.run
    names = [variant.name for variant in run.variants]
    first = level_count(run, run.variants[0], "all")
    elsewhere = new_databases_interval(first.answers, run.groups, run.database_groups)
    pair = comparison.pair(names[0], names[-1])
    yield "accuracy, same databases", holds(first.interval, same[0])
    yield "accuracy, new databases", holds(elsewhere, cell.rates[0])
    yield "difference, same databases", holds(pair.interval, same[0] - same[-1])
    new = comparison.on_new_databases(pair)
    yield "difference, new databases", holds(new, cell.rates[0] - cell.rates[-1])


def holds(interval: tuple[float, float] | None, true: float) -> bool:
    """Whether an interval holds the true value; one that does not exist holds everything."""
    return interval is None or interval[0] <= true <= interval[1]


HELD = (
    "accuracy, same databases",
    "accuracy, new databases",
    "difference, same databases",
    "difference, new databases",
)


def most_held(cell: Cell, kind: str) -> float:
    """The share of true values from which intervals are too wide."""
    if cell.lone and kind.startswith("difference"):
        return HELD_AT_MOST_OF_LONE
    return HELD_AT_MOST_OF_FEW if cell.n < FEW and kind.endswith("new databases") else HELD_AT_MOST


def broken_claims(cell: Cell, shares: dict[str, float]) -> list[str]:
    """The kinds of sentence that are false too often."""
    most = FALSE_AT_MOST + cell.chance(FALSE_AT_MOST)
    return [f"{cell}: {kind} {share:.3f}" for kind, share in shares.items() if share > most]


def broken_coverage(cell: Cell, shares: dict[str, float]) -> list[str]:
    """The intervals that hold the true value too rarely or too often."""
    least = HELD_AT_LEAST - cell.chance(HELD_AT_LEAST)
    found = []
    for kind, share in shares.items():
        limit = most_held(cell, kind)
        if not least <= share <= limit + cell.chance(limit):
            found.append(f"{cell}: {kind} {share:.3f}")
    return found


def counted(
    pool: ProcessPoolExecutor,
    count: Callable[[Cell], Counter[str]],
    cells: list[Cell],
    kept: KeptCounts,
) -> Iterator[tuple[Cell, Counter[str]]]:
    """Yield what is counted in each cell, and say on screen how far it is."""
    names = {cell: f"{count.__name__} {cell}" for cell in cells}
    missing = [cell for cell in cells if kept.get(names[cell]) is None]
    if len(missing) < len(cells):
        print(f"{count.__name__}: {len(cells) - len(missing)} conditions kept", file=sys.stderr)
    for number, (cell, found) in enumerate(
        zip(missing, pool.map(count, missing), strict=True), len(cells) - len(missing) + 1
    ):
        print(f"{count.__name__}: {number} of {len(cells)} conditions", file=sys.stderr)
        kept.add(names[cell], found)
    for cell in cells:
        found_there = kept.get(names[cell])
        assert found_there is not None
        yield cell, found_there


MONTE_CARLO = ("runs", "±")


def monte_carlo(cell: Cell) -> list[str]:
    """How many runs a row of a table is of, and the error that this leaves at 5 % (and at 95 %)."""
    return [f"{cell.runs:,}", f"{100 * cell.chance(0.05):.1f}"]


def table(header: tuple[str, ...], rows: list[list[str]]) -> str:
    """A Markdown table of numbers."""
    lines = [header, ["--:"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    text = "runs of each condition, twice as many for coverage (2,000)"
    parser.add_argument("--runs", type=int, default=2000, help=text)
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--keep", type=Path, help="file of finished conditions, to go on from")
    text = "numbers of questions, of the conditions that are simulated (all)"
    parser.add_argument("--questions", type=int, nargs="+", help=text)
    parser.add_argument("--short", action="store_true", help="few runs of a few cells, in seconds")
    args = parser.parse_args()
    runs = 60 if args.short else args.runs
    numbers, variants, seeds = ((45, 200), (2, 4), (1, 3)) if args.short else (
        (45, 200, 972, 1034), (2, 4, 10), (1, 3))  # fmt: skip
    numbers = tuple(args.questions or numbers)
    start, kept = (
        time.perf_counter(),
        KeptCounts(args.keep, code_of(__file__, SCRIPTS, "write_report.py") if args.keep else ""),
    )
    equal = [
        Cell(n, (0.5,) * k, s, runs // 2 if k >= MANY else runs)
        for n, k, s in product(numbers, variants, seeds)
    ]
    # Four variants are enough: a pair of which each has as many seeds is among the others.
    equal += [Cell(n, (0.5,) * k, 3, runs, lone=True) for n, k in product(numbers, (2, 4))]
    equal += [
        Cell(n, (0.5,) * 4, s, runs, scatter=scatter, one_model=one_model)
        for n, s in product(sorted({200, 972} & set(numbers)), (2, 3))
        for scatter, one_model in (("", False), ("wide", False), ("odd", False), ("", True))
        if (s, scatter, one_model) != (3, "", False)
    ]
    pairs = ((0.45, 0.55), (0.8, 0.85)) if args.short else ((0.45, 0.55), (0.5, 0.5), (0.8, 0.85))
    differing = [Cell(n, rates, s, 2 * runs) for n, rates, s in product(numbers, pairs, seeds)]
    differing += [Cell(n, rates, 3, 2 * runs, lone=True) for n, rates in product(numbers, pairs)]
    broken, rows = [], []
    with ProcessPoolExecutor(args.jobs) as pool:
        for cell, found in counted(pool, false_claims, equal, kept):
            shares = {kind: found[kind] / cell.runs for kind in KINDS}
            broken += broken_claims(cell, shares)
            cells = [f"{100 * share:.1f}" for share in shares.values()]
            rows.append([*cell.told[:3], *cells, *monte_carlo(cell)])
        print("False claims of equal variants, % of runs\n")
        print(table(("questions", "variants", "seeds", *KINDS, *MONTE_CARLO), rows))
        rows = []
        for cell, found in counted(pool, coverage, differing, kept):
            shares = {kind: found[kind] / cell.runs for kind in HELD}
            broken += broken_coverage(cell, shares)
            cells = [f"{100 * share:.1f}" for share in shares.values()]
            rows.append([*cell.told, *cells, *monte_carlo(cell)])
    print("\nTrue values held by 95 % intervals, % of runs\n")
    print(table(("questions", "variants", "seeds", "accuracies", *HELD, *MONTE_CARLO), rows))
    taken = (time.perf_counter() - start) / 60
    print(
        f"\n±: two standard errors of 5 % of the runs. {taken:.0f} minutes on {args.jobs} core(s)."
    )
    for problem in broken:
        print(f"beyond the limits: {problem}", file=sys.stderr)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
