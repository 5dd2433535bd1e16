"""Score prediction files: verdicts of every pair and their tallies."""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqladder.metric import pool
from sqladder.metric.allowances import Allowances
from sqladder.metric.database_files import readable, suite_files, suite_of
from sqladder.metric.difficulty import hardness
from sqladder.metric.gold_results import GoldResults, Known
from sqladder.metric.grammar import GrammarError
from sqladder.metric.input_error import InputError
from sqladder.metric.inputs import Gold, Item, read_gold, read_predictions
from sqladder.metric.limits import Limits
from sqladder.metric.match import Match, Matcher, declared_keys, read_key_maps, read_schema
from sqladder.metric.normalise import REPAIRS
from sqladder.metric.showing import brief
from sqladder.metric.suite import CORRECT, Judgement, Options, best_of

OFFICIAL = Options()
DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Scored:
    """One question with its level and what became of its prediction.

    Attributes:
        item: the question.
        hardness: its level.
        prediction: the text that was scored.
        judgement: what execution says; None if nothing was executed.
        match: what exact set match says; None if it was not asked for.
    """

    item: Item
    hardness: str
    prediction: str
    judgement: Judgement | None
    match: Match | None

    @property
    def executed(self) -> Judgement:
        """What execution says, of a question whose prediction was executed."""
        assert self.judgement is not None, "scored by exact set match alone"
        return self.judgement

    @property
    def correct(self) -> bool:
        """Right on all files with the prediction's own values."""
        return self.judgement is not None and self.judgement.verdict == CORRECT

    @property
    def plugged(self) -> bool:
        """Right on all files with some choice of gold's values."""
        return self.judgement is not None and bool(self.judgement.plug_value)

    @property
    def matched(self) -> bool:
        """Equal to gold by exact set match."""
        return self.match is not None and self.match.exact


