"""Judges the answers of a training as they come: worker processes that stay, and gold executed once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqladder.errors import InputError
from sqladder.metric.database_files import suite_files
from sqladder.metric.gold_results import GoldResults, Known
from sqladder.metric.inputs import Item
from sqladder.metric.pool import Question, WorkerPool
from sqladder.metric.scoring import Task
from sqladder.metric.suite import GOLD_ERROR, Judgement, best_of

_Key = tuple[str, str]
"""Database and gold query."""


class _KnownGold(NamedTuple):
    """What is known of a gold query: its results by file, and the programs that give them."""

    outlines: Known
    right: list[str]


class AnswerJudge:
    """Executes answers beside gold on all files of a question's database, in the metric's sandbox.

    Args:
        items: the questions with their gold.
        task: databases, limits and workers; what was known of gold's results is read from its folder.
    """

    def __init__(self, items: Sequence[Item], task: Task) -> None:
        self._items = {item.id: item for item in items}
        self._task = task
        self._suites = {
            name: suite_files(task.databases, name) for name in {item.db_id for item in items}
        }
        self._pool = WorkerPool(task.options, task.limits, task.jobs)
        self._known: dict[_Key, _KnownGold] = {}
        self._store = (
            GoldResults(task.gold_results, task.options, task.limits) if task.gold_results else None
        )
        self._read_known()

    def judge(self, asked: Sequence[tuple[Any, str]]) -> list[Judgement]:
        """Judge an answer to each of some questions, equal ones once.

        Args:
            asked: id of the question and the SQL of an answer.

        Raises:
            InputError: gold of a question fails here, so that no answer to it could be right.
        """
        questions: dict[_Key, Question] = {}
        places: list[list[tuple[Question, int]]] = []
        for name, sql in asked:
            item = self._items[name]
            places.append([self._place(questions, item.db_id, gold, sql) for gold in item.golds])
        self._pool.judge(questions.values())
        for key, question in questions.items():
            self._known[key] = _KnownGold(question.outlines, question.right)
        found = [best_of([question.judgement(at) for question, at in own]) for own in places]
        for (name, _), judgement in zip(asked, found, strict=True):
            if judgement.verdict == GOLD_ERROR:
                raise InputError(
                    f"gold of the training question {name} cannot be executed: {judgement.detail}; mend it, leave the "
                    "question out, or raise the limits of scoring"
                )
        return found

    def databases(self) -> dict[str, int]:
        """How many there are, and how many of one file, on which what is right by accident is rewarded."""
        return {
            "databases": len(self._suites),
            "databases_of_one_file": sum(len(files) == 1 for files in self._suites.values()),
        }

    def golds(self, name: Any) -> Sequence[str]:
        """The gold queries of a question."""
        return self._items[name].golds

    def close(self) -> None:
        """End the workers, and keep what was found of gold's results."""
        self._pool.close()
        if self._store is None:
            return
        by_database: dict[str, dict[str, _KnownGold]] = defaultdict(dict)
        for (db_id, gold), known in self._known.items():
            by_database[db_id][gold] = known
        for db_id, found in by_database.items():
            self._store.add(
                self._store.read(self._suites[db_id]),
                {gold: known.outlines for gold, known in found.items()},
                {gold: known.right for gold, known in found.items()},
            )

    def _read_known(self) -> None:
        if self._store is None:
            return
        for db_id, files in self._suites.items():
            suite = self._store.read(files)
            for gold, outlines in suite.known.items():
                right = list(suite.right.get(gold, ()))
                self._known[db_id, gold] = _KnownGold(dict(outlines), right)

    def _place(
        self, questions: dict[_Key, Question], db_id: str, gold: str, sql: str
    ) -> tuple[Question, int]:
        """Where the judgement of an answer beside one gold query will be."""
        key = db_id, gold
        if key not in questions:
            known = self._known.get(key, _KnownGold({}, []))
            questions[key] = Question(
                self._suites[db_id], gold, [], [], known.outlines, None, known.right
            )
        question, candidate = questions[key], (sql, False)
        if candidate not in question.candidates:
            question.candidates.append(candidate)
            question.judgements.append(None)
        return question, question.candidates.index(candidate)
