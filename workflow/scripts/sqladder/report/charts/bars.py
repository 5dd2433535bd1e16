"""The bar chart of block characters that reads in any terminal and in Markdown."""

from sqladder.report.metrics import LEVELS
from sqladder.report.results import Run, level_count
from sqladder.texts.numbers import rate

WIDTH = 10
"""Characters of a bar for accuracy 1, as in the published chart."""

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(value: float, width: int = WIDTH) -> str:
    """A share as a bar in steps of an eighth of a character, padded to its full width."""
    full, eighths = divmod(round(value * width * 8), 8)
    return ("█" * full + _EIGHTHS[eighths] * (eighths > 0)).ljust(width)


def text_bars(run: Run) -> str:
    """One block of bars a level, the best variant of the level on top."""
    blocks = []
    for level in (*LEVELS, "all"):
        rates = [(variant.name, level_count(run, variant, level).rate) for variant in run.variants]
        known = [(name, share) for name, share in rates if share is not None]
        known.sort(key=lambda item: -item[1])
        labels = [level.title(), *[""] * len(known)]
        lines = [
            f"{label:<7} {bar(share)}  {name} ({rate(share)})"
            for label, (name, share) in zip(labels, known, strict=False)
        ]
        if lines:
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
