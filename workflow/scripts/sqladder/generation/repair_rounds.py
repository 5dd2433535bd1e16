"""Answers that fail on the question's own database, and the turns that ask for them again, whoever is asked.

The work file holds the first answers to a question under (0, id), what became of each answer in a round under
("errors", round, id), and the answers to repairs under (round, id, sample), without a sample where the prompt was too
long. Samples that failed alike are asked once, the first of them for all. A round shows the model its last answer
alone, so every round's prompt has one form, that of training.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tqdm import tqdm

from sqladder.errors import LOG
from sqladder.files import Row
from sqladder.generation.outcome import Facts
from sqladder.generation.work_file import Key, WorkFile
from sqladder.metric.limits import Limits
from sqladder.metric.suite import Options
from sqladder.metric.trial import Tried, try_out
from sqladder.models.turns import Message
from sqladder.prompts.rendering import repair_messages

_ERRORS = "errors"


@dataclass(frozen=True)
class Repairs:
    """How answers that fail are found and asked again.

    Attributes:
        template: the turn that asks again.
        databases: for each question, by id, the file that its answers are executed on.
        options: what the metric does to a text before it executes it.
        limits: what one execution may cost.
    """

    template: str
    databases: Mapping[str | int, str]
    options: Options
    limits: Limits

    def settings(self) -> dict[str, Any]:
        """What repairs depend on, as JSON; the databases by their paths."""
        return {
            "template": self.template,
            "databases": sorted(set(self.databases.values())),
            "repairs": sorted(self.options.repairs),
            "limits": vars(self.limits),
        }

    def samples(self, work: WorkFile, key: str | int) -> list[Row]:
        """The samples of a question: the last answer of each, with all rounds."""
        return [repaired(chain) for chain in rounds_of(work, key)]


def round_facts(work: WorkFile, rows: Sequence[Row], number: int, left_out: int) -> Facts:
    """What a round was, and took.

    Args:
        work: the answers.
        rows: the prompts.
        number: of the round, from 1.
        left_out: prompts that were not asked, since they are too long.
    """
    found = [work[key] for key in work if key[0] == number]
    answered = [row for row in found if row["samples"]]
    too_long = left_out + len(found) - len(answered)
    facts = {
        "failing": failing(work, rows, number),
        "asked": len(answered),
        "too_long": too_long,
        "prompt_tokens": sum(row["prompt_tokens"] for row in answered),
        "output_tokens": sum(row["samples"][0]["output_tokens"] for row in answered),
        "seconds": round(work.seconds[number], 3),
    }
    LOG.info(
        f"repair {number}: {facts['failing']} answers without a result, {facts['asked']} prompts asked again, "
        f"{too_long} left out as too long for the model"
    )
    return facts


class Asked(NamedTuple):
    """An answer that is to be asked again: the key of what comes, and the conversation so far."""

    key: Key
    messages: list[Message]


def execute(work: WorkFile, rows: Sequence[Row], repairs: Repairs, number: int) -> None:
    """Note in the work file what becomes of the answers of the round before, where it is not known.

    Args:
        work: the answers.
        rows: the prompts.
        repairs: how answers are executed.
        number: of the round, from 1.
    """
    open_ones = [row["id"] for row in rows if (_ERRORS, number, row["id"]) not in work]
    # The places of the answers that are new, and their texts.
    places = {key: _new_places(work, key, number) for key in open_ones}
    tried = {
        key: Tried(repairs.databases[key], [sql for _, sql in own]) for key, own in places.items()
    }
    total = sum(len(set(own.sqls)) for own in tried.values())
    with tqdm(total=total, desc="execute", unit="query", disable=None) as bar:
        try_out(list(tried.values()), repairs.options, repairs.limits, 1, bar.update)
    found: dict[Key, Any] = {}
    for key, own in places.items():
        errors: list[str | None] = [None] * len(work[0, key]["samples"])
        for (place, _), error in zip(own, tried[key].errors, strict=True):
            errors[place] = error
        found[_ERRORS, number, key] = errors
    work.add(found)


def _new_places(work: WorkFile, key: str | int, number: int) -> list[tuple[int, str]]:
    chains = rounds_of(work, key)
    return [(place, chain[-1]["sql"]) for place, chain in enumerate(chains) if len(chain) == number]


def to_ask(
    work: WorkFile, rows: Sequence[Row], number: int, template: str
) -> Iterator[tuple[int, Asked]]:
    """Yield what is asked again in a round, with the place of its prompt among the rows.

    An answer that fails as the one before it did is left as it is: the model would answer the same once more.
    """
    for row_place, row in enumerate(rows):
        errors = work[_ERRORS, number, row["id"]]
        if not any(errors):
            continue
        # Without the answers of this round, which an attempt before may have left.
        chains = [chain[:number] for chain in rounds_of(work, row["id"])]
        for place in sorted(set(_leaders(chains, errors).values())):
            failed = [(answer["text"], answer["error"]) for answer in chains[place]]
            if failed[-1] in failed[:-1]:
                continue
            last = chains[place][-1]
            messages = repair_messages(
                row["messages"], last["text"], last["sql"], last["error"], template
            )
            yield row_place, Asked((number, row["id"], place), messages)


def failing(work: WorkFile, rows: Sequence[Row], number: int) -> int:
    """How many answers of the round before have no result."""
    return sum(error is not None for row in rows for error in work[_ERRORS, number, row["id"]])


def rounds_of(work: WorkFile, key: str | int) -> list[list[Row]]:
    """For each sample of a question its answers, the first one first; those that failed have their `error`."""
    chains = [[sample] for sample in work[0, key]["samples"]]
    number = 1
    while (_ERRORS, number, key) in work:
        errors = work[_ERRORS, number, key]
        leaders = _leaders(chains, errors)
        for place, leader in leaders.items():
            chains[place][-1] = {**chains[place][-1], "error": errors[place]}
            if (number, key, leader) in work and work[number, key, leader]["samples"]:
                row = work[number, key, leader]
                answer = {**row["samples"][0], "prompt_tokens": row["prompt_tokens"]}
                chains[place].append(answer)
        number += 1
    return chains


def _leaders(chains: Sequence[Sequence[Row]], errors: Sequence[str | None]) -> dict[int, int]:
    """For each sample that failed the first one that failed with the same text in the same way."""
    first: dict[tuple[str, str], int] = {}
    leaders = {}
    for place, error in enumerate(errors):
        if error is not None:
            text = chains[place][-1]["text"]
            leaders[place] = first.setdefault((text, error), place)
    return leaders


def repaired(chain: Sequence[Row]) -> Row:
    """A sample as it is kept in the predictions: its last answer, with all rounds where it was asked again."""
    *_, last = chain
    answer = {name: last[name] for name in last if name not in ("error", "prompt_tokens")}
    return {**answer, "rounds": list(chain)} if len(chain) > 1 else answer
