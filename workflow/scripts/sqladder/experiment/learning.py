"""Variants that learn from execution: rounds of drawing, judging and training, each a part of the DAG.

Their trainings are trainings like others: where jobs are planned, each round is a variant of its own that is never
asked a question of the test, as a candidate of a sweep is; the last round is the variant itself. What one model draws
in one way is drawn and judged once, below that model's folder, whichever variants learn of it.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from sqladder.experiment.data_jobs import (
    databases_of,
    datasets_with_suites,
    row_datasets,
    scoring_flags,
)
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.generation_jobs import generation_environment, generation_gpus
from sqladder.experiment.learning_settings import KEPT
from sqladder.experiment.reading import Config
from sqladder.experiment.training_jobs import fitted_prompts
from sqladder.experiment.variants import (
    IN_ROUNDS,
    LEARNING,
    own_entry,
    own_seed,
    own_setting,
    replicates,
    seeds_of,
    start_of,
    variants_by_method,
)
from sqladder.generation.settings import DecodingSettings
from sqladder.settings.program_flags import to_flags
from sqladder.settings.slices import kept, sliced
from sqladder.statistics.replicates import Replicate
from sqladder.training.preference_settings import Preference

FOLDER = "rounds"
DRAWN_FOLDER = "drawn"
TRAINING_SUITE = "training_suite"
# Of a variant's decoding, what answers to learn from have no use for.
_NOT_DRAWN = ("include_greedy", "grammar", "log_probabilities")


class Round(NamedTuple):
    """One round of one replicate.

    Attributes:
        replicate: of the variant that learns.
        number: from 1.
        name: its path below results/.
        drawn_from: the replicate, or the round, whose model draws.
        trained_as: under which name its model is trained.
    """

    replicate: str
    number: int
    name: str
    drawn_from: str
    trained_as: str


def rounds(config: Config) -> dict[str, Round]:
    """All rounds of all replicates that learn, by name."""
    learning = variants_by_method(config, IN_ROUNDS)
    own = [name for name, part in replicates(config).items() if part.variant in learning]
    return {each.name: each for name in own for each in _rounds_of(config, name)}


def _rounds_of(config: Config, replicate: str) -> Iterator[Round]:
    last = own_entry(config, replicate).get("rounds", 1)
    drawn_from = str(start_of(config, replicate))
    for number in range(1, last + 1):
        name = _name(config, replicate, number)
        trained_as = replicate if number == last else name
        yield Round(replicate, number, name, drawn_from, trained_as)
        drawn_from = trained_as


def _name(config: Config, replicate: str, number: int) -> str:
    variant, seed = replicates(config)[replicate]
    return Replicate(f"{variant}/{FOLDER}/{number}", seed).name


def with_rounds(config: Config) -> Config:
    """The config with the training of each round as a variant that is trained; for the jobs that train."""
    changed: Config = {}
    for variant in variants_by_method(config, IN_ROUNDS):
        last = config["variants"][variant].get("rounds", 1)
        for number in range(1, last):
            changed[f"{variant}/{FOLDER}/{number}"] = _entry(config, variant, number)
        changed[variant] = _entry(config, variant, last)
    return {**config, "variants": {**config["variants"], **changed}} if changed else config


def _entry(config: Config, variant: str, number: int) -> Config:
    own = config["variants"][variant]
    copied = ("training", "parallelism", "decoding", "context", "start_from")
    return {
        **{key: own[key] for key in copied if key in own},
        **own["tune"],
        "seeds": seeds_of(config, variant),
        "learned_in": f"{variant}/{FOLDER}/{number}",
        **({"preference": kept(Preference, own)} if own["method"] == "dpo" else {}),
    }


def earlier_trainings(config: Config) -> list[str]:
    """Names of the trainings of all rounds but the last."""
    return [own.name for own in rounds(config).values() if own.name == own.trained_as]


def drawings(config: Config) -> dict[str, Round]:
    """What models draw, by its name, each with a round that learns of it."""
    return {_drawing(config, own): own for own in rounds(config).values()}


def _drawing(config: Config, own: Round) -> str:
    """The path below results/ of what a round learns of, named after the way in which it is drawn."""
    what = " ".join([asked_prompts(config, own.name), *_flags_of_drawing(config, own)])
    digest = hashlib.sha256(what.encode()).hexdigest()[:8]
    return f"{own.drawn_from}/{DRAWN_FOLDER}/{digest}"


def _flags_of_drawing(config: Config, own: Round) -> list[str]:
    entry = own_entry(config, own.replicate)
    usual = own_setting(config, own.replicate, "decoding")
    drawn: Config = {key: entry[key] for key in ("samples", "temperature", "top_p") if key in entry}
    values: Config = {key: value for key, value in usual.items() if key not in _NOT_DRAWN}
    # A further round draws others.
    seed = own_seed(config, own.replicate) + own.number - 1
    values |= {"top_p": 1.0, **drawn, "seed": seed}
    return to_flags(sliced(DecodingSettings, values))


# Jobs


def drawing_model(config: Config, drawing: str) -> str:
    """The model that draws."""
    return f"results/{drawings(config)[drawing].drawn_from}/model"


def drawing_prompts(config: Config, drawing: str) -> str:
    """The rows of the training whose questions are answered: no question of the test is among them."""
    return asked_prompts(config, drawings(config)[drawing].name)


def drawing_flags(config: Config, drawing: str) -> list[str]:
    """How answers are drawn."""
    return _flags_of_drawing(config, drawings(config)[drawing])


def drawing_gpus(config: Config, drawing: str) -> int:
    """GPUs that share the drawing."""
    return generation_gpus(config, drawings(config)[drawing].replicate)


def drawing_environment(config: Config, drawing: str) -> str:
    """The conda environment of the engine that draws."""
    return generation_environment(config, drawings(config)[drawing].replicate)


def judging_databases(config: Config) -> str | list[str]:
    """Where drawn answers are executed: the databases of the training questions, or suites made for these."""
    own = [f"resources/datasets/{name}/{TRAINING_SUITE}" for name in training_suites(config)]
    return own[0] if own else databases_of(config, "train")


def training_suites(config: Config) -> list[str]:
    """The data set whose training questions get suites of their own: no question of the test has a part in them."""
    learns = variants_by_method(config, LEARNING)
    return (
        [config["train_on"]]
        if learns and config["train_on"] in datasets_with_suites(config)
        else []
    )


def judging_flags(config: Config) -> list[str]:
    """What one execution may cost."""
    return scoring_flags(config, config["train_on"])


def asked_prompts(config: Config, learned_in: str) -> str:
    """The rows whose questions are answered in a round."""
    return str(fitted_prompts(config, rounds(config)[learned_in].replicate))


def drawn_file(config: Config, learned_in: str, *, name: str) -> str:
    """A file of what is drawn for a round."""
    return f"results/{_drawing(config, rounds(config)[learned_in])}/{name}"


def earlier_judged(config: Config, learned_in: str) -> list[str]:
    """What was judged for a round and for those before it."""
    own = rounds(config)[learned_in]
    names = [_name(config, own.replicate, number) for number in range(1, own.number + 1)]
    return [drawn_file(config, each, name="judged.jsonl") for each in names]


def training_before(config: Config, learned_in: str) -> str | list[str]:
    """What the training of the round before took; nothing in the first."""
    own = rounds(config)[learned_in]
    return f"results/{own.drawn_from}/train.json" if own.number > 1 else []


def keeping_flags(config: Config, learned_in: str) -> list[str]:
    """How many answers of a question are kept."""
    entry = own_entry(config, rounds(config)[learned_in].replicate)
    files = named({"before": training_before(config, learned_in)})
    return as_flags({"keep": entry.get("keep", KEPT), **files})


def pairing_flags(config: Config, learned_in: str) -> list[str]:
    """Which wrong answers are paired with right ones, and how many."""
    entry = own_entry(config, rounds(config)[learned_in].replicate)
    wrong = entry.get("wrong", ["rows", "error", "time"])
    return as_flags({"pairs": entry.get("pairs", KEPT), "wrong": wrong})


def rounds_by(config: Config, method: str) -> list[str]:
    """Names of the rounds of variants that learn by a method."""
    found = rounds(config).values()
    return [own.name for own in found if own_entry(config, own.replicate)["method"] == method]


def learning_problems(config: Config) -> Iterator[str]:
    """Yield what keeps a variant from learning from execution."""
    for name in variants_by_method(config, LEARNING):
        where = f"variants.{name}"
        if config["train_on"] in row_datasets(config):
            yield (
                f"{where}.method: answers to the training questions are executed, and {config['train_on']!r} has no "
                "databases; give it some, or name another train_on"
            )
        if config["scoring"].get("engine") == "native":
            yield (
                f"{where}.method: drawn answers are executed in SQLite, and scoring.engine is native: what counts in "
                "the test is another dialect; take the variant out, or judge in SQLite"
            )
        context = config["variants"][name].get("context", config["context"])
        if config["contexts"].get(context, {}).get("schema_orders", 1) > 1:
            yield (
                f"{where}.context: {context!r} writes a training question in several schema_orders, and each is "
                "answered once; name a context without"
            )
