"""What the jobs of workflow/rules/context.smk get."""

from typing import Any

from sqladder.experiment.paths import input_path
from sqladder.experiment.reading import Config


def context_flags(context: Config) -> list[str]:
    """Write a context's entry as the flags of render_prompts.py; few-shot examples come as a file."""
    flags = [
        f"--schema-form={context['schema']}",
        f"--system-text={context['system']}",
        f"--user-template={context['user']}",
    ]
    if "descriptions" in context:
        flags.append("--descriptions")
        if "tables" in context["descriptions"]:
            flags.append(f"--tables-json={input_path(context['descriptions']['tables'])}")
    if "linking" in context:
        flags.append(f"--linking-budget={context['linking']['budget']}")
    if "values" in context:
        values = context["values"]
        flags.append(f"--values={values['place']}")
        flags.append(f"--values-per-column={values['per_column']}")
        flags.append(f"--values-at-most={values['at_most']}")
    if "examples" in context:
        flags.append(f"--references-template={context['examples']['template']}")
    return flags


def retrieval_flags(examples: Config) -> dict[str, Any]:
    """Give a context's `examples` entry as settings of retrieve_examples.py."""
    flags = {key: examples[key] for key in ("method", "by", "count") if key in examples}
    if "embedding" in examples:
        flags["embedding_model"] = input_path(examples["embedding"]["model"])
        flags["embedding_instruction"] = examples["embedding"]["instruction"]
    if "rerank" in examples:
        flags["rerank_model"] = input_path(examples["rerank"]["model"])
        flags["rerank_instruction"] = examples["rerank"]["instruction"]
        flags["candidates"] = examples["rerank"]["candidates"]
    return flags
