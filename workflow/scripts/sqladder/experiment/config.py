"""The check of an experiment's config, against the closed schema and between its keys.

Everything that can be wrong with a config is found before a job runs, and all of it at once.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

from sqladder.databases.urls import check_url
from sqladder.errors import InputError
from sqladder.experiment.paths import download_of, input_path, is_on_disk
from sqladder.experiment.reading import Config, read_yaml
from sqladder.experiment.variants import TRAINED, is_fixed, parallelism, setting
from sqladder.prompts.rendering import check_user_template, placeholders
from sqladder.statistics.replicates import is_seed_folder
from sqladder.training.settings import LoraSettings, Parallelism, TrainingSettings, check_settings

# Folders of results/ that belong to the whole run, so that no variant may take their name.
RESERVED_NAMES = frozenset({"benchmarks", "charts", "lengths"})


def check(config: Config, schema: Mapping[str, Any]) -> None:
    """Raise an InputError that lists everything wrong with the config, one line each."""
    errors = Draft202012Validator(schema).iter_errors(config)
    problems = [_explain(error) for error in sorted(errors, key=lambda e: list(map(str, e.path)))]
    # The checks across keys rely on the shape that the schema guarantees.
    problems = problems or list(_cross_checks(config))
    if problems:
        # The schema reports a lack once for each missing key.
        lines = [f"  - {problem}" for problem in dict.fromkeys(problems)]
        raise InputError("\n".join(["the config cannot be used:", *lines]))


def _explain(error: ValidationError) -> str:
    where = ".".join(map(str, error.path)) or "config"
    match error.validator:
        case "additionalProperties":
            return f"{where}: {_unknown_keys(error)}"
        case "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            return f"{where}: lacks {', '.join(missing)}; add it"
        case "not":  # how the schema forbids a key that only another method or source uses
            return f"{where}: has no use with this method or source; remove it"
        case "enum":
            allowed = ", ".join(map(str, error.validator_value))
            hint = _close_match(error.instance, error.validator_value)
            return f"{where}: {error.instance!r} is none of {allowed}{hint}"
        case "pattern":
            return f"{where}: {error.instance!r} {error.schema['description']}"
        case "type":
            return (
                f"{where}: {error.instance!r} is not a {error.validator_value}{_number_hint(error)}"
            )
        case _:
            return f"{where}: {error.message}"


def _unknown_keys(error: ValidationError) -> str:
    known = list(error.schema.get("properties", {}))
    unknown = [key for key in error.instance if key not in known]
    hint = _close_match(unknown[0], known)
    return f"unknown key {', '.join(map(repr, unknown))}{hint}; known are {', '.join(known)}"


def _close_match(value: object, known: list[str]) -> str:
    close = difflib.get_close_matches(str(value), [str(k) for k in known], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _number_hint(error: ValidationError) -> str:
    if error.validator_value not in ("number", "integer") or not isinstance(error.instance, str):
        return ""
    try:
        value = float(error.instance)
    except ValueError:
        return ""
    return f"; YAML reads it as text, write {value:.1e}" if "e" in error.instance.lower() else ""


def _cross_checks(config: Config) -> Iterator[str]:
    """Yield what is wrong between keys, or between a key and the machine."""
    for key in ("train_on", "test_on"):
        if config[key] not in config["datasets"]:
            yield f"{key}: there is no data set {config[key]!r}; {_list(config['datasets'])}"
    if config["base_model"]["source"] == "toy":
        yield from _check_toy(config)
    else:
        yield from _check_paths("base_model", config["base_model"], ["path"], config)
    for name, dataset in config["datasets"].items():
        if dataset["source"] == "files":
            yield from _check_files(f"datasets.{name}", dataset, config)
    for name, download in config.get("downloads", {}).items():
        yield from _missing_paths(f"downloads.{name}", download, ["folder"])
    yield from _check_splits(config)
    yield from _check_seeds("config", config)
    if not {"seed", "seeds"} & set(config):
        yield "config: lacks seed; add it, or several as seeds"
    for name, context in config["contexts"].items():
        yield from _check_context(f"contexts.{name}", context)
    yield from _check_variants(config)
    if "published" in config:
        yield from _check_published(config)


def _check_published(config: Config) -> Iterator[str]:
    missing = list(_missing_paths("published", config["published"], ["table"]))
    yield from missing
    known = {} if missing else read_yaml(Path(config["published"]["table"]))["rows"]
    for variant, row in config["published"]["rows"].items():
        if variant not in config["variants"]:
            yield f"published.rows.{variant}: there is no such variant; {_list(config['variants'])}"
        if not missing and row not in known:
            yield f"published.rows.{variant}: the table has no row {row!r}; it has {', '.join(known)}"


def _check_context(where: str, context: Config) -> Iterator[str]:
    """Yield what a context's templates hold in braces without an entry for it, or the reverse."""
    try:
        check_user_template(context["user"])
    except InputError as error:
        yield f"{where}.user: {error}"
    shown = placeholders(context["user"])
    if "examples" in placeholders(context["system"]):
        shown.add("examples")
    as_block = context.get("values", {}).get("place") == "block"
    for part, wanted in (("examples", "examples" in context), ("values", as_block)):
        if wanted and part not in shown:
            yield f"{where}: `{part}` has no place; write {{{part}}} into the user text"
        if part in shown and not wanted:
            entry = "`values` with place: block" if part == "values" else "`examples`"
            yield f"{where}: the text holds {{{part}}}, but there is no entry {entry}; add it"
    described = context.get("descriptions", {})
    if is_on_disk(described.get("tables", "")):
        yield from _missing_paths(f"{where}.descriptions", described, ["tables"])
    if "rerank" in context.get("examples", {}):
        candidates, count = (
            context["examples"]["rerank"]["candidates"],
            context["examples"]["count"],
        )
        if candidates < count:
            yield f"{where}.examples.rerank.candidates: {candidates} are fewer than count {count}"


