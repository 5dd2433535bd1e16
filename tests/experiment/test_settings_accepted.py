"""Whatever the check accepts, the programs accept: settings drawn from their declarations, through the flags."""

import argparse
import copy
import datetime
import importlib.util
import math
import sys
from functools import cache
from typing import get_origin
from unittest.mock import MagicMock

import annotated_types as a
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conftest import ROOT
from sqladder.data.settings import (
    Decontamination,
    Fitting,
    GoldProblems,
    ImportSettings,
    Reading,
    SplitSettings,
)
from sqladder.demo.settings import DemoDatabases, Recipe
from sqladder.downloads.settings import Download, HttpDownload
from sqladder.errors import InputError
from sqladder.experiment import (
    context_jobs,
    data_jobs,
    generation_jobs,
    training_jobs,
    variants,
)
from sqladder.experiment.config import check
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.settings import (
    DecodingEntry,
    DemoDataset,
    Experiment,
    FullVariant,
    LoraVariant,
    Scoring,
    ToyBase,
    TrainingEntry,
)
from sqladder.generation.settings import DecodingSettings, RepairedDecoding, ServedDecoding
from sqladder.metric.limit_flags import add_limit_flags, add_quirks_flag, limits_from_flags
from sqladder.prompts.settings import Context, ContextSettings
from sqladder.retrieval.settings import Choice, IndexSettings
from sqladder.settings.kinds import keys, kind_of
from sqladder.settings.problems import problems, settings_of
from sqladder.settings.program_flags import from_flags, to_flags
from sqladder.training.settings import Method, Parallelism

DEFAULT = read_yaml(ROOT / "config/config.yaml")
# Each program with the settings that it takes and the files that its parser asks for.
PROGRAMS = {
    "train.py": (Method, "base-model output facts"),
    "generate.py": (DecodingSettings, "model prompts output facts"),
    "generate_repaired.py": (
        RepairedDecoding,
        "model prompts output facts repair-template examples databases",
    ),
    "generate_served_on_databases.py": (ServedDecoding, "prompts output facts url model"),
    "train_base.py": (Recipe, "prompts output facts work-folder"),
    "fit_prompts.py": (Fitting, "prompts tokenizer output facts chart"),
    "render_prompts.py": (ContextSettings, "examples output"),
    "retrieve_examples.py": (Choice, "questions pool output"),
    "index_examples.py": (IndexSettings, "pool collection work output"),
    "import_questions.py": (ImportSettings, "questions databases all output left-out"),
    "import_rows.py": (Reading, "rows output"),
    "check_gold.py": (GoldProblems, "examples databases output checks summary"),
    "split_examples.py": (SplitSettings, "examples output"),
    "decontaminate.py": (
        Decontamination,
        "examples evaluation evaluation-databases output marks evaluation-marks report facts",
    ),
    "fetch.py": (Download, "record work-folder output"),
    "build_demo_databases.py": (DemoDatabases, "schemas output seed"),
}
# What programs compute with; the import of each takes seconds, and no parser needs it.
HEAVY = ("sqladder.demo.base_model", "sqladder.training.record", "transformers", "matplotlib")
HEAVY += ("matplotlib.figure",)


