"""Render the prompts of a set of examples as chat messages, with answers where they train a model.

Example: python render_prompts.py --examples resources/datasets/demo/train.jsonl
    --databases resources/datasets/demo/databases --schema-form ddl --with-answer
    --system-text "Write SQL." --user-template "{schema} {question}"
    --output resources/prompts/ddl/train.jsonl
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Fields, Row, by_id, iterate_jsonl, with_unique_ids, write_jsonl
from sqladder.prompts import rendering as prompts
from sqladder.prompts.contexts import ContextOptions, ContextWriter, ValueOptions, Written
from sqladder.prompts.schema_forms import FORMS
from sqladder.retrieval.references import TEMPLATES


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", required=True, type=Path, help="JSON Lines")
    parser.add_argument(
        "--databases", type=Path, help="<db_id>/<db_id>.sqlite; none where examples bring schemas"
    )
    parser.add_argument("--schema-form", choices=sorted(FORMS), default="ddl")
    parser.add_argument(
        "--descriptions", action="store_true", help="with the columns' descriptions"
    )
    parser.add_argument("--tables-json", type=Path, help="descriptions: Spider's tables.json too")
    parser.add_argument("--linking-budget", type=int, help="characters of the schema's text")
    parser.add_argument("--values", choices=["in_schema", "block"], help="mentioned values")
    parser.add_argument("--values-per-column", type=int, default=3)
    parser.add_argument("--values-at-most", type=int, default=10)
    parser.add_argument("--references", type=Path, help="few-shot examples, JSON Lines by id")
    parser.add_argument("--references-template", choices=sorted(TEMPLATES))
    parser.add_argument("--system-text", required=True, help="'': no system turn")
    parser.add_argument("--user-template", required=True, help="with {schema} and {question}")
    parser.add_argument("--with-answer", action="store_true", help="for training")
    parser.add_argument("--output", required=True, type=Path, help="prompts, JSON Lines")
    return parser.parse_args()


def schema_options(args: argparse.Namespace) -> ContextOptions:
    """Gather what concerns the schema."""
    values = None
    if args.values:
        in_schema = args.values == "in_schema"
        values = ValueOptions(in_schema, args.values_per_column, args.values_at_most)
    return ContextOptions(
        args.schema_form, args.descriptions, args.tables_json, values, args.linking_budget
    )


def read_references(args: argparse.Namespace) -> dict[str, str] | None:
    """Write each question's few-shot examples; None where the context has none."""
    if not args.references:
        return None
    rows = by_id(iterate_jsonl(args.references), args.references)
    write = TEMPLATES[args.references_template]
    return {key: write(row["examples"]) for key, row in rows.items()}


def render_example(
    example: Row, written: Written, references: dict[str, str] | None, args: argparse.Namespace
) -> Row:
    for field in ("question", "sql") if args.with_answer else ("question",):
        if not example.get(field):
            raise InputError(f"{args.examples}: example {example['id']!r} has no {field!r}")
    parts = {"values": written.values, "evidence": example.get("evidence") or ""}
    if references is not None:
        if example["id"] not in references:
            raise InputError(f"{args.references} has no examples for question {example['id']!r}")
        parts["examples"] = references[example["id"]]
    messages = prompts.chat_messages(
        written.schema,
        example["question"],
        example["sql"] if args.with_answer else None,
        system_text=args.system_text,
        user_template=args.user_template,
        parts=parts,
    )
    return {"id": example["id"], "messages": messages}


def written_schema(example: Row, writer: ContextWriter | None, args: argparse.Namespace) -> Written:
    """Write an example's schema from its database; data without databases bring it as text."""
    if writer is not None:
        return writer.write(example["db_id"], example["question"])
    if not example.get("schema"):
        raise InputError(
            f"{args.examples}: example {example['id']!r} brings no 'schema': give --databases"
        )
    return Written(str(example["schema"]), "")


def render_all(writer: ContextWriter | None, args: argparse.Namespace) -> Iterator[Row]:
    """Render one example after the other: a large set never lies in memory whole."""
    references = read_references(args)
    fields: Fields = {"id": str, "question": str, **({"db_id": str} if args.databases else {})}
    for example in with_unique_ids(iterate_jsonl(args.examples, fields), args.examples):
        written = written_schema(example, writer, args)
        yield render_example(example, written, references, args)


def main() -> None:
    args = parse_arguments()
    prompts.check_user_template(args.user_template)
    writer = ContextWriter(args.databases, schema_options(args)) if args.databases else None
    count = write_jsonl(args.output, render_all(writer, args))
    schemas = "their own schemas" if writer is None else f"{len(writer)} databases"
    LOG.info(f"{count} prompts over {schemas} -> {args.output}")


if __name__ == "__main__":
    run_main(main)
