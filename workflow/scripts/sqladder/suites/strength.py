"""How strong a suite is: what it tells from gold, and what it does not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqladder.suites.making import MadeSuite
from sqladder.texts.markdown import code_block, escape

_MOST_LISTED = 20
"""Neighbours of one gold query that the report lists."""
ALONE = "judged_on_original_alone"
"""Of suites for another engine than SQLite: how many gold queries no content is for."""


def facts_of(suite: MadeSuite) -> dict[str, Any]:
    """What is counted of a suite; each gold with its neighbours that are told apart by no file."""
    files = [suite.original, *suite.seen]
    golds = []
    for at, gold in enumerate(suite.golds):
        told = set().union(*(own.told[at] for own in files))
        living: list[dict[str, Any]] = [
            {"kind": own.kind, "sql": own.sql, "same": number in suite.same[at]}
            for number, own in enumerate(gold.neighbours)
            if number not in told
        ]
        golds.append(
            {
                "sql": gold.sql,
                "neighbours": len(gold.neighbours),
                "told_apart": len(told),
                "told_apart_by_original": len(suite.original.told[at]),
                "has_rows": any(own.rows[at] for own in files),
                "by_chance_on": sum(at in own.chance for own in files),
                "same": sum(own["same"] for own in living),
                "living": living,
            }
        )
    return {
        "files": len(files),
        "neighbours": sum(gold["neighbours"] for gold in golds),
        "told_apart": sum(gold["told_apart"] for gold in golds),
        "told_apart_by_original": sum(gold["told_apart_by_original"] for gold in golds),
        "same": sum(gold["same"] for gold in golds),
        "without_rows": sum(not gold["has_rows"] for gold in golds),
        "golds": golds,
    }


def strength(suites: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """What `facts_of` counts, over the suites of all databases, and the most files that a database has."""
    counted = ["neighbours", "told_apart", "told_apart_by_original", "without_rows"]
    if all(ALONE in own for own in suites.values()):
        counted.append(ALONE)
    return {
        "files": max((own["files"] for own in suites.values()), default=0),
        **{name: sum(own[name] for own in suites.values()) for name in counted},
    }


def sentence_of(facts: dict[str, Any]) -> str:
    """The strength of a suite in a sentence."""
    return (
        f"{facts['files']} files tell {facts['told_apart']} of {facts['neighbours']} neighbours from gold "
        f"(the original alone {facts['told_apart_by_original']}), and {facts['same']} certainly mean the same; "
        f"{facts['without_rows']} of {len(facts['golds'])} gold queries give no row anywhere"
        + (f"; {facts[ALONE]} are judged on the original alone" if ALONE in facts else "")
    )


def suite_report(suites: Sequence[MadeSuite]) -> str:
    """Markdown: the strength of each suite, then what lives on beside each gold query."""
    return "\n".join(_lines([(own.db_id, facts_of(own)) for own in suites])) + "\n"


def _lines(suites: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    yield "# Test suites\n"
    yield (
        "A neighbour is a gold query with one thing changed. What no file tells from its gold means the same, which is "
        "said where it is certain, or is untested.\n"
    )
    yield (
        "| database | files | gold queries | without rows | neighbours | told apart | by the original alone "
        "| certainly the same |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for db_id, facts in suites:
        counted = ("neighbours", "told_apart", "told_apart_by_original", "same")
        numbers = ["files", "without_rows", *counted]
        files, empty, *rest = (str(facts[name]) for name in numbers)
        yield f"| {escape(db_id)} | {files} | {len(facts['golds'])} | {empty} | {' | '.join(rest)} |"
    for db_id, facts in suites:
        yield f"\n## {escape(db_id)}"
        for gold in facts["golds"]:
            yield from _gold_lines(gold)


def _gold_lines(gold: dict[str, Any]) -> Iterator[str]:
    if (
        gold["told_apart"] + gold["same"] == gold["neighbours"]
        and gold["has_rows"]
        and gold["neighbours"]
    ):
        return
    empty = "" if gold["has_rows"] else "; it gives no row on any file"
    yield f"\n{gold['told_apart']} of {gold['neighbours']} neighbours told apart{empty}:\n"
    yield code_block(" ".join(gold["sql"].split()), "sql") + "\n"
    for neighbour in gold["living"][:_MOST_LISTED]:
        same = " (certainly the same)" * neighbour["same"]
        yield f"- {neighbour['kind']}{same}: {escape(neighbour['sql'])}"
    more = len(gold["living"]) - _MOST_LISTED
    if more > 0:
        yield f"- and {more} more, all in suite.json"
