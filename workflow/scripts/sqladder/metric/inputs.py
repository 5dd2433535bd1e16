"""Read gold queries and predictions: the official text format and JSON Lines joined by `id`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqladder.metric.input_error import InputError


@dataclass(frozen=True)
class Item:
    """One question: its gold query and its place in the file.

    Attributes:
        id: the `id` of JSON Lines, or the 0-based position in the official format.
        db_id: name of its database.
        gold: the gold query.
        session: number of the session that it belongs to.
        turn: 0-based place in that session.
    """

    id: Any
    db_id: str
    gold: str
    session: int
    turn: int


@dataclass(frozen=True)
class Gold:
    """A gold file: its questions in order, and how many sessions it has, empty ones included."""

    items: list[Item]
    sessions: int


def read_gold(path: Path) -> Gold:
    """Questions of a gold file.

    Raises:
        InputError: the file is unreadable, empty, or a line lacks its query or database.
    """
    gold = _gold_by_id(path) if path.suffix == ".jsonl" else _gold_sessions(path)
    if not gold.items:
        raise InputError(f"{path} holds no gold query")
    return gold


def read_predictions(path: Path, gold: Gold) -> list[str]:
    """Predictions for the questions of a gold file, in the order of those.

    Raises:
        InputError: the file is unreadable or does not answer exactly these questions.
    """
    if path.suffix == ".jsonl":
        return _predictions_by_id(path, gold.items)
    sessions = _sessions(path)
    found = {(i, j): line for i, turns in enumerate(sessions) for j, line in enumerate(turns)}
    # Pairing by position alone would score a short file on its first questions only.
    for item in gold.items:
        if (item.session, item.turn) not in found:
            raise InputError(
                f"{path} has no prediction for question {item.id} (session {item.session + 1}, "
                f"turn {item.turn + 1} of the gold file): {len(found)} predictions in "
                f"{len(sessions)} sessions for {len(gold.items)} questions in {gold.sessions}; "
                "an empty prediction needs JSON Lines"
            )
    if len(found) > len(gold.items) or len(sessions) != gold.sessions:
        raise InputError(
            f"{path} has {len(found)} predictions in {len(sessions)} sessions, "
            f"gold has {len(gold.items)} questions in {gold.sessions}"
        )
    # What follows a tab is no part of a prediction in this format.
    return [found[item.session, item.turn].split("\t")[0] for item in gold.items]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} line {line} is not UTF-8 (byte {error.object[error.start]:#04x}); "
            "convert the file, for instance with iconv"
        ) from error


def _sessions(path: Path) -> list[list[str]]:
    """Stripped lines between blank ones; every blank line ends a session, even an empty one."""
    sessions: list[list[str]] = [[]]
    for line in _read_text(path).removesuffix("\n").split("\n"):
        if line.strip():
            sessions[-1].append(line.strip())
        else:
            sessions.append([])
    return sessions if sessions[-1] else sessions[:-1]


def _gold_sessions(path: Path) -> Gold:
    items: list[Item] = []
    sessions = _sessions(path)
    for number, session in enumerate(sessions):
        for turn, line in enumerate(session):
            fields = line.split("\t")
            if len(fields) != 2:
                raise InputError(
                    f"{path}, query {len(items) + 1} ({line[:60]!r}): a gold line is the query, "
                    f"a tab and the database; this one has {len(fields)} fields"
                )
            items.append(Item(len(items), fields[1], fields[0], number, turn))
    return Gold(items, len(sessions))


def _rows(path: Path, keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    seen = set()
    for number, line in enumerate(_read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} line {number} is not JSON: {error}") from error
        for key in keys:
            if not isinstance(row, dict) or key not in row:
                raise InputError(f"{path} line {number} has no {key!r}")
        if not isinstance(row["id"], str | int):
            raise InputError(f"{path} line {number}: id {row['id']!r} is no text or number")
        for key in keys[1:]:
            if not isinstance(row[key], str):
                raise InputError(
                    f"{path} line {number} (id {row['id']!r}): {key!r} is {row[key]!r}, but must be a text; "
                    'an answer without SQL is ""'
                )
        if row["id"] in seen:
            raise InputError(f"{path} line {number}: id {row['id']!r} occurs twice")
        seen.add(row["id"])
        yield row


def _gold_by_id(path: Path) -> Gold:
    items = [
        Item(row["id"], row["db_id"], row["sql"], number, 0)
        for number, row in enumerate(_rows(path, ("id", "db_id", "sql")))
    ]
    return Gold(items, len(items))


def _predictions_by_id(path: Path, items: list[Item]) -> list[str]:
    found = {row["id"]: row["sql"] for row in _rows(path, ("id", "sql"))}
    known = {item.id for item in items}
    for unknown in found.keys() - known:
        raise InputError(f"{path} has a prediction for {unknown!r}, which is no gold id")
    missing = [item.id for item in items if item.id not in found]
    if missing:
        raise InputError(
            f"{path} lacks predictions for {len(missing)} of {len(items)} ids, first {missing[0]!r}"
        )
    return [found[item.id] for item in items]
