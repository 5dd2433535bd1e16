"""Three failures of each variant, with question, gold and prediction; of its first seed, where it has several."""

import hashlib
from collections import Counter

from sqladder.report.data import OneSeed, Run, Variant, failure_counts
from sqladder.report.taxonomy import KINDS
from sqladder.report.text import code_block, escape

EXAMPLES = 3

DETAIL = 200
"""Characters of a verdict's detail, which may quote long SQL."""


def chosen_failures(run: Run, variant: Variant) -> list[int]:
    """Positions of the failures to show: one of each kind in turn, the most frequent kind first.

    Within a kind the order is that of the ids' checksums: fixed, the same questions for every
    variant, and not always those of the first database.
    """
    ids = [question["id"] for question in run.questions]
    failures = variant.seeds[0].failures
    failed = [position for position, failure in enumerate(failures) if failure]
    failed.sort(key=lambda position: hashlib.sha256(ids[position].encode()).digest())
    frequency = failure_counts(variant)
    seen: Counter[str] = Counter()
    keys = {}
    for position in failed:
        kind = failures[position]["kind"]
        seen[kind] += 1
        keys[position] = (seen[kind], -frequency[kind], kind)
    return sorted(failed, key=keys.__getitem__)[:EXAMPLES]


def failure_examples(run: Run) -> str:
    """A folded block of examples for each variant."""
    blocks = []
    for variant in run.variants:
        chosen = chosen_failures(run, variant)
        if not chosen:
            blocks.append(f"{escape(variant.seeds[0].label)}: no failures.")
            continue
        parts = [f"<details><summary>{escape(variant.seeds[0].label)}</summary>"]
        parts += [_example(run, variant.seeds[0], position) for position in chosen]
        blocks.append("\n\n".join([*parts, "</details>"]))
    return "\n\n".join(blocks)


def _example(run: Run, own: OneSeed, position: int) -> str:
    question, answer = run.questions[position], own.predictions[position]
    failure = own.failures[position]
    told = [text for text in (failure["reason"], answer["detail"]) if text]
    detail = f" ({escape('; '.join(told)[:DETAIL])})" if told else ""
    heading = (
        f"**{KINDS[failure['kind']]}**{detail}: {escape(question['question'])} "
        f"({escape(question['id'])}, {escape(question['db_id'])}, {question['hardness']})"
    )
    given = code_block(answer["sql"], "sql") if answer["sql"].strip() else "(no SQL)"
    return f"{heading}\n\ngold\n\n{code_block(question['sql'], 'sql')}\n\npredicted\n\n{given}"
