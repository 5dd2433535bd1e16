"""Sort several answers to one question by the results that they give, without a gold query."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqladder.metric import pool
from sqladder.metric.limits import Limits
from sqladder.metric.suite import CORRECT, WRONG_RESULT, Judgement, Options
from sqladder.metric.trial import executed, standing_as_gold


@dataclass
class Answered:
    """The answers to one question.

    Attributes:
        database: the file that they are executed on.
        sqls: the answers; equal ones may stand several times.
        groups: the number of each answer's group, one an answer, filled in by `group_by_result`. Groups count from 0
            in the order of their first members; None is an answer without result.
    """

    database: str
    sqls: Sequence[str]
    groups: list[int | None] = field(default_factory=list)


def group_by_result(
    questions: Sequence[Answered],
    options: Options,
    limits: Limits,
    jobs: int,
    progress: Callable[[int], object] = lambda questions: None,
) -> None:
    """Give each answer the group of those with its result.

    An answer joins the first group for whose first member, taken as gold, the metric would call it correct on this one
    file. One that fails, is refused or costs too much is in no group.

    Args:
        questions: the answers; their `groups` are filled in.
        options: how texts and results are compared.
        limits: what one execution may cost.
        jobs: number of processes.
        progress: called with the number of questions as they are finished.

    Raises:
        WorkerError: a worker did not start, or reported an exception of its own code.
    """
    sortings = [_Sorting(question, options) for question in questions]
    open_ones = sortings
    with pool.WorkerPool(standing_as_gold(options), limits, jobs) as workers:
        # Each round finds one more group of every question that has answers left.
        while open_ones := [each for each in open_ones if each.waiting]:
            rounds = [each.next_question() for each in open_ones]
            workers.judge(rounds)
            for each, judged in zip(open_ones, rounds, strict=True):
                each.take(judged)
            progress(sum(not each.waiting for each in open_ones))
    for each in sortings:
        each.question.groups = [each.groups[text] for text in each.texts]


class _Sorting:
    """The answers of one question on their way into groups."""

    def __init__(self, question: Answered, options: Options) -> None:
        self.question = question
        # Every answer is a prediction, also while it stands as gold.
        self.texts = [executed(sql, options) for sql in question.sqls]
        self.waiting = list(dict.fromkeys(self.texts))
        self.groups: dict[str, int | None] = {}
        self._found = 0

    def next_question(self) -> pool.Question:
        """The first answer that waits as gold, and all that wait as predictions, itself for its own faults."""
        candidates = [(text, False) for text in self.waiting]
        return pool.Question(
            [self.question.database], self.waiting[0], candidates, [None] * len(candidates)
        )

    def take(self, judged: pool.Question) -> None:
        """Sort by what became of the answers; those with another result go on waiting."""
        judgements = [judged.judgement(place) for place in range(len(self.waiting))]
        first, *others = self.waiting
        if judgements[0].verdict != CORRECT:
            # It has no result, so nothing is known of the others.
            self.groups[first] = None
            self.waiting = others
            return
        paired = list(zip(self.waiting, judgements, strict=True))
        members = [text for text, judgement in paired if judgement.verdict == CORRECT]
        self.groups |= dict.fromkeys(self.waiting) | dict.fromkeys(members, self._found)
        self._found += 1
        self.waiting = [text for text, judgement in paired if _has_another_result(judgement)]


def _has_another_result(judgement: Judgement) -> bool:
    """Whether an answer may have a result, though not that of the group."""
    return judgement.verdict == WRONG_RESULT or judgement.reason == "ambiguous_columns"
