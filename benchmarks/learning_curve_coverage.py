"""How often the interval of what twice the rows bring holds the truth, on simulated learning curves.

Errors fall by a power law from 65 % at 603 rows, with exponent .25, as on Spider with a small model; 851 questions in
pairs of two wordings, whose difficulty they share. Each model is off the law by the scatter of trainings.

Example: python benchmarks/learning_curve_coverage.py --runs 300
"""

import argparse
import sys
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow/scripts"))

from sqladder.statistics.groups import Groups
from sqladder.statistics.power_law import PowerLaw

ROWS = (603, 1810, 6032)
ERRORS = 0.65 * (np.array(ROWS) / ROWS[0]) ** -0.25
GAIN = float(ERRORS[-1] * (1 - 2**-0.25))
QUESTIONS = 851
PAIRS = np.arange(QUESTIONS) // 2
# Standard deviations of a question's difficulty: what it shares with its pair, its own, and a model's own luck with it.
SHARED, OWN, LUCK = 1.3, 0.7, 0.8
SPREAD = float(np.sqrt(SHARED**2 + OWN**2 + LUCK**2))


def curve(random: np.random.Generator, draws: int, scatter: float) -> PowerLaw:
    """A simulated curve; `scatter` is the standard deviation of a training's accuracy."""
    shared = random.normal(scale=SHARED, size=PAIRS[-1] + 1)[PAIRS]
    difficulty = shared + random.normal(scale=OWN, size=QUESTIONS)

    def answers(error: float) -> NDArray[np.bool_]:
        met = 1 - np.clip(error + random.normal(scale=scatter), 0.01, 0.99)
        luck = random.normal(scale=LUCK, size=QUESTIONS)
        return difficulty + luck < SPREAD * NormalDist().inv_cdf(float(met))

    marks = np.array([[answers(error) for _ in range(draws)] for error in ERRORS])
    return PowerLaw(ROWS, marks, Groups.of(PAIRS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=300, help="of each row of the table")
    runs = parser.parse_args().runs
    print("| draws | scatter of trainings | interval holds the truth | no law is told |")
    print("|--:|--:|--:|--:|")
    for draws in (1, 2, 3):
        for scatter in (0.0, 0.01):
            random = np.random.default_rng(1)
            laws = [curve(random, draws, scatter) for _ in range(runs)]
            held = np.mean(
                [law.gain_interval.low <= GAIN <= law.gain_interval.high for law in laws]
            )
            silent = np.mean([law.objection is not None for law in laws])
            print(f"| {draws} | {100 * scatter:g} points | {held:.1%} | {silent:.1%} |", flush=True)


if __name__ == "__main__":
    main()
