"""Measure what the report of 10 variants, or of hundreds, on Spider's development questions takes.

Needs the folder that SQLADDER_SPIDER names (dev.jsonl, databases.tar.xz and parity/). Three variants are real
prediction files, scored first; the others take each question's answer, with its verdict, from one of these by chance.
Then the program that makes the report runs as its rule calls it. Prints seconds, and the size of the page.

Example: SQLADDER_SPIDER=/data/spider python benchmarks/report_time.py --folder /tmp/report
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path

import numpy as np

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from sqladder.files import Row, by_id, read_json, read_jsonl, write_json, write_jsonl  # noqa: E402

REAL = ("lora_32r", "tse_1", "tse_3")
COPIED = ("predictions", "verdicts", "rows")
METRICS = ("plug_value", "single_database", "exact_match")

Sources = Mapping[tuple[str, str], Mapping[str, Row]]
"""Rows by id of a variant's files of a kind."""


def score_real(spider: Path, folder: Path) -> list[Row]:
    """Score the real prediction files as the workflow does; the questions whose databases are there."""
    with tarfile.open(spider / "databases.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    asked = read_jsonl(spider / "dev.jsonl")
    scored = [row for row in asked if (folder / "database" / row["db_id"]).is_dir()]
    write_jsonl(folder / "asked.jsonl", asked)
    write_jsonl(folder / "questions.jsonl", scored)
    for name in REAL:
        here = folder / "results" / name
        text = (spider / "parity" / f"{name}.pred.sql").read_text()
        lines = [line.split("\t")[0] for line in text.splitlines() if line.strip()]
        texts = dict(zip((row["id"] for row in asked), lines, strict=True))
        answers = ({"id": row["id"], "sql": texts[row["id"]], "text": ""} for row in scored)
        write_jsonl(here / "predictions.jsonl", answers)
        run("score.py", folder, "--variant", name, "--examples", folder / "questions.jsonl",
            "--predictions", here / "predictions.jsonl", "--databases", folder / "database",
            "--verdicts", here / "verdicts.jsonl", "--rows", here / "rows.jsonl",
            "--metrics", here / "metrics.json")  # fmt: skip
    return scored


def read_real(folder: Path) -> Sources:
    """The rows of the real variants' files."""
    return {
        (real, kind): by_id(read_jsonl(folder / f"results/{real}/{kind}.jsonl"), Path(real))
        for real in REAL
        for kind in COPIED
    }


def mix(
    folder: Path, name: str, sources: Sources, questions: list[Row], rng: np.random.Generator
) -> None:
    """Write a variant whose answers come from the real ones, each with its verdict."""
    here = folder / "results" / name
    chosen = dict(
        zip((row["id"] for row in questions), rng.choice(REAL, len(questions)), strict=True)
    )
    rows = {
        kind: [sources[str(real), kind][key] for key, real in chosen.items()] for kind in COPIED
    }
    for kind, content in rows.items():
        write_jsonl(here / f"{kind}.jsonl", content)
    metrics = read_json(folder / f"results/{REAL[0]}/metrics.json")
    metrics["accuracy"] = counted(rows["verdicts"], lambda row: row["verdict"] == "correct")
    metrics["secondary"] = {key: counted(rows["verdicts"], itemgetter(key)) for key in METRICS}
    write_json(here / "metrics.json", metrics)


def counted(rows: list[Row], right: Callable[[Row], bool]) -> Row:
    """Counts by level as score.py writes them."""
    levels = {
        level: [row for row in rows if row["hardness"] == level]
        for level in ("easy", "medium", "hard", "extra")
    }
    counts = {
        name: (len(part), sum(map(right, part)))
        for name, part in {**levels, "all": rows, "joint_all": rows}.items()
    }
    return {name: {"n": n, "correct": k, "rate": k / n} for name, (n, k) in counts.items()}


def run(program: str, folder: Path, *arguments: object) -> tuple[float, float]:
    """Run a program of the workflow; its wall and CPU seconds."""
    before, start = cpu(), time.perf_counter()
    command = [sys.executable, str(SCRIPTS / program), *map(str, arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, cpu() - before


def cpu() -> float:
    """CPU seconds of all finished children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(folder: Path, names: list[str]) -> None:
    """Make the report and print what it took."""
    results = folder / "results"
    files = {
        kind: [results / name / f"{kind}.{end}" for name in names]
        for kind, end in (("verdicts", "jsonl"), ("predictions", "jsonl"), ("metrics", "json"))
    }
    flags = (flag for kind, paths in files.items() for flag in (f"--{kind}", *paths))
    config = json.dumps({"seed": 42, "variants": {}})
    facts = ["--config", config, "--output", results / "facts.json"]
    run("collect_run_facts.py", folder, *facts)
    wall, used = run(
        "write_report.py", folder, *flags,
        "--questions", folder / "asked.jsonl", "--databases", folder / "database",
        "--failures", results / "failures.jsonl", "--charts", results / "charts", "--jobs", 2,
        "--rows", *(results / name / "rows.jsonl" for name in names),
        "--run-facts", results / "facts.json", "--report", results / "report.md",
        "--page", results / "report.html", "--csv", results / "metrics.csv",
        "--pairs", results / "pairs.csv", "--results", results / "results.json",
        "--record", results / "run.json",
    )  # fmt: skip
    print(f"{len(names)} variants: {wall:.1f} s, {used:.1f} CPU s")
    page = results / "report.html"
    print(f"The page has {page.stat().st_size / 1e6:.1f} MB.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--folder", type=Path, required=True, help="where inputs and the report are written"
    )
    parser.add_argument("--variants", type=int, default=10, help="three or more (10)")
    args = parser.parse_args()
    names = [*REAL, *(f"mixed_{number}" for number in range(args.variants - len(REAL)))]
    if not (args.folder / f"results/{REAL[-1]}/metrics.json").exists():
        score_real(Path(os.environ["SQLADDER_SPIDER"]), args.folder)
    questions = read_jsonl(args.folder / "questions.jsonl")
    rng, sources = np.random.default_rng(1), read_real(args.folder)
    for name in names[len(REAL) :]:
        mix(args.folder, name, sources, questions, rng)
    report(args.folder, names)


if __name__ == "__main__":
    main()
