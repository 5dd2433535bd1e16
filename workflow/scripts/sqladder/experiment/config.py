"""The check of an experiment's config: each value by its declaration, then the values with each other.

Everything that can be wrong with a config is found before a job runs, and all of it at once.
"""

import os
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from sqladder.databases.urls import check_url
from sqladder.downloads.secret_urls import has_secrets, unset_variables
from sqladder.errors import InputError
from sqladder.experiment.curve_check import check_curves, misplaced_curves
from sqladder.experiment.data_jobs import has_validation_split
from sqladder.experiment.learning import learning_problems, training_suites, with_rounds
from sqladder.experiment.mixes import check_mix, with_mix, wrong_training_keys
from sqladder.experiment.native_jobs import native_problems
from sqladder.experiment.overlap import check_overlap
from sqladder.experiment.paths import download_of, input_path, is_on_disk
from sqladder.experiment.reading import Config, read_yaml
from sqladder.experiment.reinforced import kind_of_training, reward_problems, with_rewards
from sqladder.experiment.settings import Experiment
from sqladder.experiment.start_check import wrong_starts
from sqladder.experiment.sweep_check import (
    asked_in_no_chosen_context,
    check_sweeps,
    misplaced_sweeps,
)
from sqladder.experiment.target_check import check_targets
from sqladder.experiment.training_jobs import training_values
from sqladder.experiment.validation_split import check_validation
from sqladder.experiment.variants import WITH_TRAINING, is_fixed, model_owner, quantization, setting
from sqladder.generation.settings import DecodingSettings
from sqladder.models.architecture import unfit
from sqladder.models.turns import TEMPLATES, has_template
from sqladder.settings.kinds import Location
from sqladder.settings.problems import dotted, problems
from sqladder.settings.slices import kept
from sqladder.statistics.replicates import is_seed_folder

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
# Folders of results/ that belong to the whole run, so that no variant may take their name.
RESERVED_NAMES = frozenset({"benchmarks", "charts", "lengths", "tracking"})
# Keys of a data set that say something of its databases.
_OF_DATABASES = ("gold", "gold_repairs", "allow_missing_databases", "gold_problems", "suite")


def check(config: Config) -> None:
    """Raise an InputError that lists everything wrong with the config, one line each."""
    # The checks across keys rely on the shape that the declarations guarantee.
    misplaced = [*misplaced_sweeps(config), *misplaced_curves(config)]
    shape = misplaced or problems(Experiment, config)
    shape = (
        shape or [*_no_seed(config)] or [*wrong_training_keys(config)] or [*wrong_starts(config)]
    )
    if found := shape or list(dict.fromkeys(_cross_checks(with_mix(config)))):
        lines = [f"  - {problem}" for problem in found]
        raise InputError("\n".join(["the config cannot be used:", *lines]))


def _no_seed(config: Config) -> Iterator[str]:
    """Say that no seed is named: most checks ask which ones a variant is run with."""
    if not {"seed", "seeds"} & set(config):
        yield "config: lacks seed; add it, or several as seeds"


def _cross_checks(config: Config) -> Iterator[str]:
    """Yield what is wrong between keys, or between a key and the machine."""
    for key in ("train_on", "test_on"):
        if config[key] not in config["datasets"]:
            yield f"{key}: there is no data set {config[key]!r}; {_list(config['datasets'])}"
    if config["base_model"]["source"] == "toy":
        yield from _check_toy(config)
    else:
        yield from _check_paths("base_model", config["base_model"], ["path"], config)
        yield from _check_base(config["base_model"])
    for name, dataset in config["datasets"].items():
        if dataset["source"] == "files":
            yield from _check_files(f"datasets.{name}", dataset, config)
        if "suite" in dataset and name not in [config["test_on"], *training_suites(config)]:
            yield (
                f"datasets.{name}.suite: answers are judged on test_on ({config['test_on']}), and on train_on where a "
                "variant learns from execution; remove it here"
            )
    for name, download in config.get("downloads", {}).items():
        yield from _missing_paths(f"downloads.{name}", download, ["folder"])
        if "folder" not in download:
            yield from _unset(f"downloads.{name}.url", download.get("url", ""))
    yield from _check_splits(config)
    yield from native_problems(config)
    yield from check_overlap(config)
    yield from check_mix(config)
    yield from check_validation(config)
    yield from check_sweeps(config)
    yield from learning_problems(config)
    yield from reward_problems(config)
    yield from check_curves(config)
    yield from _check_seeds("config", config)
    for name, context in config["contexts"].items():
        where, described = f"contexts.{name}.descriptions", context.get("descriptions", {})
        yield from _check_paths(where, described, ["tables"], config)
        yield from _check_models(f"contexts.{name}.examples", context.get("examples", {}), config)
    if config["context"] not in config["contexts"]:
        yield f"context: there is no context {config['context']!r}; {_list(config['contexts'])}"
    yield from _check_variants(config)
    if "published" in config:
        yield from _check_published(config)
    if config.get("baseline", next(iter(config["variants"]))) not in config["variants"]:
        yield f"baseline: there is no variant {config['baseline']!r}; {_list(config['variants'])}"


