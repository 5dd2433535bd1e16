"""Answers of the model that is trained, drawn by an engine in a process beside the trainer, on the same GPU.

The process (workflow/scripts/draw_for_training.py) is loaded once. Before it draws it takes the weights of the step,
which are written where files lie in memory.
"""

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.generation.contract import Completion
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.vllm_engine import OPTIONS_VARIABLE
from sqladder.processes.lifetime import dying_with_us
from sqladder.reinforcement.policy_weights import write_policy
from sqladder.settings.program_flags import to_flags
from sqladder.training.processes import PYTHON_VARIABLE, SCRIPTS, python_beside

PROGRAM = "draw_for_training.py"
_SHARED_MEMORY = Path("/dev/shm")


class EngineAnswers:
    """Draws by an engine that is loaded (policy_trainer.PolicyAnswers).

    Args:
        model: what the training starts from.
        longest: tokens of the longest prompt with its answer.
        answers: how many are drawn at a step.
        decoding: how they are drawn.

    Raises:
        InputError: vLLM is not here, or the engine does not start.
    """

    def __init__(self, model: Path, longest: int, answers: int, decoding: DecodingSettings) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="sqladder-", dir=_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
        )
        self._process = subprocess.Popen(
            [
                _python(),
                str(SCRIPTS / PROGRAM),
                f"--model={model}",
                f"--longest={longest}",
                f"--answers={answers}",
                *to_flags(decoding),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=dying_with_us(),
        )
        # The trainer takes memory only when the engine has its share.
        self._read()

    def draw(
        self, network: Any, prompts: Sequence[Sequence[int]], decoding: DecodingSettings
    ) -> list[list[Completion]]:
        """Answers to each prompt, by the network's present weights."""
        folder = Path(self._folder.name)
        write_policy(network, folder)
        asked = {"checkpoint": str(folder), "seed": decoding.seed, "prompts": list(prompts)}
        assert self._process.stdin is not None, "it was asked for as a pipe"
        self._process.stdin.write(f"{json.dumps(asked)}\n")
        self._process.stdin.flush()
        drawn = json.loads(self._read())
        return [[Completion(*own) for own in answers] for answers in drawn]

    def close(self) -> None:
        """End the engine."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()

    def _read(self) -> str:
        assert self._process.stdout is not None, "it was asked for as a pipe"
        line = self._process.stdout.readline()
        if not line:
            raise InputError(
                f"the program that draws answers ended with status {self._process.wait()}; what it said stands above. "
                f"Where memory ran out, kv_cache_memory_bytes in {OPTIONS_VARIABLE} gives it more, or less. The same "
                "command goes on from the last checkpoint"
            )
        return line


def _python() -> str:
    named = python_beside()
    if named == sys.executable and importlib.util.find_spec("vllm") is None:
        raise InputError(
            "the engine vllm draws beside the trainer and is not installed in its environment: install "
            f"workflow/envs/vllm.yaml's pins there, name a Python that has them in {PYTHON_VARIABLE}, or give the "
            "variant decoding: {engine: transformers}"
        )
    return named
