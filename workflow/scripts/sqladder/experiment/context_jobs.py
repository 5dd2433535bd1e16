"""Files and flags of the jobs of workflow/rules/context.smk: prompts, and the few-shot examples in them."""

from sqladder.experiment.data_jobs import databases_of
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.paths import input_path, needed_file
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import first_seed
from sqladder.prompts.settings import ContextSettings
from sqladder.retrieval.settings import Choice, IndexSettings
from sqladder.settings.base import Settings
from sqladder.settings.program_flags import to_flags
from sqladder.settings.slices import sliced

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
    return [*flags, "--with-answer"] if split in ("pretrain", "train") else flags


def context_flags(context: Config) -> list[str]:
    """A context's entry as the flags of render_prompts.py; few-shot examples come as a file."""
    return to_flags(context_settings(context))


def context_settings(context: Config) -> ContextSettings:
    """What of a context's entry renders prompts, environment variables filled in."""
    described = context.get("descriptions", {})
    if "tables" in described:
        context = {**context, "descriptions": {"tables": input_path(described["tables"])}}
    settings: ContextSettings = sliced(ContextSettings, context)
    return settings


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


def retrieval_models(config: Config, context: str) -> list[str]:
    """The models that find a context's examples: each a folder, or the download that it lies in."""
    return [str(needed_file(path)) for path in model_paths(config, context).values()]


def embedding_model(config: Config, context: str) -> list[str]:
    """The model that embeds a context's examples."""
    return retrieval_models(config, context)[:1]


def model_paths(config: Config, context: str) -> dict[str, str]:
    """What a context's entry names for its models, by the section that names it."""
    examples = example_settings(config, context)
    return {key: examples[key]["model"] for key in ("embedding", "rerank") if key in examples}


def masking_databases(config: Config, context: str, split: str) -> str | list[str]:
    """A split's databases where questions are compared by their masked text; nothing else needs them."""
    masked = example_settings(config, context).get("by") == "masked_question"
    return databases_of(config, split) if masked else []


def examples_index(config: Config, context: str) -> str | list[str]:
    """The index of a context's embedded examples."""
    return f"resources/retrieval/{context}/index" if is_embedded(config, context) else []


def index_flags(config: Config, context: str) -> list[str]:
    """How a context's examples are embedded and stored."""
    settings = sliced(IndexSettings, with_paths(example_settings(config, context)))
    files = named({"pool_databases": masking_databases(config, context, "train")})
    return to_flags(settings) + as_flags({**files, "collection": f"sqladder_{context}"})


def retrieval_flags(config: Config, context: str, split: str) -> list[str]:
    """How the examples of a split's questions are found."""
    files = {
        "index": examples_index(config, context),
        "databases": masking_databases(config, context, split),
        "pool_databases": masking_databases(config, context, "train"),
    }
    return to_flags(choice_settings(config, context)) + as_flags(named(files))


def choice_settings(config: Config, context: str) -> Settings:
    """How a context's examples are chosen."""
    examples = {**with_paths(example_settings(config, context)), "seed": first_seed(config)}
    settings: Settings = sliced(Choice, examples)
    return settings


def with_paths(examples: Config) -> Config:
    """A context's `examples` entry with the environment variables of its models filled in."""
    models: Config = {
        key: {**examples[key], "model": input_path(examples[key]["model"])}
        for key in ("embedding", "rerank")
        if key in examples
    }
    return {**examples, **models}


def retrieval_gpus(config: Config, context: str) -> int:
    """GPUs of a search: one where questions are embedded."""
    return int(is_embedded(config, context))
