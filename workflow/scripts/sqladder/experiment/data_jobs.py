"""Files and flags of the jobs of workflow/rules/data.smk: downloads, data sets and their splits."""

import os
from collections.abc import Iterator

from sqladder.data.settings import (
    COUNT_COPIES,
    DROP_FAILING,
    KEEP_ALL,
    Decontamination,
    GoldProblems,
    ImportSettings,
    Reading,
    SplitSettings,
)
from sqladder.databases.engine import is_foreign
from sqladder.downloads.checksums import read_record, record_of
from sqladder.downloads.secret_urls import has_secrets, variable_of
from sqladder.downloads.settings import COMMIT, Download
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.native_jobs import native_flag, native_source
from sqladder.experiment.paths import input_path, needed_file
from sqladder.experiment.reading import Config
from sqladder.experiment.settings import Scoring
from sqladder.experiment.variants import choosing_variants, first_seed
from sqladder.settings.base import Settings
from sqladder.settings.problems import settings_of
from sqladder.settings.program_flags import to_flags
from sqladder.settings.slices import sliced
from sqladder.suites.settings import SuiteSettings

DEMO_SPLITS = ["pretrain", "train", "validation", "test"]


def datasets_by_source(config: Config, source: str) -> list[str]:
    """The data sets that come from `source`, in the config's order."""
    return [name for name, entry in config["datasets"].items() if entry["source"] == source]


def paired_datasets(config: Config) -> list[str]:
    """The data sets whose questions and databases are given as files."""
    files = datasets_by_source(config, "files")
    return [name for name in files if "databases" in config["datasets"][name]]


def row_datasets(config: Config) -> list[str]:
    """The data sets of training rows that bring their schemas with them and have no databases."""
    paired = paired_datasets(config)
    return [name for name in datasets_by_source(config, "files") if name not in paired]


def split_datasets(config: Config) -> list[str]:
    """The data sets of files that the workflow splits."""
    return [name for name, entry in config["datasets"].items() if "split" in entry]


# Splits


def splits(config: Config) -> list[str]:
    """The splits that prompts are written for; only a toy base needs the first one, only a choice the third."""
    is_toy = config["base_model"]["source"] == "toy"
    return [
        *(["pretrain"] if is_toy else []),
        "train",
        *(["validation"] if choosing_variants(config) else []),
        "test",
    ]


def training_sets(config: Config) -> list[str]:
    """The data sets that are trained on: that of train_on, or those that are mixed, in the order of their names."""
    return sorted(config["train_mix"]) if "train_mix" in config else [config["train_on"]]


def dataset_of(config: Config, split: str) -> str:
    """The data set that a split comes from."""
    if split == "pretrain":
        return config["base_model"]["pretrain_on"]
    if split == "validation" and "validate_on" in config:
        return config["validate_on"]
    return config["test_on"] if split == "test" else config["train_on"]


def imported_examples_of(config: Config, split: str) -> str:
    """The file of a split's examples: one for each part, or one for all where the data set is not split."""
    part = config.get("test_split", "test") if split == "test" else split
    return part_of_dataset(config, dataset_of(config, split), part)


def part_of_dataset(config: Config, dataset: str, part: str) -> str:
    """The file of a data set's part, or of all its examples where it has no parts."""
    has_parts = dataset in [*datasets_by_source(config, "demo"), *split_datasets(config)]
    return f"resources/datasets/{dataset}/{part if has_parts else 'examples'}.jsonl"


def has_validation_split(config: Config, dataset: str) -> bool:
    """Whether some questions of a data set are kept apart for choices."""
    entry = config["datasets"][dataset]
    return entry["source"] == "demo" or bool(entry.get("split", {}).get("validation"))


def validation_check(config: Config) -> str | list[str]:
    """The file that says that the questions of choices are none of the test, where there are choices."""
    return "results/validation.json" if choosing_variants(config) else []


def validation_flags(config: Config) -> list[str]:
    """Whether the questions of choices and those of the test are parts of one data set."""
    is_one_set = dataset_of(config, "validation") == config["test_on"]
    return ["--one-set"] if is_one_set else []


def examples_of(config: Config, split: str) -> str:
    """The file of a split's examples; training, and few-shot examples, use what decontamination leaves."""
    if split == "train" and "decontamination" in config:
        return "resources/decontaminated/train.jsonl"
    return imported_examples_of(config, split)


