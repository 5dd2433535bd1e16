"""Generation with Hugging Face transformers: batches of prompts of like length."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from sqladder.errors import InputError
from sqladder.generation.contract import (
    NOTHING,
    Completion,
    Finished,
    Load,
    cut_at_end_token,
    prompt_seed,
)
from sqladder.generation.settings import DecodingSettings
from sqladder.models.network import load_checkpoint, load_network

if TYPE_CHECKING:
    from sqladder.generation.constraint import Grammars

PACKAGE = "transformers"


def start(
    model: Path, load: Load, decoding: DecodingSettings, end_tokens: Sequence[int]
) -> "TransformersEngine":
    """Load a model; memory for what it will be asked is taken as it is needed."""
    network = load_network(model)
    if decoding.grammar == "none":
        return TransformersEngine(network, end_tokens)
    try:
        from sqladder.generation.constraint import Grammars
    except ModuleNotFoundError as error:
        raise InputError(
            f"the grammar {decoding.grammar} needs a package that is not installed here ({error.name}): run "
            "`make env`, or leave out decoding.grammar"
        ) from error

    width = network.config.vocab_size
    return TransformersEngine(network, end_tokens, Grammars(model, width, end_tokens))


class TransformersEngine:
    """A model that answers batches, one after the other (contract.ReloadingEngine)."""

    def __init__(
        self,
        network: PreTrainedModel,
        end_tokens: Sequence[int],
        compiled: "Grammars | None" = None,
    ) -> None:
        self.stages: Mapping[str, float] = {}
        self._network = network
        self._end_tokens = end_tokens
        self._compiled = compiled

    def answer(
        self,
        prompts: Sequence[Sequence[int]],
        decoding: DecodingSettings,
        done: Collection[int] = NOTHING,
        grammars: Sequence[str] | None = None,
    ) -> Iterator[Finished]:
        """Answer prompts, the longest first, so that a batch that needs too much memory fails early."""
        order = sorted(range(len(prompts)), key=lambda place: -len(prompts[place]))
        for begin in range(0, len(order), decoding.batch_size):
            batch = order[begin : begin + decoding.batch_size]
            # Whole or not at all: what stands beside a prompt changes how its numbers are rounded.
            if not all(place in done for place in batch):
                own = [grammars[place] for place in batch] if grammars else []
                yield self._answer_batch(prompts, batch, decoding, own)

    def reload(self, base_model: Path, checkpoint: Path) -> None:
        """Take the weights of a checkpoint; the old ones go first, so that two models need no memory at one time."""
        del self._network
        self._network = load_checkpoint(base_model, checkpoint)

    def _answer_batch(
        self,
        prompts: Sequence[Sequence[int]],
        batch: list[int],
        decoding: DecodingSettings,
        grammars: list[str],
    ) -> Finished:
        rows = [prompts[place] for place in batch]
        width = max(map(len, rows))
        drawn = [
            _draw(
                self._network,
                rows,
                generation_config(draw, self._end_tokens),
                LogitsProcessorList(
                    [*self._constraint(grammars, draw, width), *sampling(draw, rows, width)]
                ),
                draw.samples,
            )
            for draw in decoding.draws()
        ]
        answers = {}
        for place, *parts in zip(batch, *drawn, strict=True):
            answered = list(chain.from_iterable(parts))
            answers[place] = [cut_at_end_token(row, self._end_tokens) for row in answered]
            if decoding.log_probabilities:
                answers[place] = _with_log_probabilities(
                    self._network, prompts[place], answered, answers[place]
                )
        return answers

    def _constraint(
        self, grammars: list[str], decoding: DecodingSettings, width: int
    ) -> list[LogitsProcessor]:
        """What holds each sample of a batch to the grammar of its prompt."""
        if self._compiled is None:
            return []
        from sqladder.generation.constraint import Constrained

        each = [grammar for grammar in grammars for _ in range(decoding.samples)]
        return [Constrained([self._compiled.matcher(grammar) for grammar in each], width)]


def generation_config(decoding: DecodingSettings, end_tokens: Sequence[int]) -> GenerationConfig:
    """Our settings and nothing of the checkpoint's own: Qwen3's ask for sampling."""
    return GenerationConfig(
        # Where a token is drawn, `_Drawn` does it.
        do_sample=False,
        max_new_tokens=decoding.max_new_tokens,
        repetition_penalty=decoding.repetition_penalty,
        eos_token_id=list(end_tokens),
        # Any token can stand for padding: it is masked before a prompt and cut off after an answer.
        pad_token_id=end_tokens[0],
    )


class _Drawn(LogitsProcessor):
    """Draws the next token of each row by a random number of that row's own.

    A generator that all rows share, as transformers has it, would give a row other tokens in another batch.
    """

    def __init__(self, seeds: Sequence[tuple[int, int]], width: int, length: int) -> None:
        """Take what seeds each row, the width of the prompts, and how many tokens there are to draw."""
        numbers = [np.random.default_rng(seed).random(length) for seed in seeds]
        self._numbers = torch.from_numpy(np.array(numbers))
        self._width = width

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        number = self._numbers[:, input_ids.shape[1] - self._width, None].to(scores.device)
        below = scores.double().softmax(-1).cumsum(-1)
        # The first token up to which there is more than the number: one without probability never is.
        drawn = torch.searchsorted(below, number * below[:, -1:], right=True)
        drawn = drawn.clamp(max=scores.shape[1] - 1)
        return torch.full_like(scores, -torch.inf).scatter(1, drawn, 0)


def sampling(
    decoding: DecodingSettings,
    batch: Sequence[Sequence[int]],
    width: int,
    samples: Sequence[int] | None = None,
) -> list[LogitsProcessor]:
    """What chooses the next token where it is not the likeliest.

    Args:
        decoding: how tokens are drawn.
        batch: the prompts.
        width: tokens of the longest.
        samples: numbers of the samples of each prompt that are drawn together; None for all of them.
    """
    if decoding.temperature == 0:
        return []
    seeds = [
        (prompt_seed(decoding.seed, prompt), sample)
        for prompt in batch
        for sample in (range(decoding.samples) if samples is None else samples)
    ]
    return [
        TemperatureLogitsWarper(decoding.temperature),
        TopPLogitsWarper(decoding.top_p),
        _Drawn(seeds, width, decoding.max_new_tokens),
    ]


@torch.inference_mode()
def _draw(
    network: PreTrainedModel,
    batch: Sequence[Sequence[int]],
    config: GenerationConfig,
    processors: LogitsProcessorList,
    samples: int,
) -> list[list[list[int]]]:
    """New tokens, padded, of each sample of each prompt of a batch."""
    # Beside a config that is only given, the checkpoint's own would count.
    network.generation_config = config
    width = max(len(row) for row in batch)
    padding = config.pad_token_id
    ids = torch.tensor([[padding] * (width - len(row)) + list(row) for row in batch])
    # By length, not by value: the padding token may also be part of a prompt.
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
    # Every causal language model generates, but the type that all models share does not say so.
    output = network.generate(  # type: ignore[operator]
        input_ids=ids.repeat_interleave(samples, 0).to(network.device),
        attention_mask=mask.repeat_interleave(samples, 0).to(network.device),
        logits_processor=processors,
    )
    return output[:, width:].unflatten(0, (len(batch), -1)).tolist()


@torch.inference_mode()
def _with_log_probabilities(
    network: PreTrainedModel,
    prompt: Sequence[int],
    rows: list[list[int]],
    completions: list[Completion],
) -> list[Completion]:
    """The answers to one prompt with their log-probabilities, by one pass over all of them.

    Args:
        network: the model.
        prompt: its tokens.
        rows: the tokens of each answer with the end token and padding after that.
        completions: the same answers, cut.
    """
    lengths = torch.tensor([len(c.token_ids) + (c.finish_reason == "stop") for c in completions])
    longest = int(lengths.max())
    answers = torch.tensor([row[:longest] + [0] * (longest - len(row)) for row in rows])
    ids = torch.cat([torch.tensor([list(prompt)] * len(rows)), answers], dim=1).to(network.device)
    # What follows an answer changes nothing before it, so no mask is needed.
    logits = network(input_ids=ids, logits_to_keep=longest + 1).logits[:, :-1].float()
    each = logits.log_softmax(-1).gather(-1, ids[:, len(prompt) :, None]).squeeze(-1).cpu()
    is_own = torch.arange(longest) < lengths[:, None]
    means = (each.where(is_own, 0).sum(1) / lengths).tolist()
    return [
        completion._replace(log_probability=mean)
        for completion, mean in zip(completions, means, strict=True)
    ]
