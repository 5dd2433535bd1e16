"""What variants that learn from execution could do before, and what of it they learned, by hardness."""

from collections.abc import Mapping
from typing import Any

from sqladder.report.charts.reward_curves import by_reward
from sqladder.report.metrics import LEVELS
from sqladder.report.results import OneSeed
from sqladder.report.sections.one_file import on_one_file
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.rewarded import of_rewards
from sqladder.report.sections.times import timed
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, number, plural, seconds


def section(inputs: ReportInputs) -> str:
    """The section in Markdown; nothing where no variant learned from execution."""
    learned = [
        own
        for own in inputs.comparison.run.replicates
        if "learning" in own.training and "model_of" not in own.training
    ]
    if not learned:
        return ""
    in_rounds = [own for own in learned if own.training["learning"]["rounds"]]
    parts = [
        "## Learned from execution",
        *([_OF_ROUNDS, *map(_of_training, in_rounds)] if in_rounds else []),
        *([of_rewards(inputs)] if by_reward(inputs.comparison) else []),
    ]
    return "\n\n".join(parts)


_OF_ROUNDS = """Answers to training questions that a variant's model drew, executed on the training databases.
*Never*, *sometimes* and *always* say how many questions got no right answer, some, and right ones only. What is
learned of questions that were always right the model could do before: it teaches other spellings at most. Nothing is
learned of those that were never right in any round; what an earlier round found is kept in the next."""


def _of_training(own: OneSeed) -> str:
    learning = own.training["learning"]
    parts = [
        _of_round(learning["method"], place, counts)
        for place, counts in enumerate(learning["rounds"], start=1)
    ]
    spent = "; ".join(
        f"{part['what']} {seconds(part['seconds'])} on {plural(part['devices'], 'device')}"
        for part in learning["spent"]
    )
    judging = sum(counts["judging_seconds"] for counts in learning["rounds"])
    took = timed(
        [f"Before its last training: {spent}; judging {seconds(judging)} of CPU processes."]
    )
    return f"### {escape(own.label)}, from {escape(own.training['start_from'])}\n\n{''.join(parts)}{took}"


def _of_round(method: str, place: int, counts: Mapping[str, Any]) -> str:
    named = _COLUMNS[method]
    rows = [
        [level, *(number(counts["levels"][level][key]) for key in named), _share(counts, level)]
        for level in (*LEVELS, "all")
    ]
    header = ["level", *named.values(), _SHARE]
    levels = table(header, rows, "l" + "r" * (len(header) - 1))
    return (
        f"Round {place}: {counts['samples']} answers to each question at temperature {counts['temperature']:g}, "
        f"{number(counts['different'])} different ones.{on_one_file(counts)}\n\n{levels}\n\n"
    )


_ALL_KNOWN: Mapping[str, str] = {
    "questions": "questions",
    "never": "never right",
    "sometimes": "sometimes",
    "always": "always",
}
_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "rejection": {**_ALL_KNOWN, "kept": "answers kept", "kept_always": "of them always right"},
    "dpo": {
        **_ALL_KNOWN,
        "rows": "pairs, wrong by rows",
        "error": "by an error",
        "time": "by time",
    },
}
_SHARE = "with a right one"


def _share(counts: Mapping[str, Any], level: str) -> str:
    """Share of the questions that got a right answer at all."""
    own = counts["levels"][level]
    if not own["questions"]:
        return UNKNOWN
    return f"{(own['questions'] - own['never']) / own['questions']:.1%}"