def _check_published(config: Config) -> Iterator[str]:
    missing = list(_missing_paths("published", config["published"], ["table"]))
    yield from missing
    known = {} if missing else read_yaml(Path(config["published"]["table"]))["rows"]
    for variant, row in config["published"]["rows"].items():
        if variant not in config["variants"]:
            yield f"published.rows.{variant}: there is no such variant; {_list(config['variants'])}"
        if not missing and row not in known:
            yield f"published.rows.{variant}: the table has no row {row!r}; it has {', '.join(known)}"


def _check_toy(config: Config) -> Iterator[str]:
    toy = config["base_model"]
    dataset = config["datasets"].get(toy["pretrain_on"])
    if dataset is None or dataset["source"] != "demo":
        yield (
            f"base_model.pretrain_on: {toy['pretrain_on']!r} is no data set with source: demo, "
            "which alone has examples for training a base model"
        )
    if toy["context"] not in config["contexts"]:
        yield (
            f"base_model.context: there is no context {toy['context']!r}; "
            f"{_list(config['contexts'])}"
        )


def _check_models(where: str, examples: Config, config: Config) -> Iterator[str]:
    """Check that the models of a search are on this disk or downloaded, and that its server shows no secret."""
    for key in ("embedding", "rerank"):
        entry = examples.get(key, {})
        name = entry.get("model", "")
        if _HUB_NAME.fullmatch(name) and not Path(name).exists():
            yield (
                f"{where}.{key}.model: there is no folder {name!r}; if it is a name on the hub, add to downloads a "
                f"source: huggingface with type: model, repository: {name}, a revision and files: ['*'], and name "
                "resources/downloads/<name> here"
            )
        else:
            yield from _check_paths(f"{where}.{key}", entry, ["model"], config)
    if has_secrets(examples.get("embedding", {}).get("uri", "")):
        yield (
            f"{where}.embedding.uri: holds a user, a password or parameters, which would be recorded; put the whole in "
            "an environment variable and name it: uri: $MILVUS"
        )


def _check_base(base: Config) -> Iterator[str]:
    """Check that a base that is on this disk can be one, with one chat template, its own or the config's."""
    folder = Path(input_path(base["path"]))
    if not folder.is_dir():
        return
    if has_template(folder) and "template" in base:
        yield f"base_model.template: {base['path']!r} brings a chat template of its own; remove it"
    if not has_template(folder) and "template" not in base:
        yield (
            f"base_model: {base['path']!r} brings no chat template, so how a question is put to it is not "
            f"known; add template: {' or '.join(TEMPLATES)}"
        )
    if (folder / "config.json").is_file() and (reason := unfit(folder)):
        yield f"base_model.path: {base['path']!r} {reason}"


def _check_files(where: str, dataset: Config, config: Config) -> Iterator[str]:
    yield from _check_paths(
        where, dataset, ["questions", "databases", "gold", "gold_repairs"], config
    )
    try:
        check_url(input_path(dataset.get("databases", "")))
    except InputError as error:
        yield f"{where}.databases: {error}"
    if "databases" in dataset:
        return
    for key in _OF_DATABASES:
        if key in dataset:
            yield f"{where}.{key}: has no use without databases; remove it"
    if "schema" not in dataset.get("columns", {}):
        yield f"{where}: has no databases; add them, or columns.schema where each row has its schema"


