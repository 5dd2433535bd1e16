"""Answers of the model that is trained, drawn by an engine beside the trainer, on its GPU, or by several on their own.

Each engine is a process (workflow/scripts/draw_for_training.py) that is loaded once. Before it draws it takes the
weights of the step, which are written where files lie in memory. Several engines draw at the same time, each for a part
of the prompts.
"""

import importlib.util
import json
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.generation.contract import Completion
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.vllm_engine import OPTIONS_VARIABLE
from sqladder.reinforcement.policy_weights import write_policy
from sqladder.settings.program_flags import to_flags
from sqladder.training.processes import PYTHON_VARIABLE, python_beside
from sqladder.training.program_beside import ProgramBeside

PROGRAM = "draw_for_training.py"
_SHARED_MEMORY = Path("/dev/shm")


class EngineAnswers:
    """Draws by an engine that is loaded (policy_trainer.PolicyAnswers).

    Args:
        model: what the training starts from.
        longest: tokens of the longest prompt with its answer.
        answers: how many are drawn at a step.
        decoding: how they are drawn.
        devices: of each engine its GPU, as CUDA names it; without any, one engine shares that of the trainer.

    Raises:
        InputError: vLLM is not here, or the engine does not start.
    """

    def __init__(
        self,
        model: Path,
        longest: int,
        answers: int,
        decoding: DecodingSettings,
        devices: Sequence[str] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="sqladder-", dir=_SHARED_MEMORY if _SHARED_MEMORY.is_dir() else None
        )
        _check_vllm()
        command = [PROGRAM, f"--model={model}", f"--longest={longest}", f"--answers={answers}"]
        own_or_shared: Sequence[str | None] = devices or [None]
        self._programs = [
            ProgramBeside(
                [*command, *([] if device is None else ["--alone"]), *to_flags(decoding)],
                "draws answers",
                f"Where memory ran out, kv_cache_memory_bytes in {OPTIONS_VARIABLE} gives it more, or less",
                device,
            )
            for device in own_or_shared
        ]
        # The trainer takes memory only when an engine beside it has its share.
        for program in self._programs:
            program.read()

    def draw(
        self, network: Any, prompts: Sequence[Sequence[int]], decoding: DecodingSettings
    ) -> list[list[Completion]]:
        """Answers to each prompt, by the network's present weights."""
        folder = Path(self._folder.name)
        write_policy(network, folder)
        parts = _parts(prompts, len(self._programs))
        for program, part in zip(self._programs, parts, strict=True):
            asked = {"checkpoint": str(folder), "seed": decoding.seed, "prompts": part}
            program.tell(json.dumps(asked))
        drawn = [answers for program in self._programs for answers in json.loads(program.read())]
        return [[Completion(*own) for own in answers] for answers in drawn]

    def close(self) -> None:
        """End the engines."""
        for program in self._programs:
            program.close()
        self._folder.cleanup()


def _parts(prompts: Sequence[Sequence[int]], count: int) -> list[list[Sequence[int]]]:
    """Prompts in so many parts of nearly one size, in their order."""
    ends = [len(prompts) * part // count for part in range(count + 1)]
    return [list(prompts[start:end]) for start, end in pairwise(ends)]


def _check_vllm() -> None:
    if python_beside() == sys.executable and importlib.util.find_spec("vllm") is None:
        raise InputError(
            "the engine vllm draws beside the trainer and is not installed in its environment: install "
            f"workflow/envs/vllm.yaml's pins there, name a Python that has them in {PYTHON_VARIABLE}, or give the "
            "variant decoding: {engine: transformers}"
        )
