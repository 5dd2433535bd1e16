"""What each training and each generation took."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqladder.report.charts import cost_vs_accuracy
from sqladder.report.charts.cost_vs_accuracy import with_cost
from sqladder.report.cost import device_seconds, devices, line_seconds
from sqladder.report.results import Run
from sqladder.report.sections.lines import lines_part
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.times import timed
from sqladder.texts.markdown import escape, table
from sqladder.texts.numbers import UNKNOWN, megabytes, number, seconds


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    comparison = inputs.comparison
    if not any(own.training or own.generation for own in comparison.run.replicates):
        return "## Cost\n\nNot known: no variant was trained or generated in this run."
    parts = [
        training_table(comparison.run, inputs.facts["disk_bytes"]),
        lines_part(comparison.run),
        generation_table(comparison.run),
        served_part(comparison.run, inputs.facts["config"]),
        f'"{UNKNOWN}": not known, or the variant does not have it.',
        inputs.chart(cost_vs_accuracy.CHART) if with_cost(comparison) else "",
    ]
    return f"## Cost\n\n{timed(parts)}"


def cost_sentence(run: Run) -> str:
    """What trainings and generations took, the cheapest and the dearest."""
    trained = [
        (None if "model_of" in own.training else line_seconds(own.line), own.label)
        for own in run.replicates
    ]
    generated = [(own.generation.get("seconds"), own.label) for own in run.replicates]
    told = [_ends("training", trained, " of all devices"), _ends("generation", generated, "")]
    known = [text for text in told if text]
    if not known:
        return "Cost: not known, as no variant was trained or generated in this run."
    return f"Cost: {'; '.join(known)}. [Cost](#cost)"


def _ends(what: str, times: Sequence[tuple[float | None, str]], unit: str) -> str:
    known = sorted((taken, label) for taken, label in times if taken)
    if not known:
        return ""
    ends = {seconds(taken): escape(label) for taken, label in (known[-1], known[0])}
    if len(ends) == 1 and len(known) > 1:
        return f"{what} {seconds(known[0][0])}{unit} each"
    told = [f"{taken} ({label})" for taken, label in reversed(ends.items())]
    return f"{what} {' to '.join(told)}{unit}"


def training_table(run: Run, disk: Mapping[str, int]) -> str:
    """What each training took; "-" where not known or not trained here."""
    rows = []
    for own in run.replicates:
        facts = _own_training(own.training)
        size = disk.get(own.replicate.name)
        rows.append(
            [
                escape(own.label),
                escape(facts.get("method") or UNKNOWN),
                number(facts.get("trainable_parameters")),
                number(facts.get("steps")),
                number(facts.get("tokens")),
                seconds(facts.get("seconds")),
                str(devices(facts)) if facts.get("device") else UNKNOWN,
                seconds(device_seconds(facts)),
                number(facts.get("tokens_per_second")),
                megabytes(facts.get("peak_memory_mb")),
                megabytes(None if size is None else size / 1e6),
                escape(facts.get("device") or UNKNOWN),
            ]
        )
    header = [
        "variant",
        "method",
        "trainable parameters",
        "steps",
        "tokens",
        "training",
        "devices",
        "time x devices",
        "tokens/s",
        "peak memory",
        "model on disk",
        "device",
    ]
    return table(header, rows, "llrrrrrrrrrl")


def _own_training(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of a training; of another one's model only whose it is, since its cost is counted there."""
    if "model_of" not in facts:
        return facts
    smaller = f", {facts['quantized']['kind']}" if "quantized" in facts else ""
    return {"method": f"model of {facts['model_of']}{smaller}"}


def generation_table(run: Run) -> str:
    """What each generation took; "-" where not known."""
    rows = []
    for own in run.replicates:
        facts = own.generation
        rows.append(
            [
                escape(own.label),
                escape(facts.get("engine") or UNKNOWN),
                seconds(facts.get("seconds")),
                number(facts.get("prompts_per_second"), 1),
                _per_question(facts.get("prompts_per_second")),
                number(facts.get("output_tokens")),
                megabytes(facts.get("peak_memory_mb")),
                escape(facts.get("device") or UNKNOWN),
            ]
        )
    header = [
        "variant",
        "engine",
        "generation",
        "prompts/s after the start",
        "time a question",
        "output tokens",
        "peak memory",
        "device",
    ]
    return table(header, rows, "llrrrrrl")


def served_part(run: Run, config: Mapping[str, Any]) -> str:
    """What the answers of servers cost in tokens and money; nothing where no server was asked."""
    served = [own for own in run.replicates if own.generation.get("engine") == "served"]
    if not served:
        return ""
    rows = []
    for own in served:
        facts = own.generation
        money = _money(facts, config["variants"][own.replicate.variant].get("price"))
        rows.append(
            [
                escape(own.label),
                escape(", ".join(facts["answered_by"]) or facts["server"]["model"]),
                escape(facts["server"]["url"]),
                number(facts["requests"]),
                number(facts["retries"]),
                number(facts["prompt_tokens"]),
                number(facts["output_tokens"]),
                _amount(money),
                _amount(None if money is None else money * 1000 / facts["prompts"]),
            ]
        )
    header = [
        "variant",
        "model behind the server",
        "server",
        "requests",
        "repeated",
        "prompt tokens",
        "output tokens",
        "price of the run",
        "price of 1,000 questions",
    ]
    return (
        f"{table(header, rows, 'lllrrrrrr')}\n\nPrices: the tokens that the server counted, times the config's "
        "`price`, in its currency; without discounts, and without what repeated requests cost."
    )


def _money(facts: Mapping[str, Any], price: Mapping[str, float] | None) -> float | None:
    if price is None:
        return None
    tokens = facts["prompt_tokens"] * price["input"] + facts["output_tokens"] * price["output"]
    return tokens / 1e6


def _amount(money: float | None) -> str:
    if money is None:
        return UNKNOWN
    return number(money, 2) if money >= 10 else f"{money:.3g}"


def _per_question(prompts_per_second: float | None) -> str:
    return f"{1 / prompts_per_second:.3g} s" if prompts_per_second else UNKNOWN
