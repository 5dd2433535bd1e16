"""What each process of a training job does: train with the others; the first also writes the model."""

import gc
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sqladder.errors import LOG, InputError
from sqladder.files import read_json, write_json
from sqladder.models.device import device_name
from sqladder.models.folders import replacing_folder
from sqladder.models.weights import check_adapter
from sqladder.processes.lifetime import end_with_launcher
from sqladder.settings.problems import settings_of
from sqladder.training import llamafactory, megatron
from sqladder.training.checkpoint_choice import CheckpointJudge, TrainingOverError, Validation
from sqladder.training.checkpoints import LOG_FILE
from sqladder.training.disk import check_room, explain_full_disk, leaves_no_room
from sqladder.training.faults import is_disk_full, is_failed_write, is_out_of_memory
from sqladder.training.kernel_check import CheckedKernels, kernel_facts
from sqladder.training.launch import FACTS_FILE, OUT_OF_MEMORY_FILE
from sqladder.training.loss_guard import LoggedLossGuard, LossGuard
from sqladder.training.packing import PackedLimits, read_token_rows
from sqladder.training.padding import Padding
from sqladder.training.pairs import lengths
from sqladder.training.progress import Progress, silence_trainer
from sqladder.training.record import run_facts
from sqladder.training.row_weights import rows_of_sets
from sqladder.training.rows import planned_steps, prepare_rows, rows_to_learn, wait_for_rows
from sqladder.training.rungs import rung_step
from sqladder.training.settings import AnyTraining, TrainingSettings, log_interval
from sqladder.training.training_log import TrainingLog
from sqladder.training.watch import TrainingWatch

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


def run_job(job: Path) -> None:
    """Train what a job file says, as one of its processes.

    The first process prepares the rows and, after the training, writes the model and the facts.

    Raises:
        InputError: the disk is full, memory does not hold the model, or the loss is not finite.
    """
    run_training(job, AnyTraining, _train_and_write)


def run_training(
    job: Path, kind: Any, train: Callable[[dict[str, Any], Any, Path, Path], None]
) -> None:
    """Do what a job file says by a function that trains, and say where a disk is full.

    Args:
        job: the file.
        kind: of its settings.
        train: takes the job, its settings, the base model's folder and the work folder.

    Raises:
        InputError: the disk is full, memory does not hold the model, or the loss is not finite.
    """
    what = read_json(job)
    end_with_launcher(what["launcher"])
    settings: TrainingSettings = settings_of(kind, what["settings"])
    base_model, work_folder = Path(what["base_model"]), Path(what["work_folder"])
    try:
        train(what, settings, base_model, work_folder)
    except Exception as error:
        hidden = is_failed_write(error) and leaves_no_room(settings, base_model, work_folder)
        if is_disk_full(error) or hidden:
            raise InputError(explain_full_disk(settings, base_model, work_folder)) from error
        raise


