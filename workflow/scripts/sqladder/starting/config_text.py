"""The text of a first config, with why each value stands there."""

import json
import re

from sqladder.starting.chosen_settings import ChosenSplit, ChosenTraining
from sqladder.starting.found_data import FoundDatabases, FoundQuestions
from sqladder.starting.found_machine import FoundBase
from sqladder.texts.numbers import plural

GITIGNORE = "# What runs make.\n.snakemake/\nlogs/\nresults/\nresources/\n"
SUITE_FILES = 20
_PLAIN = re.compile(r"[A-Za-z_./][\w./-]*")
# What YAML takes for a truth value or nothing.
SPECIAL = frozenset(["null", "true", "false", "yes", "no", "on", "off", "y", "n", "~"])
_WORDS = {"postgresql": "PostgreSQL", "mysql": "MySQL or MariaDB", "duckdb": "DuckDB"}


def in_yaml(text: str) -> str:
    """A text as a YAML value, in quotes where it needs them."""
    is_plain = _PLAIN.fullmatch(text) and text.lower() not in SPECIAL
    return text if is_plain else json.dumps(text, ensure_ascii=False)


def config_text(
    name: str,
    databases: FoundDatabases,
    questions: FoundQuestions,
    base: FoundBase,
    split: ChosenSplit,
    training: ChosenTraining,
    paths: tuple[str, str, str],
    engine: str,
    machine: str,
) -> str:
    """The whole config.

    Args:
        name: of the data set.
        databases: what the questions are about.
        questions: what is asked.
        base: what is trained.
        split: how the questions are parted.
        training: how it is trained.
        paths: of questions, databases and a base's folder, as they read from where the run will be.
        engine: that generates.
        machine: what it is chosen for, in words.
    """
    parts = [
        _head(name),
        _base(base, paths[2]),
        _datasets(name, base, databases, questions, split, paths),
        _context(databases),
        _training(training, base, machine),
        _answering(engine),
        _variants(training),
    ]
    return "\n".join(parts)


def _head(name: str) -> str:
    return f"""\
# One experiment: which way of adapting the model answers these questions best. The workflow checks every key before any
# job runs. Write exponents with a point (1.0e-4): YAML reads 1e-4 as text.
title: {in_yaml(f"Text-to-SQL on {name}")}
# `seeds: [42, 43, 44]` instead trains each variant three times, and tells luck from method.
seed: 42
"""


def _base(base: FoundBase, path: str) -> str:
    size = f"{base.parameters / 1e6:,.0f} million parameters"
    if base.source == "toy":
        return """\
# A model of about a million parameters, trained from nothing in minutes: it shows the workflow and says nothing of real
# models. Take a real one with {source: folder, path: ...}.
base_model:
  source: toy
  pretrain_on: demo
  context: schema_first
  vocab_size: 1500
  hidden_size: 192
  layers: 2
  heads: 4
  epochs: 1.6
  batch_size: 32
  learning_rate: 1.0e-3
"""
    if base.source == "folder":
        template = (
            "" if base.has_template else "  # It brings no chat template.\n  template: chatml\n"
        )
        return f"""\
# {size}, by its files.
base_model:
  source: folder
  path: {in_yaml(path)}
{template}"""
    size = (
        "its name does not say its size: taken for a billion parameters"
        if base.is_supposed
        else size
    )
    return f"""\
# From the Hugging Face hub, or the mirror that HF_ENDPOINT names; HF_TOKEN where it asks for one. The first download
# records the commit in config/checksums.
downloads:
  base:
    source: huggingface
    type: model
    repository: {base.name}
    revision: main
    files: ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]

# {size[0].upper()}{size[1:]}.
base_model:
  source: folder
  path: resources/downloads/base
"""


def _datasets(
    name: str,
    base: FoundBase,
    databases: FoundDatabases,
    questions: FoundQuestions,
    split: ChosenSplit,
    paths: tuple[str, str, str],
) -> str:
    columns = ", ".join(f"{field}: {in_yaml(own)}" for field, own in questions.columns.items())
    lines = [
        "datasets:",
        *(_DEMO if base.source == "toy" else []),
        f"  {name}:",
        "    source: files",
        f"    # {plural(questions.count, 'question')}, {questions.different} of them worded differently.",
        f"    questions: {in_yaml(paths[0])}",
        f"    format: {questions.form}",
        *([f"    columns: {{{columns}}}"] if columns else []),
        *(_incomplete(questions.incomplete) if questions.incomplete else []),
        f"    # {_databases_told(databases)}.",
        f"    databases: {in_yaml(paths[1])}",
        "    # Gold SQL that fails or takes too long teaches nothing: resources/datasets/"
        f"{name}/gold.md lists it after a run.",
        "    gold_problems: {failing: drop, empty: keep, slow: drop}",
        *_split_lines(split, questions),
        *_suite_lines(databases),
        "",
        f"train_on: {name}",
        f"test_on: {name}",
        "",
    ]
    return "\n".join(lines)


