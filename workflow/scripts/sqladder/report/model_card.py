"""A model card: what a fine-tuned model was made from and how, what it reaches, and what it does not."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
import yaml

from sqladder.report.cost import device_seconds, devices
from sqladder.report.judged_checkpoints import judged_checkpoints
from sqladder.report.training_rows import said, said_of_lengths
from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval
from sqladder.statistics.replicates import Replicate
from sqladder.statistics.seeds import accuracy_interval
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, listing, number, plural, rate, seconds, share_interval

Facts = Mapping[str, Any]

LOSS_PICTURE = "loss.svg"

_LEVELS = ("easy", "medium", "hard", "extra", "all")


class Repositories(NamedTuple):
    """Names on the Hub, None where they are not known.

    Attributes:
        base: of the base model.
        data: of the training questions.
    """

    base: str | None
    data: str | None


def model_card(
    own: Replicate,
    facts: Facts,
    recipe: Facts,
    repositories: Repositories,
    training: Facts,
    metrics: Facts,
    verdicts: Sequence[Facts],
    seeds: Sequence[Facts],
    has_picture: bool,
) -> str:
    """Write the card of a trained model as Markdown with Hugging Face's metadata.

    Args:
        own: its variant, and its seed where the variant has several.
        facts: content of facts.json.
        recipe: setting -> value, of the variant's training.
        repositories: what base and data are called on the Hub.
        training: content of its train.json.
        metrics: content of its metrics.json.
        verdicts: lines of its verdicts.jsonl.
        seeds: content of metrics.json of every seed of the variant, this one's among them.
        has_picture: the picture of the loss curve, loss.svg, lies beside the card.
    """
    variant = own.variant
    config = facts["config"]
    measured = _measured(verdicts)
    about = metadata(variant, facts, repositories, metrics, measured["all"])
    header = yaml.safe_dump(about, sort_keys=False, allow_unicode=True)
    sections = [
        f"---\n{header}---",
        f"# {escape(variant)}" + (f", seed {own.seed}" if own.seed is not None else ""),
        _summary(config, repositories.base, training),
        use_section(f"results/{own.name}", f"results/{own.name}/model"),
        _results(config, measured),
        _recipe(recipe, training),
        *([f"![Training loss over steps]({LOSS_PICTURE})"] if has_picture else []),
        _data(own, facts),
        _limits(facts, seeds),
    ]
    return "\n\n".join(sections) + "\n"


def metadata(
    variant: str, facts: Facts, repositories: Repositories, metrics: Facts, measured: "_Measured"
) -> dict[str, Any]:
    """The fields that the Hugging Face Hub reads; a license that nobody named is unknown."""
    config, total = facts["config"], metrics["accuracy"]["all"]
    interval = f", 95 % interval {share_interval(measured.interval)}" if measured.n else ""
    value = {
        "type": "execution_accuracy",
        "name": f"test-suite execution accuracy{interval}",
        "value": None if total["rate"] is None else round(total["rate"], 4),
    }
    result = {
        "task": {"type": "text-generation", "name": "text-to-SQL"},
        "dataset": {"type": config["test_on"], "name": config["test_on"]},
        "metrics": [value],
    }
    return {
        **({"base_model": repositories.base} if repositories.base else {}),
        **({"datasets": [repositories.data]} if repositories.data else {}),
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "license": facts.get("base_license") or "unknown",
        "tags": ["text-to-sql", "sqladder", config["variants"][variant]["method"]],
        "model-index": [{"name": variant, "results": [result]}],
    }


def _summary(config: Facts, repository: str | None, training: Facts) -> str:
    base = config["base_model"]
    start = (
        "a toy model trained from nothing to show the workflow, so it is of no use elsewhere"
        if base["source"] == "toy"
        else f"`{repository or base['path']}`"
    )
    return (
        f"Answers questions about a database with SQL. Fine-tuned ({escape(training['method'])}) on "
        f"{_trained_on(config)} by SQLadder, from {start}{_by_way_of(training)}."
    )


def _trained_on(config: Facts) -> str:
    return listing([f"*{escape(name)}*" for name in _training_sets(config)])


def _training_sets(config: Facts) -> list[str]:
    return sorted(config["train_mix"]) if "train_mix" in config else [config["train_on"]]


def _by_way_of(training: Facts) -> str:
    start = training.get("start_from")
    if not start:
        return ""
    if training.get("learning", {}).get("method") == "rejection":
        return f", on right answers beside gold that the model of the variant `{start}` drew first"
    return f" by way of the model of the variant `{start}`, where this training started"


def use_section(asked: str | None, model: str, fetched_from: str | None = None) -> str:
    """How the model is asked, and loaded.

    Args:
        asked: the folder that `sqladder ask` takes; None where it needs files that are not handed on.
        model: what transformers loads.
        fetched_from: the repository that holds the folder; None where it is here.
    """
    fetching = f"hf download {fetched_from} --local-dir {asked}\n" if fetched_from else ""
    command = f"""```bash
{fetching}sqladder ask {asked} --database shop.sqlite "How many orders in May?"
```

writes"""
    if asked is None:
        command = "In its run, `sqladder ask` writes"
    return f"""## Use

