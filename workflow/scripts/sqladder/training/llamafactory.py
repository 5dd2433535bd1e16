"""One fine-tuning run through LLaMA-Factory, in this process: train, then export."""

import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
import yaml

from sqladder.files import Row, write_json, write_jsonl, write_text
from sqladder.prompts import END_OF_TURN
from sqladder.training.settings import TrainingSettings, log_interval

TEMPLATE = "sqladder"


class LlamaFactory(NamedTuple):
    """The two functions that `llamafactory-cli train` and `llamafactory-cli export` run."""

    train: Callable[..., None]
    export: Callable[..., None]


def load_llamafactory(work_folder: Path) -> LlamaFactory:
    """Import LLaMA-Factory (about 5 s of CPU) and register our chat template with it.

    In one process for training and export: the import is what a small run spends most time on.
    """
    # The tokenized rows are a work file of this run, not something to share in the home folder,
    # where two runs at a time would wait for each other's lock.
    os.environ["HF_DATASETS_CACHE"] = str(work_folder / "cache")
    os.environ.setdefault("LLAMAFACTORY_VERBOSITY", "WARN")
    with _torchaudio_optional():
        from llamafactory.train.tuner import export_model, run_exp
    _register_template()
    return LlamaFactory(run_exp, export_model)


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


def _register_template() -> None:
    """LLaMA-Factory's `qwen3` with two differences, so that it trains on what inference sends.

    It has no newline after the end token, on which `qwen3` would train though generation stops
    before it: the loss covers the SQL and the end token only. And it leaves a question that holds
    "{{idx}}" alone, which LLaMA-Factory takes for a placeholder of its own.
    """
    from llamafactory.data.formatter import StringFormatter
    from llamafactory.data.template import TEMPLATES

    class ContentFormatter(StringFormatter):
        """Fills in the content of a message, but not its index."""

        def apply(self, **fields: Any) -> Any:
            fields.pop("idx", None)
            return super().apply(**fields)

    qwen3 = TEMPLATES["qwen3"]
    TEMPLATES[TEMPLATE] = replace(
        qwen3,
        format_user=ContentFormatter(slots=qwen3.format_user.slots),
        format_assistant=ContentFormatter(slots=["{{content}}" + END_OF_TURN]),
    )


def write_data_set(work_folder: Path, rows: list[Row]) -> None:
    """Write the rows in LLaMA-Factory's sharegpt form, with the tags of our role names."""
    write_jsonl(work_folder / "data" / "train.jsonl", ({"messages": r["messages"]} for r in rows))
    tags = {"role_tag": "role", "content_tag": "content"}
    tags |= {f"{role}_tag": role for role in ("system", "user", "assistant")}
    columns = {"messages": "messages"}
    entry = {"file_name": "train.jsonl", "formatting": "sharegpt", "columns": columns, "tags": tags}
    write_json(work_folder / "data" / "dataset_info.json", {"train": entry})


def training_arguments(
    settings: TrainingSettings, base_model: Path, work_folder: Path, steps: int
) -> dict[str, Any]:
    """The arguments of LLaMA-Factory's training, by the names it documents."""
    on_gpu = torch.cuda.is_available()
    arguments: dict[str, Any] = {
        "stage": "sft",
        "do_train": True,
        "model_name_or_path": str(base_model),
        "finetuning_type": "lora" if settings.lora else "full",
        "template": TEMPLATE,
        "enable_thinking": False,
        "dataset_dir": str(work_folder / "data"),
        "dataset": "train",
        "cutoff_len": settings.cutoff_length,
        "output_dir": str(work_folder / "run"),
        # An existing checkpoint in output_dir is resumed from.
        "overwrite_output_dir": False,
        "learning_rate": settings.learning_rate,
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": settings.batch_size,
        "gradient_accumulation_steps": settings.gradient_accumulation,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.03,  # below 1: a share of all steps
        "weight_decay": 0.01,
        "optim": "adamw_torch",
        "seed": settings.seed,
        "data_seed": settings.seed,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        # LLaMA-Factory checkpoints activations unless told otherwise, at a third of the speed.
        "disable_gradient_checkpointing": True,
        "logging_steps": log_interval(steps, settings.save_steps),
        "logging_nan_inf_filter": False,  # else a loss of NaN is shown as the mean before it
        "save_steps": settings.save_steps,
        "save_total_limit": 2,  # a kill while the newer one is written leaves the older
        "report_to": "none",
    }
    return arguments | _lora_arguments(settings)


def _lora_arguments(settings: TrainingSettings) -> dict[str, Any]:
    if settings.lora is None:
        return {}
    return {
        "lora_rank": settings.lora.rank,
        "lora_alpha": settings.lora.alpha,
        "lora_dropout": settings.lora.dropout,
        "lora_target": ",".join(settings.lora.target_modules),
    }


def export_arguments(
    settings: TrainingSettings, base_model: Path, work_folder: Path, output: Path
) -> dict[str, Any]:
    """The arguments of LLaMA-Factory's export: adapters merged, or the trained model as it is."""
    trained = str(work_folder / "run")
    model = {"model_name_or_path": trained}
    if settings.lora:
        model = {"model_name_or_path": str(base_model), "adapter_name_or_path": trained}
    on_gpu = torch.cuda.is_available()
    return model | {
        "finetuning_type": "lora" if settings.lora else "full",
        "template": TEMPLATE,
        "enable_thinking": False,
        "infer_dtype": "bfloat16" if on_gpu else "float32",
        "export_dir": str(output),
        "export_device": "auto" if on_gpu else "cpu",
    }


def write_yaml(path: Path, arguments: dict[str, Any]) -> None:
    """Keep the arguments of a run beside its checkpoints."""
    write_text(path, yaml.safe_dump(arguments, sort_keys=False))
