"""The checkpoints of a training, each asked all validation questions and judged by what its answers give."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqladder.files import join_by_id, read_jsonl
from sqladder.generation import tokens
from sqladder.generation.contract import Finished
from sqladder.generation.extraction import extract_sql
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.transformers_engine import TransformersEngine
from sqladder.metric.inputs import read_gold
from sqladder.metric.question_groups import question_group
from sqladder.metric.scoring import Task, score
from sqladder.models.network import load_checkpoint
from sqladder.prompts.prompt_fields import PROMPT_FIELDS

ARM = "checkpoint"


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
        self._base_model, self._decoding, self._task = base_model, decoding, task
        self._gold = read_gold(examples)
        ids = [{"id": item.id} for item in self._gold.items]
        paired = join_by_id(ids, read_jsonl(prompts, PROMPT_FIELDS), examples, prompts)
        rows = [row for _, row in paired]
        self._encoded = tokens.encode(base_model, rows, decoding.max_new_tokens)

    def about(self) -> dict[str, Any]:
        """Of which questions it consists, as JSON: the group of each, and how many databases they are about."""
        items = self._gold.items
        return {
            "groups": [question_group(item.db_id, item.gold, item.group) for item in items],
            "databases": len({item.db_id for item in items}),
        }

    def marks(self, checkpoint: Path) -> list[bool]:
        """Which questions a checkpoint answers rightly, in the order of the examples."""
        network = load_checkpoint(self._base_model, checkpoint)
        engine = TransformersEngine(network, self._encoded.end_tokens)
        found: Finished = {}
        for finished in engine.answer(self._encoded.prompts, self._decoding):
            found |= finished
        texts = tokens.decode(self._base_model, [found[place] for place in sorted(found)])
        return self._judged([extract_sql(text) for (text,) in texts])

    def _judged(self, sqls: Sequence[str]) -> list[bool]:
        scores = score(self._gold, {ARM: sqls}, self._task)
        return [row.correct for row in scores[ARM].rows]
