"""Values of PostgreSQL that Python has no equal for: they become text that means the same."""

from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types import datetime as own
from psycopg.types.string import TextLoader


def keep_every_value(connection: psycopg.Connection[Any]) -> None:
    """Have a connection give dates such as `infinity` as text, and CHAR(n) without the blanks that fill it."""
    connection.adapters.register_loader("bpchar", _Unfilled)
    loaders: dict[str, Any] = {
        "date": own.DateLoader,
        "time": own.TimeLoader,
        "timetz": own.TimetzLoader,
        "timestamp": own.TimestampLoader,
        "timestamptz": own.TimestamptzLoader,
        "interval": own.IntervalLoader,
    }
    for name, loader in loaders.items():
        connection.adapters.register_loader(name, _or_text(loader))


class _Unfilled(TextLoader):
    """The server takes no notice of blanks at the end of a CHAR(n) when it compares."""

    def load(self, data: Buffer) -> Any:
        text = super().load(data)
        return text.rstrip(" ") if isinstance(text, str) else text


def _or_text(loader: Any) -> type[Loader]:
    class OrText(loader):
        """The value, or the server's text."""

        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except (psycopg.DataError, ValueError, OverflowError):
                return bytes(data).decode()

    return OrText
