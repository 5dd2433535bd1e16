"""Load the files of one run and check that they belong together.

Everything the report shows is counted from verdicts.jsonl. metrics.json is read for what verdicts
alone do not say (whole interactions) and must agree with them otherwise.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_json, read_jsonl
from sqladder.report.features import FEATURES, sql_features
from sqladder.report.taxonomy import KINDS
from sqladder.statistics import Marks

LEVELS = ("easy", "medium", "hard", "extra")

METRICS = {
    "test_suite": "test suite, own values",
    "plug_value": "oracle values (plug_value)",
    "single_database": "single database",
}
"""The headline metric and the secondary ones, with the names that the report prints."""


@dataclass(frozen=True)
class Count:
    """Right answers among n questions."""

    n: int
    correct: int

    @property
    def rate(self) -> float | None:
        """Share of right answers from 0 to 1; None without questions."""
        return self.correct / self.n if self.n else None


@dataclass(frozen=True)
class Variant:
    """One variant's verdicts in the run's question order, and its stages' facts.

    `failures` has the kind of each failure and what shows it; None where the answer is right.
    """

    name: str
    marks: Mapping[str, Marks]
    verdicts: Sequence[str]
    failures: Sequence[Row | None]
    predictions: Sequence[Row]
    joint_all: Mapping[str, Count]
    training: Mapping[str, Any]
    generation: Mapping[str, Any]

    @property
    def correct(self) -> Marks:
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


class StageFiles(NamedTuple):
    """Content of metrics.json and the other files by variant; imported ones lack the last two."""

    metrics: Mapping[str, Row]
    failures: Mapping[tuple[str, str], Row]
    predictions: Mapping[str, Path]
    training: Mapping[str, Path]
    generation: Mapping[str, Path]


def count(marks: Marks, chosen: Marks) -> Count:
    """Count right answers among the chosen questions."""
    return Count(int(chosen.sum()), int((marks & chosen).sum()))


def level_count(run: Run, variant: Variant, level: str, metric: str = "test_suite") -> Count:
    """Count right answers of one of the six columns of the published table."""
    if level == "joint_all":
        return variant.joint_all[metric]
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
    """Read a run; a file belongs to the variant that its folder is named after.

    Args:
        questions: JSON Lines of every question that was to be asked; those without a verdict are
            reported as left out.
        verdicts: one verdicts.jsonl a variant; their order is the order of the variants.
        metrics: one metrics.json a variant.
        predictions: one predictions.jsonl a variant, for the examples of failures.
        failures: JSON Lines with variant, id, kind and reason of every answer that is not right.
        training: train.json of the variants that were trained here.
        generation: generation.json of the variants whose SQL was generated here.
        baseline: variant that the others are compared with.

    Raises:
        InputError: no variant, a file is missing for a variant, variants answered different
            questions, a failure has no kind, metrics.json contradicts the verdicts, or the
            baseline is unknown.
    """
    sources = _by_variant(verdicts, "verdicts.jsonl")
    if not sources:
        raise InputError("no verdicts.jsonl was given: name at least one variant's")
    if baseline is not None and baseline not in sources:
        raise InputError(f"baseline {baseline!r} is no variant of this run: {', '.join(sources)}")
    asked = by_id(read_jsonl(questions), questions)
    verdict_rows = _aligned_verdicts(sources)
    first_source, first = next(iter(sources.values())), next(iter(verdict_rows.values()))
    scored = [_question(asked, row, first_source, questions) for row in first]
    known = {question["id"] for question in scored}
    left_out = [row for key, row in asked.items() if key not in known]
    stated = _by_variant(metrics, "metrics.json", sources)
    files = StageFiles(
        {name: read_json(path) for name, path in stated.items()},
        {(row["variant"], row["id"]): row for row in read_jsonl(failures)},
        _by_variant(predictions, "predictions.jsonl", sources),
        _by_variant(training, "train.json"),
        _by_variant(generation, "generation.json"),
    )
    variants = [_variant(name, rows, files) for name, rows in verdict_rows.items()]
    run = Run(variants, scored, left_out, baseline)
    for variant in variants:
        _check_metrics(run, variant, files.metrics[variant.name], stated[variant.name])
    return run


def _by_variant(
    paths: Sequence[Path], kind: str, needed: Mapping[str, Path] | None = None
) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in paths:
        name = path.parent.name
        if not path.exists():
            raise InputError(f"{path} does not exist: {kind} of variant {name!r} was asked for")
        if name in files:
            raise InputError(f"variant {name!r} has two {kind}: {files[name]} and {path}")
        files[name] = path
    missing = [name for name in needed or () if name not in files]
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


def _aligned_verdicts(sources: Mapping[str, Path]) -> dict[str, list[Row]]:
    """The verdicts of each variant in the question order of the first one."""
    rows = {name: by_id(read_jsonl(path), path) for name, path in sources.items()}
    first = next(iter(rows))
    if not rows[first]:
        raise InputError(f"{sources[first]} is empty: no question was scored")
    for name in rows:
        for here, there in ((first, name), (name, first)):
            missing = [key for key in rows[here] if key not in rows[there]]
            if missing:
                raise InputError(
                    f"{sources[there]} lacks {len(missing)} questions that {here!r} has a verdict "
                    f"for, first {missing[0]!r}: score all variants on the same questions"
                )
    return {name: [own[key] for key in rows[first]] for name, own in rows.items()}


def _variant(name: str, verdicts: list[Row], files: StageFiles) -> Variant:
    facts = files.metrics[name]
    marks = {"test_suite": np.array([row["verdict"] == "correct" for row in verdicts])}
    joint = {"test_suite": facts["accuracy"]["joint_all"]}
    for metric, levels in facts["secondary"].items():
        marks[metric] = np.array([bool(row[metric]) for row in verdicts])
        joint[metric] = levels["joint_all"]
    return Variant(
        name=name,
        marks=marks,
        verdicts=[row["verdict"] for row in verdicts],
        failures=[_failure(name, row, files.failures) for row in verdicts],
        predictions=_predictions(verdicts, files.predictions[name]),
        joint_all={key: Count(value["n"], value["correct"]) for key, value in joint.items()},
        training=read_json(files.training[name]) if name in files.training else {},
        generation=read_json(files.generation[name]) if name in files.generation else {},
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
    """Each question's prediction, with the detail of its verdict."""
    answers = by_id(read_jsonl(path), path)
    missing = [row["id"] for row in verdicts if row["id"] not in answers]
    if missing:
        raise InputError(f"{path} lacks the prediction of question {missing[0]!r}")
    return [{**answers[row["id"]], "detail": row["detail"]} for row in verdicts]


def _check_metrics(run: Run, variant: Variant, facts: Row, path: Path) -> None:
    stated = {"test_suite": facts["accuracy"], **facts["secondary"]}
    for metric, levels in stated.items():
        for level in (*LEVELS, "all"):
            here, there = level_count(run, variant, level, metric), levels[level]
            if (here.n, here.correct) != (there["n"], there["correct"]):
                raise InputError(
                    f"{path}: {metric} of level {level} counts {there['correct']} of {there['n']}, "
                    f"but verdicts.jsonl {here.correct} of {here.n}: score the variant again"
                )


def failure_counts(variant: Variant) -> Counter[str]:
    """How often each kind of failure occurs."""
    return Counter(row["kind"] for row in variant.failures if row)


def failure_kinds(run: Run) -> list[str]:
    """The kinds of failure that occur, in the order of all tables and charts."""
    found = {kind for variant in run.variants for kind in failure_counts(variant)}
    return [kind for kind in KINDS if kind in found]


def verdict_counts(variant: Variant) -> Counter[str]:
    """How often each verdict occurs."""
    return Counter(variant.verdicts)