def _check_paths(where: str, entry: Config, keys: list[str], config: Config) -> Iterator[str]:
    """Check that what an entry names is there, or is going to be downloaded."""
    for key in keys:
        download = download_of(entry.get(key, ""))
        if download and download not in config.get("downloads", {}):
            yield f"{where}.{key}: downloads has no entry {download!r}; add one"
    yield from _missing_paths(where, entry, [key for key in keys if is_on_disk(entry.get(key, ""))])


def _check_splits(config: Config) -> Iterator[str]:
    """Check that the data sets in use have what they are used for."""
    test = config["datasets"].get(config["test_on"], {})
    if test.get("source") == "files" and "databases" not in test:
        yield f"test_on: {config['test_on']!r} has no databases, on which answers could be executed"
    train = config["datasets"].get(config["train_on"], {})
    for name, context in config["contexts"].items():
        masked = context.get("examples", {}).get("by") == "masked_question"
        if masked and train.get("source") == "files" and "databases" not in train:
            yield (
                f"contexts.{name}.examples.by: questions of {config['train_on']!r} cannot be masked "
                "without databases; choose question or sql"
            )
    is_missing = bool(test) and not has_validation_split(config, config["test_on"])
    if config.get("test_split") == "validation" and is_missing:
        yield f"test_split: {config['test_on']!r} has no validation split; give it one by split"


def _check_seeds(where: str, entry: Config) -> Iterator[str]:
    if "seed" in entry and "seeds" in entry:
        yield f"{where}: names both seed and seeds; keep one of them"


def _check_variants(config: Config) -> Iterator[str]:
    trainings = with_rewards(with_rounds(config))
    for name, variant in config["variants"].items():
        yield from _check_name(name, list(config["variants"]))
        yield from _check_seeds(f"variants.{name}", variant)
        if variant["method"] == "imported":
            yield from _missing_paths(f"variants.{name}", variant, ["predictions"])
        else:
            yield from _check_generation(config, name)
        if variant["method"] in ("reuse", "quantized"):
            yield from _check_reuse(config, name)
        if variant["method"] == "served":
            yield from _check_served(config, name)
        if variant["method"] in WITH_TRAINING:
            place = partial(_merged, name, "training")
            kind = kind_of_training(trainings, name)
            values = kept(kind, training_values(trainings, name, 0))
            yield from problems(kind, values, place)
            place_of = "tune.target_modules" if "tune" in variant else "target_modules"
            yield from check_targets(trainings, name, place_of)


def _check_reuse(config: Config, name: str) -> Iterator[str]:
    """Check that some variant makes the model that this one asks, or makes smaller."""
    try:
        owner = model_owner(config, name)
    except InputError as error:
        yield f"variants.{name}.model_of: {error}"
        return
    yield from _check_quantized(config, name)
    yield from asked_in_no_chosen_context(config, name, owner)
    if config["variants"][owner]["method"] == "imported":
        yield (
            f"variants.{name}.model_of: {owner!r} has no model, its predictions were made elsewhere; name a variant "
            "that is trained or asked here"
        )
    if config["variants"][owner]["method"] == "served":
        yield (
            f"variants.{name}.model_of: {owner!r} has no model here, a server answers for it; name a variant that is "
            "trained or asked here, or make this one method: served, too"
        )


def _check_quantized(config: Config, name: str) -> Iterator[str]:
    """Check that what is made smaller was whole, and that no engine is named where there is no choice of one."""
    variant, kind = config["variants"][name], quantization(config, name)
    source = variant["model_of"]
    if variant["method"] == "quantized" and quantization(config, source):
        yield (
            f"variants.{name}.model_of: the model of {source!r} is quantized itself, and numbers are made smaller "
            "once; name the variant that it was made from"
        )
    if kind and "engine" in variant.get("decoding", {}):
        yield f"variants.{name}.decoding.engine: has no use, quantize: {kind} says what answers; remove it"


