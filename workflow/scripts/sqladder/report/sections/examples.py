"""Three failures of each variant, with question, gold, prediction and the first difference of results.

They are those of its first seed, where it has several.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from sqladder.files import Row
from sqladder.metric.first_rows import MOVED, ONLY_GOLD, ONLY_HERE
from sqladder.metric.showing import VALUE, cut
from sqladder.report.results import OneSeed, Run, Variant
from sqladder.report.taxonomy import KINDS
from sqladder.texts.gold_words import golds_in_words
from sqladder.texts.markdown import code_block, escape

EXAMPLES = 3

DETAIL = 200
"""Characters of a verdict's detail, which may quote long SQL."""

SQL = 600
"""Characters of a query, and of a question, that are shown."""

_MARKS = {
    ONLY_HERE: "only the answer gives",
    ONLY_GOLD: "only gold gives",
    MOVED: "at another place than gold's is",
}


def chosen_failures(run: Run, variant: Variant) -> list[tuple[int, Row]]:
    """Positions and failures to show: one of each kind in turn, the most frequent kind first.

    Within a kind the order is that of the ids' checksums: fixed, the same questions for every
    variant, and not always those of the first database.
    """
    digests = [hashlib.sha256(question["id"].encode()).digest() for question in run.questions]
    failures = enumerate(variant.seeds[0].failures)
    failed = [(position, failure) for position, failure in failures if failure]
    failed.sort(key=lambda item: digests[item[0]])
    frequency = variant.failure_counts
    seen: Counter[str] = Counter()
    keys = {}
    for position, failure in failed:
        kind = failure["kind"]
        seen[kind] += 1
        keys[position] = (seen[kind], -frequency[kind], kind)
    return sorted(failed, key=lambda item: keys[item[0]])[:EXAMPLES]


def failure_examples(run: Run, variants: Sequence[Variant], rows: Sequence[Row] = ()) -> str:
    """A folded block of examples for each variant.

    Args:
        run: the scored run.
        variants: those of it whose failures are shown.
        rows: first rows of gold and of wrong results, as `answer_rows` reads them.
    """
    results = {(row["variant"], row["id"]): row for row in rows}
    blocks = []
    for variant in variants:
        chosen = chosen_failures(run, variant)
        if not chosen:
            blocks.append(f"{escape(variant.seeds[0].label)}: no failures.")
            continue
        parts = [f"<details><summary>{escape(variant.seeds[0].label)}</summary>"]
        parts += [_example(run, variant.seeds[0], *failed, results) for failed in chosen]
        blocks.append("\n\n".join([*parts, "</details>"]))
    return "\n\n".join(blocks)


def _example(
    run: Run, own: OneSeed, position: int, failure: Row, results: Mapping[tuple[str, str], Row]
) -> str:
    question, answer = run.questions[position], own.predictions[position]
    told = [text for text in (failure["reason"], own.detail(position)) if text]
    detail = f" ({escape(cut('; '.join(told), DETAIL))})" if told else ""
    heading = (
        f"**{KINDS[failure['kind']]}**{detail}: {escape(cut(question['question'], SQL))} "
        f"({escape(cut(question['id'], VALUE))}, {escape(cut(question['db_id'], VALUE))}, {question['hardness']})"
    )
    given = code_block(answer["sql"], "sql", SQL) if answer["sql"].strip() else "(no SQL)"
    parts = [heading, "gold", code_block(golds_in_words(question), "sql", SQL), "predicted", given]
    difference = _first_difference(results.get((own.replicate.name, question["id"])))
    return "\n\n".join([*parts, *([difference] if difference else [])])


def _first_difference(result: Row | None) -> str:
    """The first row that only one of both results has, or that stands elsewhere; "" where none is known."""
    first: dict[str, Sequence[str | None]] = {}
    if result is None:
        return ""
    for mark, *values in result["rows"]:
        first.setdefault(mark, values)
    told = [f"{_MARKS[mark]} {_row(first[mark])}" for mark in _MARKS if mark in first]
    return f"first difference ({escape(result['file'])}): {'; '.join(told)}" if told else ""


def _row(values: Sequence[str | None]) -> str:
    return f"({escape(', '.join('NULL' if value is None else value for value in values))})"
