"""Files, flags and GPUs of the jobs of workflow/rules/train.smk: the base model, and every replicate's own."""

from collections.abc import Mapping
from pathlib import Path

from sqladder.data.settings import Fitting
from sqladder.demo.settings import Recipe
from sqladder.experiment.data_jobs import databases_of, dataset_of, examples_of, scoring_flags
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.mixes import mixed_weights
from sqladder.experiment.paths import needed_file
from sqladder.experiment.reading import Config
from sqladder.experiment.sweeps import settings_file
from sqladder.experiment.variants import (
    chosen_on_validation,
    first_seed,
    own_entry,
    own_seed,
    own_setting,
    parallelism,
    quantized_source,
    replicates,
    setting,
    start_of,
    trained,
)
from sqladder.generation.settings import DecodingSettings
from sqladder.settings.problems import settings_of
from sqladder.settings.program_flags import to_flags
from sqladder.settings.slices import sliced
from sqladder.statistics.replicates import Replicate
from sqladder.training.settings import AnyTraining, TrainingSettings, Untrained

# The base model


def is_toy(config: Config) -> bool:
    """Whether the base model is trained from scratch by this workflow."""
    return config["base_model"]["source"] == "toy"


def base_model(config: Config) -> str | list[str]:
    """The folder of the base model: made by this workflow, or given."""
    if is_toy(config):
        return "resources/base_model"
    return "resources/base_with_template" if base_template(config) else given_base(config)


def given_base(config: Config) -> str | list[str]:
    """The folder of the base model that the config names; none where the base is made."""
    return [] if is_toy(config) else needed_file(config["base_model"]["path"])


def base_template(config: Config) -> str:
    """The chat template that the config names for the base model, "" where that brings its own."""
    return "" if is_toy(config) else config["base_model"].get("template", "")


def pretraining_prompts(config: Config) -> str:
    """The prompts that the toy base is trained on."""
    return f"resources/prompts/{config['base_model']['context']}/pretrain.jsonl"


def toy_base_flags(config: Config) -> list[str]:
    """Size and training of the toy base."""
    return to_flags(sliced(Recipe, {**config["base_model"], "seed": first_seed(config)}))


# Replicates


def training_prompts(config: Config, replicate: str) -> str | list[str]:
    """The prompts that a replicate is trained on; the untrained baseline has none."""
    learned = _learned_in(config, replicate)
    if not learned:
        return fitted_prompts(config, replicate)
    name = "pairs" if "preference" in own_entry(config, replicate) else "rows"
    return f"{learned}/{name}.jsonl"


def learned_facts(config: Config, replicate: str) -> str | list[str]:
    """The facts of the round whose rows a training learns from, where it learns from execution."""
    learned = _learned_in(config, replicate)
    return f"{learned}/kept.json" if learned else []


def _learned_in(config: Config, replicate: str) -> str | None:
    """The folder of the round whose rows a training learns from (experiment/learning.py)."""
    own = own_entry(config, replicate).get("learned_in")
    seed = replicates(config)[replicate].seed
    return None if own is None else f"results/{Replicate(own, seed).name}"


def fitted_prompts(config: Config, replicate: str) -> str | list[str]:
    """The prompts of the training questions with their gold; the untrained baseline has none."""
    if replicate not in trained(config):
        return []
    context = own_setting(config, replicate, "context")
    settings = own_setting(config, replicate, "training")
    fitted = f"{settings['cutoff_length']}.{settings['over_cutoff']}"
    return f"resources/prompts/{context}/train.{fitted}.jsonl"


def fitting_flags(config: Config, context: str, cutoff: str, over: str) -> list[str]:
    """How long a training row may be; of the variants that share the rows, the strictest says how many must stay."""
    shared = f"resources/prompts/{context}/train.{cutoff}.{over}.jsonl"
    own = [
        sliced(Fitting, own_setting(config, name, "training"))
        for name in trained(config)
        if fitted_prompts(config, name) == shared
    ]
    return to_flags(max(own, key=lambda settings: settings.least_rows))


def lengths_of(config: Config, replicate: str) -> str:
    """The file with the lengths of the rows that a replicate is trained on."""
    name = Path(str(fitted_prompts(config, replicate)))
    return f"results/lengths/{name.parent.name}.{name.stem.removeprefix('train.')}.json"


def model_to_train(config: Config, replicate: str) -> str | list[str]:
    """The model that a replicate's training starts from: another one's, or the base."""
    # Gold and right answers are learned by the base, whoever drew them.
    by_base = _learned_in(config, replicate) and "preference" not in own_entry(config, replicate)
    start = None if by_base else start_of(config, replicate)
    return base_model(config) if start is None else f"results/{start}/model"


def training_flags(config: Config, replicate: str) -> list[str]:
    """A replicate's method with what it needs; the untrained baseline needs nothing."""
    if replicate not in trained(config):
        return to_flags(settings_of(Untrained, {"method": own_entry(config, replicate)["method"]}))
    data = named(
        {
            "data": training_prompts(config, replicate),
            "swept": settings_file(config, replicate),
            "start_from": start_of(config, replicate) or [],
            "learned": learned_facts(config, replicate),
        }
    )
    return to_flags(training_settings(config, replicate)) + as_flags(data)


