"""A job of generation: its flags, its files, and its processes where several GPUs share the prompts."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_jsonl
from sqladder.generation import shards
from sqladder.generation.answering import Repairing, asked_with, generate_here
from sqladder.generation.grammars import QuestionFiles, grammars_of
from sqladder.generation.outcome import Facts, write_outcome
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.work_file import WorkFile
from sqladder.models.folders import check_model_folder
from sqladder.processes.lifetime import end_with_workflow
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.settings.program_flags import add_flags, from_flags


def generation_parser(
    description: str, decoding: type[DecodingSettings]
) -> argparse.ArgumentParser:
    """The flags of a program that generates."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--prompts", required=True, type=Path, help="JSON Lines: id, messages")
    parser.add_argument("--output", required=True, type=Path, help="predictions, JSON Lines")
    parser.add_argument("--facts", required=True, type=Path, help="generation.json: speed")
    parser.add_argument(
        "--work-file",
        type=Path,
        help="where answers are kept as they are finished, and found after a kill; it is left there, while the one "
        "that is taken without this flag, beside the predictions, is removed at the end",
    )
    parser.add_argument("--gpus", type=int, default=1, help="processes, one for each GPU")
    parser.add_argument("--cache-folder", type=Path, help="for what vLLM compiles")
    add_flags(parser, decoding)
    return parser


def _generate_in_shards(args: argparse.Namespace, rows: list[Row]) -> tuple[list[Row], Facts]:
    """Answer the prompts in processes of this program, one for each GPU."""
    devices = shards.devices_for(args.gpus)
    folder = args.output.parent / "generation_shards"
    command = [sys.executable, *sys.argv]
    predictions, facts = shards.generate(command, rows, devices, folder)
    return predictions, shards.joined_facts(facts)


def generate(
    args: argparse.Namespace,
    kind: type[DecodingSettings],
    started: float,
    model: str,
    make_repairs: Callable[[list[Row]], Repairing] | None = None,
) -> None:
    """Answer the prompts, and write predictions and facts.

    Args:
        args: the flags of `generation_parser`, and the files of the questions: examples, databases.
        kind: the settings that the program takes.
        started: when the program started, by time.monotonic.
        model: whose model it is, for the record: a variant may ask another one's.
        make_repairs: from the prompts what asks again whatever fails; None where nothing does.

    Raises:
        InputError: a file or setting is wrong, or an engine is missing.
    """
    # Models are folders: nothing is asked of a hub, and where there is none nothing waits for it.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    decoding = from_flags(args, kind)
    check_model_folder(args.model, "model", is_asked=True)
    rows = list(by_id(read_jsonl(args.prompts, PROMPT_FIELDS), args.prompts).values())
    if not rows:
        raise InputError(f"{args.prompts} is empty: there is nothing to generate")
    files = QuestionFiles(args.prompts, args.examples, args.databases)
    grammars = grammars_of(decoding.grammar, rows, files)
    repairs = make_repairs(rows) if make_repairs else None
    # A job that outlived its Snakemake would hold GPUs that the next run needs.
    end_with_workflow()
    told = {"model": model, "gpus": args.gpus}
    if args.gpus > 1:
        predictions, facts = _generate_in_shards(args, rows)
        write_outcome(args, decoding, predictions, facts | told, started)
        return
    # Beside the output, which Snakemake removes if the job fails.
    path = args.work_file or args.output.with_name(args.output.name + ".work")
    with WorkFile(path, asked_with(args.model, rows, decoding, repairs, grammars)) as work:
        before = sum(work.seconds.values())
        answers, facts = generate_here(
            args.model, rows, decoding, args.cache_folder, work, repairs, grammars
        )
        if work.found:
            facts["resumed"] = {"answers": work.found, "seconds": round(before, 2)}
        write_outcome(args, decoding, answers, facts | told, started)
    if args.work_file is None:
        work.remove()
