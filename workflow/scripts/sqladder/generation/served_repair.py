"""Answers of a server that fail, asked again of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqladder.files import Row
from sqladder.generation.contract import timed
from sqladder.generation.outcome import Facts
from sqladder.generation.repair_rounds import Repairs, execute, round_facts, to_ask
from sqladder.generation.served import Asker
from sqladder.generation.settings import RepairedSampling
from sqladder.generation.work_file import WorkFile


@dataclass(frozen=True)
class ServedRepairs:
    """Asks a server again whatever fails (served_job.AskingAgain)."""

    repairs: Repairs
    decoding: RepairedSampling

    def ask_again(self, asker: Asker, rows: Sequence[Row], stages: dict[str, float]) -> list[Facts]:
        """Execute what is new and ask again what fails, in as many rounds as there are (served_job.AskingAgain).

        How long a prompt the model takes only the server knows: what it refuses as too long is left as it is.
        """
        facts = []
        for number in range(1, self.decoding.repair.rounds + 1):
            with timed(stages, "execution"):
                execute(asker.work, rows, self.repairs, number)
            asked = to_ask(asker.work, rows, number, self.repairs.template)
            prompts = {each.key: each.messages for _, each in asked}
            asker.ask(f"repair {number}", prompts, self.decoding.of_repairs(), may_be_too_long=True)
            facts.append(round_facts(asker.work, rows, number, left_out=0))
        return facts

    def samples(self, work: WorkFile, key: str | int) -> list[Row]:
        """The samples of a question as they are kept, with their rounds (served_job.AskingAgain)."""
        return self.repairs.samples(work, key)