def training_settings(config: Config, replicate: str) -> TrainingSettings:
    """The settings of the training of a replicate that is trained."""
    variant = replicates(config)[replicate].variant
    values = training_values(config, variant, own_seed(config, replicate))
    settings: TrainingSettings = sliced(AnyTraining, values)
    return settings


def training_values(config: Config, variant: str, seed: int) -> Config:
    """What holds for the training of a variant, among other things that its entry says."""
    return {
        **config["variants"][variant],
        **setting(config, variant, "training"),
        "parallelism": parallelism(config, variant),
        "weights": mixed_weights(config),
        "seed": seed,
    }


# Checkpoints that are judged

# Of a variant's decoding, what one greedy answer has no use for.
_OF_SEVERAL_ANSWERS = ("samples", "include_greedy", "grammar", "log_probabilities")
JUDGE = "judge_checkpoints.py"


def validation_prompts(config: Config, replicate: str) -> str | list[str]:
    """The prompts by which a replicate's checkpoint is chosen, where it is."""
    if replicate not in chosen_on_validation(config):
        return []
    return f"resources/prompts/{own_setting(config, replicate, 'context')}/validation.jsonl"


def validation_examples(config: Config, replicate: str) -> str | list[str]:
    """The same questions with their gold."""
    chosen = replicate in chosen_on_validation(config)
    return examples_of(config, "validation") if chosen else []


def validation_databases(config: Config, replicate: str) -> str | list[str]:
    """The folder of their databases."""
    chosen = replicate in chosen_on_validation(config)
    return databases_of(config, "validation") if chosen else []


def judge_command(config: Config, replicate: str) -> list[str]:
    """The program that judges a replicate's checkpoints, as the last flags of the training.

    Answers are greedy, whatever the variant's own are: a choice among checkpoints shall not depend on luck.
    """
    if replicate not in chosen_on_validation(config):
        return []
    greedy = {"temperature": 0, "top_p": 1}
    decoding = {**own_setting(config, replicate, "decoding"), **greedy}
    asked = {key: own for key, own in decoding.items() if key not in _OF_SEVERAL_ANSWERS}
    settings = sliced(DecodingSettings, {**asked, "seed": own_seed(config, replicate)})
    files = {
        "base_model": model_to_train(config, replicate),
        "prompts": validation_prompts(config, replicate),
        "examples": validation_examples(config, replicate),
        "databases": validation_databases(config, replicate),
        "gold_results": "resources/cache/gold",
        "cache_folder": "resources/cache/vllm",
    }
    words = [
        word for key, path in files.items() for word in (f"--{key.replace('_', '-')}", str(path))
    ]
    adapters = ["--adapters"] if training_settings(config, replicate).lora else []
    limits = scoring_flags(config, dataset_of(config, "validation"))
    return ["--judge", JUDGE, *words, *adapters, *to_flags(settings), *limits]


def training_code(config: Config, replicate: str, code: Mapping[str, str]) -> list[str]:
    """The digests of the programs that make a replicate's model.

    Args:
        config: the experiment.
        replicate: whose model is made.
        code: digests by program.
    """
    judge = [JUDGE] if replicate in chosen_on_validation(config) else []
    return [code[program] for program in ("train.py", *judge)]


def own_parallelism(config: Config, replicate: str) -> Config:
    """How a replicate's training is spread over GPUs and nodes: the untrained baseline only copies files."""
    if replicate not in trained(config):
        return {"method": "none", "gpus": 0}
    return parallelism(config, replicates(config)[replicate].variant)


def training_nodes(config: Config, replicate: str) -> int:
    """Nodes of a training."""
    return own_parallelism(config, replicate).get("nodes", 1)


def training_gpus(config: Config, replicate: str) -> int:
    """GPUs of a training, all nodes together, with those on which engines draw for it."""
    gpus_of_a_node = own_parallelism(config, replicate).get("gpus", 1)
    variant = config["variants"][replicates(config)[replicate].variant]
    beside = variant.get("reinforcement", {}).get("drawing_gpus", 0)
    return gpus_of_a_node * training_nodes(config, replicate) + beside


def training_tasks(config: Config, replicate: str) -> int | None:
    """Tasks of a training on several nodes, one each. Others have no such resource: None."""
    nodes = training_nodes(config, replicate)
    return nodes if nodes > 1 else None


def training_starter(config: Config, replicate: str) -> str | None:
    """What tells Snakemake's SLURM plugin that the job of several nodes starts its tasks itself, by srun."""
    return "srun" if training_nodes(config, replicate) > 1 else None


def training_environment(config: Config, replicate: str) -> str:
    """The conda environment of a training: Megatron's packages are for a training by Megatron only."""
    is_megatron = own_parallelism(config, replicate)["method"] == "megatron"
    return f"../envs/{'megatron' if is_megatron else 'train'}.yaml"


# Smaller numbers


def model_to_quantize(config: Config, replicate: str) -> str:
    """The model that a quantized replicate's is made from."""
    return f"results/{quantized_source(config, replicate)}/model"


def facts_to_quantize(config: Config, replicate: str) -> str:
    """How that model was trained."""
    return f"results/{quantized_source(config, replicate)}/train.json"


def kind_to_quantize(config: Config, replicate: str) -> str:
    """What becomes of its numbers."""
    return str(own_entry(config, replicate)["quantize"])