_DEMO = (
    "  # What the toy learns to read and write from.",
    "  demo:",
    "    source: demo",
    "    variations: 5",
)


def _incomplete(count: int) -> list[str]:
    return [
        f"    # {plural(count, 'row')} without question, SQL or database.",
        "    incomplete_rows: drop",
    ]


def _databases_told(databases: FoundDatabases) -> str:
    if databases.kind == "sqlite":
        return plural(len(databases.names), "SQLite database")
    kind = _WORDS[databases.kind]
    return f"A {kind} database: it is copied into SQLite, in whose dialect models answer"


def _split_lines(split: ChosenSplit, questions: FoundQuestions) -> list[str]:
    train, validation, test = split.counts
    why = (
        "whole databases, so that the test asks about schemas that training never saw"
        if split.by == "database"
        else f"by question: with {plural(len(questions.by_database), 'database')} none can be kept for the test"
    )
    return [
        f"    # {why[0].upper()}{why[1:]}.",
        f"    # About {train} for training, {validation} for validation, {test} for the test.",
        f"    split: {{by: {split.by}, validation: {split.validation}, test: {split.test}}}",
    ]


def _suite_lines(databases: FoundDatabases) -> list[str]:
    if databases.has_suites:
        return ["    # The other files beside a database are its test suite."]
    return [
        "    # Other contents of each database, on which answers fail that are right by accident.",
        f"    suite: {{files: {SUITE_FILES}}}",
    ]


def _context(databases: FoundDatabases) -> str:
    many = databases.schema_length is not None and databases.schema_length > 12_000
    hint = "  # Large schemas: `linking` can leave out tables that do not matter.\n" if many else ""
    return f"""\
# How a question and its database become a prompt; sqladder run --cores 1 results/preview.md shows three.
contexts:
  schema_first:
    schema: compact
{hint}    system: >-
      Given the database schema and the user question, generate the corresponding SQL query. The output must be
      only a valid SQL query, without explanations, comments, or extra text.
    user: "[SCHEMA]\\n{{schema}}\\n[QUESTION]\\n{{question}}"
context: schema_first
"""


def _training(training: ChosenTraining, base: FoundBase, machine: str) -> str:
    packing = "rows are packed" if training.packing_length else "too few rows to pack"
    size = f"{base.parameters / 1e6:,.0f} million parameters"
    return f"""\
# Chosen for {size} and {machine}; {packing}.
# A GPU with too little memory halves the batch and doubles the accumulation by itself.
training:
  learning_rate: {training.learning_rate}
  epochs: {training.epochs}
  batch_size: {training.batch_size}
  gradient_accumulation: {training.gradient_accumulation}
  # Tokens of prompt and answer.
  cutoff_length: {training.cutoff_length}
  over_cutoff: drop
  packing_length: {training.packing_length}
  kernels: {training.kernels}
  gradient_checkpointing: {str(training.gradient_checkpointing).lower()}
"""


def _answering(engine: str) -> str:
    return f"""\
# Greedy: a comparison should not depend on luck.
decoding:
  engine: {engine}
  max_new_tokens: 160
  batch_size: {1024 if engine == "vllm" else 32}
  temperature: 0
  top_p: 1
  repetition_penalty: 1

# Limits of one execution: steps of SQLite's virtual machine, seconds, MiB.
scoring:
  max_vm_steps: 20000000
  timeout: 10
  memory_mb: 512
"""


def _variants(training: ChosenTraining) -> str:
    full = (
        f"""\
  # All parameters, at a learning rate of their own.
  full:
    method: full
    training: {{learning_rate: {training.full_learning_rate}}}
"""
        if training.full_learning_rate
        else "  # All parameters of so large a model need several GPUs: `full: {method: full}` with `parallelism`.\n"
    )
    best = "full" if training.full_learning_rate else f"lora_{training.rank}r"
    return f"""\
# What is compared, in the order of tables and charts.
variants:
  # The base itself.
  baseline:
    method: none
  lora_{training.rank}r:
    method: lora
    rank: {training.rank}
    alpha: {2 * training.rank}
    dropout: 0
    target_modules: all-linear
{full}\
  # The same model, held to a SELECT with names of the question's database.
  {best}_grammar:
    method: reuse
    model_of: {best}
    decoding: {{grammar: schema}}
"""
