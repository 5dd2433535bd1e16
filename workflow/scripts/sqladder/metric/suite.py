"""Judge predictions for one question on all files of its database."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqladder.metric import first_rows, lexer, normalise, sqlite_tokens
from sqladder.metric import plug_value as values
from sqladder.metric.allowances import Allowances
from sqladder.metric.bird import BirdMarks
from sqladder.metric.equality import TooHardError, results_equal
from sqladder.metric.first_rows import FirstRows
from sqladder.metric.forgiving import forgives
from sqladder.metric.limits import Limits
from sqladder.metric.outlines import Outline, digest_of, outline_of, turned_of
from sqladder.metric.programs import is_lasting, name_of, program_of
from sqladder.metric.reasons import Expected, Found, explanation
from sqladder.metric.sandbox import QueryError, Result, Sandbox

CORRECT, WRONG_RESULT, GOLD_ERROR = "correct", "wrong_result", "gold_error"


@dataclass(frozen=True)
class Options:
    """How texts are compared.

    Attributes:
        plug_value: also judge with gold's values in the prediction's literal places.
        keep_distinct: do not delete DISTINCT from both texts.
        repairs: names from `normalise.REPAIRS`; none is the official behaviour.
        bird: also judge by BIRD's own metrics, on the original database, both texts as they stand.
    """

    plug_value: bool = False
    keep_distinct: bool = False
    repairs: frozenset[str] = frozenset()
    bird: bool = False


@dataclass
class Judgement:
    """What became of one prediction.

    Attributes:
        verdict: with the prediction's own values, on all files.
        file: name of the first database file on which it is not correct; None if it is, or was not executed.
        reason: why it is not correct, a code of `reasons.SENTENCES`; "" if it is.
        expected: the limit, or what gold has, where the reason names one.
        found: what was there instead, or SQLite's message.
        single_database: right on the original file, the others left aside.
        plug_value: right with some choice of gold's values; None if that was not asked for.
        forgiven: whether it is right by each metric of what the question forgives.
        bird: what BIRD's metrics say; None if that was not asked for.
        gold_rows: first rows of gold on the original file; None if they were not asked for, or gold was not executed.
        answer_rows: first rows of a wrong result on `file`; None if they were not asked for, or there are none.
    """

    verdict: str
    file: str | None = None
    reason: str = ""
    expected: Expected = None
    found: Found = None
    single_database: bool = False
    plug_value: bool | None = None
    forgiven: dict[str, bool] = field(default_factory=dict)
    bird: BirdMarks | None = None
    gold_rows: FirstRows | None = None
    answer_rows: FirstRows | None = None

    @property
    def detail(self) -> str:
        """File, reason, expected and found in words; "" if it is correct."""
        return explanation(self.verdict, self.file, self.reason, self.expected, self.found)


def best_of(judgements: Sequence[Judgement]) -> Judgement:
    """The judgement of an answer to a question with several gold queries: right is what equals any of them.

    What is wrong is explained by the first gold query, or where that fails by the next.
    """
    if len(judgements) == 1:
        return judgements[0]
    right = [own for own in judgements if own.verdict == CORRECT]
    shown = [own for own in judgements if own.verdict != GOLD_ERROR]
    first = (right or shown or list(judgements))[0]
    plugged = [own.plug_value for own in judgements]
    return replace(
        first,
        single_database=any(own.single_database for own in judgements),
        plug_value=None if None in plugged else any(plugged),
        bird=_best_bird([own.bird for own in judgements if own.bird]),
        forgiven={name: any(own.forgiven[name] for own in judgements) for name in first.forgiven},
    )


def _best_bird(marks: Sequence[BirdMarks]) -> BirdMarks | None:
    return BirdMarks(*map(max, zip(*marks, strict=True))) if marks else None


class WrongResultError(QueryError):
    """A prediction gave another result than gold."""

    def __init__(
        self, reason: str, number: int, result: Result, expected: Expected, found: Found
    ) -> None:
        super().__init__(WRONG_RESULT, reason, expected, found)
        self.number, self.result = number, result


class _Failure(NamedTuple):
    """The file on which a prediction failed, None before any, and how."""

    file: str | None
    error: QueryError


# Packed bytes of gold results kept for one question; as rows they take some ten times as much.
# Beyond this gold is executed again when needed.
_BYTES_KEPT = 10_000_000
# What all alternatives of one prediction may cost together, in units of one text and one run.
_TEXTS_OF_ALTERNATIVES, _RUNS_OF_ALTERNATIVES = 200, 10


class GoldQuery:
    """One gold query on the open files of its database, to which predictions are compared.

    Results of gold are kept, so that all predictions of one question share them.

    Attributes:
        outlines: of gold's results by the numbers of the files on which they are known, and will be the next time.
        right: names of programs that give gold's results on all files, and will the next time.
    """

    def __init__(
        self,
        files: Sequence[Sandbox],
        gold: str,
        options: Options,
        limits: Limits,
        before_execution: Callable[[int, bool, bool], None] = lambda number, gold, plugged: None,
        keep_rows: bool = False,
        outlines: Mapping[int, Outline] | None = None,
        allowances: Allowances | None = None,
        right: Iterable[str] = (),
    ) -> None:
        self.files, self.options, self.limits = files, options, limits
        self._before_execution = before_execution
        self._keep_rows, self._allowances = keep_rows, allowances or Allowances()
        self._gold_rows: FirstRows | None = None
        self.gold = normalise.prepare_gold(gold, options.keep_distinct, options.repairs)
        self.ordered = normalise.order_matters(self.gold, options.repairs)
        self._executable_gold = normalise.executable(self.gold, options.repairs)
        self.outlines = dict(outlines or {})
        self._results: dict[int, Result] = {}
        self._errors: dict[int, QueryError] = {}
        self._bytes_kept = self._steps_of_gold = 0
        # In the order in which they were found; `_right` holds those too that may be wrong the next time.
        self.right = dict.fromkeys(right)
        self._right: set[str] = set(self.right)
        self._is_gold_compiled = False
        self._latest: tuple[int, Result | None] = 0, None

    def judge(self, prediction: str, plug: bool) -> Judgement:
        """Judge one prediction on all files; `plug` also tries gold's values in it."""
        options = self.options
        unfit = _unfit(prediction, options, self.limits)
        if unfit:
            judgement = self._judgement(_Failure(None, unfit), False, False if plug else None)
            judgement.forgiven = dict.fromkeys(self._allowances.given, False)
            return judgement
        prepared = normalise.prepare_prediction(prediction, options.keep_distinct, options.repairs)
        passed, failure = self._compare(prepared, plugged=False)
        # The prediction's own text is the first alternative, so a right one needs no other.
        fits = plug and (failure is None or self._some_alternative_fits(prepared))
        judgement = self._judgement(failure, passed > 0, fits if plug else None)
        for name in self._allowances.given:
            judgement.forgiven[name] = failure is None or self._forgives(name, prepared)
        return judgement

    def result_on(self, number: int) -> Result:
        """Gold's result on one of the files.

        Raises:
            QueryError: gold has none there.
        """
        return self._gold_result(number, plugged=False)

    def _judgement(
        self, failure: _Failure | None, single_database: bool, plug_value: bool | None
    ) -> Judgement:
        judgement = Judgement(CORRECT)
        if failure:
            file, error = failure
            judgement = Judgement(error.verdict, file, error.reason, error.expected, error.found)
            if self._keep_rows and file and isinstance(error, WrongResultError):
                gold = self._gold_result(error.number, plugged=False)
                judgement.answer_rows = first_rows.of_answer(file, error.result, gold, self.ordered)
        judgement.single_database, judgement.plug_value = single_database, plug_value
        judgement.gold_rows = self._gold_rows
        return judgement

    def _compare(self, prepared: str, plugged: bool) -> tuple[int, _Failure | None]:
        """Number of files on which a text equals gold, and why it does not on the next one."""
        sql = normalise.executable(prepared, self.options.repairs)
        is_same, lasts = same_query(self._executable_gold, sql), False
        program = ""
        for number, file in enumerate(self.files):
            try:
                gold = self._gold_outline(number, plugged)
                # What the original file let pass may be a query that is known to be right, in another spelling.
                if number == 1 and not is_same:
                    program, lasts = self._compiled(sql)
                if not is_same and not self._is_known(program, file):
                    self._before_execution(number, False, plugged)
                    self._compare_on(number, gold, sql, plugged)
            except QueryError as error:
                return number, _Failure(file.path.name, error)
        if program:
            self._right.add(program)
            if lasts:
                self.right[program] = None
        return len(self.files), None

    def _is_known(self, program: str, file: Sandbox) -> bool:
        """Whether a query is right on a file since its program is: the file compiles queries as the original does."""
        if not program or file.schema is None or file.schema != self.files[0].schema:
            return False
        if program not in self._right and not self._is_gold_compiled:
            self._is_gold_compiled = True
            self._right.add(self._compiled(self._executable_gold)[0])
        return program in self._right

    def _compiled(self, sql: str) -> tuple[str, bool]:
        """A query's program by name, "" without one, and whether it gives the same result whenever it is executed."""
        program = program_of(self.files[0], sql)
        if program is None:
            return "", False
        return name_of(program), self.files[0].lasting and is_lasting(program)

    def _compare_on(self, number: int, gold: Outline, sql: str, plugged: bool) -> None:
        # One row too many is enough to know; an endless result costs no more than gold's.
        found = self.files[number].execute(sql, max_rows=gold.rows)
        here, there = len(found.rows), gold.rows
        if not found.complete:
            raise WrongResultError("more_rows", number, found, there, None)
        if here != there:
            raise WrongResultError("rows", number, found, there, here)
        # The official evaluator reads the number of columns off the first row, if there is one.
        repairs = self.options.repairs
        if found.columns != gold.columns and (there or "empty-columns" in repairs):
            raise WrongResultError("columns", number, found, gold.columns, found.columns)
        if digest_of(found) == gold.digest:
            return
        # The same columns in another order are gold to the official evaluator too, whatever their values.
        if there and gold.turned and turned_of(found) == gold.turned:
            return
        rows = self._gold_result(number, plugged).rows
        try:
            if not results_equal(rows, found.rows, self.ordered, "number-keys" in repairs):
                raise WrongResultError("values", number, found, None, None)
        except TooHardError:
            raise QueryError("refused", "ambiguous_columns") from None

    def _forgives(self, name: str, prepared: str) -> bool:
        """Whether a wrong answer is right on all files by one of the metrics of what the question forgives."""
        sql = normalise.executable(prepared, self.options.repairs)
        try:
            for number, file in enumerate(self.files):
                gold = self._gold_result(number, plugged=False)
                self._before_execution(number, False, False)
                found = file.execute(sql, max_rows=len(gold.rows))
                number_keys = "number-keys" in self.options.repairs
                if not found.complete or not forgives(
                    self._allowances, name, gold, found, self.ordered, number_keys
                ):
                    return False
        except QueryError:
            return False
        return True

    def _gold_outline(self, number: int, plugged: bool) -> Outline:
        # The rows that are shown to people are those of the original file.
        if number not in self.outlines or (self._keep_rows and number == 0):
            result = self._gold_result(number, plugged)
            if number not in self.outlines:
                return outline_of(result)
        return self.outlines[number]

    def _gold_result(self, number: int, plugged: bool) -> Result:
        if number == self._latest[0] and self._latest[1]:
            return self._latest[1]
        if number in self._results:
            return self._results[number]
        # What ran into a limit once would run into it again for every prediction.
        if number in self._errors:
            raise self._errors[number]
        self._before_execution(number, True, plugged)
        file = self.files[number]
        spent = file.steps_spent
        try:
            result = file.execute(self._executable_gold)
        except QueryError as error:
            if self._keep_rows and number == 0:
                self._gold_rows = first_rows.no_rows(file.path.name, str(error))
            reasons = error.reason, error.expected, error.found
            self._errors[number] = QueryError(GOLD_ERROR, *reasons)
            raise self._errors[number] from error
        finally:
            self._steps_of_gold += file.steps_spent - spent
        self._latest = number, result
        if file.lasting and number not in self.outlines:
            self.outlines[number] = outline_of(result)
        if self._keep_rows and number == 0:
            self._gold_rows = first_rows.of_gold(file.path.name, result)
        size = sum(map(len, result.packed))
        if self._bytes_kept + size <= _BYTES_KEPT:
            self._bytes_kept += size
            self._results[number] = result
        return result

    def _some_alternative_fits(self, prepared: str) -> bool:
        # Each alternative alone may be within all limits and there are many of them.
        room = _TEXTS_OF_ALTERNATIVES * self.limits.max_sql_chars // max(len(prepared), 1)
        most = min(self.limits.max_alternatives, room)
        texts, _ = values.alternatives(self.gold, prepared, most)
        budget = self._steps_spent() + _RUNS_OF_ALTERNATIVES * self.limits.max_vm_steps
        for text in texts:
            if self._steps_spent() > budget:
                return False
            if not same_query(text, prepared) and self._compare(text, plugged=True)[1] is None:
                return True
        return False

    def _steps_spent(self) -> int:
        # Without gold's: how much of it was known before must not decide.
        return sum(file.steps_spent for file in self.files) - self._steps_of_gold


