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
from pathlib import Path

from sqladder.errors import LOG, run_main
from sqladder.report.arguments import add_run_arguments, load_arguments
from sqladder.report.charts.drawing import NARROW, WIDE, narrow_file, plot, save, save_png
from sqladder.report.charts.registry import CHARTS
from sqladder.report.comparison import compare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run_arguments(parser)
    parser.add_argument("--charts", type=Path, required=True, help="folder to write to")
    args = parser.parse_args()
    comparison = compare(load_arguments(args))
    for name, chart in CHARTS.items():
        wide, narrow = (plot(comparison, chart, width) for width in (WIDE, NARROW))
        for write, figure, path in (
            (save, wide, args.charts / f"{name}.svg"),
            (save_png, wide, args.charts / f"{name}.png"),
            (save, narrow, narrow_file(args.charts / f"{name}.svg")),
        ):
            write(figure, path, comparison, chart)
            LOG.info(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    run_main(main)
