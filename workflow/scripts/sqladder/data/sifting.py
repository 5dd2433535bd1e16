"""Training rows sifted by what they share with the evaluation, one after the other."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from sqladder.data.decontamination import RULES, Evaluation, Pairs, Tally
from sqladder.data.settings import Decontamination
from sqladder.databases.schema import read_schema
from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.metric.showing import brief


def pairs_by_database(folder: Path | None) -> Callable[[str], Pairs]:
    """The function that reads a database's (table, column) pairs, once each."""

    @cache
    def pairs(db_id: str) -> Pairs:
        if folder is None:
            raise InputError(
                f"{brief(db_id)}: neither a schema in the row nor a folder of databases"
            )
        database = read_schema(folder / db_id / f"{db_id}.sqlite")
        return frozenset(
            (table.name.casefold(), column.name.casefold())
            for table in database.tables
            for column in table.columns
        )

    return pairs


def actions_of(rules: Decontamination) -> dict[str, str]:
    """What each rule does, "drop" or "mark", in the order of `RULES`, so that tables are alike in every run."""
    actions = {**dict.fromkeys(rules.mark, "mark"), **dict.fromkeys(rules.drop, "drop")}
    return {rule: actions[rule] for rule in RULES if rule in actions}


def read_evaluation(
    questions: Iterable[Row], databases: Path, actions: dict[str, str]
) -> Evaluation:
    """The evaluation's questions and schemas, indexed for the rules in use."""
    questions, pairs_of = list(questions), pairs_by_database(databases)
    schemas = {db_id: pairs_of(db_id) for db_id in dict.fromkeys(q["db_id"] for q in questions)}
    return Evaluation(questions, schemas, actions)


class Sifter:
    """Sifts training rows and counts them.

    Attributes:
        tally: the counts.
        marks: the rows that meet a rule: id, whether it was dropped, its rules.
    """

    def __init__(
        self, evaluation: Evaluation, actions: dict[str, str], databases: Path | None
    ) -> None:
        """Take the databases of the rows, None where each brings its schema."""
        self._evaluation, self._actions = evaluation, actions
        self._pairs_of = pairs_by_database(databases)
        self.tally = Tally()
        self.marks: list[Row] = []

    def sift(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows that stay."""
        for row in rows:
            has_database = "schema" in self._actions and "schema" not in row
            pairs = self._pairs_of(str(row.get("db_id"))) if has_database else None
            hits = self._evaluation.hits(row, pairs)
            dropped = any(self._actions[rule] == "drop" for rule in hits)
            self.tally.add(row, hits, dropped)
            if hits:
                self.marks.append({"id": row["id"], "dropped": dropped, "rules": list(hits)})
            if not dropped:
                yield row

    def evaluation_marks(self, questions: Iterable[Row]) -> Iterator[Row]:
        """Mark each evaluation question clean or suspect, with the rules by which rows that stay concern it."""
        for row in questions:
            rules = sorted(self.tally.remaining.get(row["id"], ()))
            yield {"id": row["id"], "mark": "suspect" if rules else "clean", "rules": rules}
