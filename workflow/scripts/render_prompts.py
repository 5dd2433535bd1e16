"""Render the prompts of a set of examples as chat messages, with answers where they train a model.

Example: python render_prompts.py --examples resources/datasets/demo/train.jsonl
    --databases resources/datasets/demo/databases --schema-form ddl --with-answer
    --output resources/prompts/ddl/train.jsonl
"""

import argparse
from functools import cache
from pathlib import Path

from sqladder import prompts
from sqladder.errors import InputError, run_main
from sqladder.files import Row, by_id, read_jsonl, write_jsonl
from sqladder.schema import FORMS, read_schema


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", required=True, type=Path, help="JSON Lines")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--schema-form", choices=sorted(FORMS), default="ddl")
    parser.add_argument("--system-text", default=prompts.SYSTEM_TEXT, help="'': no system turn")
    parser.add_argument("--user-template", default=prompts.USER_TEMPLATE)
    parser.add_argument("--with-answer", action="store_true", help="for training")
    parser.add_argument("--output", required=True, type=Path, help="prompts, JSON Lines")
    return parser.parse_args()


def render_example(example: Row, schema: str, args: argparse.Namespace) -> Row:
    for field in ("question", "sql") if args.with_answer else ("question",):
        if not example.get(field):
            raise InputError(f"{args.examples}: example {example['id']!r} has no {field!r}")
    messages = prompts.chat_messages(
        schema,
        example["question"],
        example["sql"] if args.with_answer else None,
        system_text=args.system_text,
        user_template=args.user_template,
    )
    return {"id": example["id"], "messages": messages}


def main() -> None:
    args = parse_arguments()
    prompts.check_user_template(args.user_template)
    examples = by_id(read_jsonl(args.examples), args.examples).values()

    @cache
    def schema_of(db_id: str) -> str:
        return FORMS[args.schema_form](read_schema(args.databases / db_id / f"{db_id}.sqlite"))

    rows = [render_example(example, schema_of(example["db_id"]), args) for example in examples]
    write_jsonl(args.output, rows)
    print(f"{len(rows)} prompts over {schema_of.cache_info().currsize} databases -> {args.output}")


if __name__ == "__main__":
    run_main(main)
