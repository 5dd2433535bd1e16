"""Draw all charts of a report in processes beside the one that writes it."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from sqladder.report.charts.drawing import NARROW, WIDE, narrow_file, plot, save, save_png
from sqladder.report.charts.registry import CHARTS
from sqladder.report.comparison import Comparison

# What a process draws, and where to.
_drawn: tuple[Comparison, Path]


@contextmanager
def drawn(comparison: Comparison, folder: Path, jobs: int) -> Iterator[Iterator[Path]]:
    """Begin to draw: SVG and PNG of each chart, and a narrow SVG for the page on a phone.

    Args:
        comparison: what is drawn. It is read by this process and written by none of both.
        folder: of the files.
        jobs: processes that draw.

    Yields:
        Each file when it is written, in one order; all are when the iterator is exhausted.
    """
    tasks = [(name, width) for width in (WIDE, NARROW) for name in CHARTS]
    # Children by fork have the comparison already; to send it would take long.
    with ProcessPoolExecutor(jobs, get_context("fork"), _remember, (comparison, folder)) as pool:
        found = pool.map(_draw, *zip(*tasks, strict=True))
        yield (path for written in found for path in written)


def _remember(comparison: Comparison, folder: Path) -> None:
    global _drawn
    _drawn = comparison, folder


def _draw(name: str, width: float) -> list[Path]:
    """Draw a chart in one of its widths; the files that were written."""
    comparison, folder = _drawn
    chart, path = CHARTS[name], folder / f"{name}.svg"
    figure = plot(comparison, chart, width)
    if width == NARROW:
        save(figure, narrow_file(path), comparison, chart)
        return [narrow_file(path)]
    save(figure, path, comparison, chart)
    save_png(figure, path.with_suffix(".png"), comparison, chart)
    return [path, path.with_suffix(".png")]
