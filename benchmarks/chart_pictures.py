"""Draw the pictures of docs/charts.md: each chart of the report, of a run whose numbers are made up.

A run of everything would take hours; these numbers come from a seed, so that the pictures are the same each time, and
change when a chart does. `make screenshots` calls this.

Example: python benchmarks/chart_pictures.py --output docs/pictures/charts
"""

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

import report_runs as runs  # noqa: E402
from sqladder.report.charts import reward_curves  # noqa: E402
from sqladder.report.charts.drawing import plot, save_png  # noqa: E402
from sqladder.report.charts.registry import CHARTS  # noqa: E402
from sqladder.report.comparison import Comparison, compare  # noqa: E402
from sqladder.report.curve_files import read_curves  # noqa: E402
from sqladder.report.loading import load_run  # noqa: E402

ACCURACIES = {
    "baseline": 0.3,
    "lora_32r": 0.52,
    "lora_128r": 0.57,
    "full": 0.58,
    "full_votes": 0.64,
}
QUESTIONS, JUDGED, SAMPLES = 300, 120, 4
# Colours of a picture: marks, text and what lies between them.
COLOURS = 160


def made_up_run(folder: Path) -> Comparison:
    """A compared run that has something for every chart."""
    names = list(ACCURACIES)
    marks = runs.random_marks(QUESTIONS, list(ACCURACIES.values()), 2)
    files = runs.write_run(
        folder,
        runs.question_rows(QUESTIONS),
        dict(zip(names, marks, strict=True)),
        trained=names[:4],
        generated=names,
    )
    rng = np.random.default_rng(4)
    searched = {"lora_128r": _training(rng, 0.5), "full": _training(rng, 0.53)}
    for place, path in enumerate(files["training"]):
        facts = json.loads(path.read_text())
        curve = [
            [step, loss * (1 - 0.15 * place) + rng.uniform(0, 0.1)]
            for step, loss in facts["loss_curve"]
        ]
        more = searched.get(path.parent.name, {})
        runs.write_value(path, {**facts, "loss_curve": curve, **more})
    right = rng.random((QUESTIONS, SAMPLES)) < ACCURACIES["full"]
    run = load_run(**runs.write_samples(files, ["full_votes"], right))
    curves = read_curves([_curve(rng, folder / "learning_curve.json")])
    return compare(replace(run, learning_curves=curves))


def made_up_rewards(folder: Path) -> Comparison:
    """A compared run of two trainings by reward; in that of the others these would be two variants more."""
    names = ["full", "grpo", "grpo_lora"]
    marks = runs.random_marks(QUESTIONS, [0.58, 0.63, 0.6], 2)
    files = runs.write_run(
        folder, runs.question_rows(QUESTIONS), dict(zip(names, marks, strict=True)), trained=names
    )
    rng = np.random.default_rng(4)
    for path, right in zip(files["training"][1:], ((0.48, 0.66), (0.48, 0.58)), strict=True):
        runs.write_value(path, runs.reward_facts(rng, right=right))
    return compare(load_run(**files))


def _curve(rng: np.random.Generator, path: Path) -> Path:
    """Errors that fall as a power of the rows, on questions of which some are hard for every model."""
    hard = rng.random(JUDGED)
    sizes = []
    for rows in (700, 2100, 7000):
        errors = hard + rng.normal(0, 0.05, (3, JUDGED)) < 3.2 * rows**-0.22
        draws = [
            {
                "seed": seed,
                "correct": "".join("01"[not wrong] for wrong in own),
                "device_hours": rows / 5e3,
            }
            for seed, own in enumerate(errors)
        ]
        sizes.append({"share": rows / 7000, "rows": rows, "draws": draws})
    groups = [f"query {number // 2}" for number in range(JUDGED)]
    runs.write_value(path, {"variant": "full", "groups": groups, "sizes": sizes})
    return path


def _training(rng: np.random.Generator, best: float) -> dict[str, Any]:
    """Checkpoints that get better and then worse, and candidates of which one is the best."""
    shares = [best - 0.2, best - 0.06, best, best - 0.03]
    points: list[dict[str, Any]] = [
        {
            "step": 10 * place,
            "epoch": place / 2,
            "loss": 1.2 * 0.6**place + 0.2,
            "seconds": 4.0,
            "correct": _marks(rng, share),
        }
        for place, share in enumerate(shares, 1)
    ]
    candidates: list[dict[str, Any]] = [
        {
            "folder": f"candidates/{place}",
            "swept": {"learning_rate": rate},
            "correct": _marks(rng, share),
            "device_hours": 0.4 + 0.15 * place,
        }
        for place, (rate, share) in enumerate(((3e-4, best - 0.1), (1e-3, best), (3e-3, 0.3)))
    ]
    candidates[2].update(device_hours=0.25, stopped=1 / 3)
    chosen = max(range(3), key=lambda place: candidates[place]["correct"].count("1"))
    kept = max(points, key=lambda point: point["correct"].count("1"))
    validation = {
        "groups": [f"query {number // 2}" for number in range(JUDGED)],
        "databases": 6,
        "points": points,
        "chosen": kept["step"],
        "stopped_early": False,
        "seconds": 16.0,
    }
    sweep = {"chosen": chosen, "candidates": candidates, "left_out": []}
    return {"seconds": 400.0, "validation": validation, "sweep": sweep}


def _marks(rng: np.random.Generator, share: float) -> str:
    return "".join("1" if own < share else "0" for own in rng.random(JUDGED))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, type=Path, help="folder of the pictures")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        usual = made_up_run(Path(folder) / "usual")
        rewarded = made_up_rewards(Path(folder) / "rewarded")
    for name, chart in CHARTS.items():
        comparison = rewarded if chart is reward_curves.CHART else usual
        path = args.output / f"{name}.png"
        save_png(plot(comparison, chart), path, comparison, chart)
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)
        print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
