"""Whether there are questions to choose checkpoints by, and whether they are others than those of the test."""

from collections.abc import Iterator
from pathlib import Path

from sqladder.experiment.data_jobs import (
    dataset_of,
    has_validation_split,
    imported_examples_of,
    row_datasets,
    training_sets,
)
from sqladder.experiment.overlap import share_a_file
from sqladder.experiment.paths import input_path
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import choosing_variants


def check_validation(config: Config) -> Iterator[str]:
    """Yield what is wrong with the questions by which checkpoints are chosen.

    Whether single questions or databases are those of the test is seen when both are imported
    (workflow/scripts/check_validation.py).
    """
    names = choosing_variants(config)
    own = config.get("validate_on")
    if own is not None and own not in config["datasets"]:
        yield f"validate_on: there is no data set {own!r}; the config has {', '.join(config['datasets'])}"
        return
    if not names:
        if own is not None:
            yield "validate_on: no variant chooses its checkpoint; give training.choose: validation, or remove it"
        return
    if not {config["train_on"], config["test_on"]} <= set(config["datasets"]):
        return
    if config["scoring"].get("engine") == "native":
        yield (
            "training.choose: validation executes answers on copies in SQLite, and scoring.engine is native: what "
            f"counts in the test is another dialect; give {names[0]} choose: last"
        )
    if own is None and "train_mix" in config:
        yield (
            "training.choose: validation needs validate_on beside train_mix, which names several sets: the data set "
            "whose validation split, or whose questions, choose"
        )
        return
    dataset = dataset_of(config, "validation")
    where = f"validate_on: {dataset!r}" if own else f"training.choose: train_on, {dataset!r},"
    if dataset in row_datasets(config):
        yield f"{where} has no databases, on which answers could be executed; name another data set as validate_on"
    elif not has_validation_split(config, dataset) and dataset in (
        *training_sets(config),
        config["test_on"],
    ):
        yield (
            f"{where} has no validation split, by which {names[0]} could choose; add "
            f"datasets.{dataset}.split.validation, such as 0.1, or name a data set of its own as validate_on"
        )
    elif imported_examples_of(config, "validation") == imported_examples_of(config, "test"):
        yield (
            f"{where}: its validation split is what variants are compared on (test_split: validation), so it cannot "
            "choose their checkpoints; give test_split: test, or another validate_on"
        )
    elif dataset != config["test_on"] and _same_questions(config, dataset, config["test_on"]):
        yield (
            f"{where}: its questions are those of the test, {config['test_on']!r}, which no choice may see; name "
            "other questions"
        )


def _same_questions(config: Config, one: str, other: str) -> bool:
    entries = [config["datasets"][name] for name in (one, other)]
    if any(entry["source"] != "files" for entry in entries):
        return False
    first, second = (Path(input_path(entry["questions"])) for entry in entries)
    return share_a_file(first, second)