@dataclass
class Scores:
    """All questions of one prediction file.

    Attributes:
        rows: the questions in the order of the gold file.
        sessions: number of sessions, empty ones included.
        database_files: number of database files of the questions' suites.
        known_gold: number of gold results, one a query and file, that were known from earlier runs.
        files: how the gold file and the prediction file were understood, in words; empty without files.
    """

    rows: list[Scored]
    sessions: int
    database_files: int
    known_gold: int = 0
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What to do with gold and predictions.

    Attributes:
        databases: folder that holds <db_id>/<db_id>.sqlite and its variations.
        options: how texts are compared.
        limits: what one execution may cost.
        jobs: number of worker processes.
        etype: `exec`, `match` (exact set match), `all`, or `bird`, which needs `options.bird`.
        tables: Spider's tables.json, which `match` and `all` need.
        keep_rows: judgements hold the first rows of gold and of wrong results.
        gold_results: folder in which gold results are kept between runs; None keeps none.
    """

    databases: Path
    options: Options = OFFICIAL
    limits: Limits = DEFAULT_LIMITS
    jobs: int = 1
    etype: str = "exec"
    tables: Path | None = None
    keep_rows: bool = False
    gold_results: Path | None = None

    def __post_init__(self) -> None:
        _check_repairs(self.options)
        if self.jobs < 1:
            raise InputError(f"jobs is {self.jobs}; at least one worker is needed")
        if self.etype in ("match", "all") and self.tables is None:
            raise InputError(f"etype {self.etype} needs Spider's tables.json")


def score_files(
    gold: Path,
    predictions: Mapping[str, Path],
    task: Task,
    progress: Callable[[int, int], None] = lambda judged, total: None,
) -> dict[str, Scores]:
    """Score one or more prediction files against one gold file.

    Equal predictions for one gold query are judged once for all files.

    Args:
        gold: gold file, official format or records with `id`, `db_id`, `sql`.
        predictions: prediction file of each arm, official format or records with `id`, `sql`.
        task: databases and settings.
        progress: called with the numbers of finished and of all distinct comparisons.

    Returns:
        Scores of each arm.

    Raises:
        InputError: a file or database is missing or malformed; the message names it.
    """
    questions = read_gold(gold)
    read = {name: read_predictions(path, questions) for name, path in predictions.items()}
    scores = score(questions, {name: found.sqls for name, found in read.items()}, task, progress)
    for name, found in scores.items():
        found.files = (questions.kind, read[name].kind)
    return scores


def score(
    gold: Gold,
    arms: Mapping[str, Sequence[str]],
    task: Task,
    progress: Callable[[int, int], object] = lambda judged, total: None,
) -> dict[str, Scores]:
    """Score predictions that are already in memory; `score_files` says the rest."""
    names = dict.fromkeys(item.db_id for item in gold.items)
    suites = {name: suite_files(task.databases, name) for name in names}
    executed = task.etype != "match"
    work = _Work(suites, task)
    judgements = _execute(gold, arms, work, progress) if executed else {}
    matches = _match(gold, arms, suites, task) if task.etype in ("match", "all") else {}
    levels = {sql: hardness(sql) for sql in {item.gold for item in gold.items}}
    nothing = [None] * len(gold.items)
    scores = {}
    for name, sqls in arms.items():
        columns = gold.items, sqls, judgements.get(name, nothing), matches.get(name, nothing)
        rows = [
            Scored(item, levels[item.gold], sql, judgement, match)
            for item, sql, judgement, match in zip(*columns, strict=True)
        ]
        database_files = sum(map(len, suites.values()))
        scores[name] = Scores(rows, gold.sessions, database_files, work.known_gold)
    return scores


def _execute(
    gold: Gold,
    arms: Mapping[str, Sequence[str]],
    work: "_Work",
    progress: Callable[[int, int], object],
) -> dict[str, list[Judgement]]:
    places = {
        name: [work.places(item, sql) for item, sql in zip(gold.items, sqls, strict=True)]
        for name, sqls in arms.items()
    }
    work.run(progress)
    return {
        name: [best_of([question.judgement(at) for question, at in own]) for own in found]
        for name, found in places.items()
    }


def _match(
    gold: Gold, arms: Mapping[str, Sequence[str]], suites: dict[str, list[str]], task: Task
) -> dict[str, list[Match]]:
    assert task.tables is not None, "a Task without them is refused"
    keys = read_key_maps(task.tables)
    for db_id in suites:
        if db_id not in keys:
            raise InputError(f"{task.tables} does not describe database {brief(db_id)}")
    matchers = {
        db_id: Matcher(read_schema(Path(files[0])), keys[db_id]) for db_id, files in suites.items()
    }
    return {
        name: [
            _match_or_refuse(matchers[item.db_id], item, sql, task.limits.max_sql_chars)
            for item, sql in zip(gold.items, sqls, strict=True)
        ]
        for name, sqls in arms.items()
    }


def _match_or_refuse(matcher: Matcher, item: Item, prediction: str, max_chars: int) -> Match:
    try:
        return _match_one(matcher, item, prediction, max_chars)
    except GrammarError as error:
        raise InputError(
            f"gold query of question {brief(item.id)} is outside the grammar of exact set match "
            f"({error}): {item.gold}; leave it out or score by execution only"
        ) from error


def _match_one(matcher: Matcher, item: Item, prediction: str, max_chars: int) -> Match:
    # A text beyond the bound is not parsed: like one outside the grammar, it is empty.
    text = prediction if len(prediction) <= max_chars else ""
    first, *others = (matcher.match(gold, text) for gold in item.golds)
    return next((match for match in others if match.exact and not first.exact), first)


def with_exact_match(scores: Scores, task: Task) -> Scores:
    """Add exact set match by the foreign keys that the databases declare, where tables.json is not there.

    Nothing matches a gold query outside the grammar of exact set match, or on a file that SQLite cannot read.
    """
    names = dict.fromkeys(row.item.db_id for row in scores.rows)
    matchers = {name: _own_matcher(Path(suite_files(task.databases, name)[0])) for name in names}
    rows = []
    for row in scores.rows:
        matcher = matchers[row.item.db_id]
        try:
            match = _match_one(matcher, row.item, row.prediction, task.limits.max_sql_chars)
        except GrammarError:
            match = Match(False, {})
        rows.append(replace(row, match=match))
    return replace(scores, rows=rows)


def _own_matcher(database: Path) -> Matcher:
    try:
        return Matcher(read_schema(database), declared_keys(database))
    except sqlite3.Error:
        return Matcher({}, {})


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
        InputError: the database is missing.
    """
    _check_repairs(options)
    files = readable(suite_of(database))
    question = pool.Question(files, gold, [(prediction, options.plug_value)], [None])
    pool.run([question], options, limits, jobs=1)
    return question.judgement(0)


