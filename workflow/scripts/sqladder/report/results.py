"""What a run holds: marks, failures and facts of each variant and seed, and how they are counted."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sqladder.files import Row
from sqladder.metric.reasons import explanation
from sqladder.report.features import FEATURES, sql_features
from sqladder.report.learning_curves import LearningCurve
from sqladder.report.metrics import COLUMNS, LEVELS, SHARES
from sqladder.report.sampled_answers import Samples
from sqladder.report.taxonomy import KINDS
from sqladder.statistics.groups import Groups, VarianceComponent
from sqladder.statistics.intervals import Interval
from sqladder.statistics.replicates import Replicate, single_seed_varies, training_behind
from sqladder.statistics.seeds import Answers, Marks, accuracy_interval, accuracy_variance


@dataclass(frozen=True)
class Count:
    """Right answers among n questions, of each of a variant's seeds.

    Attributes:
        answers: marks of the questions, shape (seeds, n).
        groups: of the questions.
    """

    answers: Answers
    groups: Groups

    @property
    def n(self) -> int:
        """Number of questions."""
        return self.answers.shape[1]

    @cached_property
    def by_seed(self) -> tuple[int, ...]:
        """Right answers of each seed."""
        return tuple(int(correct) for correct in self.answers.sum(axis=1))

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

    @cached_property
    def interval(self) -> Interval:
        """95 % interval of the share, for further questions on the same databases and further seeds."""
        return accuracy_interval(self.answers, self.groups, error=self._error)

    @property
    def standard_error(self) -> float | None:
        """Standard error of the share, of the same; None without questions."""
        return None if self._error is None else self._error.variance**0.5

    @cached_property
    def _error(self) -> VarianceComponent | None:
        return accuracy_variance(self.answers, self.groups) if self.n else None


def is_by_reward(training: Mapping[str, Any]) -> bool:
    """Whether a training was one by reward, which has curves of its own: its loss is about 0, whatever it learns.

    Args:
        training: the facts of train.json.
    """
    return "curves" in training.get("learning", {})


@dataclass(frozen=True)
class OneSeed:
    """What a variant answered with one seed, in the run's question order, and its stages' facts.

    `earlier` are the trainings that its own started from, by replicate, the one that started from the base first.

    `judged` are the rows of verdicts.jsonl. `failures` has the kind of each failure and what shows it; None where the
    answer is right. `scoring` are the facts of metrics.json, `samples` what it chose its answers among, None where it
    did not.
    """

    replicate: Replicate
    marks: Mapping[str, Marks]
    judged: Sequence[Row]
    failures: Sequence[Row | None]
    predictions: Sequence[Row]
    joint_all: Mapping[str, Row]
    training: Mapping[str, Any]
    generation: Mapping[str, Any]
    scoring: Mapping[str, Any]
    samples: Samples | None = None
    earlier: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def line(self) -> list[Mapping[str, Any]]:
        """The facts of all trainings that led to its model, its own last."""
        return [*self.earlier.values(), self.training]

    @property
    def asked(self) -> str | None:
        """The replicate whose model answered, its own or another's; None of a server and of imported answers."""
        return self.generation.get("model")

    @cached_property
    def verdicts(self) -> list[str]:
        """The verdict of each question."""
        return [row["verdict"] for row in self.judged]

    def detail(self, place: int) -> str:
        """The reason of a question's verdict in words."""
        row = self.judged[place]
        known = (row[key] for key in ("file", "reason", "expected", "found"))
        return explanation(row["verdict"], *known)

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

    @cached_property
    def failure_counts(self) -> dict[str, float]:
        """How often each kind of failure occurs, as a mean over seeds; 0 where it does not."""
        return _mean_counts(
            [[row["kind"] for row in own.failures if row] for own in self.seeds], KINDS
        )

    @property
    def samples(self) -> list[Samples]:
        """What each seed chose its answers among; empty where the variant does not choose."""
        return [own.samples for own in self.seeds if own.samples is not None]


