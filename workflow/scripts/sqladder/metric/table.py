"""The report that the official script prints, in the same words and columns, and what it is of."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from sqladder.metric.match import PARTS
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import Scored, Scores, Task
from sqladder.metric.summary import (
    BIRD,
    Right,
    by_bird_level,
    by_level,
    by_part,
    by_turn,
    forgiving_of,
    on_original,
    rate,
    value_read_as_1,
)

Rates = dict[str, dict[str, Any]]


def official_table(scores: Scores, etype: str, plug_value: bool) -> str:
    """Counts and accuracies by level, and by turn where there is more than one session.

    Args:
        scores: the scored file.
        etype: `exec`, `match` or `all`, which decides the sections.
        plug_value: take the verdicts with gold's values for execution accuracy.
    """
    rights = dict(_sections(etype, plug_value))
    several = scores.sessions > 1
    tables = {title: by_level(scores, right) for title, right in rights.items()}
    levels = [name for name in next(iter(tables.values())) if several or name != "joint_all"]
    lines = _head(tables, levels)
    for title, table in tables.items():
        lines += _section("", title, table, levels)
        if title == "exact match":
            lines += _parts(by_part(scores), levels)
    if several:
        turns = {title: by_turn(scores, right) for title, right in rights.items()}
        names = list(next(iter(turns.values())))
        lines += ["", "", *_head(turns, names)]
        for title, table in turns.items():
            lines += _section("TURN ", title, table, names)
    return "\n".join(lines) + "\n"


_BIRD_TITLES = {
    "ex": "EX",
    "soft_f1": "Soft F1",
    "efficiency": "R-VES (steps)",
}


def bird_table(scores: Scores) -> str:
    """BIRD's metrics in per cent by its levels, as its own evaluation prints them."""
    tables = {title: by_bird_level(scores, BIRD[name]) for name, title in _BIRD_TITLES.items()}
    names = list(tables["EX"])
    lines = _head(tables, names)
    for title, table in tables.items():
        cells = (f"{100 * (table[name]['rate'] or 0.0):<20.2f}" for name in names)
        lines.append(_line(title, cells))
    return "\n".join(lines) + "\n"


def facts_table(scores: Scores, task: Task) -> str:
    """What the figures are of: the files as understood, the options that held, the databases, SQLite's version."""
    lines = [*scores.files, f"options: {_options_in_words(task)}"]
    plural = "s" if scores.database_files != 1 else ""
    lines.append(f"{scores.database_files} database file{plural}, SQLite {sqlite3.sqlite_version}")
    if scores.known_gold:
        lines.append(
            f"{scores.known_gold} results of gold known from earlier runs, kept in {task.gold_results}"
        )
    if task.etype != "match":
        alone = rate(map(on_original, scores.rows))
        lines.append(
            f"on the original database alone: {alone['correct']} of {alone['n']} ({alone['rate']:.3f})"
        )
        for name, right in forgiving_of(scores).items():
            own = rate(map(right, scores.rows))
            lines.append(
                f"where {name} is forgiven: {own['correct']} of {own['n']} ({own['rate']:.3f})"
            )
        changed = value_read_as_1(scores, task.options)
        if changed:
            lines.append(
                f"the word value in {changed} of {len(scores.rows)} predictions was read as 1, as the official "
                "evaluator does; --quirks repaired leaves it as it is"
            )
    return "\n" + "\n".join(lines) + "\n"


def _options_in_words(task: Task) -> str:
    options, limits = task.options, task.limits
    said = [f"etype {task.etype}"]
    said += [name for name in ("plug_value", "keep_distinct") if getattr(options, name)]
    whole = [f"quirks {name}" for name, repairs in QUIRKS.items() if repairs == options.repairs]
    said += whole or [f"repair {name}" for name in sorted(options.repairs)]
    said += [
        f"{limit.name} {getattr(limits, limit.name)}"
        for limit in fields(limits)
        if getattr(limits, limit.name) != limit.default
    ]
    return ", ".join(said)


def execution_right(plug_value: bool) -> Right:
    """What counts as right for execution accuracy."""
    return _plugged if plug_value else _strict


def _strict(row: Scored) -> bool:
    return row.correct


def _plugged(row: Scored) -> bool:
    return row.plugged


def _sections(etype: str, plug_value: bool) -> Iterator[tuple[str, Right]]:
    if etype in ("exec", "all"):
        yield "execution", execution_right(plug_value)
    if etype in ("match", "all"):
        yield "exact match", lambda row: row.matched


def _head(tables: dict[str, Rates], names: list[str]) -> list[str]:
    counts = next(iter(tables.values()))
    return [
        _line("", (f"{name:20}" for name in names)),
        _line("count", (f"{counts[name]['n']:<20d}" for name in names)),
    ]


def _section(prefix: str, title: str, table: Rates, names: list[str]) -> list[str]:
    kind = "EXECUTION" if title == "execution" else "EXACT MATCHING"
    rule = "====================="
    heading = f"{rule}   {prefix}{kind} ACCURACY     {rule}"
    if title == "exact match":
        rule = "======================"
        heading = f"\n{rule} {prefix}{kind} ACCURACY {rule[1:]}"
    return [heading, _line(title, _decimals(table[name]["rate"] or 0.0 for name in names))]


def _parts(table: dict[str, dict[str, dict[str, float]]], levels: list[str]) -> list[str]:
    lines = []
    for measure, heading in (
        ("acc", "\n---------------------PARTIAL MATCHING ACCURACY----------------------"),
        ("rec", "---------------------- PARTIAL MATCHING RECALL ----------------------"),
        ("f1", "---------------------- PARTIAL MATCHING F1 --------------------------"),
    ):
        lines.append(heading)
        for name in PARTS:
            values = (table[level][name][measure] for level in levels)
            lines.append(_line(name, _decimals(values)))
    return lines


def _decimals(values: Iterable[float]) -> Iterator[str]:
    return (f"{value:<20.3f}" for value in values)


def _line(title: str, cells: Iterable[str]) -> str:
    return f"{title:20} " + " ".join(cells)
