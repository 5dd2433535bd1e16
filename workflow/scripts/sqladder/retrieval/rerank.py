"""Reranking by a causal language model that says yes or no: Qwen3-Reranker.

Prompt and score follow the section "Transformers Usage" of its model card,
huggingface.co/Qwen/Qwen3-Reranker-0.6B: the score is the probability of `yes` among `yes` and `no` as
the next token. No classification head takes part; that checkpoint has none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import torch
from transformers import AutoTokenizer

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.models.network import load_network
from sqladder.models.turns import neutralise
from sqladder.retrieval.example_pool import Found, Pool

PREFIX = (
    "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the"
    ' Instruct provided. Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n'
)
SUFFIX = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"


class Reranker:
    """A causal language model with the answers `yes` and `no`."""

    def __init__(
        self, model: str | Path, instruction: str, batch_size: int = 16, max_tokens: int = 1024
    ) -> None:
        """Load a model.

        Args:
            model: its folder.
            instruction: what makes a document fit.
            batch_size: pairs at once.
            max_tokens: of a whole prompt; a longer pair is cut at its end, as the card does.

        Raises:
            InputError: `yes` or `no` is no single token of the model.
        """
        self._tokenizer = AutoTokenizer.from_pretrained(model, padding_side="left")
        self._model = load_network(model)
        self._instruction = instruction
        self._batch_size = batch_size
        self._answers = [self._answer_id(model, answer) for answer in ("no", "yes")]
        self._prefix, self._suffix = map(self._encode, (PREFIX, SUFFIX))
        self._room = max_tokens - len(self._prefix) - len(self._suffix)

    def _answer_id(self, model: str | Path, answer: str) -> int:
        ids = self._encode(answer)
        if len(ids) != 1:
            raise InputError(f"reranker {model}: {answer!r} is {len(ids)} tokens and must be one")
        return ids[0]

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def prompt_ids(self, query: str, document: str) -> list[int]:
        """The token ids of one pair's prompt."""
        pair = pair_text(self._instruction, neutralise(query), neutralise(document))
        return self._prefix + self._encode(pair)[: self._room] + self._suffix

    def scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The probability of `yes` for each pair of query and document."""
        scores: list[float] = []
        for start in range(0, len(pairs), self._batch_size):
            scores += self._score_batch(pairs[start : start + self._batch_size])
        return scores

    @torch.inference_mode()
    def _score_batch(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        rows = {"input_ids": [self.prompt_ids(query, document) for query, document in pairs]}
        batch = self._tokenizer.pad(rows, padding=True, return_tensors="pt").to(self._model.device)
        logits = self._model(**batch, logits_to_keep=1).logits[:, -1, self._answers]
        return logits.float().softmax(dim=1)[:, 1].tolist()


def pair_text(instruction: str, query: str, document: str) -> str:
    """Write one pair in the words of the model card."""
    return f"<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {document}"


def reranked(
    candidates: Iterable[list[Found]],
    pool: Pool,
    queries: Sequence[Row],
    count: int,
    reranker: Reranker,
    text_of_query: Callable[[Row], str],
    text_of_example: Callable[[Row], str],
) -> Iterator[list[Found]]:
    """Score each question's candidates again and keep the best; ties stay in the candidates' order."""
    for query, found in zip(queries, candidates, strict=True):
        asked = text_of_query(query)
        pairs = [(asked, text_of_example(pool.examples[hit.position])) for hit in found]
        scored = zip(found, reranker.scores(pairs), strict=True)
        again = [Found(hit.position, score) for hit, score in scored]
        yield sorted(again, key=lambda hit: -hit.score)[:count]