@dataclass(frozen=True)
class Run:
    """All variants on the questions that were scored, in the order of the config.

    `quirks` says whether the official evaluator's held, `official` or `repaired`; None where it is not known.
    `learning_curves` has those that were measured, by variant.
    """

    variants: Sequence[Variant]
    questions: Sequence[Row]
    left_out: Sequence[Row]
    baseline: str
    quirks: str | None = None
    learning_curves: Mapping[str, LearningCurve] = field(default_factory=dict)

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

    def models_of(self, variant: Variant) -> tuple[str, ...]:
        """The training behind each seed's answers (`training_behind`)."""
        return tuple(
            training_behind(own.replicate.name, own.asked, self._owners) for own in variant.seeds
        )

    @property
    def trained_by_seed(self) -> int:
        """How many trainings tell together how far seeds scatter, once each has several (`seed_scatter`)."""
        return len(
            {
                self.models_of(variant)
                for variant in self.variants
                if variant.single_seed_varies or len(variant.seeds) > 1
            }
        )

    @cached_property
    def _owners(self) -> dict[str, str]:
        """By replicate, the one whose model it takes."""
        trainings = {own.replicate.name: own.training for own in self.replicates}
        return {
            name: training["model_of"]
            for name, training in trainings.items()
            if "model_of" in training
        }

    @cached_property
    def databases(self) -> list[str]:
        """The database of each question."""
        return [question["db_id"] for question in self.questions]

    @cached_property
    def groups(self) -> Groups:
        """The groups that the questions come in: wordings of one query, conversations."""
        return Groups.of([question["group"] for question in self.questions])

    @cached_property
    def database_groups(self) -> Groups:
        """The questions by database, the groups of claims about new databases."""
        return Groups.of(self.databases)

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

    @cached_property
    def counts(self) -> dict[tuple[str, str, str], Count]:
        """What `level_count` has counted, by variant, level and metric: tables, charts and files ask for the same."""
        return {}

    def select(self, level: str) -> Marks:
        """Which questions belong to a level or to `all`."""
        return np.ones(self.n, dtype=bool) if level == "all" else self.by_level[level]


def count(marks: Answers, chosen: Marks, groups: Groups) -> Count:
    """Count right answers among the chosen of all questions, whose groups are given."""
    return Count(marks[:, chosen], groups.select(chosen))


def level_count(run: Run, variant: Variant, level: str, metric: str = "test_suite") -> Count:
    """Count right answers of one of the six columns of the published table."""
    key = (variant.name, level, metric)
    if key not in run.counts:
        run.counts[key] = _level_count(run, variant, level, metric)
    return run.counts[key]


def _level_count(run: Run, variant: Variant, level: str, metric: str) -> Count:
    if level == "joint_all":
        totals = [own.joint_all[metric] for own in variant.seeds]
        conversations = np.arange(totals[0]["n"])
        if metric in SHARES:
            rows = [np.full(len(conversations), total["rate"]) for total in totals]
        else:
            rows = [conversations < total["correct"] for total in totals]
        answers = np.array(rows)
        return Count(answers, Groups.single(len(conversations)))
    return count(variant.marks[metric], run.select(level), run.groups)


def has_conversations(run: Run) -> bool:
    """Whether a conversation has several questions, so that the column joint_all says more than all."""
    return level_count(run, run.variants[0], "joint_all").n != run.n


def shown_columns(run: Run) -> tuple[str, ...]:
    """The columns of the published table, without the last one where it would repeat the one before."""
    return COLUMNS if has_conversations(run) else COLUMNS[:-1]


def failure_kinds(run: Run) -> list[str]:
    """The kinds of failure that occur, in the order of all tables and charts."""
    counts = [variant.failure_counts for variant in run.variants]
    return [kind for kind in KINDS if any(own[kind] for own in counts)]


def verdict_counts(variant: Variant) -> dict[str, float]:
    """How often each verdict occurs, as a mean over seeds."""
    occurring = {verdict for own in variant.seeds for verdict in own.verdicts}
    return _mean_counts([own.verdicts for own in variant.seeds], occurring)


def _mean_counts(lists: Sequence[Sequence[str]], keys: Iterable[str]) -> dict[str, float]:
    """How often each key is in a list, on average."""
    counts = [Counter(names) for names in lists]
    return {key: sum(own[key] for own in counts) / len(lists) for key in keys}
