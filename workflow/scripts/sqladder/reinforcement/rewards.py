"""What an answer is worth: whether it is right, and if not, whether it runs and whether it is one SELECT."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqladder.metric.constant_answers import is_constant
from sqladder.metric.suite import CORRECT, WRONG_RESULT, Judgement

# An answer that reads begins so; extraction leaves no blank before it.
_READS = re.compile(r"(?:select|with|values)\b", re.IGNORECASE)


class Parts(NamedTuple):
    """The parts of a reward, each 1 or 0; what counts for answers that are not right is 0 for one that is.

    Attributes:
        right: its results are gold's on all files.
        runs: it runs, and gives others.
        select: it is not right, and one SELECT with nothing else beside it.
    """

    right: float
    runs: float
    select: float


def parts_of(text: str, sql: str, judgement: Judgement, golds: Sequence[str]) -> Parts:
    """The parts of an answer's reward.

    An answer that reads no table where gold does is a constant: with gold's results it runs, but is not right.

    Args:
        text: the whole answer.
        sql: what was extracted of it and executed.
        judgement: what became of that.
        golds: the gold queries.
    """
    is_correct = judgement.verdict == CORRECT
    if is_correct and not is_constant(sql, golds):
        return Parts(1.0, 0.0, 0.0)
    is_alone = bool(sql) and text.strip().removesuffix(";").rstrip() == sql
    is_select = is_alone and bool(_READS.match(sql)) and judgement.verdict != "refused"
    runs = is_correct or judgement.verdict == WRONG_RESULT
    return Parts(0.0, float(runs), float(is_select))


def group_counts(right: Any, rewards: Any) -> dict[str, float]:
    """Shares of the groups of a step whose rewards say nothing: all equal, none right, all right.

    Args:
        right: a tensor of groups x answers, 1 where an answer is right.
        rewards: the same of the whole rewards.
    """
    equal = (rewards == rewards[:, :1]).all(dim=1)
    return {
        "groups/equal": equal.float().mean().item(),
        "groups/none_right": (right.sum(dim=1) == 0).float().mean().item(),
        "groups/all_right": (right == 1).all(dim=1).float().mean().item(),
    }
