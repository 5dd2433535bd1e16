"""A program that works beside a training and is asked by it, a line for each question and each answer."""

import os
import subprocess
from collections.abc import Sequence
from typing import IO

from sqladder.errors import InputError
from sqladder.processes.lifetime import dying_with_us
from sqladder.training.processes import DEVICES_VARIABLE, SCRIPTS, python_beside

# What torchrun tells its processes, of which the program is none; by the last of these vLLM would wait for the others.
_OF_TORCHRUN = {
    "RANK",
    "LOCAL_RANK",
    "GROUP_RANK",
    "ROLE_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "GROUP_WORLD_SIZE",
    "ROLE_WORLD_SIZE",
    "ROLE_NAME",
    "MASTER_ADDR",
    "MASTER_PORT",
    "TORCHELASTIC_RUN_ID",
    "TORCHELASTIC_USE_AGENT_STORE",
}


class ProgramBeside:
    """The program, which loads what it needs while the training does.

    Args:
        command: the program, by its name among those of the rules or by its path, and its flags.
        work: what it does, for the error of one that ended: "judges checkpoints".
        way_out: a sentence for that error, on what may have been the cause.
        device: its GPU, as CUDA names it; None for the training's.

    Raises:
        InputError: the python that the environment names for it is none.
    """

    def __init__(
        self, command: Sequence[str], work: str, way_out: str = "", device: str | None = None
    ) -> None:
        self._work, self._way_out = work, way_out and f" {way_out}."
        program, *flags = command
        environment = {key: own for key, own in os.environ.items() if key not in _OF_TORCHRUN}
        if device is not None:
            environment[DEVICES_VARIABLE] = device
        self._process = subprocess.Popen(
            [python_beside(), str(SCRIPTS / program), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=dying_with_us(),
        )

    def ask(self, line: str) -> str:
        """The line that it answers to one."""
        self.tell(line)
        return self.read()

    def tell(self, line: str) -> None:
        """Ask it, and do not wait for the answer."""
        pipe = self._pipe(self._process.stdin)
        pipe.write(f"{line}\n")
        pipe.flush()

    def read(self) -> str:
        """The next line that it writes.

        Raises:
            InputError: it has ended.
        """
        line = self._pipe(self._process.stdout).readline()
        if not line:
            raise InputError(
                f"the program that {self._work} ended with status {self._process.wait()}; what it said stands above."
                f"{self._way_out} The same command goes on from the last checkpoint"
            )
        return line

    def close(self) -> None:
        """End it."""
        self._pipe(self._process.stdin).close()
        self._process.wait()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None, "both were asked for as pipes"
        return pipe
