"""Score prediction files in the engine where the data live: scores as the metric's own, with other judgements."""

import resource
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from sqladder.databases.engine import DIALECTS, DUCKDB, kind_of, name_of, open_engine
from sqladder.errors import InputError
from sqladder.metric.allowances import Allowances
from sqladder.metric.difficulty import hardness
from sqladder.metric.inputs import Gold, Item, read_gold, read_predictions
from sqladder.metric.limits import Limits
from sqladder.metric.scoring import Scored, Scores
from sqladder.metric.suite import Judgement, best_of
from sqladder.native.native_gold import Content, NativeGold
from sqladder.native.native_suite import NativeSuite
from sqladder.processes.guarded import Death, guarded

# Of one prediction: gold, itself, its values plugged in, and what each of three metrics forgives.
_EXECUTIONS = 6


@dataclass(frozen=True)
class NativeTask:
    """What to do with gold and predictions.

    Attributes:
        source: the database, a DuckDB file or a URL.
        limits: what one execution may cost; of these, time, memory, rows, bytes and length of the text hold here.
        jobs: number of connections at a time, each of a process of its own.
        plug_value: also judge with gold's values in the prediction's places.
        suite: folder with the suite of the database, made for its engine, whose contents are loaded there.
    """

    source: str
    limits: Limits
    jobs: int = 1
    plug_value: bool = False
    suite: Path | None = None


@dataclass
class _Question:
    """One gold query with the predictions that are compared to it, and what became of them."""

    gold: str
    allowances: Allowances | None
    predictions: list[str] = field(default_factory=list)
    judgements: list[Judgement] = field(default_factory=list)


def score_files_natively(
    gold: Path,
    predictions: Mapping[str, Path],
    task: NativeTask,
    progress: Callable[[int, int], object] = lambda judged, total: None,
) -> dict[str, Scores]:
    """Score one or more prediction files against one gold file; `score_natively` says the rest."""
    questions = read_gold(gold)
    read = {name: read_predictions(path, questions) for name, path in predictions.items()}
    scores = score_natively(
        questions, {name: found.sqls for name, found in read.items()}, task, progress
    )
    for name, found in scores.items():
        found.files = (questions.kind, read[name].kind)
    return scores


def score_natively(
    gold: Gold,
    arms: Mapping[str, Sequence[str]],
    task: NativeTask,
    progress: Callable[[int, int], object] = lambda judged, total: None,
) -> dict[str, Scores]:
    """Score predictions; equal ones for one gold query are judged once.

    Args:
        gold: the questions, all on the one database.
        arms: by name a prediction for each question.
        task: the database and settings.
        progress: called with the numbers of finished and of all distinct comparisons.

    Raises:
        InputError: the database cannot be opened, or its role may do more than read.
    """
    with closing(open_engine(task.source, task.limits)) as engine:
        engine.refuse_writers()
    questions: dict[tuple[str, Allowances | None], _Question] = {}
    places: dict[str, list[list[tuple[_Question, int]]]] = {
        name: [_places(questions, item, sql) for item, sql in zip(gold.items, sqls, strict=True)]
        for name, sqls in arms.items()
    }
    _judge(list(questions.values()), task, progress)
    levels = {item.gold: hardness(item.gold) for item in gold.items}
    scores = {}
    for name, sqls in arms.items():
        judged = [best_of([own.judgements[at] for own, at in found]) for found in places[name]]
        rows = [
            Scored(item, levels[item.gold], sql, judgement, None)
            for item, sql, judgement in zip(gold.items, sqls, judged, strict=True)
        ]
        scores[name] = Scores(rows, gold.sessions, 1)
    return scores


def _places(
    questions: dict[tuple[str, Allowances | None], _Question], item: Item, sql: str
) -> list[tuple[_Question, int]]:
    """Where the judgements of a prediction will be, one for each gold query of the question."""
    found = []
    for gold in item.golds:
        question = questions.setdefault((gold, item.allowances), _Question(gold, item.allowances))
        if sql not in question.predictions:
            question.predictions.append(sql)
        found.append((question, question.predictions.index(sql)))
    return found


def _judge(
    questions: Sequence[_Question], task: NativeTask, progress: Callable[[int, int], object]
) -> None:
    total = sum(len(question.predictions) for question in questions)
    finished = count(1)
    shares = [questions[start :: task.jobs] for start in range(task.jobs)]
    with ThreadPoolExecutor(task.jobs) as threads:
        for _ in threads.map(
            lambda share: _judge_share(share, task, lambda: progress(next(finished), total)),
            filter(None, shares),
        ):
            pass


def _judge_share(
    questions: Sequence[_Question], task: NativeTask, progress: Callable[[], object]
) -> None:
    """Judge in a process; one that dies costs the prediction that it was at."""
    left = [(question, sql) for question in questions for sql in question.predictions]
    while left:
        pairs = [(question.gold, question.allowances, sql) for question, sql in left]
        # Limits are kept inside; this is for a process that hangs.
        contents = 1 + (len(list(task.suite.glob("*.sqlite"))) if task.suite else 0)
        seconds = _EXECUTIONS * task.limits.timeout * contents
        for answer in guarded(_serve, (pairs, task), len(pairs), seconds):
            if isinstance(answer, InputError):
                raise answer
            judgement = _of_death(answer, task) if isinstance(answer, Death) else answer
            question, _ = left.pop(0)
            question.judgements.append(judgement)
            progress()


def _of_death(death: Death, task: NativeTask) -> Judgement:
    name = name_of(task.source)
    if death.status is None:
        judgement = Judgement("timeout", name, "seconds", task.limits.timeout)
    elif death.status > 0:
        raise RuntimeError(
            f"a process that judges on {name} ended with an error; it is printed above"
        )
    else:
        judgement = Judgement("refused", name, "process", None, -death.status)
    judgement.plug_value = False if task.plug_value else None
    return judgement


def _serve(
    answers: Connection, pairs: Sequence[tuple[str, Allowances | None, str]], task: NativeTask
) -> None:
    """Run in the process: answer each pair of gold and prediction with a judgement."""
    # Ctrl-C reaches the whole group; the program ends its processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    question: NativeGold | None = None
    asked: tuple[str, Allowances | None] | None = None
    try:
        engine = open_engine(task.source, task.limits)
        engine.refuse_writers()
        _confine(task)
        original = Content(name_of(task.source), engine.execute)
        suite = NativeSuite(task.suite, task.source, task.limits) if task.suite else None
        dialect = DIALECTS[kind_of(task.source)]
        for gold, allowances, prediction in pairs:
            if question is None or asked != (gold, allowances):
                asked = gold, allowances
                contents = [original, *(suite.contents(gold) if suite else ())]
                question = NativeGold(contents, gold, task.limits, dialect, allowances)
            answers.send(question.judge(prediction, task.plug_value))
    except InputError as error:
        answers.send(error)


def _confine(task: NativeTask) -> None:
    """Limit this process: no file written, no core dump, and memory where the engine does not limit its own."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if kind_of(task.source) != DUCKDB:
        size = task.limits.memory_mb * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
