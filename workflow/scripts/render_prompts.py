"""Render the prompts of a set of examples as chat messages, with answers where they train a model.

Example: python render_prompts.py --examples resources/datasets/demo/train.jsonl
    --databases resources/datasets/demo/databases --schema ddl --system 'Write SQL.'
    --user '{schema} {question}' --with-answer --output resources/prompts/ddl/train.jsonl
"""

import argparse
from pathlib import Path

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import write_jsonl
from sqladder.prompts.settings import ContextSettings
from sqladder.prompts.writing import PromptFiles, PromptWriter
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="JSON Lines")
    parser.add_argument(
        "--databases", type=Path, help="<db_id>/<db_id>.sqlite; none where examples bring schemas"
    )
    parser.add_argument("--references", type=Path, help="few-shot examples, JSON Lines by id")
    parser.add_argument("--with-answer", action="store_true", help="for training")
    parser.add_argument("--output", required=True, type=Path, help="prompts, JSON Lines")
    add_flags(parser, ContextSettings)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    context = from_flags(args, ContextSettings)
    if (context.examples is None) != (args.references is None):
        raise InputError("--references and --examples-template need each other; give both or none")
    files = PromptFiles(args.examples, args.databases, args.references)
    writer = PromptWriter(context, files, args.with_answer)
    count = write_jsonl(args.output, writer.rows())
    schemas = "their own schemas" if writer.databases is None else f"{writer.databases} databases"
    LOG.info(f"{count} prompts over {schemas} -> {args.output}")
    if writer.not_canonical:
        LOG.warning(
            f"{writer.not_canonical} answers stay as they were written: they have no canonical spelling"
        )


if __name__ == "__main__":
    run_main(main)
