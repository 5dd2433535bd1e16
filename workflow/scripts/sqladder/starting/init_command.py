"""`sqladder init`: a folder with a config for the data that a user has, and the two lines that run it."""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from sqladder.databases.urls import is_url
from sqladder.errors import InputError
from sqladder.files import write_text
from sqladder.starting.chosen_settings import choose_split, choose_training
from sqladder.starting.config_text import GITIGNORE, SPECIAL, SUITE_FILES, config_text
from sqladder.starting.found_data import look_at_databases, look_at_questions
from sqladder.starting.found_machine import TOY, count_gpus, has_vllm, look_at_base
from sqladder.texts.numbers import plural

HELP = "write a folder with a config for your database and questions; asks for what is not named"
CONFIG = Path("config/config.yaml")
# The toy's own data set, and what YAML does not read as a name.
_TAKEN = {"demo", *SPECIAL}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--database",
        help="SQLite or DuckDB file, folder of <db_id>.sqlite or <db_id>/<db_id>.sqlite, or URL of a server's database",
    )
    parser.add_argument(
        "--questions", help="questions with their SQL: .csv, .jsonl, .parquet, .json"
    )
    parser.add_argument(
        "--model",
        help=f"base model: owner/name on the Hugging Face hub, a folder, or {TOY}, which a CPU trains in minutes",
    )
    parser.add_argument(
        "--folder", default=".", type=Path, help="where the config goes (default: here)"
    )


def run(args: argparse.Namespace) -> int:
    """Look at what there is, write the folder, and say what to do next.

    Raises:
        InputError: something is not there or does not fit, or a config would be overwritten.
    """
    folder: Path = args.folder
    config = folder / CONFIG
    if config.exists():
        raise InputError(
            f"{config} is there already and is not overwritten: name another folder (--folder my-experiment)"
        )
    databases = look_at_databases(
        _asked(args.database, "--database", "Database (file, folder or URL)")
    )
    _say(
        f"databases: {plural(len(databases.names), f'{databases.kind} database')} in {databases.source}"
    )
    path = Path(
        _asked(args.questions, "--questions", "Questions with their SQL (.csv, .jsonl, ...)")
    )
    questions = look_at_questions(path, databases)
    columns = ", ".join(f"{field} in {own}" for field, own in questions.columns.items())
    _say(
        f"questions: {questions.count} about {plural(len(questions.by_database), 'database')}, format "
        f"{questions.form}{f', {columns}' if columns else ''}"
        + (
            f"; {plural(questions.incomplete, 'row')} without question, SQL or database left out"
            if questions.incomplete
            else ""
        )
    )
    base = look_at_base(
        _asked(args.model, "--model", "Base model (owner/name, folder, or toy)", TOY)
    )
    gpus, model = count_gpus()
    machine = f"{plural(gpus, 'GPU')}{f' ({model})' if model else ''}" if gpus else "a CPU"
    supposed = ", a guess, since its name does not say it" if base.is_supposed else ""
    _say(
        f"model: {base.name}, {base.parameters / 1e6:,.0f} million parameters{supposed}, on {machine}"
    )
    if not gpus and base.source != TOY:
        _say(
            "note: without a GPU it trains for hours or days; --model toy tries all of it in minutes"
        )
    split = choose_split(questions)
    train, validation, test = split.counts
    _say(
        f"split: by {split.by}, about {train} for training, {validation} for validation, {test} for the test"
    )
    suite = (
        "the files that are there"
        if databases.has_suites
        else f"{SUITE_FILES} files of each database, to be made"
    )
    _say(f"suite: {suite}")
    training = choose_training(base, databases, train, gpus)
    packing = (
        f"packed to {training.packing_length} tokens" if training.packing_length else "not packed"
    )
    rows = training.batch_size * training.gradient_accumulation
    _say(f"training: {training.epochs} epochs, {rows} rows a step, {packing}")
    text = config_text(
        _name_of(databases.names, path),
        databases,
        questions,
        base,
        split,
        training,
        (
            _as_seen_from(folder, str(path)),
            _as_seen_from(folder, databases.source),
            _as_seen_from(folder, base.name),
        ),
        "vllm" if gpus and has_vllm() else "transformers",
        machine,
    )
    written = _write(folder, text)
    _say(f"\nwritten: {', '.join(map(str, written))}. Read the config, then:\n")
    for line in _lines_to_run(folder, gpus):
        _say(f"    {line}")
    return 0


def _asked(given: str | None, option: str, question: str, default: str = "") -> str:
    """What was given, or what somebody at a terminal answers."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputError(f"{option} is missing, and there is no terminal to ask at")
    answer = _read_line(f"{question}{f' [{default}]' if default else ''}: ")
    if not (answer or default):
        raise InputError(f"{option} is needed")
    return os.path.expanduser(answer) or default  # noqa: PTH111


def _read_line(prompt: str, read: Callable[[str], str] = input) -> str:
    try:
        return read(prompt).strip()
    except EOFError as error:
        raise InputError("the input ended; nothing was written") from error


def _name_of(databases: tuple[str, ...], questions: Path) -> str:
    """A name for the data set, of the characters that names have."""
    said = databases[0] if len(databases) == 1 else questions.stem
    name = re.sub(r"\W+", "_", said, flags=re.ASCII).strip("_").lower()[:60] or "mine"
    return name if name[0].isalpha() and name not in _TAKEN else f"my_{name}"


def _as_seen_from(folder: Path, named: str) -> str:
    """A path as a run in the folder reads it: relative where it lies inside, else absolute."""
    path = Path(named).expanduser()
    if is_url(named) or not path.exists():
        return named
    whole, root = path.resolve(), folder.resolve()
    return str(whole.relative_to(root)) if whole.is_relative_to(root) else str(whole)


def _write(folder: Path, text: str) -> list[Path]:
    (folder / CONFIG).parent.mkdir(parents=True, exist_ok=True)
    write_text(folder / CONFIG, text)
    ignored = folder / ".gitignore"
    if ignored.exists():
        _say(
            f"note: {ignored} is there already; it should name .snakemake/, logs/, results/ and resources/"
        )
        return [folder / CONFIG]
    write_text(ignored, GITIGNORE)
    return [folder / CONFIG, ignored]


def _lines_to_run(folder: Path, gpus: int) -> list[str]:
    there = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    on_gpus = f" --workflow-profile gpu --resources gpu={gpus}" if gpus else ""
    return [
        f"{there}sqladder run -n    # what it would do",
        f"{there}sqladder run --cores {cores}{on_gpus}    # results/report.md and report.html",
    ]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
