"""The demonstration's base model: a tokenizer and a small Qwen3 network, trained from nothing.

It stands where Qwen3-1.7B stands in a real run. It uses Qwen3's special tokens, chat form and
architecture, so that every later stage treats both alike.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import (
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Trainer,
    TrainingArguments,
    set_seed,
)

from sqladder.demo.settings import NetworkSize, Recipe
from sqladder.training.loss_guard import LoggedLossGuard
from sqladder.training.pairs import IGNORED, TokenPair, lengths
from sqladder.training.settings import log_interval
from sqladder.training.watch import TrainingWatch

END_OF_TURN = "<|im_end|>"

# Qwen3's chat form for plain conversations: the generation prompt ends with an empty think block, which is how
# Qwen3 is told not to think aloud.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\\n' -}}"
    "{%- if message.role == 'assistant' -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}"
    "{{- message.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' -}}"
    "{%- endif -%}"
)

PADDING = "<|endoftext|>"
# Qwen3's added tokens, as far as text needs them; the special ones are left out of decoded text.
SPECIAL_TOKENS = (PADDING, "<|im_start|>", END_OF_TURN)
PLAIN_TOKENS = ("<tool_call>", "</tool_call>", "<think>", "</think>")

# Qwen3's rule for splitting text into words before byte-pair merges (its tokenizer.json).
WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


# As Qwen3: rotary positions cost nothing, and a foreign schema may be far longer than ours.
MAX_POSITIONS = 40960

# Qwen3's 0.02 suits a width of thousands; a narrow network starts to learn sooner from larger weights.
INITIAL_SPREAD = 0.06

# Prompts in one row: more of them are faster, but a step then learns from fewer schemas.
BUNDLE_SIZE = 4


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer with Qwen3's word splitting and special tokens.

    Any text can be encoded: every byte is in the vocabulary.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = BpeTrainer(
        vocab_size=vocab_size - len(SPECIAL_TOKENS) - len(PLAIN_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL_TOKENS])
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in PLAIN_TOKENS])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_OF_TURN,
        pad_token=PADDING,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )


def new_model(tokenizer: Any, shape: NetworkSize, seed: int) -> Qwen3ForCausalLM:
    """Make an untrained Qwen3 network.

    Input and output embeddings are tied, as in Qwen3-1.7B. LoRA leaves them frozen: it can only
    produce names that the base model has learned to write, so the base must have seen each.
    """
    set_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        intermediate_size=3 * shape.hidden_size,
        initializer_range=INITIAL_SPREAD,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads // 2,
        head_dim=shape.hidden_size // shape.heads,
        max_position_embeddings=MAX_POSITIONS,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    return Qwen3ForCausalLM(config)


@dataclass(frozen=True)
class Bundle:
    """Prompts on one database in one row: what they begin with, and how each goes on.

    Three quarters of a prompt is the schema, which here is computed once for all of them.
    """

    prefix: list[int]
    rests: list[TokenPair]


def bundle(pairs: Sequence[TokenPair], size: int, seed: int) -> list[Bundle]:
    """Gather up to `size` prompts that share at least half of their tokens from the beginning."""
    by_schema: list[list[TokenPair]] = []
    for pair in sorted(pairs):
        shared = _common_prefix(pair[0], by_schema[-1][0][0]) if by_schema else 0
        if 2 * shared < len(pair[0]):
            by_schema.append([])
        by_schema[-1].append(pair)
    bundles = []
    for group in by_schema:
        random.Random(seed).shuffle(group)
        for start in range(0, len(group), size):
            members = group[start : start + size]
            # One token at least stays with each prompt, which its answer then follows.
            shared = min(_common_prefix(members[0][0], p[:-1]) for p, _ in members)
            rests = [(prompt[shared:], answer) for prompt, answer in members]
            bundles.append(Bundle(members[0][0][:shared], rests))
    return bundles


def _common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


def collate(bundles: Sequence[Bundle], padding: int) -> dict[str, torch.Tensor]:
    """Make a batch of bundles in which each prompt sees the prefix and itself, as if alone.

    Positions go on from the prefix for each prompt, and the attention mask hides the others. The
    loss covers the answers only, as in fine-tuning.

    Returns:
        input_ids, labels, position_ids (rows, width) and attention_mask (rows, 1, width, width).
    """
    width = max(len(b.prefix) + sum(lengths(b.rests)) for b in bundles)
    shape = (len(bundles), width)
    ids, labels = torch.full(shape, padding), torch.full(shape, IGNORED)
    positions, owner = torch.zeros(shape, dtype=torch.long), torch.full(shape, -1)
    for row, item in enumerate(bundles):
        at = len(item.prefix)
        ids[row, :at], owner[row, :at] = torch.tensor(item.prefix), 0
        positions[row, :at] = torch.arange(at)
        for number, (prompt, answer) in enumerate(item.rests, start=1):
            end = at + len(prompt) + len(answer)
            ids[row, at:end], owner[row, at:end] = torch.tensor(prompt + answer), number
            labels[row, at + len(prompt) : end] = torch.tensor(answer)
            positions[row, at:end] = torch.arange(len(item.prefix), len(item.prefix) + end - at)
            at = end
    visible = (owner[:, None, :] == 0) | (owner[:, None, :] == owner[:, :, None])
    mask = (visible & torch.ones(width, width, dtype=torch.bool).tril())[:, None]
    return {"input_ids": ids, "labels": labels, "position_ids": positions, "attention_mask": mask}


class AnswerTrainer(Trainer):
    """Computes logits where there is a label only: a third of this network is its vocabulary."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Mean cross entropy of the answers' tokens, each predicted from the token before it."""
        labels = inputs.pop("labels")[:, 1:]
        hidden = model.model(**inputs, use_cache=False).last_hidden_state[:, :-1]
        learned = labels != IGNORED
        logits = model.lm_head(hidden[learned])
        return torch.nn.functional.cross_entropy(logits.float(), labels[learned])


def pretrain(
    model: Qwen3ForCausalLM,
    tokenizer: Any,
    pairs: Sequence[TokenPair],
    recipe: Recipe,
    work_folder: Path,
    resume: bool,
) -> TrainingWatch:
    """Train the model in place; return what was watched. Checkpoints go to `work_folder`/run."""
    on_gpu = torch.cuda.is_available()
    rows = bundle(pairs, BUNDLE_SIZE, recipe.seed)
    rows_per_step = max(1, recipe.batch_size // BUNDLE_SIZE)
    steps = math.ceil(recipe.epochs * math.ceil(len(rows) / rows_per_step))
    arguments = TrainingArguments(
        output_dir=str(work_folder / "run"),
        learning_rate=recipe.learning_rate,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=rows_per_step,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,  # below 1: a share of all steps
        weight_decay=0.01,
        optim="adamw_torch",
        # For runs of hundreds of steps: the default, 0.999, remembers a thousand.
        adam_beta2=0.95,
        remove_unused_columns=False,
        seed=recipe.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        logging_steps=log_interval(steps, recipe.save_steps),
        logging_first_step=True,  # a run of fewer steps has a loss too
        logging_nan_inf_filter=False,
        save_steps=recipe.save_steps,
        save_total_limit=2,
        report_to="none",
        dataloader_pin_memory=on_gpu,
    )
    watch = TrainingWatch()
    trainer = AnswerTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=partial(collate, padding=tokenizer.pad_token_id),
        callbacks=[watch, LoggedLossGuard()],
    )
    trainer.train(resume_from_checkpoint=resume or None)
    model.config.use_cache = True  # the Trainer turns it off, and generation needs it
    return watch
