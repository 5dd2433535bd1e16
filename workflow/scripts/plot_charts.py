"""Draw the charts of the report as SVG and PNG, and as narrow SVG for the page on a phone.

Example: python plot_charts.py --questions resources/datasets/demo/test.jsonl \
    --verdicts results/baseline/verdicts.jsonl results/full/verdicts.jsonl \
    --metrics results/baseline/metrics.json results/full/metrics.json \
    --predictions results/baseline/predictions.jsonl results/full/predictions.jsonl \
    --failures results/failures.jsonl --training results/full/train.json \
    --generation results/baseline/generation.json results/full/generation.json \
    --baseline baseline --charts results/charts
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from sqladder.errors import LOG, run_main
from sqladder.report.arguments import add_run_arguments, load_arguments
from sqladder.report.charts.drawing import NARROW, WIDE, narrow_file, plot, save, save_png
from sqladder.report.charts.registry import CHARTS
from sqladder.report.comparison import Comparison, compare

# What a process draws, and where to.
_drawn: tuple[Comparison, Path]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run_arguments(parser)
    parser.add_argument("--charts", type=Path, required=True, help="folder to write to")
    parser.add_argument("--jobs", type=int, default=1, help="processes that draw")
    args = parser.parse_args()
    comparison = compare(load_arguments(args))
    tasks = [(name, width) for width in (WIDE, NARROW) for name in CHARTS]
    # Children by fork have the comparison already; to send it would take long.
    with ProcessPoolExecutor(
        args.jobs, get_context("fork"), _remember, (comparison, args.charts)
    ) as pool:
        for written in pool.map(_draw, *zip(*tasks, strict=True)):
            for path in written:
                LOG.info(f"{path}: {path.stat().st_size:,} bytes")


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


if __name__ == "__main__":
    run_main(main)
