"""LLaMA-Factory's training and export, in this process, with their arguments."""

import importlib.machinery
import importlib.util
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from sqladder.files import write_text
from sqladder.processes.imports import leaving_out, uncollected
from sqladder.training.megatron import megatron_arguments
from sqladder.training.preference_settings import Preference
from sqladder.training.processes import deepspeed_config
from sqladder.training.settings import ALL_LINEAR, LoraSettings, TrainingSettings, log_interval

# The rows come as token ids, so a template has nothing to do; any other would add its tokens to the tokenizer.
TEMPLATE = "empty"

# LLaMA-Factory's arguments as JSON, instead of ours, for measurements that need others, e.g. {"bf16": false}.
OPTIONS_VARIABLE = "SQLADDER_TRAINING_OPTIONS"

OPTIMIZERS = {"adamw": "adamw_torch", "adamw_8bit": "adamw_8bit"}


class LlamaFactory(NamedTuple):
    """The two functions that `llamafactory-cli train` and `llamafactory-cli export` run."""

    train: Callable[..., None]
    export: Callable[..., None]


def load_llamafactory(work_folder: Path) -> LlamaFactory:
    """Import LLaMA-Factory (about 4 s of CPU).

    In one process for training and export: the import is what a small run spends most time on.
    """
    # Work files of this run, not something to share in the home folder, where two runs at a time
    # would wait for each other's lock.
    os.environ["HF_DATASETS_CACHE"] = str(work_folder / "cache")
    os.environ.setdefault("LLAMAFACTORY_VERBOSITY", "WARN")
    # By names: a second call in one process then adds what is there, where two lambdas could not be sorted.
    torch.serialization.register_package(0, _no_location, _restore_to_cpu)
    # It would draw losses by it, which the report does.
    with _torchaudio_optional(), uncollected(), leaving_out("matplotlib"):
        from llamafactory.train.tuner import export_model, run_exp
    return LlamaFactory(run_exp, export_model)


def _no_location(storage: Any) -> None:
    """Leave it to PyTorch to say where a tensor that is saved lies."""


def _restore_to_cpu(storage: Any, location: str) -> Any:
    """Let the Trainer load a checkpoint to "cpu:0", as it calls the CPU where processes are several.

    PyTorch knows the place by the name "cpu" only.
    """
    return storage if location.startswith("cpu:") else None


@contextmanager
def _torchaudio_optional() -> Iterator[None]:
    """Let LLaMA-Factory's module for pictures and sound be imported where torchaudio is absent.

    It imports torchaudio at its top, though text never uses it, and torchaudio's packages on PyPI
    need a CUDA build of torch. The stand-in is removed after the import, so that nothing else
    believes torchaudio to be there.
    """
    if importlib.util.find_spec("torchaudio"):
        yield
        return
    # transformers looks once whether torchaudio exists: let it look before the stand-in is there.
    import transformers  # noqa: F401

    stand_in = types.ModuleType("torchaudio")
    stand_in.__spec__ = importlib.machinery.ModuleSpec("torchaudio", loader=None)
    sys.modules["torchaudio"] = stand_in
    try:
        yield
    finally:
        del sys.modules["torchaudio"]


