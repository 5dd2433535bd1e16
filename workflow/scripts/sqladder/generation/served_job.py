"""A job that has a server answer: its flags, its files, and the key from the environment."""

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_jsonl
from sqladder.generation.outcome import Facts, prediction, repaired_prediction, write_outcome
from sqladder.generation.served import Asker, asked_with, first_key, served_facts
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import SamplingSettings
from sqladder.generation.work_file import WorkFile
from sqladder.processes.lifetime import end_with_workflow
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.settings.program_flags import add_flags, from_flags


class AskingAgain(Protocol):
    """Asks again what fails; what executes answers is no part of those jobs that need it not."""

    def ask_again(self, asker: Asker, rows: Sequence[Row], stages: dict[str, float]) -> list[Facts]:
        """Ask whatever failed, and say what each round was.

        Args:
            asker: asks, and keeps the answers.
            rows: the prompts, all of which have been answered.
            stages: seconds that stages took, filled in.
        """
        ...

    def samples(self, work: WorkFile, key: str | int) -> list[Row]:
        """The samples of a question as they are kept, with their rounds."""
        ...


@dataclass(frozen=True)
class Needs:
    """What answers depend on beside server, prompts and decoding.

    Attributes:
        grammars: what the answers to each prompt, by its id, are held to; empty without a grammar.
        again: asks again what fails; None where nothing does.
        settings: what both depend on, as JSON.
    """

    grammars: Mapping[str | int, str] = field(default_factory=dict)
    again: AskingAgain | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def served_parser(description: str, decoding: type[SamplingSettings]) -> argparse.ArgumentParser:
    """The flags of a program that asks a server."""
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--prompts", required=True, type=Path, help="JSON Lines: id, messages")
    parser.add_argument("--output", required=True, type=Path, help="predictions, JSON Lines")
    parser.add_argument("--facts", required=True, type=Path, help="generation.json: cost")
    parser.add_argument("--concurrency", type=int, default=8, help="requests at a time")
    add_flags(parser, Server, "server")
    add_flags(parser, decoding, "decoding")
    return parser


def read_key(variable: str | None) -> str:
    """The server's key, from the environment; empty where it wants none."""
    if variable is None:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise InputError(f"the environment variable {variable}, which holds the key, is not set")
    if not (key.isascii() and key.isprintable()):
        raise InputError(f"the key in ${variable} holds characters that no header can: set it anew")
    return key


def serve(
    args: argparse.Namespace,
    kind: type[SamplingSettings],
    started: float,
    make_needs: Callable[[list[Row]], Needs] = lambda rows: Needs(),
) -> None:
    """Have the server answer the prompts, and write predictions and facts.

    Args:
        args: the flags of `served_parser`.
        kind: the settings of the decoding that the program takes.
        started: when the program started, by time.monotonic.
        make_needs: from the prompts what their answers depend on besides.

    Raises:
        InputError: a file or setting is wrong, or the server refuses.
    """
    if args.concurrency < 1:
        raise InputError(f"--concurrency {args.concurrency} asks nothing: give at least 1")
    server, decoding = from_flags(args, Server), from_flags(args, kind)
    key = read_key(server.key_variable)
    rows = list(by_id(read_jsonl(args.prompts, PROMPT_FIELDS), args.prompts).values())
    if not rows:
        raise InputError(f"{args.prompts} is empty: there is nothing to ask")
    needs = make_needs(rows)
    end_with_workflow()
    # Beside the output, which Snakemake removes if the job fails.
    path = args.output.with_name(args.output.name + ".work")
    stages: dict[str, float] = {}
    with WorkFile(path, asked_with(server, rows, decoding, needs.settings)) as work:
        before = sum(work.seconds.values())
        asker = Asker(server, key, work, args.concurrency, needs.grammars)
        asker.ask("ask", {first_key(row): row["messages"] for row in rows}, decoding)
        rounds = needs.again.ask_again(asker, rows, stages) if needs.again else None
        facts = served_facts(server, rows, work)
        facts["stages"] |= stages
        facts |= {"concurrency": args.concurrency, "versions": {"openai": version("openai")}}
        if rounds is not None:
            facts["repair"] = rounds
        if work.found:
            facts["resumed"] = {"answers": work.found, "seconds": round(before, 2)}
        predictions = _predictions(rows, work, needs.again)
        write_outcome(args, decoding, predictions, facts, started)
    work.remove()


def _predictions(rows: Sequence[Row], work: WorkFile, again: AskingAgain | None) -> Iterator[Row]:
    """The predictions in the order of the prompts."""
    for row in rows:
        answers = work[first_key(row)]
        if again is None:
            yield prediction(row["id"], answers)
        else:
            yield repaired_prediction(row["id"], answers, again.samples(work, row["id"]))