def databases_of(config: Config, split: str) -> str | list[str]:
    """The folder with the databases of a split; rows that bring their schemas with them have none."""
    dataset = dataset_of(config, split)
    return [] if dataset in row_datasets(config) else f"resources/datasets/{dataset}/databases"


def made_suite(config: Config) -> str | list[str]:
    """The folder with the suites that are made for the test's databases, if the config wants some."""
    dataset = config["test_on"]
    return f"resources/datasets/{dataset}/suite" if "suite" in config["datasets"][dataset] else []


def judged_on(config: Config) -> str | list[str]:
    """The folder with the database files on which answers are judged: suites made for that, or the databases."""
    return made_suite(config) or databases_of(config, "test")


def suite_flags(config: Config, dataset: str) -> list[str]:
    """How a data set's suites are made."""
    settings = settings_of(SuiteSettings, config["datasets"][dataset]["suite"])
    source = native_source(config, dataset)
    own = {"source": source} if source else {}
    return to_flags(settings) + as_flags({"seed": first_seed(config), **own})


def datasets_with_suites(config: Config) -> list[str]:
    """The data sets whose entries ask for suites."""
    return [name for name, entry in config["datasets"].items() if "suite" in entry]


def imported_questions(config: Config) -> str:
    """The file with every question of the test's data set, in the order of its source."""
    dataset = config["test_on"]
    is_imported = dataset in datasets_by_source(config, "files")
    all_questions = f"resources/datasets/{dataset}/questions.jsonl"
    return all_questions if is_imported else examples_of(config, "test")


def asked_questions(config: Config) -> str:
    """The file with every question that was to be asked, those that were left out among them."""
    is_split = config["test_on"] in split_datasets(config)
    return examples_of(config, "test") if is_split else imported_questions(config)


# Data sets of files


def dataset_file(config: Config, dataset: str, key: str) -> str | list[str]:
    """What a job needs of a data set's entry: the named file, the download that it lies in, or nothing."""
    entry = config["datasets"][dataset]
    return needed_file(entry[key]) if key in entry else []


def dataset_path(config: Config, dataset: str, key: str) -> str:
    """The path or URL that a data set's entry names."""
    return input_path(config["datasets"][dataset][key])


def number_of_variations(config: Config, dataset: str) -> int:
    """How many other contents each database of the demonstration has."""
    return config["datasets"][dataset]["variations"]


def reading_flags(config: Config, dataset: str) -> list[str]:
    """How a data set's questions are read."""
    return to_flags(sliced(Reading, config["datasets"][dataset]))


def import_flags(config: Config, dataset: str) -> list[str]:
    """How a data set's questions are read and paired with their gold queries and databases."""
    entry = config["datasets"][dataset]
    gold = {"gold": input_path(entry["gold"])} if "gold" in entry else {}
    return to_flags(sliced(ImportSettings, entry)) + as_flags(gold)


def gold_flags(config: Config, dataset: str) -> list[str]:
    """What is done with gold that has a problem, under which limits, and what the databases are copies of."""
    entry = config["datasets"][dataset]
    problems = entry.get("gold_problems")
    usual = DROP_FAILING if is_training_pool(config, dataset) else KEEP_ALL
    actions = settings_of(GoldProblems, problems) if problems else usual
    source = input_path(entry["databases"])
    original = {"original": source} if is_foreign(source) else {}
    listed = entry.get("gold_repairs")
    repairs = {"repairs": input_path(listed)} if listed else {}
    # What is trained on does not judge.
    judges = dataset == config["test_on"]
    # SQLite alone can be asked to read rows in another order.
    ambiguity = native_flag(config, dataset) or (["--ambiguity"] if judges else [])
    files = as_flags({**original, **repairs})
    return to_flags(actions) + scoring_flags(config, dataset) + files + ambiguity


def is_training_pool(config: Config, dataset: str) -> bool:
    """Whether a data set is trained on, and is not the test as a whole."""
    is_whole_test = dataset == config["test_on"] and dataset not in split_datasets(config)
    return dataset in training_sets(config) and not is_whole_test


