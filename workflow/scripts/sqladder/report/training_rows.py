"""What became of the training rows before a model saw them: by their gold, by what they share with the test, by length.

`collected` makes of the stages' files what facts.json keeps; `said` and `said_of_lengths` put that into words for the
head of the report and for model cards.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqladder.files import Row, iterate_jsonl, read_object
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import listing, number

Facts = Mapping[str, Any]

_LENGTHS = ("rows", "cutoff", "over_cutoff", "cut", "dropped")
_GOLD = {
    # In another engine's dialect it fails too, and the same key decides.
    "failing": "gold query fails",
    "slow": "gold query outlasts the limits",
    "empty": "gold query gives no row on any file",
}


def gold_facts(checks: Sequence[Path], examples: Sequence[Path]) -> Row:
    """Count the gold queries of data sets, and by status those with a problem and the rows left out for it.

    Args:
        checks: of each set, JSON Lines of id and status, one for each gold query.
        examples: of each set, JSON Lines of the rows that stayed.
    """
    kept = {
        (number, row["id"])
        for number, path in enumerate(examples)
        for row in iterate_jsonl(path, {"id": str})
    }
    rows = [
        ((number, row["id"]), "failing" if row["status"] == "dialect" else row["status"])
        for number, path in enumerate(checks)
        for row in iterate_jsonl(path, {"id": str, "status": str})
    ]
    found = Counter(status for _, status in rows)
    left_out = Counter(status for key, status in rows if key not in kept)
    problems = {name: {"rows": found[name], "left_out": left_out[name]} for name in _GOLD}
    return {"rows": len(rows), "problems": problems}


def length_facts(path: Path) -> Row:
    """Take from the statistics of lengths how many rows were over the cutoff, and what became of them."""
    facts = read_object(path, dict.fromkeys(_LENGTHS, int))
    return {name: facts[name] for name in _LENGTHS}


def said(facts: Facts) -> Iterator[str]:
    """Yield a sentence in Markdown for each thing that befell the rows of all variants.

    Args:
        facts: `training_rows` of facts.json, {} where nothing was trained.
    """
    if mix := facts.get("mix"):
        yield _said_of_mix(mix)
    gold = facts.get("gold")
    if gold == "not executed":
        yield (
            "The gold SQL of the training rows was not executed, since they have no databases: rows whose gold fails "
            "are trained on."
        )
    elif gold:
        yield from _said_of_gold(gold)
    if shared := facts.get("shared_with_test"):
        yield _said_of_test(shared)


def _said_of_mix(mix: Facts) -> str:
    sets = [
        f"{number(own['rows'])} rows of *{escape(name)}*, {_times(own['weight'])}"
        for name, own in mix.items()
    ]
    return (
        f"What is trained on is a mix, in one pass: {listing(sets)}, before rows were dropped by what follows here; "
        "`train.json` has the numbers of each training."
    )


def _times(weight: float) -> str:
    if weight < 1:
        return f"of which a sample of {100 * weight:g} % is seen"
    return "each seen once" if weight == 1 else f"each seen {weight:g} times"


def said_of_lengths(facts: Facts, replicates: Iterable[str] | None = None) -> Iterator[str]:
    """Yield a sentence for each cutoff at which rows were dropped or cut, with the variants that it is of.

    Args:
        facts: `training_rows` of facts.json.
        replicates: those to speak of; all if not given.
    """
    lengths = facts.get("lengths", {})
    chosen = list(lengths if replicates is None else replicates)
    names: dict[tuple[int, ...], list[str]] = {}
    for name in chosen:
        if own := lengths.get(name):
            names.setdefault(tuple(own[key] for key in _LENGTHS), []).append(name)
    for (rows, cutoff, over, cut, dropped), own in names.items():
        if not over:
            continue
        variants = "" if len(names) == 1 else f" ({listing([escape(name) for name in own])})"
        parts = [
            *([f"{number(dropped)} dropped"] if dropped else []),
            *([f"{number(cut)} cut at the end of their schema"] if cut else []),
        ]
        yield (
            f"**Of {number(rows)} training rows, {number(over)} are longer than {number(cutoff)} tokens: "
            f"{listing(parts)}**{variants}; `training.over_cutoff` decides, and results/lengths has all lengths."
        )


def _said_of_gold(gold: Facts) -> Iterator[str]:
    for name, meaning in _GOLD.items():
        found, left_out = gold["problems"][name]["rows"], gold["problems"][name]["left_out"]
        of_all = f"of {number(gold['rows'])} rows of the data set trained on are"
        key = f"`gold_problems.{name}` decides, and gold.md of the data set lists them"
        if left_out:
            yield f"**{number(left_out)} {of_all} left out, since their {meaning}**; {key}."
        elif found and name != "empty":
            yield f"**{number(found)} {of_all} used although their {meaning}**; {key}."


def _said_of_test(shared: Facts) -> str:
    rules, rows = shared["rules"], shared["training_rows"]
    names = listing([f"`{rule}`" for rule in rules])
    by = f"by the rule{'s' if len(rules) > 1 else ''} {names}"
    seen, dropped, suspect = rows["seen"], rows["dropped"], shared["kept_rows_suspect"]
    if not dropped + suspect:
        return f"None of {number(seen)} training rows is like a question of the test, {by}."
    questions = shared["evaluation_questions"]
    return (
        f"**Of {number(seen)} training rows, {number(dropped + suspect)} are like a question of the test: "
        f"{number(dropped)} dropped, {number(suspect)} kept**, {by}; those kept are like "
        f"{number(questions['suspect'])} of {number(questions['all'])} questions. `decontamination` decides, and "
        "decontamination.md shows them."
    )
