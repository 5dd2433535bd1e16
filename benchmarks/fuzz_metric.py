"""Fuzz the scorer for a while: no crash, no hang, no changed file, no false `correct`.

Example: python benchmarks/fuzz_metric.py --minutes 60
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "workflow" / "scripts"), str(ROOT / "tests")]

from sql_fuzz import GOLDS, confirms, random_pair, write_databases  # noqa: E402
from sqladder.metric.inputs import Gold, Item  # noqa: E402
from sqladder.metric.limits import Limits  # noqa: E402
from sqladder.metric.scoring import Task, score  # noqa: E402
from sqladder.metric.suite import Options  # noqa: E402

LIMITS = Limits(max_vm_steps=300_000, timeout=5, memory_mb=400)
BATCH = 1_000
# A batch that takes longer than this counts as a hang.
PATIENCE = 600


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file below a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fuzz(folder: Path, seed: int) -> Counter[str]:
    """Score one batch of random queries and check what came of it."""
    rng = random.Random(seed)
    pairs = [random_pair(rng) for _ in range(BATCH)]
    pairs += [(gold, gold) for gold in GOLDS]
    before, start = contents(folder), time.monotonic()
    items = [Item(i, "concert", gold, i, 0) for i, (gold, _) in enumerate(pairs)]
    task = Task(folder, Options(plug_value=rng.random() < 0.5), LIMITS)
    arms = {"fuzz": [prediction for _, prediction in pairs]}
    rows = score(Gold(items, len(items)), arms, task)["fuzz"].rows
    if time.monotonic() - start > PATIENCE:
        sys.exit(f"seed {seed}: a batch took more than {PATIENCE} s")
    if contents(folder) != before:
        sys.exit(f"seed {seed}: a file changed")
    if not all(row.correct for row in rows[-len(GOLDS) :]):
        sys.exit(f"seed {seed}: an honest neighbour was not correct")
    for row in rows:
        if row.correct and not confirms(folder / "concert", row.item.gold, row.prediction):
            sys.exit(f"seed {seed}: falsely correct: {row.item.gold!r}, {row.prediction!r}")
    return Counter(row.executed.verdict for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="seed of the first batch")
    args = parser.parse_args()
    end, seed = time.monotonic() + 60 * args.minutes, args.seed
    total: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        write_databases(Path(folder) / "concert")
        while time.monotonic() < end:
            total += fuzz(Path(folder), seed)
            seed += 1
            minutes = args.minutes - (end - time.monotonic()) / 60
            print(f"{minutes:.1f} min, {total.total()} queries: {dict(total)}", flush=True)


if __name__ == "__main__":
    main()
