"""Files and flags of the jobs of workflow/rules/context.smk: prompts, and the few-shot examples in them."""

from typing import Any

from sqladder.experiment.data_jobs import databases_of
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.paths import input_path, needed_file
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import first_seed

# Prompts


def prompt_references(config: Config, context: str, split: str) -> str | list[str]:
    """The file with the few-shot examples of a split's questions; most contexts have none."""
    if "examples" not in config["contexts"][context]:
        return []
    return f"resources/retrieval/{context}/{split}.jsonl"


def prompt_tables(config: Config, context: str) -> str | list[str]:
    """Spider's file of column names, if the context describes columns by it."""
    described = config["contexts"][context].get("descriptions", {})
    return needed_file(described["tables"]) if "tables" in described else []


def prompt_flags(config: Config, context: str, split: str) -> list[str]:
    """How the prompts of a split are rendered; those for training get their answers."""
    files = {
        "databases": databases_of(config, split),
        "references": prompt_references(config, context, split),
    }
    flags = context_flags(config["contexts"][context]) + as_flags(named(files))
    return flags if split == "test" else [*flags, "--with-answer"]


def context_flags(context: Config) -> list[str]:
    """A context's entry as the flags of render_prompts.py; few-shot examples come as a file."""
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


def user_template(config: Config, context: str) -> str:
    """The text of a context's user turn."""
    return config["contexts"][context]["user"]


# Few-shot examples


def example_settings(config: Config, context: str) -> Config:
    """A context's `examples` entry, empty where it has none."""
    return config["contexts"][context].get("examples", {})


def is_embedded(config: Config, context: str) -> bool:
    """Whether a context's examples are found by their embeddings."""
    return "embedding" in example_settings(config, context)


def contexts_with_examples(config: Config) -> list[str]:
    """The contexts that show few-shot examples."""
    return [name for name in config["contexts"] if example_settings(config, name)]


def embedded_contexts(config: Config) -> list[str]:
    """The contexts whose examples are found by their embeddings."""
    return [name for name in config["contexts"] if is_embedded(config, name)]


def masking_databases(config: Config, context: str, split: str) -> str | list[str]:
    """A split's databases where questions are compared by their masked text; nothing else needs them."""
    masked = example_settings(config, context).get("by") == "masked_question"
    return databases_of(config, split) if masked else []


def examples_index(config: Config, context: str) -> str | list[str]:
    """The index of a context's embedded examples."""
    return f"resources/retrieval/{context}/index" if is_embedded(config, context) else []


def index_flags(config: Config, context: str) -> list[str]:
    """How a context's examples are embedded and stored."""
    settings = example_settings(config, context)
    embedding = settings["embedding"]
    paths = {key: input_path(embedding[key]) for key in ("model", "uri") if key in embedding}
    files = named({"pool_databases": masking_databases(config, context, "train")})
    return as_flags({"by": settings["by"], **paths, **files, "collection": f"sqladder_{context}"})


def retrieval_flags(config: Config, context: str, split: str) -> list[str]:
    """How the examples of a split's questions are found."""
    files = {
        "index": examples_index(config, context),
        "databases": masking_databases(config, context, split),
        "pool_databases": masking_databases(config, context, "train"),
    }
    settings = retrieval_settings(example_settings(config, context))
    return as_flags({**settings, **named(files), "seed": first_seed(config)})


def retrieval_settings(examples: Config) -> dict[str, Any]:
    """A context's `examples` entry as settings of retrieve_examples.py."""
    settings: dict[str, Any] = {
        key: examples[key] for key in ("method", "by", "count") if key in examples
    }
    if "embedding" in examples:
        settings["embedding_model"] = input_path(examples["embedding"]["model"])
        settings["embedding_instruction"] = examples["embedding"]["instruction"]
    if "rerank" in examples:
        settings["rerank_model"] = input_path(examples["rerank"]["model"])
        settings["rerank_instruction"] = examples["rerank"]["instruction"]
        settings["candidates"] = examples["rerank"]["candidates"]
    return settings


def retrieval_gpus(config: Config, context: str) -> int:
    """GPUs of a search: one where questions are embedded."""
    return int(is_embedded(config, context))
