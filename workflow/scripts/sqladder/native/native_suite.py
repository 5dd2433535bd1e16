"""The contents of a made suite, in the engine of the data, on which a gold query is judged beside the original."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqladder.databases.engine import Engine, name_of
from sqladder.databases.native_contents import open_content, read_content, reads_original
from sqladder.files import read_object, write_json
from sqladder.metric.limits import Limits
from sqladder.native.native_gold import Content

_JUDGED_ON = "judged_on.json"


def write_judged_on(folder: Path, judged_on: Mapping[str, Sequence[str]]) -> None:
    """Keep on which contents of a database's suite each gold query is judged: gold -> their names."""
    write_json(folder / _JUDGED_ON, judged_on)


def suite_in(databases: Path, source: str) -> Path | None:
    """The folder of the suite that was made for a database's engine, among databases; None where there is none."""
    folder = databases / name_of(source)
    return folder if (folder / _JUDGED_ON).is_file() else None


class NativeSuite:
    """The contents of one database's suite; each is loaded when it is first asked."""

    def __init__(self, folder: Path, source: str, limits: Limits) -> None:
        self._folder, self._source, self._limits = folder, source, limits
        self._judged_on = read_object(folder / _JUDGED_ON)
        self._engines: dict[str, Engine] = {}

    def contents(self, gold: str) -> list[Content]:
        """The contents on which answers to a gold query are judged beside the original."""
        return [self._content(name) for name in self._judged_on.get(gold, [])]

    def _content(self, name: str) -> Content:
        return Content(
            name,
            lambda sql, max_rows: self._engine(name).execute(sql, max_rows),
            lambda sql: not reads_original(sql, self._source),
        )

    def _engine(self, name: str) -> Engine:
        if name not in self._engines:
            tables = read_content(self._folder / f"{name}.sqlite")
            self._engines[name] = open_content(self._source, tables, self._limits)
        return self._engines[name]
