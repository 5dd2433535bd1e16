"""The limits of scoring, and its quirks, as flags of a program."""

import argparse
from dataclasses import fields
from pathlib import Path

from sqladder.metric.limits import Limits, limit_range
from sqladder.metric.normalise import QUIRKS


def add_limit_flags(parser: argparse.ArgumentParser) -> None:
    """Declare a flag for each limit."""
    group = parser.add_argument_group("limits", "of one execution of one statement")
    for limit in fields(Limits):
        unit, (least, most) = limit.metadata["unit"], limit_range(limit)
        group.add_argument(
            "--" + limit.name.replace("_", "-"),
            type=type(limit.default),
            default=limit.default,
            metavar="N",
            help=f"{limit.metadata['help']} ({unit}; {least:,} to {most:,}; default {limit.default:,})",
        )


def limits_from_flags(args: argparse.Namespace) -> Limits:
    """Return the limits that the flags say.

    Raises:
        InputError: names the limit that is out of its range.
    """
    return Limits(**{name: getattr(args, name) for name in Limits.__dataclass_fields__})


def add_gold_results_flag(parser: argparse.ArgumentParser, default: Path | None) -> None:
    """Declare the flag that says where gold results are kept between runs."""
    parser.add_argument(
        "--gold-results",
        type=Path,
        default=default,
        metavar="DIR",
        help="keep results of gold between runs here, by the content of the databases "
        f"(default {default or 'none are kept'})",
    )


def add_quirks_flag(parser: argparse.ArgumentParser) -> None:
    """Declare the flag that chooses between the official evaluator's quirks and their repairs."""
    parser.add_argument(
        "--quirks",
        choices=tuple(QUIRKS),
        default="official",
        help="keep the quirks of the official evaluator, such as reading `value` in a prediction as 1, or repair all "
        "of them (default official)",
    )
