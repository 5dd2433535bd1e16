"""The checkpoints of a training, each asked all validation questions and judged by what its answers give."""

import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from sqladder.errors import LOG, InputError
from sqladder.files import join_by_id, read_jsonl
from sqladder.generation import tokens
from sqladder.generation.answering import load_engine
from sqladder.generation.contract import Finished, Load, ModelEngine, ReloadingEngine
from sqladder.generation.extraction import extract_sql
from sqladder.generation.settings import DecodingSettings
from sqladder.metric.inputs import read_gold
from sqladder.metric.question_groups import question_group
from sqladder.metric.scoring import Task, score
from sqladder.models.network import load_checkpoint
from sqladder.prompts.prompt_fields import PROMPT_FIELDS

ARM = "checkpoint"
# Answers in work at a time by vLLM: each takes memory that the training has a use for.
AT_ONCE = 256


def with_engine_here(decoding: DecodingSettings, has_adapters: bool) -> DecodingSettings:
    """The settings by which this python can ask checkpoints: by transformers where vLLM is not installed, and says so.

    Args:
        decoding: how questions shall be answered.
        has_adapters: whether checkpoints are adapters, which are merged.

    Raises:
        InputError: adapters cannot be merged here.
    """
    if has_adapters and find_spec("peft") is None:
        raise InputError(
            f"{sys.executable} is asked to judge checkpoints of adapters, and has no peft to merge them: install what "
            "workflow/envs/train.yaml says of peft and accelerate"
        )
    if decoding.engine != "vllm" or find_spec("vllm"):
        return decoding
    LOG.warning(
        f"validation: checkpoints are asked by transformers, not by vLLM, which is not installed for {sys.executable}; "
        "on a GPU that takes several times as long. docs/training.md says how to name another python for it"
    )
    return decoding.model_copy(update={"engine": "transformers"})


class CheckpointExam:
    """The questions as tokens, and the databases on which their answers are executed.

    Args:
        base_model: what the training starts from; a checkpoint has its tokenizer.
        prompts: JSON Lines, id and messages.
        examples: the same questions with gold and database, JSON Lines.
        decoding: how they are answered.
        task: how answers are judged.

    Raises:
        InputError: prompts and examples are not of the same questions, or a prompt does not fit the model.
    """

    def __init__(
        self,
        base_model: Path,
        prompts: Path,
        examples: Path,
        decoding: DecodingSettings,
        task: Task,
    ) -> None:
        self._running: ReloadingEngine | None = None
        self._base_model, self._decoding, self._task = base_model, decoding, task
        self._gold = read_gold(examples)
        ids = [{"id": item.id} for item in self._gold.items]
        paired = join_by_id(ids, read_jsonl(prompts, PROMPT_FIELDS), examples, prompts)
        rows = [row for _, row in paired]
        self._encoded = tokens.encode(base_model, rows, decoding.max_new_tokens)

    def about(self) -> dict[str, Any]:
        """Of which questions it consists, as JSON: the group of each, how many databases they have, and who asks."""
        items = self._gold.items
        return {
            "groups": [question_group(item.db_id, item.gold, item.group) for item in items],
            "databases": len({item.db_id for item in items}),
            "engine": self._decoding.engine,
        }

    def start(self, cache_folder: Path | None) -> None:
        """Start vLLM, where it asks, with the weights of the base; to do so for each checkpoint would take longest.

        Args:
            cache_folder: for what it compiles, None for its own.

        Raises:
            InputError: there is no memory for it.
        """
        if self._decoding.engine != "vllm":
            return
        prompts = self._encoded.prompts
        longest = max(map(len, prompts)) + self._decoding.max_new_tokens
        self._decoding = self._decoding.model_copy(
            update={"batch_size": min(self._decoding.batch_size, AT_ONCE)}
        )
        load = Load(longest, len(prompts), beside_training=True)
        engine = load_engine("vllm", cache_folder)
        try:
            self._running = engine.start(
                self._base_model, load, self._decoding, self._encoded.end_tokens
            )
        except (ValueError, torch.OutOfMemoryError) as error:
            # What vLLM advises is for an engine that has the GPU alone.
            raise InputError(
                f"vLLM does not start beside the training: {error}. kv_cache_memory_bytes in SQLADDER_VLLM_OPTIONS "
                "gives it more memory, or less; decoding.engine: transformers takes none while the training computes"
            ) from error

    def marks(self, checkpoint: Path) -> list[bool]:
        """Which questions a checkpoint answers rightly, in the order of the examples."""
        engine = self._engine_of(checkpoint)
        judged: list[Future[dict[int, bool]]] = []
        waiting: Finished = {}
        # Answers are executed while others are still written.
        with ThreadPoolExecutor(1) as judging:
            for finished in engine.answer(self._encoded.prompts, self._decoding):
                waiting |= finished
                if not judged or judged[-1].done():
                    judged.append(judging.submit(self._judged, waiting))
                    waiting = {}
            if waiting:
                judged.append(judging.submit(self._judged, waiting))
            marks = {place: mark for own in judged for place, mark in own.result().items()}
        del engine
        if torch.cuda.is_available():
            # What was needed besides, the training may have.
            torch.cuda.empty_cache()
        return [marks[place] for place in sorted(marks)]

    def _engine_of(self, checkpoint: Path) -> ModelEngine:
        """What answers as a checkpoint does."""
        if self._running is not None:
            self._running.reload(self._base_model, checkpoint)
            return self._running
        # Nothing of it is kept on the GPU for the next one, as long as the training has it.
        from sqladder.generation.transformers_engine import TransformersEngine

        network = load_checkpoint(self._base_model, checkpoint)
        return TransformersEngine(network, self._encoded.end_tokens)

    def _judged(self, finished: Finished) -> dict[int, bool]:
        """Whether answers are right, by the places of their questions."""
        places = sorted(finished)
        texts = tokens.decode(self._base_model, [finished[place] for place in places])
        gold = replace(self._gold, items=[self._gold.items[place] for place in places])
        scores = score(gold, {ARM: [extract_sql(text) for (text,) in texts]}, self._task)
        return {place: row.correct for place, row in zip(places, scores[ARM].rows, strict=True)}
