"""Write three full prompts of every context, with their numbers of tokens, for a person to read.

Example: python preview.py --model resources/base_model --output results/preview.md
    --prompts resources/prompts/published/test.jsonl resources/prompts/rich/test.jsonl
"""

import argparse
import statistics
from pathlib import Path

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Row, read_jsonl, write_text
from sqladder.models.turns import Turns, read_turns
from sqladder.prompts.prompt_fields import PROMPT_FIELDS
from sqladder.prompts.rendering import prompt_ids
from sqladder.texts.markdown import code_block, table

SHOWN = ("shortest", "median", "longest")


def measured(path: Path, turns: Turns) -> list[tuple[int, Row]]:
    """The prompts of a file with their numbers of tokens; the shortest first."""
    rows = [
        (len(prompt_ids(turns, row["messages"])), row) for row in read_jsonl(path, PROMPT_FIELDS)
    ]
    if not rows:
        raise InputError(f"{path} holds no prompt to show")
    return sorted(rows, key=lambda pair: (pair[0], pair[1]["id"]))


def section(name: str, rows: list[tuple[int, Row]], turns: Turns) -> str:
    chosen = zip(SHOWN, (rows[0], rows[len(rows) // 2], rows[-1]), strict=True)
    parts = [
        f"### {name}, {title}: `{row['id']}`, {tokens} tokens\n\n"
        f"{code_block(turns.render(row['messages']), 'text')}"
        for title, (tokens, row) in chosen
    ]
    return "\n\n".join([f"## {name}", *parts])


def counts(contexts: dict[str, list[tuple[int, Row]]]) -> str:
    rows = []
    for name, prompts in contexts.items():
        tokens = [count for count, _ in prompts]
        middle = f"{statistics.median(tokens):g}"
        rows.append([name, str(len(prompts)), str(tokens[0]), middle, str(tokens[-1])])
    return table(["context", "prompts", "fewest tokens", "median", "most tokens"], rows, "lrrrr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--prompts", required=True, nargs="+", type=Path, help="<context>/<split>.jsonl"
    )
    parser.add_argument("--model", required=True, type=Path, help="folder with the tokenizer")
    parser.add_argument("--output", required=True, type=Path, help="Markdown file")
    args = parser.parse_args()
    turns = read_turns(args.model)
    contexts = {path.parent.name: measured(path, turns) for path in args.prompts}
    sections = [section(name, rows, turns) for name, rows in contexts.items()]
    head = (
        f"# Prompts of {len(contexts)} contexts\n\nTokens are those of the base model's tokenizer."
    )
    write_text(args.output, "\n\n".join([head, counts(contexts), *sections]) + "\n")
    LOG.info(f"{3 * len(contexts)} prompts of {len(contexts)} contexts -> {args.output}")


if __name__ == "__main__":
    run_main(main)
