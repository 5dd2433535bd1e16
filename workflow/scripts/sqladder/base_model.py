"""The demonstration's base model: a tokenizer and a small Qwen3 network, trained from nothing.

It stands where Qwen3-1.7B stands in a real run. It uses Qwen3's special tokens, chat form and
architecture, so that every later stage treats both alike.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers.trainers import BpeTrainer
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
    Trainer,
    TrainingArguments,
    set_seed,
)

from sqladder.prompts import CHAT_TEMPLATE, END_OF_TURN
from sqladder.training.watch import IGNORED, TokenPair, TrainingWatch

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


@dataclass(frozen=True)
class Shape:
    """Size of the network; 128 wide with 4 layers makes about a million parameters."""

    vocab_size: int
    hidden_size: int
    layers: int
    heads: int


@dataclass(frozen=True)
class Recipe:
    """How the network is trained."""

    learning_rate: float
    epochs: float
    batch_size: int
    save_steps: int
    seed: int


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


def new_model(tokenizer: Any, shape: Shape, seed: int) -> Qwen3ForCausalLM:
    """Make an untrained Qwen3 network.

    Input and output embeddings are tied, as in Qwen3-1.7B. LoRA leaves them frozen: it can only
    produce names that the base model has learned to write, so the base must have seen each.
    """
    set_seed(seed)
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden_size,
        intermediate_size=3 * shape.hidden_size,
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


def training_rows(pairs: Sequence[TokenPair]) -> list[dict[str, list[int]]]:
    """Rows for the Trainer whose loss covers the answer alone, as in fine-tuning."""
    return [{"input_ids": p + a, "labels": [IGNORED] * len(p) + a} for p, a in pairs]


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
    arguments = TrainingArguments(
        output_dir=str(work_folder / "run"),
        learning_rate=recipe.learning_rate,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_size,
        lr_scheduler_type="cosine",
        warmup_steps=0.05,  # below 1: a share of all steps
        weight_decay=0.01,
        optim="adamw_torch",
        # Rows of like length together: a third less padding where schemas differ in size.
        train_sampling_strategy="group_by_length",
        seed=recipe.seed,
        use_cpu=not on_gpu,
        bf16=on_gpu,
        logging_steps=10,
        logging_nan_inf_filter=False,
        save_steps=recipe.save_steps,
        save_total_limit=2,
        report_to="none",
        dataloader_pin_memory=on_gpu,
    )
    watch = TrainingWatch(pairs[:10])
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=training_rows(pairs),
        data_collator=DataCollatorForSeq2Seq(tokenizer, pad_to_multiple_of=8),
        callbacks=[watch],
    )
    trainer.train(resume_from_checkpoint=resume or None)
    model.config.use_cache = True  # the Trainer turns it off, and generation needs it
    return watch