def _train_and_write(
    what: dict[str, Any], settings: TrainingSettings, base_model: Path, work_folder: Path
) -> None:
    by_megatron = settings.parallelism.method == "megatron"
    if by_megatron:
        megatron.check_ready(settings.parallelism, base_model)
    is_first = int(os.environ.get("RANK", "0")) == 0
    if is_first:
        pairs = prepare_rows(settings, base_model, Path(what["data"]), work_folder)
    rows = wait_for_rows(work_folder)
    steps = planned_steps(rows.number, settings)
    arguments = llamafactory.training_arguments(settings, base_model, work_folder, steps)
    watch = TrainingWatch(saves_last=settings.choose == "validation")
    kernels = _kernels(settings, rows.limits, work_folder)
    checked = [] if kernels is None else [kernels]
    callbacks = [watch, Padding(rows.padding), *checked, *_profile(what["profile"], is_first)]
    guard = megatron.loss_guard(settings, work_folder) if by_megatron else LossGuard(work_folder)
    if settings.preference:
        # The network is called without labels: the loss of a pair is computed of what it gives for both.
        guard = LoggedLossGuard()
    callbacks.append(guard)
    validation = None
    between = settings.steps_between_checkpoints(steps)
    end = steps if what.get("until") is None else rung_step(steps, between, what["until"])
    if settings.choose == "validation":
        judge = CheckpointJudge(what["judge"]) if is_first else None
        pause = end if end < steps else None
        validation = Validation(settings, judge, watch, work_folder, pause=pause)
        callbacks.append(validation)
    if is_first:
        check_room(settings, base_model, work_folder, steps)
        llamafactory.write_yaml(work_folder / "train.yaml", arguments)
        LOG.info(f"training on {rows.number} rows for {steps} steps on {device_name()}")
        tokens = settings.epochs * sum(lengths(pairs))
        log = TrainingLog(work_folder / LOG_FILE, tokens / steps)
        callbacks += [Progress(tokens / steps), log]
    train, export = llamafactory.load_llamafactory(work_folder)
    silence_trainer()
    try:
        train(arguments, callbacks=callbacks)
    except TrainingOverError:
        pass
    except Exception as error:
        if is_out_of_memory(error):
            report_out_of_memory(error, watch, work_folder)
        raise
    if not is_first:
        return
    trained = work_folder / "run"
    if validation:
        trained /= f"checkpoint-{validation.chosen.step}"
    if end == steps:
        write_model(settings, base_model, Path(what["output"]), trained, export)
    if by_megatron:
        interval = log_interval(steps, between)
        megatron.complete_facts(watch, interval, base_model)
    # Of a training that was stopped early, as far as it went.
    epochs = settings.epochs * watch.steps / steps if validation else settings.epochs
    facts = run_facts(settings, watch, pairs, base_model, epochs) | kernel_facts(kernels)
    facts["log"] = log.rows
    if settings.weights:
        facts["mix"] = rows_of_sets(rows_to_learn(settings, Path(what["data"])))
    if validation:
        facts["validation"] = validation.finish()
    if what.get("until") is not None:
        facts |= {"planned_steps": steps, "checkpoint_steps": between}
    write_json(work_folder / FACTS_FILE, facts)
    first, last = watch.loss_curve[0][1], watch.loss_curve[-1][1]
    LOG.info(
        f"trained {watch.steps} steps in {watch.seconds:.1f} s, loss {first:.3f} -> {last:.3f}"
    )


def report_out_of_memory(error: Exception, watch: TrainingWatch, work_folder: Path) -> None:
    """Have the launcher try smaller micro-batches; raises where they would not help."""
    if not watch.begun:
        raise InputError(
            f"memory does not hold the model and its optimizer, before any row: {error}. Choose a "
            "parallelism that parts the model (zero2, zero3, megatron), optimizer: adamw_8bit, or a "
            "larger GPU"
        ) from error
    write_json(work_folder / OUT_OF_MEMORY_FILE, str(error))


def _kernels(
    settings: TrainingSettings, limits: PackedLimits | None, work_folder: Path
) -> CheckedKernels | None:
    if settings.kernels == "plain":
        return None
    rows = read_token_rows(work_folder / "data", 0, settings.batch_size)
    return CheckedKernels(rows, limits)


def _profile(path: str | None, is_first: bool) -> list[Any]:
    if path is None or not is_first:
        return []
    from sqladder.training.profile import StepProfile

    return [StepProfile(Path(path))]


def write_model(
    settings: TrainingSettings,
    base_model: Path,
    output: Path,
    trained: Path,
    export: Any,
) -> None:
    """Write the model of a training, adapters merged, with the tokenizer of its base.

    Args:
        settings: of the training.
        base_model: Hugging Face folder that it started from.
        output: folder to write.
        trained: what the training left, or one of its checkpoints.
        export: LLaMA-Factory's function.
    """
    # ZeRO-3 parts the weights of any model that is loaded while its configuration is in force.
    if settings.parallelism.method == "zero3":
        from transformers.integrations.deepspeed import unset_hf_deepspeed_config

        unset_hf_deepspeed_config()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if settings.lora:
        check_adapter(trained, base_model)
    with replacing_folder(output) as folder:
        export(llamafactory.export_arguments(settings, base_model, trained, folder))
        keep_tokenizer(base_model, folder)


def keep_tokenizer(base_model: Path, model: Path) -> None:
    """Put exactly the tokenizer files of its base beside a trained model.

    LLaMA-Factory writes them anew, with a chat template of its own where the base has none, and a
    Modelfile: both render prompts without the empty think block that the model was trained with.
    """
    for name in TOKENIZER_FILES:
        (model / name).unlink(missing_ok=True)
        if (base_model / name).is_file():
            shutil.copy2(base_model / name, model / name)
