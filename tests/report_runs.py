"""Runs for the tests of statistics and report: written as files, as the workflow writes them."""

import json
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, norm

from sqladder.report.charts.drawing import NARROW, WIDE, narrow_file, plot, save
from sqladder.report.charts.registry import CHARTS
from sqladder.statistics.paired import Discordance

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow" / "scripts"
LEVELS = ("easy", "medium", "hard", "extra")
SECONDARY = ("plug_value", "single_database", "exact_match")


def question_rows(n, databases=4, levels=LEVELS):
    """Questions that go round the databases and the levels."""
    return [
        {
            "id": f"q{number:04}",
            "db_id": f"db_{number % databases}",
            "question": f"How many rows has question {number}?",
            "sql": "SELECT count(*) FROM t GROUP BY a",
            "source": "test",
            "group": f"q{number:04}",
            "hardness": levels[(number // databases) % len(levels)],
        }
        for number in range(n)
    ]


def verdict_rows(questions, marks, plug=None, single=None, exact=None, wrong="wrong_result"):
    """Verdicts of one variant; marks are true where right, or the verdict itself."""
    rows = []
    for number, (question, mark) in enumerate(zip(questions, marks, strict=True)):
        verdict = mark if isinstance(mark, str) else ("correct" if mark else wrong)
        right = verdict == "correct"
        rows.append(
            {
                "id": question["id"],
                "db_id": question["db_id"],
                **({"group": question["group"]} if "group" in question else {}),
                "hardness": question["hardness"],
                "verdict": verdict,
                "file": None if right else "v1.sqlite",
                "reason": "" if right else "values",
                "expected": None,
                "found": None,
                "plug_value": bool(plug[number]) if plug is not None else right,
                "single_database": bool(single[number]) if single is not None else right,
                "exact_match": bool(exact[number]) if exact is not None else right,
            }
        )
    return rows


def _counts(rows, right):
    chosen = [bool(right(row)) for row in rows]
    n, correct = len(chosen), sum(chosen)
    return {"n": n, "correct": correct, "rate": correct / n if n else None}


def _levels(rows, right):
    table = {
        level: _counts([row for row in rows if row["hardness"] == level], right) for level in LEVELS
    }
    return {**table, "all": _counts(rows, right), "joint_all": _counts(rows, right)}


def metrics_of(name, rows, quirks="repaired"):
    """metrics.json, counted by this test code and not by the code under test."""
    return {
        "variant": name,
        "metric": "test_suite_execution_accuracy",
        "n": len(rows),
        "accuracy": _levels(rows, lambda row: row["verdict"] == "correct"),
        "by_database": {
            db: _counts([r for r in rows if r["db_id"] == db], lambda r: r["verdict"] == "correct")
            for db in sorted({row["db_id"] for row in rows})
        },
        "by_verdict": dict(Counter(row["verdict"] for row in rows)),
        "secondary": {key: _levels(rows, lambda row, key=key: row[key]) for key in SECONDARY},
        "facts": {"settings": {"quirks": quirks}, "versions": {"sqlite": "3.45.1"}},
    }


def failure_rows(name, rows):
    """A kind for each failure: of wrong results one is an extra join, the next a wrong value."""
    kinds = {"wrong_result": ("extra_join", "wrong_value"), "sql_error": ("wrong_table", "syntax")}
    kinds["refused"] = ("other", "other")
    return [
        {
            "variant": name,
            "id": row["id"],
            "kind": kinds.get(row["verdict"], (row["verdict"], row["verdict"]))[number % 2],
            "reason": f"reason {number}",
        }
        for number, row in enumerate(rows)
        if row["verdict"] != "correct"
    ]


def write_lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_value(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def untrained_facts():
    """train.json of the baseline."""
    return {
        **dict.fromkeys(("steps", "epochs", "seconds", "tokens", "trainable_parameters"), 0),
        **dict.fromkeys(("tokens_per_second", "final_loss", "peak_memory_mb", "device")),
        "method": "none",
        "total_parameters": 1_000_000,
        "loss_curve": [],
        "resumed": False,
        "versions": {},
    }


def training_facts(seconds=90.0, method="lora"):
    return {
        "method": method,
        "steps": 40,
        "epochs": 2.0,
        "seconds": seconds,
        "tokens": 80_000,
        "tokens_per_second": 80_000 / seconds,
        "trainable_parameters": 65_536,
        "total_parameters": 1_000_000,
        "final_loss": 0.25,
        "loss_curve": [[step, 2.0 * 0.95**step + 0.2] for step in range(1, 41)],
        "peak_memory_mb": 812.4,
        "device": "cpu",
        "resumed": False,
        "versions": {"torch": "2.13.0"},
    }


def reward_facts(rng, steps=60, right=(0.3, 0.5), kl=True):
    """train.json of a training by reward, whose share of right answers goes from one number to another."""
    way = np.linspace(0, 1, steps) ** 0.5
    shares = right[0] + (right[1] - right[0]) * way
    curves = {
        "step": list(range(1, steps + 1)),
        "reward": shares + 0.05,
        "right": shares,
        "equal": 0.3 + 0.1 * way,
        "tokens": 32 - 8 * way,
        "entropy": 0.5 - 0.3 * way,
        **({"kl": 0.2 * way} if kl else {}),
        **{f"{part}_seconds": np.ones(steps) for part in ("generation", "judging", "training")},
        "waiting_seconds": np.zeros(steps),
        "step_seconds": np.full(steps, 3.0),
    }
    noisy = {
        key: list(own if key == "step" else own * rng.uniform(0.9, 1.1, steps))
        for key, own in curves.items()
    }
    learning = {
        "method": "grpo",
        "rounds": [],
        "spent": [],
        "samples": 16,
        "temperature": 1.0,
        "questions_a_step": 8,
        "databases": 4,
        "databases_of_one_file": 3,
        "groups": 8 * steps,
        "groups_all_equal": 3 * steps,
        "groups_none_right": steps,
        "curves": noisy,
    }
    return {**training_facts(method="grpo"), "start_from": "full", "learning": learning}


def generation_facts(prompts):
    return {
        "engine": "transformers",
        "seconds": 12.5,
        "prompts": prompts,
        "prompts_per_second": prompts / 12.5,
        "output_tokens": 20 * prompts,
        "peak_memory_mb": 640.0,
        "device": "cpu",
        "versions": {"torch": "2.13.0"},
    }


def run_facts():
    return {
        "commit": "0123456789abcdef0123456789abcdef01234567",
        "modified": False,
        "config": {"seed": 42, "variants": {"baseline": {"method": "none"}}},
        "seeds": {"seed": 42},
        "versions": {"python": "3.11.9", "numpy": "2.4.6"},
        "data": {"resources/datasets/demo/test.jsonl": "ab" * 32},
        "downloads": {"qwen3": {"repository": "a/b", "requested": "main", "commit": "c" * 40}},
        "disk_bytes": {"lora_32r": 4_000_000},
        "hardware": {
            "processor": "Test CPU",
            "cores": 2,
            "memory_gb": 24.0,
            "system": "Linux x86_64",
        },
        "written": "2026-01-01 00:00 UTC",
        "times": [
            {
                "rule": "train",
                "name": "lora_32r",
                "seconds": 90.0,
                "cpu_seconds": 95.0,
                "peak_rss_mb": 812.4,
            }
        ],
    }


def write_run(
    folder, questions, variants, trained=(), generated=(), left_out=(), quirks="repaired"
):
    """Write a run; `variants` maps names, "full" or "full/seed_42", to marks or to whole verdict rows.

    Returns the keyword arguments of `load_run`.
    """
    asked = [{k: v for k, v in q.items() if k != "hardness"} for q in (*questions, *left_out)]
    failures = []
    files = {"verdicts": [], "metrics": [], "predictions": [], "training": [], "generation": []}
    for name, marks in variants.items():
        whole = len(marks) > 0 and isinstance(marks[0], dict)
        rows = list(marks) if whole else verdict_rows(questions, marks)
        here = folder / "results" / name
        files["verdicts"].append(write_lines(here / "verdicts.jsonl", rows))
        failures += failure_rows(name, rows)
        files["metrics"].append(write_value(here / "metrics.json", metrics_of(name, rows, quirks)))
        answers = [{"id": q["id"], "sql": f"SELECT '{q['id']}'", "text": ""} for q in questions]
        files["predictions"].append(write_lines(here / "predictions.jsonl", answers))
        if name in trained:
            seconds = 60.0 + 30 * len(files["training"])
            facts = untrained_facts() if name == "baseline" else training_facts(seconds)
            files["training"].append(write_value(here / "train.json", facts))
        if name in generated:
            facts = generation_facts(len(questions))
            files["generation"].append(write_value(here / "generation.json", facts))
    files["failures"] = write_lines(folder / "results" / "failures.jsonl", failures)
    return {"questions": write_lines(folder / "questions.jsonl", asked), **files}


def write_samples(files, names, right, groups=(0, 1, 1, None), greedy=False):
    """Let variants of a written run have drawn samples to each question.

    Args:
        files: what `write_run` returned; predictions.jsonl and generation.json of these variants are written anew.
        names: which, "votes" or "votes/seed_1".
        right: for each question which of its samples are right.
        groups: of each sample's result, the same for all questions.
        greedy: whether the first sample is the greedy answer.

    Returns the same files with sample_verdicts.jsonl. Of 10 seconds 8 are those of the samples.
    """
    paths = []
    for predictions in files["predictions"]:
        if not any(predictions.match(f"results/{name}/predictions.jsonl") for name in names):
            continue
        generation = predictions.with_name("generation.json")
        rows = [json.loads(line) for line in predictions.read_text().splitlines()]
        for row in rows:
            row["samples"] = [
                {"sql": "x", "output_tokens": 5, "log_probability": -1.0 - place, "group": group}
                for place, group in enumerate(groups)
            ]
        write_lines(predictions, rows)
        facts = json.loads(generation.read_text())
        times = {"seconds": 10.0, "stages": {"generation": 8.0}}
        write_value(generation, {**facts, **times, "settings": {"include_greedy": greedy}})
        verdicts = [
            {"id": row["id"], "correct": [bool(mark) for mark in own]}
            for row, own in zip(rows, right, strict=True)
        ]
        paths.append(write_lines(predictions.parent / "sample_verdicts.jsonl", verdicts))
    return {**files, "samples": paths}


def save_charts(comparison, folder):
    """Write the SVG files of all charts, wide and narrow, as the page needs them."""
    for name, chart in CHARTS.items():
        path = folder / f"{name}.svg"
        save(plot(comparison, chart, WIDE), path, comparison, chart)
        save(plot(comparison, chart, NARROW), narrow_file(path), comparison, chart)


def random_marks(n, rates, seed=0):
    """Marks of several variants with these true accuracies, questions of unequal difficulty."""
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(0, 1, n)
    return [(rng.normal(0, 1, n) + difficulty) < np.sqrt(2) * norm.ppf(rate) for rate in rates]


def seeded_marks(n, rates, seeds, noise, seed=0):
    """Marks of several variants, shape (seeds, n) each; every seed's model is off the true rate by chance.

    `noise` is its standard deviation before the normal distribution function: 0.1 is about 3 points.
    """
    rng = np.random.default_rng(seed)
    difficulty = rng.normal(0, 1, n)
    return [
        rng.normal(0, 0.7, (seeds, n)) + difficulty + rng.normal(0, noise, (seeds, 1))
        < np.sqrt(1.49) * norm.ppf(rate)
        for rate in rates
    ]


def discordance(first, second):
    """Questions that only the first of two variants answers right, and only the second."""
    return Discordance(int(np.sum(first & ~second)), int(np.sum(second & ~first)))


def mcnemar_p(counts):
    """McNemar's exact two-sided p."""
    total = round(sum(counts))
    return float(binomtest(round(counts[0]), total).pvalue) if total else 1.0


def parity_run(spider: Path, folder: Path, perturbed=()):
    """The stored verdicts of three real models as a run of 972 of 1,034 questions.

    `perturbed` names further variants: copies of lora_32r in which a share of verdicts is flipped.
    """
    dev = [json.loads(line) for line in (spider / "dev.jsonl").read_text().splitlines()]
    variants = {}
    for name in ("lora_32r", "tse_1", "tse_3"):
        lines = (spider / "parity" / f"{name}.verdicts.jsonl").read_text().splitlines()
        stored = {row["idx"]: row for row in map(json.loads, lines)}
        scored = [number for number in range(len(dev)) if number in stored]
        questions = [dev[number] for number in scored]
        marks = [stored[number]["exec_noplug"] == 1 for number in scored]
        plug = [stored[n].get("exec_plug", stored[n]["exec_noplug"]) == 1 for n in scored]
        kinds = [
            "correct" if mark else ("sql_error" if stored[number]["error"] else "wrong_result")
            for mark, number in zip(marks, scored, strict=True)
        ]
        variants[name] = verdict_rows(questions, kinds, plug=plug)
    rng = np.random.default_rng(5)
    for name, share in perturbed:
        flips = rng.random(len(questions)) < share
        marks = [
            (row["verdict"] == "correct") ^ flip
            for row, flip in zip(variants["lora_32r"], flips, strict=True)
        ]
        variants[name] = verdict_rows(questions, marks)
    missing = [row for number, row in enumerate(dev) if number not in set(scored)]
    return write_run(folder, questions, variants, left_out=missing)


def arguments_of(files, baseline="baseline"):
    """The arguments that report and charts share."""
    flags = []
    for name, value in files.items():
        flags += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return [*flags, *(["--baseline", baseline] if baseline else [])]


def cpu_seconds_of_children():
    """CPU time of the programs called so far: unlike wall time, not a matter of the load."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def call(script, *arguments):
    """Run a program of the workflow as its rule does, but without stopping at an error."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
