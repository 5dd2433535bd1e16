"""Files and flags of the jobs of workflow/rules/report.smk: what all variants leave, and what made the run."""

import json
from typing import Any

from sqladder.experiment.context_jobs import retrieval_models
from sqladder.experiment.data_jobs import (
    databases_of,
    examples_of,
    paired_datasets,
    row_datasets,
    training_sets,
)
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.generation_jobs import (
    answered_at_once,
    chosen_from_samples,
    imported_file,
    of_models,
    of_servers,
    prompts_to_answer,
    repaired,
)
from sqladder.experiment.halved_sweeps import all_rungs
from sqladder.experiment.learning import drawings
from sqladder.experiment.mixes import mix_facts, without_mix
from sqladder.experiment.reading import Config
from sqladder.experiment.reinforced import reinforced
from sqladder.experiment.training_jobs import base_model, is_toy, lengths_of
from sqladder.experiment.trainings import names_of_trainings
from sqladder.experiment.variants import (
    generated,
    imported,
    own_setting,
    quantized,
    replicates,
    trained,
    with_model,
)
from sqladder.metric.showing import without_secrets


def results_of_all_variants(config: Config) -> dict[str, list[str]]:
    """What every variant leaves for the report; an imported one was neither trained nor generated here."""
    everyone = ("verdicts.jsonl", "metrics.json", "predictions.jsonl")
    return {
        **{file.split(".")[0]: _of_each(list(replicates(config)), file) for file in everyone},
        "training": _of_each(with_model(config), "train.json"),
        "generation": _of_each(generated(config), "generation.json"),
        "samples": _of_each(chosen_from_samples(config), "sample_verdicts.jsonl"),
    }


def prompts_as_asked(config: Config) -> list[str]:
    """The prompts of every context in which a variant was asked here."""
    return list(dict.fromkeys(prompts_to_answer(config, name) for name in generated(config)))


def _of_each(names: list[str], file: str) -> list[str]:
    return [f"results/{name}/{file}" for name in names]


# What made the run


def merged_config(config: Config) -> str:
    """The whole config as JSON, without secrets: it is recorded, shown and handed on."""
    return json.dumps(_without_secrets(without_mix(config)))


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_secrets(part) for key, part in value.items()}
    if isinstance(value, list):
        return [*map(_without_secrets, value)]
    return without_secrets(value) if isinstance(value, str) else value


def files_that_made_the_run(config: Config) -> list[str | list[str]]:
    """The files whose checksums say which data made the run."""
    return [
        examples_of(config, "test"),
        databases_of(config, "test"),
        *([examples_of(config, "train")] if trained(config) else []),
        *([base_model(config)] if with_model(config) else []),
        *(
            model
            for context in used_contexts(config)
            for model in retrieval_models(config, context)
        ),
        *(imported_file(config, replicate) for replicate in imported(config)),
    ]


def used_contexts(config: Config) -> list[str]:
    """The contexts of the variants that are asked here."""
    return sorted({own_setting(config, own, "context") for own in generated(config)})


def training_row_files(config: Config) -> dict[str, str | list[str]]:
    """The files that say what became of the training rows: the check of their gold, what they share with the test."""
    if not trained(config):
        return {}
    checked = [name for name in training_sets(config) if name in paired_datasets(config)]
    files = {"gold_checks": "gold.jsonl", "gold_examples": "examples.jsonl"}
    gold: dict[str, str | list[str]] = {
        key: _one_or_all([f"resources/datasets/{name}/{file}" for name in checked])
        for key, file in files.items()
    }
    return {
        **named(gold),
        **named({"mix": mix_facts(config)}),
        "decontamination": "results/decontamination.json",
    }


def _one_or_all(files: list[str]) -> str | list[str]:
    """A single file as its path, so that a run that mixes nothing has the flags that it always had."""
    return files[0] if len(files) == 1 else files


def training_row_flags(config: Config) -> list[str]:
    """The same files, and the lengths of each replicate's rows, as flags."""
    flags = as_flags(training_row_files(config))
    if trained(config) and config["train_on"] in row_datasets(config):
        flags.append("--gold-not-executed")
    for replicate in trained(config):
        flags += ["--lengths", replicate, lengths_of(config, replicate)]
    return flags


def base_flags(config: Config) -> list[str]:
    """The base model that models are made from, where some are."""
    return as_flags({"base_model": base_model(config)}) if trained(config) else []


def row_lengths(config: Config) -> list[str]:
    """The files with the lengths of the rows that variants are trained on."""
    return list(dict.fromkeys(lengths_of(config, name) for name in trained(config)))


def benchmarks_of_the_run(config: Config) -> list[str]:
    """Snakemake's measurements of the jobs that take time."""
    jobs = ["train_base"] if is_demonstration(config) else []
    jobs += [f"train/{own}" for own in names_of_trainings(config)]
    jobs += [f"train_rung/{own}" for own in all_rungs(config)]
    jobs += [f"reinforce/{own}" for own in reinforced(config)]
    jobs += [
        f"{stage}/{own}" for own in drawings(config) for stage in ("draw_answers", "judge_drawn")
    ]
    jobs += [f"quantize/{own}" for own in quantized(config)]
    at_once, chosen = answered_at_once(config), chosen_from_samples(config)
    jobs += [f"generate/{own}" for own in of_models(config, at_once)]
    jobs += [f"generate_served/{own}" for own in of_servers(config, at_once)]
    jobs += [f"generate_samples/{own}" for own in of_models(config, chosen)]
    jobs += [f"generate_served_samples/{own}" for own in of_servers(config, chosen)]
    jobs += [f"{stage}/{own}" for stage in ("choose_answers", "score_samples") for own in chosen]
    jobs += [f"score/{own}" for own in replicates(config)]
    jobs += [f"score_unrepaired/{own}" for own in repaired(config)]
    return [f"results/benchmarks/{job}.tsv" for job in jobs]


def is_demonstration(config: Config) -> bool:
    """Whether this run's models are toys."""
    return is_toy(config) and bool(with_model(config))


# What the report shows


def baseline_flags(config: Config) -> list[str]:
    """The variant that the others are compared with."""
    return as_flags({"baseline": config.get("baseline", next(iter(config["variants"])))})


def marked_questions(config: Config) -> str | list[str]:
    """The file that marks the test's questions clean or suspect, where something is trained."""
    return "resources/decontaminated/test_marks.jsonl" if trained(config) else []


def checked_gold(config: Config) -> str | list[str]:
    """The file that says what became of each gold query of the test, where they were checked."""
    dataset = config["test_on"]
    is_checked = dataset in paired_datasets(config)
    return f"resources/datasets/{dataset}/gold.jsonl" if is_checked else []


def published_file(config: Config) -> str | list[str]:
    """The file with the published table that the run is compared with, if the config names one."""
    return config["published"]["table"] if "published" in config else []


def report_flags(config: Config) -> list[str]:
    """The report's title, and what it compares the results with."""
    files = {
        "marks": marked_questions(config),
        "gold_checks": checked_gold(config),
        "published": published_file(config),
    }
    flags = [
        *as_flags({"title": config["title"]}),
        *baseline_flags(config),
        *as_flags(named(files)),
    ]
    for variant, row in config.get("published", {"rows": {}})["rows"].items():
        flags += ["--published-row", variant, row]
    return [*flags, "--demonstration"] if is_demonstration(config) else flags
