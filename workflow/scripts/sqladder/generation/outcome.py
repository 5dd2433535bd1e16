"""What a generation leaves: predictions, and what they took."""

import argparse
import time
from collections.abc import Iterable
from typing import Any

from sqladder.errors import LOG
from sqladder.files import Row, write_json, write_jsonl
from sqladder.generation.contract import timed
from sqladder.generation.settings import SamplingSettings

Facts = dict[str, Any]


def prediction(key: str | int, row: Row) -> Row:
    """The prediction of one prompt: its first answer, and all of them where several were drawn.

    Args:
        key: the prompt's id.
        row: its row of the work file.
    """
    samples = row["samples"]
    first = samples[0]
    return {
        "id": key,
        "sql": first["sql"],
        "text": first["text"],
        "finish_reason": first["finish_reason"],
        "prompt_tokens": row["prompt_tokens"],
        "output_tokens": first["output_tokens"],
        **({"samples": samples} if len(samples) > 1 else {}),
        **({"rounds": first["rounds"]} if "rounds" in first and len(samples) == 1 else {}),
    }


def repaired_prediction(key: str | int, row: Row, samples: list[Row]) -> Row:
    """The prediction of one prompt whose answers were asked again where they failed.

    Args:
        key: the prompt's id.
        row: its row of the work file, with the first answers.
        samples: what came of them, with their rounds.
    """
    unrepaired = row["samples"][0]["sql"]
    return {**prediction(key, {**row, "samples": samples}), "unrepaired": unrepaired}


def write_outcome(
    args: argparse.Namespace,
    settings: SamplingSettings,
    predictions: Iterable[Row],
    facts: Facts,
    started: float,
) -> None:
    """Write the predictions, and what they took.

    Args:
        args: the program's flags, `output` and `facts` among them.
        settings: how the answers were drawn.
        predictions: one row a prompt.
        facts: what is known of them: counts, stages in seconds, what an earlier attempt had left.
        started: when the program started, by time.monotonic.
    """
    with timed(facts["stages"], "writing"):
        write_jsonl(args.output, predictions)
    seconds = time.monotonic() - started + facts.get("resumed", {}).get("seconds", 0)
    # At least a digit: few answers may take less.
    busy = max(facts["stages"]["generation"], 0.001)
    facts |= {
        "settings": settings.model_dump(),
        # From the program's start to the predictions on disk, and what answers took before a kill.
        "seconds": round(seconds, 2),
        # Of the generation alone: the start of an engine does not grow with the prompts.
        "prompts_per_second": round(facts["prompts"] / busy, 1),
        "output_tokens_per_second": round(facts["output_tokens"] / busy, 1),
    }
    write_json(args.facts, facts)
    LOG.info(
        f"{facts['prompts']} prompts in {seconds:.1f} s with {facts['engine']}, of which {busy:.1f} s "
        f"of generation: {facts['output_tokens']} tokens, {facts['cut_off']} answers cut off"
    )
