"""Judge predictions for one question in the engine where its data live.

The texts are executed as they are written: none of what the scoring on SQLite does to them for the official evaluator's
sake happens here. What two results have in common is decided by the metric's own comparison.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqladder.databases.conversion import Answer
from sqladder.metric import first_rows, plug_value
from sqladder.metric.allowances import Allowances
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.first_rows import FirstRows
from sqladder.metric.forgiving import forgives
from sqladder.metric.limits import Limits
from sqladder.metric.sandbox import QueryError, Result
from sqladder.metric.suite import CORRECT, GOLD_ERROR, Judgement, WrongResultError
from sqladder.native.ordering import order_matters


@dataclass(frozen=True)
class Content:
    """One content of a database.

    Attributes:
        name: of the database, or of the content.
        execute: executes a query, up to so many rows.
        takes: whether a query would read this content, and not the original that it is loaded beside.
    """

    name: str
    execute: Callable[[str, int | None], Answer]
    takes: Callable[[str], bool] = lambda sql: True


class NativeGold:
    """One gold query, to which predictions are compared on all contents of its database."""

    def __init__(
        self,
        contents: Sequence[Content],
        gold: str,
        limits: Limits,
        dialect: str,
        allowances: Allowances | None = None,
    ) -> None:
        self._contents, self._gold, self._limits = contents, gold, limits
        self._allowances = allowances
        self._ordered = order_matters(gold, dialect)
        self._results: dict[int, Result | QueryError] = {}
        self._gold_rows: FirstRows | None = None

    def judge(self, prediction: str, plug: bool) -> Judgement:
        """Judge one prediction; `plug` also tries gold's values in its places, within the time of one execution."""
        passed, failure = self._compare(prediction)
        judgement = Judgement(CORRECT)
        if failure:
            name, error = failure
            judgement = Judgement(error.verdict, name, error.reason, error.expected, error.found)
            if isinstance(error, WrongResultError):
                gold = self._gold_result(error.number)
                judgement.answer_rows = first_rows.of_answer(
                    name, error.result, gold, self._ordered
                )
        judgement.single_database = passed > 0
        judgement.gold_rows = self._gold_rows
        if plug:
            judgement.plug_value = failure is None or self._some_alternative_fits(prediction)
        for metric in self._allowances.given if self._allowances else ():
            judgement.forgiven[metric] = failure is None or self._forgives(metric, prediction)
        return judgement

    def _compare(self, prediction: str) -> tuple[int, tuple[str, QueryError] | None]:
        """Number of contents on which a text equals gold, and why it does not on the next one."""
        for number in self._places(prediction):
            try:
                self._compare_on(number, self._gold_result(number), prediction)
            except QueryError as error:
                return number, (self._contents[number].name, error)
        return len(self._contents), None

    def _places(self, prediction: str) -> Iterator[int]:
        """Where a text is compared: on the original, and on each content that it reads and on which gold succeeds."""
        yield 0
        for number, content in enumerate(self._contents[1:], start=1):
            if not content.takes(prediction):
                continue
            try:
                self._gold_result(number)
            except QueryError:
                continue
            yield number

    def _compare_on(self, number: int, gold: Result, prediction: str) -> None:
        found = self._execute(number, prediction, len(gold.rows))
        here, there = len(found.rows), len(gold.rows)
        if not found.complete:
            raise WrongResultError("more_rows", number, found, there, None)
        if here != there:
            raise WrongResultError("rows", number, found, there, here)
        if found.columns != gold.columns:
            raise WrongResultError("columns", number, found, gold.columns, found.columns)
        try:
            if not results_equal(gold.rows, found.rows, self._ordered, number_keys=True):
                raise WrongResultError("values", number, found, None, None)
        except TooHardError:
            raise QueryError("refused", "ambiguous_columns") from None

    def _gold_result(self, number: int) -> Result:
        if number not in self._results:
            try:
                self._results[number] = self._execute(number, self._gold, None)
            except QueryError as error:
                if number == 0:
                    self._gold_rows = first_rows.no_rows(self._contents[0].name, str(error))
                reasons = error.reason, error.expected, error.found
                self._results[number] = QueryError(GOLD_ERROR, *reasons)
        found = self._results[number]
        if isinstance(found, QueryError):
            raise found
        if number == 0 and self._gold_rows is None:
            self._gold_rows = first_rows.of_gold(self._contents[0].name, found)
        return found

    def _execute(self, number: int, sql: str, max_rows: int | None) -> Result:
        try:
            answer = self._contents[number].execute(sql, max_rows)
        except MemoryError as error:
            raise QueryError("refused", "memory", self._limits.memory_mb) from error
        return Result(answer.rows, answer.names, [], answer.complete)

    def _forgives(self, metric: str, prediction: str) -> bool:
        assert self._allowances, "asked for only where there are some"
        try:
            for number in self._places(prediction):
                gold = self._gold_result(number)
                found = self._execute(number, prediction, len(gold.rows))
                if not found.complete or not forgives(
                    self._allowances, metric, gold, found, self._ordered, number_keys=True
                ):
                    return False
        except QueryError:
            return False
        return True

    def _some_alternative_fits(self, prediction: str) -> bool:
        if isinstance(self._results.get(0), QueryError):
            return False
        end = time.monotonic() + self._limits.timeout
        texts, _ = plug_value.alternatives(self._gold, prediction, self._limits.max_alternatives)
        for text in texts:
            if time.monotonic() > end:
                return False
            if text != prediction and self._compare(text)[1] is None:
                return True
        return False
