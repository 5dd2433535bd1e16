"""The variants that a server asks: one question at a time, whoever asks it."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqladder.asking.database import AskedDatabase
from sqladder.asking.variant import AskedVariant, GivenAnswer
from sqladder.errors import InputError
from sqladder.metric.asked_rows import AskedRows

T = TypeVar("T")


class UnknownVariantError(InputError):
    """No variant of this name is served."""


class Desk:
    """Variants with their models loaded.

    All work on them is done in one thread, which has also loaded them: a model takes one batch at a time, and a
    connection to SQLite belongs to the thread that has opened it.
    """

    def __init__(self, folders: Sequence[Path], database: AskedDatabase, work: Path) -> None:
        """Load variants (AskedVariant).

        Args:
            folders: results/<variant>, one or more.
            database: what is asked about.
            work: a folder for answers while they are made.

        Raises:
            InputError: as AskedVariant does, or a folder is named twice.
        """
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqladder-desk")
        self.database = database.name
        twice = [path for path, times in Counter(map(Path.resolve, folders)).items() if times > 1]
        if twice:
            raise InputError(f"{twice[0]} is named twice; a variant is served once")
        self._variants: dict[str, AskedVariant] = {}
        loaded = []
        for number, folder in enumerate(folders):
            own = work / str(number)
            own.mkdir()
            load = self._thread.submit(AskedVariant, folder.absolute(), database, own)
            loaded.append((folder, load.result()))
        names = Counter(variant.name for _, variant in loaded)
        for folder, variant in loaded:
            # Variants of two runs may have one name.
            name = variant.name if names[variant.name] == 1 else str(folder)
            self._variants[name] = variant

    @property
    def names(self) -> list[str]:
        """The variants, in the order in which they were given."""
        return list(self._variants)

    async def ask(self, name: str, question: str, rows: int) -> GivenAnswer:
        """A variant's answer (AskedVariant.ask).

        Raises:
            UnknownVariantError: no variant has this name.
            InputError: the question cannot be asked.
        """
        variant = self._variant(name)
        return await self._in_turn(lambda: variant.ask(question, rows))

    async def execute(self, sql: str, rows: int) -> AskedRows | None:
        """The first rows of a query on the database, in the sandbox; None for no query."""
        variant = next(iter(self._variants.values()))
        return await self._in_turn(lambda: variant.execute(sql, rows))

    def close(self) -> None:
        """Answer nothing more; what is being answered is finished."""
        self._thread.shutdown(cancel_futures=True)

    async def _in_turn(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def check(self, name: str) -> None:
        """Refuse a name that no variant has.

        Raises:
            UnknownVariantError: says which there are.
        """
        self._variant(name)

    def _variant(self, name: str) -> AskedVariant:
        if name not in self._variants:
            raise UnknownVariantError(
                f"no variant {name!r} is served here, but {', '.join(self.names)}"
            )
        return self._variants[name]
