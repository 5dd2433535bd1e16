"""The command-line arguments that name a run's files, shared by report and charts."""

import argparse
from pathlib import Path

from sqladder.databases.dialect_marks import NAMES
from sqladder.processes.imports import uncollected
from sqladder.report.loading import load_run
from sqladder.report.results import Run


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; each file belongs to the variant that its folder is named after."""
    for name, needed, text in (
        ("verdicts", True, "verdicts.jsonl of each variant, in the order of the config"),
        ("metrics", True, "metrics.json of each variant"),
        ("predictions", True, "predictions.jsonl of each variant"),
        ("training", False, "train.json of the variants trained in this run"),
        ("generation", False, "generation.json of the variants generated in this run"),
        ("samples", False, "sample_verdicts.jsonl of the variants that choose among samples"),
    ):
        nargs = "+" if needed else "*"
        parser.add_argument(
            f"--{name}", type=Path, nargs=nargs, required=needed, default=[], help=text
        )
    parser.add_argument(
        "--questions",
        type=Path,
        required=True,
        help="all questions that were to be asked; those without a verdict are reported",
    )
    parser.add_argument(
        "--failures",
        type=Path,
        required=True,
        help="the kind of every failure, failures.jsonl: written with --databases, else read",
    )
    parser.add_argument(
        "--databases", type=Path, help="<db_id>/<db_id>.sqlite, by which failures are sorted"
    )
    parser.add_argument(
        "--dialect", choices=tuple(NAMES), default="sqlite", help="of the engine that judged"
    )
    parser.add_argument("--baseline", help="variant that the others are compared with (the first)")


def load_arguments(args: argparse.Namespace) -> Run:
    """Load the run that the arguments name."""
    with uncollected():
        return load_run(
            questions=args.questions,
            verdicts=args.verdicts,
            metrics=args.metrics,
            predictions=args.predictions,
            failures=args.failures,
            databases=args.databases,
            training=args.training,
            generation=args.generation,
            samples=args.samples,
            baseline=args.baseline,
            dialect=args.dialect,
        )
