"""What the job of workflow/rules/generate.smk writes from which a variant can be asked again."""

import json
import os
from pathlib import Path

from sqladder.asking.settings import AnyAsking, Asking
from sqladder.experiment.context_jobs import (
    choice_settings,
    context_settings,
    example_settings,
    examples_index,
    masking_databases,
)
from sqladder.experiment.data_jobs import examples_of, scoring_settings
from sqladder.experiment.flags import named
from sqladder.experiment.generation_jobs import choice, decoding_of, model_to_ask
from sqladder.experiment.reading import Config
from sqladder.experiment.variants import own_entry, own_setting, served
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import RepairedDecoding, ServedDecoding
from sqladder.settings.problems import settings_of
from sqladder.settings.slices import kept, sliced


def asking(config: Config, replicate: str) -> str:
    """All that a replicate's answers depend on, as JSON (asking/settings.py)."""
    name = own_setting(config, replicate, "context")
    context = config["contexts"][name]
    scoring = scoring_settings(config, config["test_on"]).model_dump()
    quirks = scoring.pop("quirks")
    # Whoever is asked executes on SQLite, a copy where the data live elsewhere.
    del scoring["engine"]
    folder = Path("results", replicate)
    repair = {key: context[key] for key in ("repair_turn",) if key in context}
    few_shot = {"few_shot": _few_shot(config, name)} if example_settings(config, name) else {}
    values = {
        "variant": replicate,
        "root": os.path.relpath(".", folder),
        "context": context_settings(context).given(),
        **few_shot,
        **repair,
        "choose": choice(config, replicate),
        "quirks": quirks,
        "limits": scoring,
        **_who_answers(config, replicate, folder),
    }
    settings: Asking = settings_of(AnyAsking, values)
    return json.dumps(settings.given())


def _few_shot(config: Config, context: str) -> Config:
    files = {
        "pool": examples_of(config, "train"),
        "pool_databases": masking_databases(config, context, "train"),
        "index": examples_index(config, context),
    }
    return {"choice": choice_settings(config, context).given(), **named(files)}


def _who_answers(config: Config, replicate: str, folder: Path) -> Config:
    decoding = {"repair": {"rounds": 0}, **decoding_of(config, replicate)}
    if replicate in served(config):
        server = sliced(Server, own_entry(config, replicate)).given()
        return {"asks": "server", "server": server, "decoding": kept(ServedDecoding, decoding)}
    model = os.path.relpath(model_to_ask(config, replicate), folder)
    return {"asks": "model", "model": model, "decoding": kept(RepairedDecoding, decoding)}
