"""Generation with Hugging Face transformers: batches of prompts of like length."""

from collections.abc import Sequence
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
        network.generation_config = generation_config(decoding, end_tokens)
    set_seed(decoding.seed)
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    answers: dict[int, list[Completion]] = {}
    with (
        timed(stages, "generation"),
        tqdm(total=len(prompts), desc="generate", unit="prompt") as progress,
    ):
        for start in range(0, len(order), decoding.batch_size):
            batch = order[start : start + decoding.batch_size]
            tokens = iter(_generate_batch(network, [prompts[index] for index in batch]))
            for index in batch:
                rows = [next(tokens) for _ in range(decoding.samples)]
                answers[index] = [cut_at_end_token(row, end_tokens) for row in rows]
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
def _generate_batch(network: PreTrainedModel, batch: list[list[int]]) -> list[list[int]]:
    """New tokens of a batch, padded; the samples of a prompt follow each other."""
    width = max(len(row) for row in batch)
    padding = network.generation_config.pad_token_id
    ids = torch.tensor([[padding] * (width - len(row)) + row for row in batch])
    # By length, not by value: the padding token may also be part of a prompt.
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in batch])
    # Every causal language model generates, but the type that all models share does not say so.
    output = network.generate(  # type: ignore[operator]
        input_ids=ids.to(network.device), attention_mask=mask.to(network.device)
    )
    return output[:, width:].tolist()
