"""Read gold queries and predictions: the official text format, or records joined by `id`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqladder.metric.allowances import Allowances, allowances_of, alternatives_of
from sqladder.metric.input_error import InputError
from sqladder.metric.record_files import BIRD, RecordFile, read_records, read_text
from sqladder.metric.showing import brief


@dataclass(frozen=True)
class Item:
    """One question: its gold query and its place in the file.

    Attributes:
        id: the `id` of JSON Lines, or the 0-based position in the official format.
        db_id: name of its database.
        gold: the gold query.
        session: number of the session that it belongs to.
        turn: 0-based place in that session.
        group: what the data set or a session of several questions calls its group, "" without either.
        difficulty: BIRD's level of it, "" where the file names none.
        alternatives: further gold queries; an answer that equals any is right.
        allowances: what it forgives, as metrics beside the strict one; None where it forgives nothing.
    """

    id: Any
    db_id: str
    gold: str
    session: int
    turn: int
    group: str = ""
    alternatives: tuple[str, ...] = ()
    allowances: Allowances | None = None
    difficulty: str = ""

    @property
    def golds(self) -> tuple[str, ...]:
        """All gold queries, each once."""
        return tuple(dict.fromkeys((self.gold, *self.alternatives)))


@dataclass(frozen=True)
class Gold:
    """A gold file: its questions in order, how many sessions it has, empty ones included, and its format in words."""

    items: list[Item]
    sessions: int
    kind: str = ""


def read_gold(path: Path) -> Gold:
    """Questions of a gold file.

    Raises:
        InputError: the file is unreadable, empty, or a line lacks its query or database.
    """
    text = read_text(path)
    records = read_records(path, text)
    gold = _gold_of_records(path, records) if records else _gold_sessions(path, text)
    if not gold.items:
        raise InputError(f"{path} holds no gold query")
    return gold


@dataclass(frozen=True)
class Predictions:
    """Predictions for the questions of a gold file, in the order of those, and the format of their file in words."""

    sqls: list[str]
    kind: str


def read_predictions(path: Path, gold: Gold) -> Predictions:
    """Predictions for the questions of a gold file.

    Raises:
        InputError: the file is unreadable or does not answer exactly these questions.
    """
    text = read_text(path)
    records = read_records(path, text)
    if records:
        sqls = _predictions_of_records(path, records, gold.items)
        return Predictions(sqls, _described(path, records.kind))
    sessions = _sessions(text)
    found = {(i, j): line for i, turns in enumerate(sessions) for j, line in enumerate(turns)}
    # Pairing by position alone would score a short file on its first questions only.
    for item in gold.items:
        if (item.session, item.turn) not in found:
            raise InputError(
                f"{path} has no prediction for question {item.id} (session {item.session + 1}, "
                f"turn {item.turn + 1} of the gold file): {len(found)} predictions in "
                f"{len(sessions)} sessions for {len(gold.items)} questions in {gold.sessions}; "
                "an empty prediction needs JSON Lines, a JSON list or CSV"
            )
    if len(found) > len(gold.items) or len(sessions) != gold.sessions:
        raise InputError(
            f"{path} has {len(found)} predictions in {len(sessions)} sessions, "
            f"gold has {len(gold.items)} questions in {gold.sessions}"
        )
    # What follows a tab is no part of a prediction in this format.
    sqls = [found[item.session, item.turn].split("\t")[0] for item in gold.items]
    return Predictions(sqls, _described(path, _official(len(sessions))))


def _described(path: Path, kind: str) -> str:
    return f"{path}: {kind}"


def _official(sessions: int) -> str:
    return f"official format in {sessions} session{'s' if sessions > 1 else ''}"


def _sessions(text: str) -> list[list[str]]:
    """Stripped lines between blank ones; every blank line ends a session, even an empty one."""
    sessions: list[list[str]] = [[]]
    for line in text.removesuffix("\n").split("\n"):
        if line.strip():
            sessions[-1].append(line.strip())
        else:
            sessions.append([])
    return sessions if sessions[-1] else sessions[:-1]


def _gold_sessions(path: Path, text: str) -> Gold:
    items: list[Item] = []
    sessions = _sessions(text)
    for number, session in enumerate(sessions):
        for turn, line in enumerate(session):
            fields = line.split("\t")
            if len(fields) != 2:
                raise InputError(
                    f"{path}, query {len(items) + 1} ({line[:60]!r}): a gold line is the query, "
                    f"a tab and the database; this one has {len(fields)} fields"
                )
            group = f"session {number}" if len(session) > 1 else ""
            items.append(Item(len(items), fields[1], fields[0], number, turn, group))
    return Gold(items, len(sessions), _described(path, _official(len(sessions))))


def _with_ids(records: RecordFile) -> list[tuple[Any, dict[str, Any]]]:
    """The records by `id`; by their 0-based position if no record has one."""
    by_position = not any("id" in row for _, row in records.rows)
    found: dict[Any, dict[str, Any]] = {}
    for position, (place, row) in enumerate(records.rows):
        if not by_position and "id" not in row:
            raise InputError(f"{place} has no 'id'")
        identity = position if by_position else row["id"]
        if identity in found:
            raise InputError(f"{place}: id {brief(identity)} occurs twice")
        found[identity] = row
    return list(found.items())


def _gold_of_records(path: Path, records: RecordFile) -> Gold:
    for place, row in records.rows:
        if "db_id" not in row:
            raise InputError(
                f"{place} has no 'db_id': give each record the name of its database, as its file has it"
            )
    items = []
    for number, (identity, row) in enumerate(_with_ids(records)):
        place = records.rows[number][0]
        further = alternatives_of(place, row), allowances_of(place, row)
        group = row.get("group", "")
        level = row.get("difficulty", "")
        items.append(Item(identity, row["db_id"], row["sql"], number, 0, group, *further, level))
    return Gold(items, len(items), _described(path, records.kind))


def _predictions_of_records(path: Path, records: RecordFile, items: list[Item]) -> list[str]:
    found = dict(_with_ids(records))
    known = {item.id for item in items}
    places = {str(number): item.id for number, item in enumerate(items)}
    if records.kind == BIRD and {str(own) for own in found} == places.keys() != {
        str(own) for own in known
    }:
        # BIRD's predictions are numbered by the places of the questions, whatever numbers these have.
        found = {places[str(own)]: row for own, row in found.items()}
    if not known & found.keys():
        # A cell of CSV is text, and BIRD numbers the questions of its file.
        known_as = {str(identity): identity for identity in known}
        found = {known_as.get(str(identity), identity): row for identity, row in found.items()}
    if not known & found.keys() and set(found) == set(range(len(items))):
        found = {item.id: found[number] for number, item in enumerate(items)}
    for unknown in found.keys() - known:
        raise InputError(f"{path} has a prediction for {brief(unknown)}, which is no gold id")
    missing = [item.id for item in items if item.id not in found]
    if missing:
        raise InputError(
            f"{path} lacks predictions for {len(missing)} of {len(items)} ids, first {brief(missing[0])}"
        )
    for item in items:
        if found[item.id].get("db_id", item.db_id) != item.db_id:
            raise InputError(
                f"{path} answers question {brief(item.id)} for database {brief(found[item.id]['db_id'])}, "
                f"gold asks for {brief(item.db_id)}"
            )
    for item in items:
        if "alternatives" in found[item.id]:
            raise InputError(
                f"{path}: the answer to question {brief(item.id)} is several queries; give one"
            )
    return [found[item.id]["sql"] for item in items]
