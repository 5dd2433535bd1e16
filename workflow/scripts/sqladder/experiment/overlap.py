"""Whether what is trained on is what is asked: no score would then mean anything."""

import filecmp
from collections.abc import Iterator
from pathlib import Path

from sqladder.experiment.data_jobs import training_sets
from sqladder.experiment.paths import input_path
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import WITH_TRAINING, variants_by_method

_WAY_OUT = "split: {by: question, validation: 0.1, test: 0.2}"


def check_overlap(config: Config) -> Iterator[str]:
    """Yield what is wrong where the questions that are trained on are, or hold, those of `test_on`.

    Equal content under two names counts as the same file. Where no variant is
    trained, nothing is wrong: few-shot examples never hold the question that is asked.
    """
    for name in training_sets(config):
        yield from _overlap_with(config, name)


def _overlap_with(config: Config, trained_on: str) -> Iterator[str]:
    key = "train_on" if trained_on == config["train_on"] else f"train_mix.{trained_on}"
    names = trained_on, config["test_on"]
    train, test = (config["datasets"].get(name, {}) for name in names)
    if not (
        train.get("source") == test.get("source") == "files"
        and variants_by_method(config, WITH_TRAINING)
    ):
        return
    if names[0] == names[1]:
        if "split" not in train:
            yield (
                f"test_on: {names[1]!r} is {key} too and has no split, so the questions of the test would be "
                f"trained on; add datasets.{names[1]}.{_WAY_OUT}, or test on another data set"
            )
    elif share_a_file(Path(input_path(train["questions"])), Path(input_path(test["questions"]))):
        yield (
            f"test_on: the questions of {names[1]!r} ({test['questions']!r}) are those of {key}, {names[0]!r} "
            f"({train['questions']!r}), so the questions of the test would be trained on; name one data set with "
            f"{_WAY_OUT} in both keys, or test on another file"
        )


def share_a_file(one: Path, other: Path) -> bool:
    """Whether two paths name the same file, files of equal content, or a folder and something in it."""
    one, other = one.resolve(), other.resolve()
    if one == other or one in other.parents or other in one.parents:
        return True
    return one.is_file() and other.is_file() and _equal(one, other)


def _equal(one: Path, other: Path) -> bool:
    # Files of no content are no questions; an import says so.
    return one.stat().st_size > 0 and filecmp.cmp(one, other, shallow=False)
