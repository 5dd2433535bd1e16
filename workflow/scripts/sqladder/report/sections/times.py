"""The parts of a report that differ from one run to the next: times, memory, dates."""

from collections.abc import Sequence

TIMES_BEGIN = "<!-- times: begin -->"
TIMES_END = "<!-- times: end -->"
"""What differs between runs of the same config stands between these lines."""


def timed(parts: Sequence[str]) -> str:
    """Parts that are not empty, between the lines that say that they differ from run to run."""
    return "\n\n".join([TIMES_BEGIN, *(part for part in parts if part), TIMES_END])
