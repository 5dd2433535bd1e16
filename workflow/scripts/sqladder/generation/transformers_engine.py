"""Generation with Hugging Face transformers: batches of prompts of like length."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import torch
from tqdm import tqdm
from transformers import GenerationConfig, PreTrainedModel, set_seed

from sqladder.generation.contract import Answers, Completion, cut_at_end_token, timed
from sqladder.generation.settings import DecodingSettings
from sqladder.models.network import load_network

PACKAGE = "transformers"


def generate(
    model: Path,
    prompts: Sequence[list[int]],
    decoding: DecodingSettings,
    end_tokens: Sequence[int],
) -> Answers:
    """Answer every prompt, longest first, so that a batch that needs too much memory fails early."""
    stages: dict[str, float] = {}
    with timed(stages, "engine_start"):
        network = load_network(model)
    configs = [generation_config(draw, end_tokens) for draw in decoding.draws()]
    set_seed(decoding.seed)
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    answers: dict[int, list[Completion]] = {}
    with (
        timed(stages, "generation"),
        tqdm(total=len(prompts), desc="generate", unit="prompt") as progress,
    ):
        for start in range(0, len(order), decoding.batch_size):
            batch = order[start : start + decoding.batch_size]
            batch_prompts = [prompts[index] for index in batch]
            drawn = [_draw(network, batch_prompts, config) for config in configs]
            for index, *parts in zip(batch, *drawn, strict=True):
                rows = list(chain.from_iterable(parts))
                completions = [cut_at_end_token(row, end_tokens) for row in rows]
                if decoding.log_probabilities:
                    completions = _with_log_probabilities(
                        network, prompts[index], rows, completions
                    )
                answers[index] = completions
            progress.update(len(batch))
    return Answers([answers[index] for index in range(len(prompts))], stages)


def generation_config(decoding: DecodingSettings, end_tokens: Sequence[int]) -> GenerationConfig:
    """Our settings and nothing of the checkpoint's own: Qwen3's ask for sampling."""
    settings = {
        "max_new_tokens": decoding.max_new_tokens,
        "repetition_penalty": decoding.repetition_penalty,
        "num_return_sequences": decoding.samples,
        "eos_token_id": list(end_tokens),
        # Any token can stand for padding: it is masked before a prompt and cut off after an answer.
        "pad_token_id": end_tokens[0],
    }
    if decoding.temperature > 0:
        settings |= {"temperature": decoding.temperature, "top_p": decoding.top_p, "top_k": 0}
    return GenerationConfig(do_sample=decoding.temperature > 0, **settings)


@torch.inference_mode()
def _draw(
    network: PreTrainedModel, batch: list[list[int]], config: GenerationConfig
) -> list[list[list[int]]]:
    """New tokens, padded, of each sample of each prompt of a batch."""
    # Beside a config that is only given, the checkpoint's own would count.
    network.generation_config = config
    width = max(len(row) for row in batch)
    padding = config.pad_token_id
    ids = torch.tensor([[padding] * (width - len(row)) + row for row in batch])
    # By length, not by value: the padding token may also be part of a prompt.
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
    # Every causal language model generates, but the type that all models share does not say so.
    output = network.generate(  # type: ignore[operator]
        input_ids=ids.to(network.device), attention_mask=mask.to(network.device)
    )
    return output[:, width:].unflatten(0, (len(batch), -1)).tolist()


@torch.inference_mode()
def _with_log_probabilities(
    network: PreTrainedModel,
    prompt: list[int],
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
    ids = torch.cat([torch.tensor([prompt] * len(rows)), answers], dim=1).to(network.device)
    # What follows an answer changes nothing before it, so no mask is needed.
    logits = network(input_ids=ids, logits_to_keep=longest + 1).logits[:, :-1].float()
    each = logits.log_softmax(-1).gather(-1, ids[:, len(prompt) :, None]).squeeze(-1).cpu()
    is_own = torch.arange(longest) < lengths[:, None]
    means = (each.where(is_own, 0).sum(1) / lengths).tolist()
    return [
        completion._replace(log_probability=mean)
        for completion, mean in zip(completions, means, strict=True)
    ]