{command} the prompt that the model was trained with from the database's schema, and reads the SQL from its answer; with
another prompt the results below do not hold. Without SQLadder it is a causal language model like others:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("{model}")
model = AutoModelForCausalLM.from_pretrained("{model}")
```"""


class _Measured(NamedTuple):
    """Right answers to the questions of a level: how many, which share, and its 95 % interval."""

    n: int
    share: float | None
    interval: Interval | None


def _measured(verdicts: Sequence[Facts]) -> dict[str, _Measured]:
    found = {}
    for level in _LEVELS:
        chosen = [row for row in verdicts if level in ("all", row["hardness"])]
        if not chosen:
            found[level] = _Measured(0, None, None)
            continue
        marks = np.array([[row["verdict"] == "correct" for row in chosen]])
        groups = Groups.of([row.get("group", row["id"]) for row in chosen])
        interval = accuracy_interval(marks, groups)
        found[level] = _Measured(len(chosen), float(marks.mean()), interval)
    return found


def _results(config: Facts, levels: Mapping[str, _Measured]) -> str:
    rows = [
        [level, number(own.n), rate(own.share), share_interval(own.interval)]
        for level, own in levels.items()
    ]
    measured = table(["level", "questions", "accuracy", "95 % interval"], rows, "lrrr")
    return f"""## Results

Test-suite execution accuracy on *{escape(config["test_on"])}*, with Wilson's intervals for further
questions on the same databases; wordings of one query are one group. They are of the model in this
folder: another seed of its training gives another. The run's report compares the variants with each
other; this table does not.

{measured}"""


def _recipe(recipe: Facts, training: Facts) -> str:
    rows = [[f"`{key}`", escape(_plain(value))] for key, value in recipe.items()]
    facts = [
        ["trained parameters", number(training["trainable_parameters"])],
        ["all parameters", number(training["total_parameters"])],
        ["optimiser steps", number(training["steps"])],
        ["tokens", number(training["tokens"])],
        ["time", seconds(training["seconds"])],
        ["devices", f"{devices(training)} x {escape(training['device'] or UNKNOWN)}"],
        ["time of all devices", seconds(device_seconds(training))],
    ]
    return f"""## Recipe

{table(["setting", "value"], rows, "ll")}

{table(["training", ""], facts, "lr")}{_choice(training)}"""


def _choice(training: Facts) -> str:
    """Which checkpoint this is, where it was chosen."""
    judged = judged_checkpoints(training)
    if judged is None:
        return ""
    steps, place = judged.steps, judged.chosen
    stopped = " The training was stopped early." if judged.stopped_early else ""
    curve = table(
        ["step", "epoch", "validation accuracy", "95 % interval", "training loss"],
        [
            [
                number(steps[at]) + (" (this model)" if at == place else ""),
                number(judged.epochs[at], 2),
                rate(judged.rates[at]),
                share_interval(judged.interval(at)),
                number(judged.losses[at], 3),
            ]
            for at in range(len(steps))
        ],
        "rrrrr",
    )
    return f"""

The model is the checkpoint after step {number(steps[place])} of {number(steps[-1])}: of
{number(len(steps))} it answered most of {number(judged.n)} validation questions on
{plural(judged.databases, "database")} rightly, {rate(judged.rates[place])} where the last one had
{rate(judged.rates[-1])}; {number(judged.equal)} cannot be told from it.{stopped} No question of the test was in the
choice.

{curve}"""


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {own}" for key, own in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _data(own: Replicate, facts: Facts) -> str:
    rows = [[escape(path), f"`{checksum}`"] for path, checksum in facts["data"].items()]
    training_rows = facts.get("training_rows", {})
    parts = [
        "## Data",
        *said(training_rows),
        *said_of_lengths(training_rows, [own.name]),
        table(["file or folder of the run", "SHA-256"], rows, "ll"),
        f"Commit of the workflow: {facts['commit'] or 'unknown'}.",
    ]
    return "\n\n".join(parts)


def _limits(facts: Facts, seeds: Sequence[Facts]) -> str:
    config = facts["config"]
    return f"""## Limits

- Measured on *{escape(config["test_on"])}* alone, with prompts made by the run's context: other
  databases, other prompts and other decodings give other results.
- {_spread(seeds)}
- Its SQL may be wrong and may be harmful. Execute it read-only, with limits on time and memory.
- {_licenses(facts)}"""


def _licenses(facts: Facts) -> str:
    """What is known of the licenses that the model's own depends on."""
    config = facts["config"]
    names = _training_sets(config)
    base = facts.get("base_license")
    licenses = [config["datasets"].get(name, {}).get("license") for name in names]
    of_base = f"{escape(base)}, says its own card" if base else "named by no card of its folder"
    of_data = [
        f"that of *{escape(name)}* is "
        + (f"{escape(data)}, says the config" if data else "not named in the config")
        for name, data in zip(names, licenses, strict=True)
    ]
    told = "; ".join([f"the base model's is {of_base}", *of_data])
    return f"License: {told}. This model's own depends on both."


def _spread(seeds: Sequence[Facts]) -> str:
    """What is known of another training with the same recipe."""
    rates = [own["accuracy"]["all"]["rate"] for own in seeds]
    if len(rates) == 1 or None in rates:
        return "One training run: the spread between seeds is not measured."
    return (
        f"One of {len(rates)} seeds, with accuracies from {rate(min(rates))} to {rate(max(rates))} over all "
        f"questions (mean {rate(fmean(rates))}, standard deviation {rate(stdev(rates))})."
    )
