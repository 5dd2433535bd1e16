"""Count the tokens of training prompts, and drop or cut those over the cutoff.

Example: python fit_prompts.py --prompts resources/prompts/published/train.jsonl --tokenizer resources/base_model \
             --cutoff-length 1024 --over-cutoff drop --output train.1024.drop.jsonl \
             --facts lengths.json --chart lengths.svg
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from tqdm import tqdm

from sqladder.data.lengths import Fitter
from sqladder.data.settings import Fitting
from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Fields, iterate_jsonl, replacing, write_json, write_jsonl
from sqladder.models.turns import read_turns
from sqladder.processes.imports import leave_out_sklearn, uncollected
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.prompts.rendering import row_length
from sqladder.settings.program_flags import add_flags, from_flags

FIELDS: Fields = {**PROMPT_FIELDS, "schema": list}


def draw(facts: dict[str, Any]) -> Figure:
    """Draw the histogram with the cutoff."""
    edges, rows = facts["histogram"]["edges"], facts["histogram"]["rows"]
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.add_subplot()
    axes.stairs(rows, edges, fill=True, color="#0072B2")
    axes.axvline(facts["cutoff"], color="#D55E00", linestyle="--")
    over = f"cutoff {facts['cutoff']}: {facts['over_cutoff']} of {facts['rows']} rows are longer"
    axes.set(title=over, xlabel="tokens of prompt and answer", ylabel="rows", xlim=(0, None))
    return figure


def save(figure: Figure, facts: dict[str, Any], path: Path) -> None:
    """Write the chart as SVG, the same bytes for the same numbers."""
    tokens = facts["tokens"]
    about = {
        "Title": "Lengths of training rows",
        "Description": f"{facts['rows']} rows of {tokens['shortest']} to {tokens['longest']} tokens, "
        f"median {tokens['median']}; {facts['over_cutoff']} are over the cutoff of {facts['cutoff']}.",
        "Date": None,
    }
    with (
        mpl.rc_context({"svg.hashsalt": "sqladder", "svg.fonttype": "none"}),
        replacing(path) as temporary,
    ):
        figure.savefig(temporary, format="svg", metadata=about)


def check_left(kept: int, facts: dict[str, Any], least: float) -> None:
    """Refuse to train on what is left of the rows.

    Raises:
        InputError: no row, or a smaller share than the least, stays.
    """
    rows, tokens = facts["rows"], facts["tokens"]
    if not kept or kept < least * rows:
        raise InputError(
            f"{kept} of {rows} training rows fit into the cutoff_length of {facts['cutoff']} tokens, fewer than "
            f"training.least_rows ({least:g}) allows; half of the rows have {tokens['median']} tokens or more, the "
            f"longest has {tokens['longest']}: raise cutoff_length, set over_cutoff to cut, shorten the context, or "
            "lower least_rows"
        )


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--prompts", required=True, type=Path, help="with answers, JSON Lines")
    parser.add_argument("--tokenizer", required=True, type=Path, help="folder of the base model")
    parser.add_argument("--output", required=True, type=Path, help="writes the rows that fit")
    parser.add_argument("--facts", required=True, type=Path, help="writes the statistics, JSON")
    parser.add_argument("--chart", required=True, type=Path, help="writes the histogram, SVG")
    add_flags(parser, Fitting)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, Fitting)
    cutoff = settings.cutoff_length
    leave_out_sklearn()
    with uncollected():  # the first use of transformers, which imports it
        turns = read_turns(args.tokenizer)
    count_tokens = partial(row_length, turns)
    fitter = Fitter(count_tokens, cutoff, settings.over_cutoff)
    rows = tqdm(iterate_jsonl(args.prompts, FIELDS), desc="tokens", unit="row", disable=None)
    kept = write_jsonl(args.output, fitter.fit(rows))
    facts = fitter.lengths.facts(cutoff)
    check_left(kept, facts, settings.least_rows)
    write_json(args.facts, facts)
    save(draw(facts), facts, args.chart)
    LOG.info(
        "%d rows, mean %.1f tokens, longest %d; %d over %d tokens: %d cut, %d dropped; %d stay",
        *(facts["rows"], facts["tokens"]["mean"], facts["tokens"]["longest"]),
        *(facts["over_cutoff"], cutoff, facts["cut"], facts["dropped"], kept),
    )


if __name__ == "__main__":
    run_main(main)
