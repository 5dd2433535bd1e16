"""Answers that fail, asked again of a model that is loaded in this process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqladder.files import Row
from sqladder.generation.answering import Questioner
from sqladder.generation.contract import timed
from sqladder.generation.outcome import Facts
from sqladder.generation.repair_rounds import Repairs, execute, round_facts, to_ask
from sqladder.generation.settings import DecodingSettings, RepairedDecoding
from sqladder.generation.tokens import Encoded
from sqladder.generation.work_file import WorkFile
from sqladder.models.turns import Message

# Tokens for what the database said, which is cut after 300 characters, and for the marks of two turns.
_ERROR_AND_TURNS = 400


@dataclass(frozen=True)
class ModelRepairs:
    """Asks a model again whatever fails (answering.Repairing)."""

    repairs: Repairs

    def settings(self) -> dict[str, Any]:
        """What the answers depend on beside the decoding, as JSON (answering.Repairing)."""
        return self.repairs.settings()

    def room(self, max_new_tokens: int) -> int:
        """Tokens that a repair may have more than the first prompt: the answer, it in the template, the error."""
        # No text has more tokens than bytes.
        return 2 * max_new_tokens + len(self.repairs.template.encode()) + _ERROR_AND_TURNS

    def ask_again(
        self,
        asking: Questioner,
        rows: Sequence[Row],
        encoded: Encoded,
        encode: Callable[[list[list[Message]]], list[list[int]]],
        decoding: DecodingSettings,
    ) -> list[Facts]:
        """Execute what is new and ask again what fails, in as many rounds as there are (answering.Repairing)."""
        assert isinstance(decoding, RepairedDecoding), "made for one with rounds"
        most = self.room(decoding.max_new_tokens)
        facts = []
        for number in range(1, decoding.repair.rounds + 1):
            with timed(asking.stages, "execution"):
                execute(asking.work, rows, self.repairs, number)
            asked = list(to_ask(asking.work, rows, number, self.repairs.template))
            with timed(asking.stages, "tokenization"):
                ids = encode([each.messages for _, each in asked])
            fitting = [
                (each.key, own)
                for (place, each), own in zip(asked, ids, strict=True)
                if len(own) <= len(encoded.prompts[place]) + most
                and len(own) + decoding.max_new_tokens <= encoded.limit
            ]
            keys, prompts = [key for key, _ in fitting], [own for _, own in fitting]
            asking.ask(f"repair {number}", keys, prompts, decoding.of_repairs())
            facts.append(round_facts(asking.work, rows, number, len(asked) - len(fitting)))
        return facts

    def samples(self, work: WorkFile, key: str | int) -> list[Row]:
        """The samples of a question as they are kept, with their rounds (answering.Repairing)."""
        return self.repairs.samples(work, key)