def same_query(left: str, right: str) -> bool:
    """Whether two texts are the same query to SQLite, blanks and unquoted case aside.

    False does not say that they differ: a query whose result may change from one execution to the
    next is never the same as another.
    """
    # Far cheaper than cutting into tokens, and enough for nearly all that differ.
    if _squeezed(left) != _squeezed(right):
        return False
    key = query_key(left)
    return key is not None and key == query_key(right)


def _squeezed(sql: str) -> str:
    return "".join(sql.split()).removesuffix(";").lower()


def query_key(sql: str) -> tuple[str, ...] | None:
    """What two texts share only if SQLite reads them as the same query: its tokens.

    Blanks between tokens and the case of what is not quoted make no difference. A text that is no
    SQL to SQLite has no key, nor has a query whose result may differ from one execution to the next,
    or may show how names are written.
    """
    words = sqlite_tokens.words(sql, comments=True)
    if words is None or words[:1] == ["explain"] or any("random" in word for word in words):
        return None
    # A second one would be a second statement.
    return tuple(words[:-1] if words[-1:] == [";"] else words)


def _unfit(prediction: str, options: Options, limits: Limits) -> QueryError | None:
    """Why a text is not even tried: it holds no statement, too many, or is too long."""
    if len(prediction) > limits.max_sql_chars:
        return QueryError("refused", "characters", limits.max_sql_chars, len(prediction))
    # A letter is cheaper to find than tokens, and nearly every text starts with one.
    if not _starts_with_word(prediction) and not _first_statement_says_something(prediction):
        return QueryError("no_sql", "no_statement")
    if "one-statement" in options.repairs and normalise.has_second_statement(prediction):
        return QueryError("refused", "statements")
    return None


def _starts_with_word(sql: str) -> bool:
    return sql.lstrip()[:1].isalpha()


def _first_statement_says_something(sql: str) -> bool:
    return lexer.has_statement("".join(token.text for token in lexer.first_statement(sql)))
