"""Load the files of one run and check that they belong together.

Everything the report shows is counted from verdicts.jsonl. metrics.json is read for what verdicts
alone do not say (whole interactions) and must agree with them otherwise.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sqladder.data.corpus import read_answers, read_examples
from sqladder.errors import InputError
from sqladder.files import Fields, Row, by_id, read_jsonl, read_object
from sqladder.metric.reasons import explanation
from sqladder.report.features import FEATURES, sql_features
from sqladder.report.taxonomy import KINDS
from sqladder.statistics.intervals import Interval
from sqladder.statistics.replicates import (
    METRICS_FIELDS,
    Replicate,
    replicate_of,
    single_seed_varies,
)
from sqladder.statistics.seeds import Answers, Marks, accuracy_interval

SCORED_FIELDS: Fields = {
    "id": str,
    "db_id": str,
    "hardness": str,
    "verdict": str,
    "file": str | None,
    "reason": str,
    "expected": int | float | None,
    "found": int | str | None,
}
FAILURE_FIELDS: Fields = {"variant": str, "id": str, "kind": str, "reason": str}

LEVELS = ("easy", "medium", "hard", "extra")

COLUMNS = (*LEVELS, "all", "joint_all")
"""The columns of the published table."""

COLUMN_TITLES = {level: level.title() for level in COLUMNS} | {"joint_all": "Joint_All"}


class Metric(NamedTuple):
    """A metric as the report names it, and what sets a secondary one apart from the headline metric."""

    title: str
    note: str = ""


METRICS = {
    "test_suite": Metric("test suite, own values"),
    "plug_value": Metric(
        "oracle values (plug_value)",
        "*Oracle values*: the gold query's values are put in the place of the model's own, so wrong values are "
        "forgiven.",
    ),
    "single_database": Metric(
        "single database",
        "*Single database*: one database file instead of the suite, so answers that are right by accident pass.",
    ),
    "exact_match": Metric(
        "exact match",
        "*Exact match*: nothing is executed; the query must have the gold query's clauses, values left aside, so "
        "right answers that are written otherwise fail (Spider's exact set match; gold outside its grammar matches "
        "nothing).",
    ),
}
"""The headline metric and the secondary ones, by their names in verdicts.jsonl and metrics.json."""


@dataclass(frozen=True)
class Count:
    """Right answers among n questions, of each of a variant's seeds."""

    n: int
    by_seed: tuple[int, ...]

    @property
    def correct(self) -> float:
        """Right answers, a whole number with one seed, or else their mean over seeds."""
        return self.by_seed[0] if len(self.by_seed) == 1 else float(np.mean(self.by_seed))

    @property
    def rate(self) -> float | None:
        """Share of right answers from 0 to 1; None without questions."""
        return self.correct / self.n if self.n else None

    @property
    def rates(self) -> list[float]:
        """Share of right answers of each seed; empty without questions."""
        return [correct / self.n for correct in self.by_seed] if self.n else []

    @property
    def sd(self) -> float | None:
        """Standard deviation of the share between seeds; None with one seed or without questions."""
        return float(np.std(self.rates, ddof=1)) if len(self.rates) > 1 else None

    @property
    def interval(self) -> Interval:
        """95 % interval of the share, over questions and seeds."""
        return accuracy_interval(self.by_seed, self.n)


@dataclass(frozen=True)
class OneSeed:
    """What a variant answered with one seed, in the run's question order, and its stages' facts.

    `failures` has the kind of each failure and what shows it; None where the answer is right.
    """

    replicate: Replicate
    marks: Mapping[str, Marks]
    verdicts: Sequence[str]
    failures: Sequence[Row | None]
    predictions: Sequence[Row]
    joint_all: Mapping[str, Row]
    training: Mapping[str, Any]
    generation: Mapping[str, Any]

    @property
    def label(self) -> str:
        """Its name in text: the variant's, with the seed where the variant has several."""
        variant, seed = self.replicate
        return variant if seed is None else f"{variant}, seed {seed}"


@dataclass(frozen=True)
class Variant:
    """One variant with each of its seeds, in the order of the config; most have one."""

    name: str
    seeds: Sequence[OneSeed]

    @cached_property
    def marks(self) -> dict[str, Answers]:
        """For each metric the marks, shape (seeds, questions)."""
        return {
            metric: np.array([own.marks[metric] for own in self.seeds])
            for metric in self.seeds[0].marks
        }

    @property
    def single_seed_varies(self) -> bool:
        """Whether it was trained here with a single seed."""
        return single_seed_varies([own.training for own in self.seeds])

    @property
    def correct(self) -> Answers:
        """Marks of the headline metric."""
        return self.marks["test_suite"]


