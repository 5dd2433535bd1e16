"""Several training sets as one: rows whose ids say which set they are of, and one folder of all databases."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sqladder.errors import InputError
from sqladder.files import Row, read_jsonl

# Between the name of a set, which holds none, and the id of a row in it.
SEPARATOR = "/"


class MixedSet(NamedTuple):
    """One of the sets.

    Attributes:
        name: in the config.
        examples: its training rows, JSON Lines of id, db_id, question, sql.
        databases: folder of <db_id>/<db_id>.sqlite.
    """

    name: str
    examples: Path
    databases: Path


def set_of(row_id: str) -> str:
    """The set that a row of the mix is of."""
    return row_id.partition(SEPARATOR)[0]


def mixed_rows(sets: Sequence[MixedSet]) -> Iterator[Row]:
    """Yield the rows of all sets, in the order of the sets' names, so that the order of the config does not count.

    Raises:
        InputError: a set has no rows.
    """
    names = database_names(sets)
    for own in sorted(sets):
        rows = read_jsonl(own.examples, {"id": str, "db_id": str, "question": str})
        if not rows:
            raise InputError(f"train_mix.{own.name}: has no rows to train on; take it out")
        for row in rows:
            place = {"id": f"{own.name}{SEPARATOR}{row['id']}"}
            yield {**row, **place, "db_id": names[own.name, row["db_id"]]}


def database_names(sets: Sequence[MixedSet]) -> dict[tuple[str, str], str]:
    """The name of each database in the mix, by set and own name: its own, with the set before it where sets share one.

    Raises:
        InputError: two databases would have one name even so.
    """
    found = [(own.name, path.name) for own in sorted(sets) for path in _folders(own)]
    count = Counter(name for _, name in found)
    names = {key: key[1] if count[key[1]] == 1 else "_".join(key) for key in found}
    twice = [name for name, n in Counter(names.values()).items() if n > 1]
    if twice:
        raise InputError(
            f"train_mix: two databases would be called {twice[0]!r}; rename a database or a data set"
        )
    return names


def link_databases(sets: Sequence[MixedSet], output: Path) -> None:
    """Put the databases of all sets into one folder, without a copy of their bytes where the disk allows.

    A file that is named after its database follows its new name.
    """
    names = database_names(sets)
    for own in sets:
        for folder in _folders(own):
            name = names[own.name, folder.name]
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                inside = file.relative_to(folder)
                if file.name.startswith(f"{folder.name}."):
                    inside = inside.with_name(name + file.name.removeprefix(folder.name))
                target = output / name / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(file, target)
                except OSError:
                    shutil.copy2(file, target)


def _folders(own: MixedSet) -> list[Path]:
    return sorted(path for path in own.databases.iterdir() if path.is_dir())
