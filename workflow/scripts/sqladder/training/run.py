"""Fine-tune one variant from prompts to a merged model, and say what it cost."""

import math
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from transformers import AutoTokenizer

from sqladder.device import device_name
from sqladder.errors import InputError
from sqladder.files import Row, read_jsonl
from sqladder.folders import replacing_folder
from sqladder.training import llamafactory
from sqladder.training.checkpoints import fingerprint, prepare_work_folder
from sqladder.training.facts import Facts, run_facts, token_pairs
from sqladder.training.settings import TrainingSettings
from sqladder.training.watch import TokenPair, TrainingWatch

CHECKED_ROWS = 100
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "Modelfile",
)
PACKAGES = ("torch", "transformers", "llamafactory", "peft", "accelerate", "datasets")


def fine_tune(
    settings: TrainingSettings, base_model: Path, data: Path, output: Path, work_folder: Path
) -> Facts:
    """Train by LLaMA-Factory, write the merged model to `output`, and return the run's facts.

    Checkpoints stay in `work_folder` until the model is written: the same call after a kill goes
    on from the last of them.
    """
    rows = read_jsonl(data)
    tokenizer = AutoTokenizer.from_pretrained(base_model)
    rows, pairs = rows_within(rows, token_pairs(tokenizer, rows, data), settings.cutoff_length)
    versions = {name: version(name) for name in PACKAGES}
    prepare_work_folder(
        work_folder,
        asdict(settings)
        | {"data": fingerprint(data), "base_model": fingerprint(base_model), "versions": versions},
    )
    watch = TrainingWatch(pairs[:CHECKED_ROWS])
    _run(settings, rows, base_model, output, work_folder, watch)
    for leftover in ("run", "cache"):
        shutil.rmtree(work_folder / leftover, ignore_errors=True)
    tokens = round(sum(len(p) + len(a) for p, a in pairs) * settings.epochs)
    method = {"method": "lora" if settings.lora else "full"}
    return method | run_facts(watch, settings.epochs, tokens, base_model) | {"versions": versions}


def _run(
    settings: TrainingSettings,
    rows: list[Row],
    base_model: Path,
    output: Path,
    work_folder: Path,
    watch: TrainingWatch,
) -> None:
    llamafactory.write_data_set(work_folder, rows)
    steps = planned_steps(len(rows), settings)
    arguments = llamafactory.training_arguments(settings, base_model, work_folder, steps)
    llamafactory.write_yaml(work_folder / "train.yaml", arguments)
    print(f"training on {len(rows)} rows for {steps} steps on {device_name()}", flush=True)
    train, export = llamafactory.load_llamafactory(work_folder)
    train(arguments, callbacks=[watch])
    with replacing_folder(output) as folder:
        export(llamafactory.export_arguments(settings, base_model, work_folder, folder))
        keep_tokenizer(base_model, folder)
    first, last = watch.loss_curve[0][1], watch.loss_curve[-1][1]
    print(f"trained {watch.steps} steps in {watch.seconds:.1f} s, loss {first:.3f} -> {last:.3f}")


def keep_tokenizer(base_model: Path, model: Path) -> None:
    """Give a trained model exactly the tokenizer files of its base.

    LLaMA-Factory writes them anew, with a chat template of its own where the base has none, and a
    Modelfile: both render prompts without the empty think block that the model was trained with.
    """
    for name in TOKENIZER_FILES:
        (model / name).unlink(missing_ok=True)
        if (base_model / name).is_file():
            shutil.copy2(base_model / name, model / name)


def rows_within(
    rows: list[Row], pairs: list[TokenPair], cutoff_length: int
) -> tuple[list[Row], list[TokenPair]]:
    """Leave out the rows that are longer than the cutoff, and say how many.

    LLaMA-Factory would cut them, the schema or the end of the answer with them.
    """
    fits = [len(prompt) + len(answer) <= cutoff_length for prompt, answer in pairs]
    if not any(fits):
        shortest = min(len(prompt) + len(answer) for prompt, answer in pairs)
        raise InputError(
            f"no training row fits into a cutoff length of {cutoff_length} tokens: the shortest has "
            f"{shortest}"
        )
    if not all(fits):
        print(f"left out {fits.count(False)} of {len(rows)} rows of over {cutoff_length} tokens")
    kept = [index for index, fit in enumerate(fits) if fit]
    return [rows[i] for i in kept], [pairs[i] for i in kept]


def planned_steps(rows: int, settings: TrainingSettings) -> int:
    """Optimizer steps of the whole run, as the Trainer counts them; the last of an epoch is short."""
    batches = math.ceil(rows / settings.batch_size)
    return math.ceil(settings.epochs * math.ceil(batches / settings.gradient_accumulation))