@dataclass(frozen=True)
class Run:
    """All variants on the questions that were scored, in the order of the config."""

    variants: Sequence[Variant]
    questions: Sequence[Row]
    left_out: Sequence[Row]
    baseline: str | None

    @property
    def n(self) -> int:
        """Number of scored questions."""
        return len(self.questions)

    def named(self, name: str) -> Variant:
        """The variant of a name."""
        return next(variant for variant in self.variants if variant.name == name)

    @property
    def replicates(self) -> list[OneSeed]:
        """All variants with each of their seeds."""
        return [own for variant in self.variants for own in variant.seeds]

    @property
    def has_seeds(self) -> bool:
        """Whether a variant was run with several seeds."""
        return len(self.replicates) > len(self.variants)

    @cached_property
    def databases(self) -> list[str]:
        """The database of each question."""
        return [question["db_id"] for question in self.questions]

    @cached_property
    def by_level(self) -> dict[str, Marks]:
        """For each level, which questions belong to it."""
        hardness = np.array([question["hardness"] for question in self.questions], dtype=str)
        return {level: hardness == level for level in LEVELS}

    @cached_property
    def by_database(self) -> dict[str, Marks]:
        """For each database in order of name, which questions belong to it."""
        databases = np.array(self.databases, dtype=str)
        return {name: databases == name for name in sorted(set(self.databases))}

    @cached_property
    def by_feature(self) -> dict[str, Marks]:
        """For each SQL feature, which questions need it; a question may need several."""
        found = [sql_features(question["sql"]) for question in self.questions]
        return {name: np.array([name in names for names in found]) for name in FEATURES}

    def select(self, level: str) -> Marks:
        """Which questions belong to a level or to `all`."""
        return np.ones(self.n, dtype=bool) if level == "all" else self.by_level[level]


Files = Mapping[Replicate, Path]


class StageFiles(NamedTuple):
    """Content of metrics.json and the other files by variant and seed; imported ones lack the last two."""

    metrics: Mapping[Replicate, Row]
    failures: Mapping[tuple[str, str], Row]
    predictions: Files
    training: Files
    generation: Files


def count(marks: Answers, chosen: Marks) -> Count:
    """Count right answers among the chosen questions."""
    return Count(int(chosen.sum()), tuple(int(row.sum()) for row in marks & chosen))


def level_count(run: Run, variant: Variant, level: str, metric: str = "test_suite") -> Count:
    """Count right answers of one of the six columns of the published table."""
    if level == "joint_all":
        totals = [own.joint_all[metric] for own in variant.seeds]
        return Count(totals[0]["n"], tuple(total["correct"] for total in totals))
    return count(variant.marks[metric], run.select(level))


def load_run(
    questions: Path,
    verdicts: Sequence[Path],
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    failures: Path,
    training: Sequence[Path] = (),
    generation: Sequence[Path] = (),
    baseline: str | None = None,
) -> Run:
    """Read a run; a file belongs to the variant, and the seed, that its folder is named after.

    Args:
        questions: JSON Lines of every question that was to be asked; those without a verdict are
            reported as left out.
        verdicts: one verdicts.jsonl a variant and seed; their order is the order of the variants.
        metrics: one metrics.json a variant and seed.
        predictions: one predictions.jsonl a variant and seed, for the examples of failures.
        failures: JSON Lines with variant (or variant/seed_<seed>), id, kind and reason of every answer
            that is not right.
        training: train.json of the variants that were trained here.
        generation: generation.json of the variants whose SQL was generated here.
        baseline: variant that the others are compared with.

    Raises:
        InputError: no variant, a file is missing for a variant, variants answered different
            questions, a failure has no kind, metrics.json contradicts the verdicts, or the
            baseline is unknown.
    """
    sources = _by_replicate(verdicts, "verdicts.jsonl")
    if not sources:
        raise InputError("no verdicts.jsonl was given: name at least one variant's")
    names = list(dict.fromkeys(replicate.variant for replicate in sources))
    if baseline is not None and baseline not in names:
        raise InputError(f"baseline {baseline!r} is no variant of this run: {', '.join(names)}")
    asked = by_id(read_examples(questions), questions)
    verdict_rows = _aligned_verdicts(sources)
    first_source, first = next(iter(sources.values())), next(iter(verdict_rows.values()))
    scored = [_question(asked, row, first_source, questions) for row in first]
    known = {question["id"] for question in scored}
    left_out = [row for key, row in asked.items() if key not in known]
    stated = _by_replicate(metrics, "metrics.json", sources)
    files = StageFiles(
        {replicate: read_object(path, METRICS_FIELDS) for replicate, path in stated.items()},
        {(row["variant"], row["id"]): row for row in read_jsonl(failures, FAILURE_FIELDS)},
        _by_replicate(predictions, "predictions.jsonl", sources),
        _by_replicate(training, "train.json"),
        _by_replicate(generation, "generation.json"),
    )
    found = [_one_seed(replicate, rows, files) for replicate, rows in verdict_rows.items()]
    variants = [Variant(name, [o for o in found if o.replicate.variant == name]) for name in names]
    run = Run(variants, scored, left_out, baseline)
    for own in found:
        _check_metrics(run, own, files.metrics[own.replicate], stated[own.replicate])
    return run


def _by_replicate(paths: Sequence[Path], kind: str, needed: Files | None = None) -> Files:
    files: dict[Replicate, Path] = {}
    for path in paths:
        key = replicate_of(path)
        if not path.exists():
            raise InputError(f"{path} does not exist: {kind} of variant {key.name!r} was asked for")
        if key in files:
            raise InputError(f"variant {key.name!r} has two {kind}: {files[key]} and {path}")
        files[key] = path
    missing = [key.name for key in needed or () if key not in files]
    if missing:
        raise InputError(f"no {kind} was given for variant {missing[0]!r}")
    return files