def scoring_flags(config: Config, dataset: str) -> list[str]:
    """What one execution of one statement may cost, and whether the official evaluator's quirks hold."""
    return to_flags(scoring_settings(config, dataset))


def scoring_settings(config: Config, dataset: str) -> Settings:
    """The same, as settings."""
    own = {key: value for key, value in config["scoring"].items() if key != "engine"}
    settings: Settings = settings_of(Scoring, {**own, "quirks": quirks_of(config, dataset)})
    return settings


def bird_flags(config: Config) -> list[str]:
    """Whether answers are judged by BIRD's own metrics too: where the test's questions have its form."""
    return ["--bird"] if config["datasets"][config["test_on"]].get("format") == "bird" else []


def quirks_of(config: Config, dataset: str) -> str:
    """Whether the official evaluator's quirks hold: for the test as the config says, otherwise on Spider only."""
    scoring, entry = config["scoring"], config["datasets"][dataset]
    if dataset == config["test_on"] and "quirks" in scoring:
        return scoring["quirks"]
    # Other names of columns are of data that has been given Spider's form.
    is_spider = entry.get("format") == "spider" and "columns" not in entry
    return "official" if is_spider else "repaired"


def split_flags(config: Config, dataset: str) -> list[str]:
    """By what a data set is split, into which shares, with which seed."""
    split = config["datasets"][dataset]["split"]
    return to_flags(sliced(SplitSettings, {**split, "seed": first_seed(config)}))


def decontamination_flags(config: Config) -> list[str]:
    """By which rules training rows are dropped or marked, and their databases, where they have some."""
    files = {"databases": databases_of(config, "train"), **cleaned_rows(config)}
    return to_flags(decontamination(config)) + as_flags(named(files))


def decontamination(config: Config) -> Decontamination:
    """The rules; copies of the test's questions are counted whatever the config says."""
    if "decontamination" not in config:
        return COUNT_COPIES
    rules = settings_of(Decontamination, config["decontamination"])
    (exact,) = COUNT_COPIES.mark
    if exact in (*rules.drop, *rules.mark):
        return rules
    return Decontamination(drop=rules.drop, mark=[*rules.mark, exact])


def cleaned_rows(config: Config) -> dict[str, str | list[str]]:
    """The file of the rows that stay, where rules may drop some; without any, training does not depend on the test."""
    is_asked = "decontamination" in config
    return {"output": "resources/decontaminated/train.jsonl"} if is_asked else {}


# Downloads


def downloads(config: Config) -> Config:
    """The config's downloads by name."""
    return config.get("downloads", {})


def local_download(config: Config, download: str) -> str | list[str]:
    """The local folder that a download is taken from, if its entry names one."""
    entry = downloads(config)[download]
    return input_path(entry["folder"]) if "folder" in entry else []


def moving_revisions(config: Config) -> Iterator[str]:
    """Say which downloads are of a branch or tag whose commit no record holds yet."""
    for name, entry in downloads(config).items():
        revision, record = entry.get("revision"), record_of(name)
        if revision and not COMMIT.fullmatch(revision) and "commit" not in read_record(record):
            yield (
                f"downloads.{name}.revision: {revision!r} is what the source has on the day of the download; write a "
                f"commit to fix it, or commit {record}, which the first download writes"
            )


def records(config: Config) -> list[str]:
    """The records of the downloads of the hub, whose commits they hold."""
    names = [name for name, entry in downloads(config).items() if "revision" in entry]
    return [str(record_of(name)) for name in names]


def download_flags(config: Config, download: str) -> list[str]:
    """What is downloaded, and from where; a URL with secrets comes by an environment variable."""
    entry = downloads(config)[download]
    folder = {"folder": input_path(entry["folder"])} if "folder" in entry else {}
    url = {"url": f"${variable_of(entry['url'])}"} if entry in _with_secrets(config) else {}
    return to_flags(settings_of(Download, {**entry, **folder, **url}))


def secret_urls(config: Config) -> dict[str, str]:
    """Environment variable -> the URL that it hands over to a job, in whose command it would be seen."""
    urls = [entry["url"] for entry in _with_secrets(config)]
    return {variable_of(url): os.path.expandvars(url) for url in urls}


def _with_secrets(config: Config) -> list[Config]:
    return [entry for entry in downloads(config).values() if has_secrets(entry.get("url", ""))]
