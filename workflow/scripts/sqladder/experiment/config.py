"""The experiment's config: read strictly, checked against the closed schema, sliced per variant.

Everything that can be wrong with a config is found before a job runs, and all of it at once.
"""

import difflib
import os
import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError

from sqladder.databases.urls import check_url, is_url
from sqladder.errors import InputError
from sqladder.prompts.rendering import check_user_template, placeholders
from sqladder.statistics.replicates import Replicate, is_seed_folder
from sqladder.training.settings import LoraSettings, Parallelism, TrainingSettings, check_settings

Config = dict[str, Any]

# Folders of results/ that belong to the whole run, so that no variant may take their name.
RESERVED_NAMES = frozenset({"benchmarks", "charts", "lengths"})

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")

TRAINED = frozenset({"lora", "full"})


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML's plain loader keeps the last of two equal keys in silence; this one refuses them."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if key in seen:
                raise InputError(
                    f"{key_node.start_mark.name}: the name {key!r} is used twice, in lines "
                    f"{seen[key]} and {line}; rename or remove one"
                )
            seen[key] = line
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Read a YAML file, refusing a mapping that names a key twice."""
    try:
        with path.open(encoding="utf-8") as file:
            return yaml.load(file, Loader=_UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error


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


def download_of(value: str) -> str:
    """Name the download that a path lies in, "" if it lies in none."""
    parts = Path(value).parts
    return parts[2] if parts[:2] == ("resources", "downloads") and len(parts) > 2 else ""


def base_repository(config: Config) -> str | None:
    """Return the base model's name on the Hub, if the config tells it: its download's repository."""
    download = download_of(config["base_model"].get("path", ""))
    name = str(config.get("downloads", {}).get(download, {}).get("repository", ""))
    return name if _REPOSITORY.fullmatch(name) else None


def is_on_disk(value: str) -> bool:
    """Whether a config entry names a file or folder that has to be there before the run."""
    return bool(value) and not download_of(value) and not is_url(input_path(value))


def needed_file(value: str) -> str | list[str]:
    """Give what a job that reads a config entry depends on: a file, the download that it lies in, or nothing."""
    if is_url(input_path(value)):
        return []
    name = download_of(value)
    return f"resources/downloads/{name}" if name else input_path(value)


def input_path(value: str) -> str:
    """Give the path that a config entry means, environment variables filled in."""
    return os.path.expandvars(value)


def variants_by_method(config: Config, methods: frozenset[str]) -> list[str]:
    """Name the variants whose method is one of `methods`, in the config's order."""
    return [name for name, v in config["variants"].items() if v["method"] in methods]


def setting(config: Config, variant: str, key: str) -> Any:
    """Give the `key` that holds for one variant: its own, or else the experiment's.

    A mapping (`training`, `decoding`) is merged key by key, so that a variant names only what differs.
    """
    common, own = config[key], config["variants"][variant].get(key)
    if own is None:
        return common
    return {**common, **own} if isinstance(common, dict) else own


def first_seed(config: Config) -> int:
    """Give the seed of what all variants share: splits, few-shot examples, the toy base model."""
    return _named_seeds(config)[0]


def _named_seeds(entry: Config) -> list[int]:
    return entry["seeds"] if "seeds" in entry else [entry["seed"]]


def is_fixed(config: Config, variant: str) -> bool:
    """Whether a variant's answers are the same with every seed: imported, or untrained and greedy."""
    method = config["variants"][variant]["method"]
    if method == "imported":
        return True
    return method not in TRAINED and setting(config, variant, "decoding")["temperature"] == 0


def seeds_of(config: Config, variant: str) -> list[int]:
    """Give the seeds that a variant is run with: its own, or else the experiment's."""
    own = config["variants"][variant]
    named = _named_seeds(own if {"seed", "seeds"} & set(own) else config)
    return named[:1] if is_fixed(config, variant) else named


def replicates(config: Config) -> list[Replicate]:
    """Give every variant with each of its seeds, in the config's order."""
    found = []
    for variant in config["variants"]:
        seeds = seeds_of(config, variant)
        # One seed needs no folder of its own.
        found += [Replicate(variant, seed if len(seeds) > 1 else None) for seed in seeds]
    return found


def recipe(config: Config, own: Replicate) -> Config:
    """Return the settings that a replicate was trained with, flat, for its model card."""
    entry = config["variants"][own.variant]
    named = {k: v for k, v in entry.items() if not isinstance(v, dict) and k != "seeds"}
    return {
        **named,
        "seed": seeds_of(config, own.variant)[0] if own.seed is None else own.seed,
        "context": setting(config, own.variant, "context"),
        **setting(config, own.variant, "training"),
    }


def parallelism(config: Config, variant: str) -> Config:
    """Give how a variant's training is spread over GPUs: its own entry, or else the experiment's."""
    own = config["variants"][variant].get("parallelism")
    return own or config.get("parallelism", {"method": "single"})


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


def context_flags(context: Config) -> list[str]:
    """Write a context's entry as the flags of render_prompts.py; few-shot examples come as a file."""
    flags = [
        f"--schema-form={context['schema']}",
        f"--system-text={context['system']}",
        f"--user-template={context['user']}",
    ]
    if "descriptions" in context:
        flags.append("--descriptions")
        if "tables" in context["descriptions"]:
            flags.append(f"--tables-json={input_path(context['descriptions']['tables'])}")
    if "linking" in context:
        flags.append(f"--linking-budget={context['linking']['budget']}")
    if "values" in context:
        values = context["values"]
        flags.append(f"--values={values['place']}")
        flags.append(f"--values-per-column={values['per_column']}")
        flags.append(f"--values-at-most={values['at_most']}")
    if "examples" in context:
        flags.append(f"--references-template={context['examples']['template']}")
    return flags


def retrieval_flags(examples: Config) -> dict[str, Any]:
    """Give a context's `examples` entry as settings of retrieve_examples.py."""
    flags = {key: examples[key] for key in ("method", "by", "count") if key in examples}
    if "embedding" in examples:
        flags["embedding_model"] = input_path(examples["embedding"]["model"])
        flags["embedding_instruction"] = examples["embedding"]["instruction"]
    if "rerank" in examples:
        flags["rerank_model"] = input_path(examples["rerank"]["model"])
        flags["rerank_instruction"] = examples["rerank"]["instruction"]
        flags["candidates"] = examples["rerank"]["candidates"]
    return flags


def datasets_by_source(config: Config, source: str) -> list[str]:
    """Name the data sets that come from `source`, in the config's order."""
    return [name for name, entry in config["datasets"].items() if entry["source"] == source]