@cache
def parser_of(program):
    """The parser of a program, which is imported as it is but for what it computes with."""
    stand_ins = {name: MagicMock() for name in HEAVY if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        path = ROOT / "workflow/scripts" / program
        spec = importlib.util.spec_from_file_location(f"program_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return module.make_parser()


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
# What somebody may write by mistake.
JUNK = st.sampled_from(
    [
        *(None, True, 0, 1, -1, 1.5, 2.0, 2.0e7, math.nan, math.inf, 10**400),
        *("", "1e-4", "x", "a\0", "\ud800", b"bytes", datetime.date(2026, 1, 1)),
        *([], ["q_proj"], ["q_proj", "q_proj"], [None], [[]], {}, {"a": 1}, {1: 2}),
    ]
)


def limits(kind):
    """The bounds that a declaration names: (at least, more than, at most, less than, multiple of)."""
    found = {type(limit): limit for info in kind.infos for limit in info.metadata}
    names = {"ge": a.Ge, "gt": a.Gt, "le": a.Le, "lt": a.Lt, "multiple_of": a.MultipleOf}
    return [getattr(found[t], name) if t in found else None for name, t in names.items()]


def values_of(kind):
    """Draw values of a declaration, as YAML gives them."""
    if kind.models:
        return st.one_of([entries_of(model) for model in kind.models])
    if kind.choices:
        return st.sampled_from(kind.choices)
    if get_origin(kind.type) is list:
        return st.lists(values_of(kind.item), max_size=3)
    if get_origin(kind.type) is dict:
        return st.dictionaries(values_of(kind.key), values_of(kind.item), max_size=2)
    if kind.type is bool:
        return st.booleans()
    if kind.type is str:
        patterns = [getattr(m, "pattern", None) for i in kind.infos for m in i.metadata]
        pattern = next(filter(None, patterns), None)
        return st.from_regex(pattern, fullmatch=True) if pattern else TEXTS
    at_least, more_than, at_most, less_than, step = limits(kind)
    if kind.type is int:
        numbers = st.integers(at_least, min(at_most or 10**6, 10**6))
        return numbers.map(lambda n: n - n % step) if step else numbers
    low, high = (
        x if x is not None else y for x, y in ((at_least, more_than), (at_most, less_than))
    )
    exclude = {"exclude_min": more_than is not None, "exclude_max": less_than is not None}
    numbers = st.floats(low, high, allow_nan=False, allow_infinity=False, **exclude)
    return numbers | st.integers(math.ceil(low), math.floor(high) if high else 9)


# Drawn freely, these would seldom fit the others.
FITTING = {
    "user": st.sampled_from(["{schema}{question}", "{question}\n{schema}{evidence}"]),
    "system": st.sampled_from(["", "Write 'SQL'.\n", "-x=%s"]),
    "hidden_size": st.integers(1, 9).map(lambda n: 96 * n),
    "heads": st.sampled_from([2, 4, 6]),
    "test": st.floats(0.1, 0.5),
    "validation": st.floats(0, 0.4),
    "min_learning_rate": st.floats(0, 1e-6),
    "samples": st.just(1),
    "repair_turn": st.sampled_from(["{error}", "'{sql}'\nfails: {error}"]),
}


@cache
def entries_of(model):
    """Draw mappings with every key that has to be there, and some of the others."""
    required, optional = {}, {}
    for key, _, info in keys(model):
        place = required if info.is_required() else optional
        place[key] = FITTING[key] if key in FITTING else values_of(kind_of(info.annotation, info))
    return st.fixed_dictionaries(required, optional=optional)


@pytest.mark.parametrize("program", PROGRAMS)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_settings_are_the_same_on_both_sides_of_the_flags(program, data):
    declared, _ = PROGRAMS[program]
    values = data.draw(values_of(kind_of(declared)))
    assume(not problems(declared, values))
    wanted = settings_of(declared, values)
    assert through(program, to_flags(wanted)) == wanted


def through(program, flags):
    """The settings that a program makes of flags."""
    declared, files = PROGRAMS[program]
    given_files = [f"--{name}=1" for name in files.split()]
    return from_flags(parser_of(program).parse_args([*given_files, *flags]), declared)


SECTIONS = {
    ("training",): TrainingEntry,
    ("decoding",): DecodingEntry,
    ("scoring",): Scoring,
    ("parallelism",): Parallelism,
    ("base_model",): ToyBase,
    ("contexts", "published"): Context,
    ("variants", "lora_32r"): LoraVariant,
    ("variants", "full"): FullVariant,
    ("datasets", "demo"): DemoDataset,
    ("downloads", "some"): HttpDownload,
    (): Experiment,
}


@st.composite
def configs(draw):
    """The default config with a few values changed: most of them fit, some do not."""
    config = copy.deepcopy(DEFAULT)
    url = {"source": "http", "url": "https://example.org/a", "file": "a.zip"}
    config |= {"downloads": {"some": url}, "parallelism": {"method": "ddp", "gpus": 2}}
    for _ in range(draw(st.integers(1, 3))):
        path, model = draw(st.sampled_from(list(SECTIONS.items())))
        section = config
        for key in path:
            section = section[key] if isinstance(section, dict) and key in section else {}
        if not isinstance(section, dict):
            continue
        fields = {key: kind_of(info.annotation, info) for key, _, info in keys(model)}
        simple = [k for k, kind in fields.items() if path or get_origin(kind.type) is not dict]
        key = draw(st.sampled_from(simple))
        section[key] = draw(st.one_of(values_of(fields[key]), values_of(fields[key]), JUNK))
    return config


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(config=configs())
def test_whatever_the_check_accepts_the_programs_accept(config):
    """And whatever it does not accept, it refuses with its own error."""
    try:
        check(config)
    except InputError:
        return
    flags = [("train_base.py", training_jobs.toy_base_flags(config))]
    flags.append(("build_demo_databases.py", [f"--variations={number_of(config)}"]))
    flags += [("fetch.py", data_jobs.download_flags(config, name)) for name in config["downloads"]]
    for replicate in variants.with_model(config):
        flags.append(("train.py", training_jobs.training_flags(config, replicate)))
    for replicate in variants.generated(config):
        program = generation_jobs.generating_program(config, replicate)
        flags.append((program, generation_jobs.decoding_flags(config, replicate)))
    for name in config["contexts"]:
        flags.append(("render_prompts.py", context_jobs.context_flags(config["contexts"][name])))
        if context_jobs.example_settings(config, name):
            found = context_jobs.retrieval_flags(config, name, "test")
            flags.append(("retrieve_examples.py", found))
    for program, words in flags:
        made = to_flags(through(program, words))
        assert set(made) <= set(words), program
    parser = argparse.ArgumentParser()
    add_quirks_flag(parser)
    add_limit_flags(parser)
    limited = limits_from_flags(
        parser.parse_args(data_jobs.scoring_flags(config, config["test_on"]))
    )
    assert limited.max_vm_steps == config["scoring"]["max_vm_steps"]


def number_of(config):
    return data_jobs.number_of_variations(config, "demo")
