"""Execute predictions by themselves, without a gold query: which have a result, and why the others have none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from sqladder.metric import pool
from sqladder.metric.limits import Limits
from sqladder.metric.reasons import sentence
from sqladder.metric.suite import CORRECT, Judgement, Options

_VALUE_IN_NAMES = "value-in-names"


@dataclass
class Tried:
    """The answers to one question.

    Attributes:
        database: the file that they are executed on.
        sqls: the answers; equal ones may stand several times.
        errors: why each has no result, None where it has one; one an answer, filled in by `try_out`.
    """

    database: str
    sqls: Sequence[str]
    errors: list[str | None] = field(default_factory=list)


def try_out(
    questions: Sequence[Tried],
    options: Options,
    limits: Limits,
    jobs: int,
    progress: Callable[[int], object] = lambda executed: None,
) -> None:
    """Execute each answer, equal ones to a question once.

    Args:
        questions: the answers; their `errors` are filled in.
        options: what the metric does to a text before it executes it.
        limits: what one execution may cost.
        jobs: number of processes.
        progress: called with the number of answers that were executed by a step.

    Raises:
        WorkerError: a worker did not start, or reported an exception of its own code.
    """
    texts = [[executed(sql, options) for sql in question.sqls] for question in questions]
    # As gold and as prediction: what fails as either has no result.
    trials = [
        {
            text: pool.Question([question.database], text, [(text, False)], [None])
            for text in dict.fromkeys(own)
        }
        for question, own in zip(questions, texts, strict=True)
    ]
    every = [trial for own in trials for trial in own.values()]
    pool.run(every, standing_as_gold(options), limits, jobs, progress)
    for question, own, tried in zip(questions, texts, trials, strict=True):
        question.errors = [_error(tried[text].judgement(0)) for text in own]


def executed(sql: str, options: Options) -> str:
    """The text that the metric executes for a prediction."""
    return sql if _VALUE_IN_NAMES in options.repairs else sql.replace("value", "1")


def standing_as_gold(options: Options) -> Options:
    """Options for predictions that stand as gold, whose text the metric leaves alone: `executed` gives it."""
    return replace(options, plug_value=False, repairs=options.repairs | {_VALUE_IN_NAMES})


def _error(judgement: Judgement) -> str | None:
    if judgement.verdict == CORRECT:
        return None
    return sentence(judgement.reason, judgement.expected, judgement.found)
