"""Files, flags and GPUs of the jobs of workflow/rules/generate.smk: predictions, made here or elsewhere."""

from collections.abc import Iterable, Mapping

from sqladder.experiment.data_jobs import databases_of, examples_of, scoring_flags
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.paths import input_path
from sqladder.experiment.reading import Config
from sqladder.experiment.settings import ServedVariant
from sqladder.experiment.variants import (
    generated,
    model_source,
    own_entry,
    own_seed,
    own_setting,
    quantization,
    replicates,
    served,
)
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import (
    DecodingSettings,
    RepairedDecoding,
    SamplingSettings,
    ServedDecoding,
)
from sqladder.models.quantizations import GGUF_KINDS
from sqladder.settings.program_flags import to_flags
from sqladder.settings.slices import sliced

_ENVIRONMENTS = {"vllm": "vllm", "llama_cpp": "gguf"}


def model_to_ask(config: Config, replicate: str) -> str:
    """The model folder that a replicate's answers come from."""
    return f"results/{model_source(config, replicate)}/model"


def prompts_to_answer(config: Config, replicate: str) -> str:
    """The prompts that a replicate answers."""
    return f"resources/prompts/{own_setting(config, replicate, 'context')}/test.jsonl"


def decoding_flags(config: Config, replicate: str) -> list[str]:
    """How a replicate's answers are generated, without the number of GPUs.

    How many GPUs share the work changes no answer, so it is a resource and makes nothing anew. Nor does which of the
    samples is chosen.
    """
    decoding = decoding_of(config, replicate)
    if is_repaired(config, replicate):
        return to_flags(sliced(RepairedDecoding, decoding)) + repair_flags(config, replicate)
    flags = to_flags(sliced(DecodingSettings, decoding))
    return flags + as_flags(named(question_files(config, replicate)))


def served_flags(config: Config, replicate: str) -> list[str]:
    """Who answers a replicate's prompts, and how: what changes no answer (price, concurrency) is left out."""
    server = sliced(Server, own_entry(config, replicate))
    decoding = {"repair": {"rounds": 0}, **decoding_of(config, replicate)}
    if not _is_on_databases(config, replicate):
        return to_flags(server) + to_flags(sliced(SamplingSettings, decoding))
    flags = to_flags(server) + to_flags(sliced(ServedDecoding, decoding))
    if is_repaired(config, replicate):
        return flags + repair_flags(config, replicate)
    return flags + as_flags(named(question_files(config, replicate)))


def serving_program(config: Config, replicate: str) -> str:
    """The program that asks a replicate's server: only one that needs the databases depends on the code for them."""
    on_databases = _is_on_databases(config, replicate)
    return "generate_served_on_databases.py" if on_databases else "generate_served.py"


def serving_code(config: Config, replicate: str, code: Mapping[str, str]) -> str:
    """The digest of that program.

    Args:
        config: the experiment.
        replicate: whose answers are asked for.
        code: digests by program.
    """
    return code[serving_program(config, replicate)]


def _is_on_databases(config: Config, replicate: str) -> bool:
    """Whether a replicate's answers are held to a grammar, or asked again where they fail."""
    return _grammar(config, replicate) != "none" or is_repaired(config, replicate)


def requests_at_a_time(config: Config, replicate: str) -> int:
    """Requests to a server that are under way at a time; a resource of the job, since it changes no answer."""
    return own_entry(config, replicate).get(
        "concurrency", ServedVariant.model_fields["concurrency"].default
    )


def decoding_of(config: Config, replicate: str) -> Config:
    """How a replicate's answers are generated, with its seed."""
    return {
        **own_setting(config, replicate, "decoding"),
        "engine": engine(config, replicate),
        "seed": own_seed(config, replicate),
        "log_probabilities": choice(config, replicate) != "first",
    }


def generating_program(config: Config, replicate: str) -> str:
    """The program that generates a replicate's answers: only one that executes them needs the metric's code."""
    return "generate_repaired.py" if is_repaired(config, replicate) else "generate.py"