def training_arguments(
    settings: TrainingSettings, base_model: Path, work_folder: Path, steps: int
) -> dict[str, Any]:
    """The arguments of LLaMA-Factory's training, by the names it documents."""
    on_gpu = torch.cuda.is_available()
    optimizer = OPTIMIZERS[settings.optimizer]
    between = settings.steps_between_checkpoints(steps)
    arguments: dict[str, Any] = {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": str(base_model),
        "template": TEMPLATE,
        "dataset": "train",
        "tokenized_path": str(work_folder / "data"),
        "cutoff_len": settings.cutoff_length,
        "output_dir": str(work_folder / "run"),
        # An existing checkpoint in output_dir is resumed from.
        "overwrite_output_dir": False,
        "learning_rate": settings.learning_rate,
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation,
        "lr_scheduler_type": "cosine_with_min_lr",
        # As a share: the scheduler cannot ask DeepSpeed's optimizer for the highest rate.
        "lr_scheduler_kwargs": {"min_lr_rate": settings.min_learning_rate / settings.learning_rate},
        "warmup_steps": settings.warmup,  # below 1: a share of all steps
        "weight_decay": settings.weight_decay,
        "optim": f"{optimizer}_fused" if on_gpu and optimizer == "adamw_torch" else optimizer,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": on_gpu,
        # LLaMA-Factory checkpoints activations unless told otherwise.
        "disable_gradient_checkpointing": not settings.gradient_checkpointing,
        # Rows are put together beside the step before, so that a GPU does not wait for them.
        "dataloader_num_workers": 2 if on_gpu else 0,
        "dataloader_persistent_workers": on_gpu,
        # A batch travels while the one before is computed; nothing waits for it to arrive.
        "accelerator_config": {"non_blocking": on_gpu},
        "logging_steps": log_interval(steps, between),
        "logging_nan_inf_filter": False,  # else a loss of NaN is shown as the mean before it
        "save_steps": between,
        # A kill while the newer one is written leaves the older; the best one, where they are judged, stays besides.
        "save_total_limit": 2,
        "report_to": "none",
    }
    if settings.preference:
        arguments |= _preference_arguments(settings.preference)
    arguments |= _parallel_arguments(settings, on_gpu) | _method_arguments(settings)
    arguments |= json.loads(os.environ.get(OPTIONS_VARIABLE, "{}"))
    if settings.parallelism.method == "megatron":
        return megatron_arguments(arguments, settings)
    return arguments


def _preference_arguments(preference: Preference) -> dict[str, Any]:
    if preference.of_pairs:
        return {"stage": "dpo", "pref_loss": preference.loss, "pref_beta": preference.beta}
    return {
        "stage": "kto",
        "pref_beta": preference.beta,
        "kto_chosen_weight": preference.chosen_weight or 1.0,
        "kto_rejected_weight": preference.rejected_weight or 1.0,
    }


def _parallel_arguments(settings: TrainingSettings, on_gpu: bool) -> dict[str, Any]:
    method = settings.parallelism.method
    if method in ("zero2", "zero3"):
        # DeepSpeed finds by itself that there is no GPU; told so, its processes do not meet.
        return {"deepspeed": deepspeed_config(method)}
    # Every parameter is used in every step, and few large buckets of gradients travel faster.
    spread = {"ddp_find_unused_parameters": False, "ddp_bucket_cap_mb": 200}
    return {"use_cpu": not on_gpu} | (spread if method == "ddp" else {})


def _method_arguments(settings: TrainingSettings) -> dict[str, Any]:
    arguments: dict[str, Any] = {"finetuning_type": settings.trained_by}
    if settings.lora is None:
        return arguments
    arguments |= {
        "lora_rank": settings.lora.rank,
        "lora_alpha": settings.lora.alpha,
        "lora_dropout": settings.lora.dropout,
        "lora_target": _lora_target(settings.lora),
        "use_rslora": settings.lora.rslora,
        "use_dora": settings.lora.dora,
    }
    return arguments | _quantization(settings.lora)


def _quantization(lora: LoraSettings) -> dict[str, Any]:
    if lora.quantize == "none":
        return {}
    return {
        "quantization_method": "bnb",
        "quantization_bit": 4,
        "quantization_type": lora.quantize,
        # The scales of the blocks of weights are quantised too, as in the paper.
        "double_quantization": True,
    }


def _lora_target(lora: LoraSettings) -> str:
    # LLaMA-Factory's own word for PEFT's.
    return "all" if lora.target_modules == [ALL_LINEAR] else ",".join(lora.target_modules)


def export_arguments(
    settings: TrainingSettings, base_model: Path, trained: Path, output: Path
) -> dict[str, Any]:
    """The arguments of LLaMA-Factory's export: adapters merged, or the trained model as it is.

    Args:
        settings: of the training.
        base_model: Hugging Face folder.
        trained: what the training left, or one of its checkpoints.
        output: folder of the model to write.
    """
    model = {"model_name_or_path": str(trained)}
    if settings.lora:
        model = {"model_name_or_path": str(base_model), "adapter_name_or_path": str(trained)}
    on_gpu = torch.cuda.is_available()
    return model | {
        "finetuning_type": settings.trained_by,
        "template": TEMPLATE,
        "infer_dtype": "bfloat16" if on_gpu else "float32",
        "export_dir": str(output),
        "export_device": "auto" if on_gpu else "cpu",
    }


def write_yaml(path: Path, arguments: dict[str, Any]) -> None:
    """Keep the arguments of a run beside its checkpoints."""
    write_text(path, yaml.safe_dump(arguments, sort_keys=False))