def _check_repairs(options: Options) -> None:
    unknown = sorted(options.repairs - set(REPAIRS))
    if unknown:
        raise InputError(f"no repair {unknown[0]!r}; there are: {', '.join(REPAIRS)}")


# Database, gold query, and what is forgiven.
_Key = tuple[str, str, Allowances | None]


@dataclass
class _Work:
    """Distinct comparisons: one question a gold query and database, one candidate a prediction."""

    suites: dict[str, list[str]]
    task: Task
    known_gold: int = 0
    _questions: dict[_Key, pool.Question] = field(default_factory=dict)
    _places: dict[tuple[_Key, str], tuple[pool.Question, int]] = field(default_factory=dict)

    def places(self, item: Item, prediction: str) -> list[tuple[pool.Question, int]]:
        """Where the judgements of a prediction will be, one for each gold query of the question."""
        return [self._place((item.db_id, gold, item.allowances), prediction) for gold in item.golds]

    def _place(self, asked: _Key, prediction: str) -> tuple[pool.Question, int]:
        key = asked, prediction
        # The same text for the same gold, in whatever arm or question, is judged once.
        if key not in self._places:
            db_id, gold, allowances = asked
            question = self._questions.setdefault(
                asked, pool.Question(self.suites[db_id], gold, [], [], allowances=allowances)
            )
            self._places[key] = question, len(question.candidates)
            question.candidates.append((prediction, self.task.options.plug_value))
            question.judgements.append(None)
        return self._places[key]

    def run(self, progress: Callable[[int, int], object]) -> None:
        """Judge all of it."""
        task, total, finished = self.task, len(self._places), 0

        def advance(number: int) -> None:
            nonlocal finished
            finished += number
            progress(finished, total)

        questions = self._questions.values()
        with self._kept_gold():
            pool.run(questions, task.options, task.limits, task.jobs, advance, task.keep_rows)
        for question in self._questions.values():
            for judgement in map(question.judgement, range(len(question.judgements))):
                # Values are not plugged in again where doing so ended a worker.
                if task.options.plug_value and judgement.plug_value is None:
                    judgement.plug_value = False

    @contextmanager
    def _kept_gold(self) -> Iterator[None]:
        """Give the questions what is known of gold's results, and keep what they find, where there is a folder."""
        task = self.task
        if task.gold_results is None:
            yield
            return
        store = GoldResults(task.gold_results, task.options, task.limits)
        by_database: dict[str, list[pool.Question]] = defaultdict(list)
        for (db_id, *_), question in self._questions.items():
            by_database[db_id].append(question)
        suites = {db_id: store.read(self.suites[db_id]) for db_id in by_database}
        for db_id, suite in suites.items():
            for question in by_database[db_id]:
                question.outlines = dict(suite.known.get(question.gold, {}))
                question.right = list(suite.right.get(question.gold, ()))
                self.known_gold += len(question.outlines)
        yield
        for db_id, suite in suites.items():
            found: dict[str, Known] = defaultdict(dict)
            right: dict[str, list[str]] = defaultdict(list)
            for question in by_database[db_id]:
                found[question.gold] |= question.outlines
                right[question.gold] += question.right
            store.add(suite, found, right)
