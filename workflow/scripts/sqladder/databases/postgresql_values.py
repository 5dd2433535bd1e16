"""Dates and times of PostgreSQL that Python lacks, such as `infinity` and years before Christ: they stay text."""

from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types import datetime as own


def keep_every_date(connection: psycopg.Connection[Any]) -> None:
    """Have a connection give the server's text where a date, time or interval is none to Python."""
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


def _or_text(loader: Any) -> type[Loader]:
    class OrText(loader):
        """The value, or the server's text."""

        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except (psycopg.DataError, ValueError, OverflowError):
                return bytes(data).decode()

    return OrText
