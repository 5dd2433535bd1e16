"""The subcommand `export`: a variant's model as a GGUF file, or with its card on the Hugging Face hub."""

import argparse
import os
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from sqladder.errors import InputError

HELP = "Hand on a variant's model: as a GGUF file for llama.cpp, or on the Hugging Face hub with its card."

_NEEDED = {"gguf": ("torch", "transformers"), "hub": ("huggingface_hub", "pydantic")}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("variant", type=Path, help="folder of the variant, such as results/full")
    parser.add_argument("--to", required=True, choices=sorted(_NEEDED), help="where it goes")
    parser.add_argument(
        "--quantize",
        choices=["none", "q8_0", "q4_k_m"],
        help="with gguf: what becomes of the numbers (default none, as they were trained)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="with gguf: the file (default <variant>/<variant>-<quantize>.gguf)",
    )
    parser.add_argument(
        "--repository",
        metavar="OWNER/NAME",
        help="with hub: made there if there is none; the token comes from $HF_TOKEN, the hub from $HF_ENDPOINT",
    )
    parser.add_argument(
        "--public", action="store_true", help="with hub: everybody may read it; private otherwise"
    )


def run(args: argparse.Namespace) -> int:
    """Export, and give the exit status.

    Raises:
        InputError: an argument does not fit, the folder is no variant with a model, or the hub refuses.
    """
    _check_arguments(args)
    missing = [name for name in _NEEDED[args.to] if find_spec(name) is None]
    if missing:
        raise InputError(
            f"`sqladder export --to {args.to}` needs packages that are not installed here ({', '.join(missing)}): use "
            "the workflow's environment, which `make env` makes"
        )
    # Only here: both need packages that the command alone has not.
    if args.to == "gguf":
        from sqladder.report.gguf_export import export_gguf

        export_gguf(args.variant, args.quantize or "none", args.output)
    else:
        _check_endpoint(os.environ.get("HF_ENDPOINT", ""))
        from sqladder.report.hub_export import export_to_hub

        export_to_hub(args.variant, args.repository, args.public)
    return 0


def _check_endpoint(address: str) -> None:
    """Refuse an address of the hub that is none: the hub's package reads it where it is imported."""
    try:
        parts = urlsplit(address)
        is_address = parts.port != 0 and bool(parts.hostname) and parts.scheme in ("http", "https")
    except ValueError:
        is_address = False
    if address and not is_address:
        raise InputError(
            f"the environment variable HF_ENDPOINT is {address!r}, which is no address: give one such as "
            "https://hub.example.org, or leave it out"
        )


def _check_arguments(args: argparse.Namespace) -> None:
    """Refuse what the other way of exporting takes: it would have no effect."""
    given = {
        "--quantize": args.quantize,
        "--output": args.output,
        "--repository": args.repository,
        "--public": args.public,
    }
    own = {"gguf": ("--quantize", "--output"), "hub": ("--repository", "--public")}
    wrong = [name for name, value in given.items() if value and name not in own[args.to]]
    if wrong:
        raise InputError(f"{', '.join(wrong)} has no use with --to {args.to}; leave it out")
    if args.to == "hub" and not args.repository:
        raise InputError("--to hub needs --repository OWNER/NAME, such as me/shop-sql")