def generating_code(config: Config, replicate: str, code: Mapping[str, str]) -> str:
    """The digest of that program.

    Args:
        config: the experiment.
        replicate: whose answers are generated.
        code: digests by program.
    """
    return code[generating_program(config, replicate)]


def repair_flags(config: Config, replicate: str) -> list[str]:
    """How a replicate's answers that fail are asked again, and what they are executed on."""
    context = config["contexts"][own_setting(config, replicate, "context")]
    files = question_files(config, replicate)
    return [
        *as_flags({"repair_template": context["repair_turn"], **named(files)}),
        *scoring_flags(config, config["test_on"]),
    ]


def is_repaired(config: Config, replicate: str) -> bool:
    """Whether a replicate's answers that fail are asked again."""
    return own_setting(config, replicate, "decoding").get("repair", {}).get("rounds", 0) > 0


def repaired(config: Config) -> list[str]:
    """Names of the replicates whose answers that fail are asked again."""
    return [own for own in generated(config) if is_repaired(config, own)]


def question_files(config: Config, replicate: str) -> dict[str, str | list[str]]:
    """Where a replicate's answers are executed, or find their names; empty lists where neither is wanted."""
    return {
        "examples": examples_for_answers(config, replicate),
        "databases": databases_for_answers(config, replicate),
    }


def examples_for_answers(config: Config, replicate: str) -> str | list[str]:
    """The file that names each question's database, where answers need it."""
    return examples_of(config, "test") if _needs_databases(config, replicate) else []


def databases_for_answers(config: Config, replicate: str) -> str | list[str]:
    """The folder of the databases, where answers need them."""
    return databases_of(config, "test") if _needs_databases(config, replicate) else []


def _needs_databases(config: Config, replicate: str) -> bool:
    return _grammar(config, replicate) == "schema" or is_repaired(config, replicate)


def _grammar(config: Config, replicate: str) -> str:
    """What a replicate's answers are held to."""
    return own_setting(config, replicate, "decoding").get("grammar", "none")


def choice(config: Config, replicate: str) -> str:
    """Which of several samples is a replicate's answer."""
    return own_setting(config, replicate, "decoding").get("choose", "first")


def chosen_from_samples(config: Config) -> list[str]:
    """Names of the replicates whose answers are chosen among samples, beyond taking the first."""
    return [own for own in generated(config) if choice(config, own) != "first"]


def answered_at_once(config: Config) -> list[str]:
    """Names of the replicates whose first, mostly only, answer is the prediction."""
    return [own for own in generated(config) if choice(config, own) == "first"]


def of_models(config: Config, names: Iterable[str]) -> list[str]:
    """Those of some replicates whose answers a model here gives."""
    behind_servers = served(config)
    return [own for own in names if own not in behind_servers]


def of_servers(config: Config, names: Iterable[str]) -> list[str]:
    """Those of some replicates whose answers a server gives."""
    behind_servers = served(config)
    return [own for own in names if own in behind_servers]


def generation_gpus(config: Config, replicate: str) -> int:
    """GPUs that share a replicate's prompts; llama.cpp answers on the CPU."""
    if engine(config, replicate) == "llama_cpp":
        return 0
    return own_setting(config, replicate, "decoding").get("gpus", 1)


def engine(config: Config, replicate: str) -> str:
    """What generates a replicate's answers: a quantized model has one engine that can ask it."""
    kind = quantization(config, replicates(config)[replicate].variant)
    if kind is None:
        return own_setting(config, replicate, "decoding")["engine"]
    return "llama_cpp" if kind in GGUF_KINDS else "transformers"


def generation_environment(config: Config, replicate: str) -> str:
    """The conda environment of a replicate's engine."""
    return f"../envs/{_ENVIRONMENTS.get(engine(config, replicate), 'generate')}.yaml"


def imported_file(config: Config, replicate: str) -> str:
    """The file of predictions that were made elsewhere."""
    return input_path(own_entry(config, replicate)["predictions"])