def _question(asked: Mapping[str, Row], verdict: Row, source: Path, questions: Path) -> Row:
    if verdict["id"] not in asked:
        raise InputError(f"{source}: question {verdict['id']!r} is not in {questions}")
    if verdict["hardness"] not in LEVELS:
        raise InputError(
            f"{source}: question {verdict['id']!r} has hardness {verdict['hardness']!r}, "
            f"which is none of {', '.join(LEVELS)}"
        )
    return {**asked[verdict["id"]], "db_id": verdict["db_id"], "hardness": verdict["hardness"]}


def _aligned_verdicts(sources: Files) -> dict[Replicate, list[Row]]:
    """The verdicts of each variant and seed in the question order of the first one."""
    rows = {key: by_id(read_jsonl(path, SCORED_FIELDS), path) for key, path in sources.items()}
    first = next(iter(rows))
    if not rows[first]:
        raise InputError(f"{sources[first]} is empty: no question was scored")
    for other in rows:
        for here, there in ((first, other), (other, first)):
            missing = [key for key in rows[here] if key not in rows[there]]
            if missing:
                raise InputError(
                    f"{sources[there]} lacks {len(missing)} questions that {here.name!r} has a verdict "
                    f"for, first {missing[0]!r}: score all variants on the same questions"
                )
    return {name: [own[key] for key in rows[first]] for name, own in rows.items()}


def _one_seed(replicate: Replicate, verdicts: list[Row], files: StageFiles) -> OneSeed:
    facts = files.metrics[replicate]
    marks = {"test_suite": np.array([row["verdict"] == "correct" for row in verdicts])}
    joint = {"test_suite": facts["accuracy"]["joint_all"]}
    for metric, levels in facts["secondary"].items():
        marks[metric] = np.array([bool(row[metric]) for row in verdicts])
        joint[metric] = levels["joint_all"]
    stages = [
        read_object(stage[replicate]) if replicate in stage else {}
        for stage in (files.training, files.generation)
    ]
    return OneSeed(
        replicate=replicate,
        marks=marks,
        verdicts=[row["verdict"] for row in verdicts],
        failures=[_failure(replicate.name, row, files.failures) for row in verdicts],
        predictions=_predictions(verdicts, files.predictions[replicate]),
        joint_all=joint,
        training=stages[0],
        generation=stages[1],
    )


def _failure(name: str, verdict: Row, failures: Mapping[tuple[str, str], Row]) -> Row | None:
    if verdict["verdict"] == "correct":
        return None
    row = failures.get((name, verdict["id"]))
    if row is None or row["kind"] not in KINDS:
        raise InputError(
            f"failure of variant {name!r} at question {verdict['id']!r} has no known kind: sort "
            "the failures of these verdicts again"
        )
    return row


def _predictions(verdicts: list[Row], path: Path) -> list[Row]:
    """Each question's prediction, with the reason of its verdict in words as `detail`."""
    answers = read_answers(path, [row["id"] for row in verdicts])
    return [{**answers[row["id"]], "detail": _detail(row)} for row in verdicts]


def _detail(row: Row) -> str:
    return explanation(
        row["verdict"], *(row[key] for key in ("file", "reason", "expected", "found"))
    )


def _check_metrics(run: Run, own: OneSeed, facts: Row, path: Path) -> None:
    stated = {"test_suite": facts["accuracy"], **facts["secondary"]}
    for metric, levels in stated.items():
        for level in (*LEVELS, "all"):
            here, there = count(own.marks[metric][None], run.select(level)), levels[level]
            if (here.n, here.correct) != (there["n"], there["correct"]):
                raise InputError(
                    f"{path}: {metric} of level {level} counts {there['correct']} of {there['n']}, "
                    f"but verdicts.jsonl {here.correct} of {here.n}: score the variant again"
                )


def failure_counts(variant: Variant) -> dict[str, float]:
    """How often each kind of failure occurs, as a mean over seeds; 0 where it does not."""
    return _mean_counts(
        [[row["kind"] for row in own.failures if row] for own in variant.seeds], KINDS
    )


def failure_kinds(run: Run) -> list[str]:
    """The kinds of failure that occur, in the order of all tables and charts."""
    counts = [failure_counts(variant) for variant in run.variants]
    return [kind for kind in KINDS if any(own[kind] for own in counts)]


def verdict_counts(variant: Variant) -> dict[str, float]:
    """How often each verdict occurs, as a mean over seeds."""
    occurring = {verdict for own in variant.seeds for verdict in own.verdicts}
    return _mean_counts([own.verdicts for own in variant.seeds], occurring)


def _mean_counts(lists: Sequence[Sequence[str]], keys: Iterable[str]) -> dict[str, float]:
    """How often each key is in a list, on average."""
    counts = [Counter(names) for names in lists]
    return {key: sum(own[key] for own in counts) / len(lists) for key in keys}
