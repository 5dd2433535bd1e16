"""Score prediction files: verdicts of every pair and their tallies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqladder.metric import pool
from sqladder.metric.difficulty import hardness
from sqladder.metric.errors import MetricInputError
from sqladder.metric.formats import Gold, Item, read_gold, read_predictions
from sqladder.metric.normalise import REPAIRS
from sqladder.metric.sandbox import Limits
from sqladder.metric.suite import CORRECT, Judgement, Options

OFFICIAL = Options()
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Scored:
    """One question with its level and what became of its prediction."""

    item: Item
    hardness: str
    judgement: Judgement
    prediction: str

    @property
    def correct(self) -> bool:
        """Right on all files with the prediction's own values."""
        return self.judgement.verdict == CORRECT


@dataclass
class Scores:
    """All questions of one prediction file.

    Attributes:
        rows: the questions in the order of the gold file.
        sessions: number of sessions, empty ones included.
        database_files: number of database files of the questions' suites.
    """

    rows: list[Scored]
    sessions: int
    database_files: int


def score_files(
    gold: Path,
    predictions: Mapping[str, Path],
    databases: Path,
    options: Options = OFFICIAL,
    limits: Limits = DEFAULT_LIMITS,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda judged, total: None,
) -> dict[str, Scores]:
    """Score one or more prediction files against one gold file.

    Equal predictions for one gold query are judged once for all files.

    Args:
        gold: gold file, official format or JSON Lines with `id`, `db_id`, `sql`.
        predictions: prediction file of each arm, official format or JSON Lines with `id`, `sql`.
        databases: folder that holds <db_id>/<db_id>.sqlite and its variations.
        options: how texts are compared.
        limits: what one execution may cost.
        jobs: number of worker processes.
        progress: called with the numbers of finished and of all distinct comparisons.

    Returns:
        Scores of each arm.

    Raises:
        MetricInputError: a file or database is missing or malformed; the message names it.
    """
    questions = read_gold(gold)
    arms = {name: read_predictions(path, questions) for name, path in predictions.items()}
    return score(questions, arms, databases, options, limits, jobs, progress)


def score(
    gold: Gold,
    arms: Mapping[str, Sequence[str]],
    databases: Path,
    options: Options = OFFICIAL,
    limits: Limits = DEFAULT_LIMITS,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda judged, total: None,
) -> dict[str, Scores]:
    """Score predictions that are already in memory; `score_files` says the rest."""
    _check_repairs(options)
    suites = {item.db_id: suite_files(databases, item.db_id) for item in gold.items}
    work = _Work(suites, options)
    places = {
        name: [work.place(item, sql) for item, sql in zip(gold.items, sqls, strict=True)]
        for name, sqls in arms.items()
    }
    work.run(limits, jobs, progress)
    levels = {sql: hardness(sql) for sql in {item.gold for item in gold.items}}
    files = sum(map(len, suites.values()))
    return {
        name: Scores(
            [
                Scored(item, levels[item.gold], question.judgements[at], sql)
                for item, sql, (question, at) in zip(gold.items, arms[name], found, strict=True)
            ],
            gold.sessions,
            files,
        )
        for name, found in places.items()
    }


def score_pair(
    gold: str,
    prediction: str,
    database: Path,
    options: Options = OFFICIAL,
    limits: Limits = DEFAULT_LIMITS,
) -> Judgement:
    """Judge one prediction.

    Args:
        gold: the gold query.
        prediction: the predicted query.
        database: the original database file; all `*.sqlite` beside it are its test suite.
        options: how texts are compared.
        limits: what one execution may cost.

    Raises:
        MetricInputError: the database is missing.
    """
    _check_repairs(options)
    files = _beside(database)
    question = pool.Question(files, gold, [(prediction, options.plug_value)], [None])
    pool.run([question], options, limits, jobs=1)
    return question.judgements[0]


def suite_files(databases: Path, db_id: str) -> list[str]:
    """Files of a database's test suite, the original first.

    Raises:
        MetricInputError: the original is not there.
    """
    if not db_id or Path(db_id).name != db_id:
        raise MetricInputError(f"{db_id!r} is no name of a database")
    return _beside(databases / db_id / f"{db_id}.sqlite")


def _beside(original: Path) -> list[str]:
    if not original.is_file():
        raise MetricInputError(f"database {original} is missing")
    others = sorted(path for path in original.parent.glob("*.sqlite") if path != original)
    for path in (original, *others):
        log = path.with_name(path.name + "-wal")
        if log.is_file() and log.stat().st_size:
            raise MetricInputError(
                f"{path} has changes that are only in {log.name}; close the program that writes "
                f"it, or run: sqlite3 {path} 'PRAGMA wal_checkpoint(TRUNCATE)'"
            )
    return [str(path.resolve()) for path in (original, *others)]


def _check_repairs(options: Options) -> None:
    unknown = sorted(options.repairs - set(REPAIRS))
    if unknown:
        raise MetricInputError(f"no repair {unknown[0]!r}; there are: {', '.join(REPAIRS)}")


@dataclass
class _Work:
    """Distinct comparisons: one question a gold query and database, one candidate a prediction."""

    suites: dict[str, list[str]]
    options: Options
    _questions: dict[tuple[str, str], pool.Question] = field(default_factory=dict)
    _places: dict[tuple[str, str, str], tuple[pool.Question, int]] = field(default_factory=dict)

    def place(self, item: Item, prediction: str) -> tuple[pool.Question, int]:
        """Where the judgement of a prediction will be."""
        key = (item.db_id, item.gold, prediction)
        if key not in self._places:
            question = self._questions.setdefault(
                key[:2], pool.Question(self.suites[item.db_id], item.gold, [], [])
            )
            self._places[key] = question, len(question.candidates)
            question.candidates.append((prediction, self.options.plug_value))
            question.judgements.append(None)
        return self._places[key]

    def run(self, limits: Limits, jobs: int, progress: Callable[[int, int], None]) -> None:
        """Judge all of it."""
        total, finished = len(self._places), 0

        def advance(number: int) -> None:
            nonlocal finished
            finished += number
            progress(finished, total)

        pool.run(self._questions.values(), self.options, limits, jobs, advance)
        for question in self._questions.values():
            for judgement in question.judgements:
                # Values are not plugged in again where doing so ended a worker.
                if self.options.plug_value and judgement.plug_value is None:
                    judgement.plug_value = False


def as_row(scored: Scored, plugged: bool = False) -> dict[str, Any]:
    """A question's verdict as JSON holds it; `plugged` takes the plug_value verdict for it."""
    judgement = scored.judgement
    right = plugged and judgement.plug_value
    return {
        "db_id": scored.item.db_id,
        "hardness": scored.hardness,
        "verdict": CORRECT if right else judgement.verdict,
        "detail": "" if right else judgement.detail,
    }