def _check_served(config: Config, name: str) -> Iterator[str]:
    """Check that the key is there, and that nothing is asked for that a server of this kind does not do."""
    variable = config["variants"][name].get("key_variable")
    if variable and not os.environ.get(variable, "").strip():
        yield (
            f"variants.{name}.key_variable: the environment variable {variable} is not set; set it to the server's "
            "key, or leave key_variable out where the server wants none"
        )
    decoding = setting(config, name, "decoding")
    place = partial(_merged, name, "decoding")
    if decoding["repetition_penalty"] != 1:
        yield place(["repetition_penalty"]) + (
            f": is {decoding['repetition_penalty']}, which a server is not asked for; give "
            f"variants.{name}.decoding.repetition_penalty: 1"
        )
    grammar = decoding.get("grammar", "none")
    if grammar != "none" and not config["variants"][name].get("structured_outputs", False):
        yield place(["grammar"]) + (
            f": is {grammar}, which is no part of OpenAI's protocol; give variants.{name}.decoding.grammar: none, or "
            f"variants.{name}.structured_outputs: true where the server is vLLM's"
        )
    for key in ("engine", "batch_size", "gpus"):
        if key in config["variants"][name].get("decoding", {}):
            yield f"variants.{name}.decoding.{key}: has no use where a server answers; remove it"


def _check_name(name: str, names: list[str]) -> Iterator[str]:
    if name in RESERVED_NAMES:
        yield f"variants.{name}: results/{name} is a folder of the workflow; choose another name"
    if is_seed_folder(name):
        yield f"variants.{name}: is what the folder of a seed is called; choose another name"
    twins = [other for other in names if other != name and other.lower() == name.lower()]
    if twins:
        yield f"variants.{name}: differs from {twins[0]} in case only; rename one"


def _check_generation(config: Config, name: str) -> Iterator[str]:
    variant, place = config["variants"][name], partial(_merged, name, "decoding")
    values = {**setting(config, name, "decoding"), "seed": 0}
    yield from problems(DecodingSettings, kept(DecodingSettings, values), place)
    choice = values.get("choose", "first")
    if choice != "first" and values.get("samples", 1) == 1:
        yield place(["choose"]) + (
            f": {choice} is a choice among several samples, and samples is 1; give more, such as samples: 8"
        )
    context = variant.get("context", config["context"])
    is_repaired = values.get("repair", {}).get("rounds", 0) > 0
    for asked in variant.get("sweep", {}).get("context", [context]):
        if is_repaired and "repair_turn" not in config["contexts"].get(asked, {"repair_turn": ""}):
            yield place(["repair"]) + (
                f": the context {asked!r} has no text that asks again; give contexts.{asked}.repair_turn, such as "
                '"{sql}\\nfails: {error}\\nWrite it again."'
            )
    if context not in config["contexts"]:
        yield (
            f"variants.{name}.context: there is no context {context!r}; {_list(config['contexts'])}"
        )
    if len(variant.get("seeds", [])) > 1 and is_fixed(config, name):
        yield (
            f"variants.{name}.seeds: without training and with temperature 0 every seed gives "
            "the same answers; remove it"
        )


def _merged(variant: str, section: str, location: Location) -> str:
    """The place of a setting that a variant may have from the experiment."""
    inside = () if tuple(location[:1]) == ("parallelism",) else (section,)
    return f"variants.{variant}: {dotted([*inside, *location])}"


def _list(mapping: Mapping[str, Any]) -> str:
    return f"the config has {', '.join(mapping)}"


def _unset(where: str, url: str) -> Iterator[str]:
    for name in unset_variables(url):
        yield (
            f"{where}: names the environment variable {name}, which is not set; set it, or write %24 for a dollar sign"
        )


def _missing_paths(where: str, entry: Config, keys: list[str]) -> Iterator[str]:
    for key in keys:
        if key not in entry:
            continue
        written, path = entry[key], os.path.expandvars(entry[key])
        if "$" in path:
            yield (
                f"{where}.{key}: {written!r} names an environment variable that is not set; "
                "set it or write the path"
            )
        elif "{" in path or "}" in path:
            yield (
                f"{where}.{key}: {path!r} has a brace, which Snakemake takes for a pattern of paths; "
                "rename it, or link to it by a name without"
            )
        elif not Path(path).exists():
            meaning = "" if path == written else f" (that is {path!r})"
            place = (
                "" if Path(path).is_absolute() else f" in {Path.cwd()}, where the run was started"
            )
            yield f"{where}.{key}: there is no file or folder {written!r}{meaning}{place}"
