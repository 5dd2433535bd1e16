"""What one execution of one statement may cost: each limit with its range, unit and help."""

from dataclasses import Field, dataclass, field, fields
from typing import Any

from sqladder.metric.input_error import InputError

# SQLite counts in 32 bits, and takes a query of four times max_sql_chars.
_MOST = 2**31 - 1


def _limit(default: float, least: float, most: float, unit: str, text: str) -> Any:
    metadata = {"least": least, "most": most, "unit": unit, "help": text}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Limits:
    """What one execution of one statement may cost."""

    max_vm_steps: int = _limit(
        200_000_000,
        1_000,
        2**62,
        "steps",
        "SQLite virtual-machine steps; a count, so that the verdict is the same on every machine.",
    )
    # PostgreSQL takes whole milliseconds, in 32 bits, and 0 for none.
    timeout: float = _limit(
        60.0,
        0.001,
        2_000_000,
        "seconds",
        "Wall time, the last resort, after which the worker process is replaced.",
    )
    memory_mb: int = _limit(1024, 64, 2**31 - 1, "MiB", "Address space of a worker process.")
    max_rows: int = _limit(1_000_000, 1, _MOST, "rows", "Rows of a result.")
    max_bytes: int = _limit(
        20_000_000, 1, _MOST, "bytes", "Text and blobs of a result, and of one value."
    )
    max_sql_chars: int = _limit(
        100_000, 1, 2**29 - 1, "characters", "Length of a query, checked before anything reads it."
    )
    max_alternatives: int = _limit(
        20_000,
        1,
        _MOST,
        "assignments",
        "Values tried for one prediction with plug_value; all of them together may take ten times max_vm_steps, and "
        "hold 200 times max_sql_chars of text.",
    )

    def __post_init__(self) -> None:
        for limit in fields(self):
            value, least, most = getattr(self, limit.name), *limit_range(limit)
            if not least <= value <= most:
                raise InputError(
                    f"{limit.name} is {value}, but a limit from {least:,} to {most:,} "
                    f"{limit.metadata['unit']} is needed"
                )


def limit_range(limit: "Field[Any]") -> tuple[float, float]:
    """The least and the most that a limit may be."""
    return limit.metadata["least"], limit.metadata["most"]