def _check_toy(config: Config) -> Iterator[str]:
    toy = config["base_model"]
    dataset = config["datasets"].get(toy["pretrain_on"])
    if dataset is None or dataset["source"] != "demo":
        yield (
            f"base_model.pretrain_on: {toy['pretrain_on']!r} is no data set with source: demo, "
            "which alone has examples for training a base model"
        )
    if toy["context"] not in config["contexts"]:
        yield f"base_model.context: there is no context {toy['context']!r}"


def _check_files(where: str, dataset: Config, config: Config) -> Iterator[str]:
    yield from _check_paths(
        where, dataset, ["questions", "databases", "gold", "gold_repairs"], config
    )
    try:
        check_url(input_path(dataset.get("databases", "")))
    except InputError as error:
        yield f"{where}.databases: {error}"
    if "databases" not in dataset and "schema" not in dataset.get("columns", {}):
        yield f"{where}: has no databases; add them, or columns.schema where each row has its schema"
    shares = dataset.get("split", {})
    if shares and shares["validation"] + shares["test"] >= 1:
        yield f"{where}.split: validation and test leave nothing for training; make them smaller"


def _check_paths(where: str, entry: Config, keys: list[str], config: Config) -> Iterator[str]:
    """Check that what an entry names is there, or is going to be downloaded."""
    for key in keys:
        download = download_of(entry.get(key, ""))
        if download and download not in config.get("downloads", {}):
            yield f"{where}.{key}: downloads has no entry {download!r}; add one"
    yield from _missing_paths(where, entry, [key for key in keys if is_on_disk(entry.get(key, ""))])


def _check_splits(config: Config) -> Iterator[str]:
    """Check that the data sets in use have what they are used for."""
    rules = config.get("decontamination", {"drop": [], "mark": []})
    for rule in rules["drop"]:
        if rule in rules["mark"]:
            yield f"decontamination.mark: {rule} drops rows already; name it once"
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
    has_validation = test.get("source") != "files" or test.get("split", {}).get("validation")
    if config.get("test_split") == "validation" and not has_validation:
        yield f"test_split: {config['test_on']!r} has no validation split; give it one by split"


def _check_seeds(where: str, entry: Config) -> Iterator[str]:
    if "seed" in entry and "seeds" in entry:
        yield f"{where}: names both seed and seeds; keep one of them"


def _check_variants(config: Config) -> Iterator[str]:
    names = list(config["variants"])
    for name in names:
        if name in RESERVED_NAMES:
            yield f"variants.{name}: results/{name} is a folder of the workflow; choose another name"
        if is_seed_folder(name):
            yield f"variants.{name}: is what the folder of a seed is called; choose another name"
        twins = [other for other in names if other != name and other.lower() == name.lower()]
        if twins:
            yield f"variants.{name}: differs from {twins[0]} in case only; rename one"
        variant = config["variants"][name]
        yield from _check_seeds(f"variants.{name}", variant)
        if variant["method"] == "imported":
            yield from _missing_paths(f"variants.{name}", variant, ["predictions"])
        else:
            decoding = setting(config, name, "decoding")
            if decoding.get("samples", 1) > 1 and decoding["temperature"] == 0:
                yield (
                    f"variants.{name}: decoding.samples is {decoding['samples']}, but greedy answers "
                    "are all the same; give a temperature above 0, or leave samples out"
                )
            context = variant.get("context", config["context"])
            if context not in config["contexts"]:
                yield (
                    f"variants.{name}.context: there is no context {context!r}; "
                    f"{_list(config['contexts'])}"
                )
            if len(variant.get("seeds", [])) > 1 and is_fixed(config, name):
                yield (
                    f"variants.{name}.seeds: without training and with temperature 0 every seed gives "
                    "the same answers; remove it"
                )
        if variant["method"] in TRAINED:
            yield from _check_training(config, name)


def _list(mapping: Mapping[str, Any]) -> str:
    return f"the config has {', '.join(mapping)}"


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
        elif not Path(path).exists():
            meaning = "" if path == written else f" (that is {path!r})"
            yield f"{where}.{key}: there is no file or folder {written!r}{meaning}"


def _check_training(config: Config, variant: str) -> Iterator[str]:
    settings = dict(setting(config, variant, "training"))
    del settings["over_cutoff"]
    plan = Parallelism(**parallelism(config, variant))
    own = config["variants"][variant]
    lora = None
    if own["method"] == "lora":
        lora = LoraSettings(own["rank"], own["alpha"], own["dropout"], own["target_modules"])
    try:
        check_settings(TrainingSettings(**settings, seed=0, parallelism=plan, lora=lora))
    except InputError as error:
        yield f"variants.{variant}: {error}"
