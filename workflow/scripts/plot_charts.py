"""Draw the charts of the report as SVG and PNG.

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
from sqladder.report.charts.drawing import plot, save, save_png
from sqladder.report.charts.registry import CHARTS
from sqladder.report.comparison import compare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_run_arguments(parser)
    parser.add_argument("--charts", type=Path, required=True, help="folder to write to")
    args = parser.parse_args()
    comparison = compare(load_arguments(args))
    for name, chart in CHARTS.items():
        figure = plot(comparison, chart)
        for write, path in (
            (save, args.charts / f"{name}.svg"),
            (save_png, args.charts / f"{name}.png"),
        ):
            write(figure, path, comparison, chart)
            LOG.info(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    run_main(main)
