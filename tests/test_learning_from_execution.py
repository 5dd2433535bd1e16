"""A whole run that learns from execution, at toy size."""

import json
import re
from collections import Counter

import pytest
import yaml

from conftest import copy_project, run_snakemake
from learning_runs import write_experiment

ARGUMENTS = ["--cores", "2", "--configfile", "config/run.yaml", "--replace-workflow-config"]
VARIANTS = {
    "full": {"method": "full"},
    "rejection": {
        "method": "rejection",
        "start_from": "full",
        "samples": 8,
        "temperature": 1.0,
        "tune": {"method": "full"},
    },
    "dpo": {
        "method": "dpo",
        "start_from": "full",
        "samples": 8,
        "temperature": 1.0,
        "tune": {"method": "full"},
        "training": {"learning_rate": 1.0e-3, "epochs": 4},
    },
    "grpo": {
        "method": "grpo",
        "start_from": "full",
        "samples": 16,
        "beta": 1.0e-3,
        "tune": {"method": "full"},
        "training": {
            "learning_rate": 3.0e-3,
            "epochs": 20,
            "batch_size": 64,
            "gradient_accumulation": 2,
            "choose": "validation",
            "checkpoints": {"per_epoch": 1},
        },
    },
}


@pytest.mark.slow
def test_drawn_answers_to_training_questions_are_learned_from_and_told_of(tmp_path):
    """Right answers lift the toy, also by more steps than its start had, and so do rewards; pairs, so few of them and
    from a start so weak, do not.
    """
    folder = copy_project(tmp_path)
    write_experiment(folder, VARIANTS)
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    own = folder / "results/rejection/rounds/1"
    (drawn,) = (folder / "results/full/drawn").iterdir()
    judged = [json.loads(line) for line in (drawn / "judged.jsonl").open()]
    assert all(row["id"].startswith("music") for row in judged)
    assert {sum(sample["times"] for sample in row["samples"]) for row in judged} == {8}
    right = {
        (row["id"], sample["sql"])
        for row in judged
        for sample in row["samples"]
        if sample["verdict"] == "correct"
    }
    rows = [json.loads(line) for line in (own / "rows.jsonl").open()]
    drawn = [row for row in rows if " drawn " in row["id"]]
    learned = {(row["id"].split()[0], row["messages"][-1]["content"]) for row in drawn}
    assert learned
    assert learned <= right
    facts = json.loads((folder / "results/rejection/train.json").read_text())
    assert facts["start_from"] == "full"
    assert facts["learning"]["rounds"][0]["levels"]["all"]["kept"] == len(drawn)
    pairs = [json.loads(line) for line in (folder / "results/dpo/rounds/1/pairs.jsonl").open()]
    assert all(pair["id"].startswith("music") for pair in pairs)
    facts = json.loads((folder / "results/dpo/train.json").read_text())
    # No pair is preferred before the first step: ln 2.
    assert facts["loss_curve"][0][1] == pytest.approx(0.6931, abs=1e-3)
    assert facts["final_loss"] < 0.69
    right_answers = {
        name: json.loads((folder / f"results/{name}/metrics.json").read_text())["accuracy"]["all"]
        for name in VARIANTS
    }
    assert right_answers["rejection"]["correct"] > right_answers["full"]["correct"]
    facts = json.loads((folder / "results/grpo/train.json").read_text())
    curves = facts["learning"]["curves"]
    assert facts["start_from"] == "full"
    assert facts["steps"] == len(curves["step"]) == 60
    # 1,280 answers at either end: by chance they differ by 0.04.
    assert sum(curves["right"][-10:]) / 10 > sum(curves["right"][:10]) / 10 + 0.12
    found = facts["validation"]
    assert [point["epoch"] for point in found["points"]] == [*range(1, 21)]
    counts = [point["correct"].count("1") for point in found["points"]]
    assert counts[found["chosen"] // 3 - 1] == max(counts)
    parts = ("generation", "judging", "training", "waiting")
    shares = {own: sum(curves[f"{own}_seconds"]) / sum(curves["step_seconds"]) for own in parts}
    assert sum(shares.values()) == pytest.approx(1, abs=0.01)
    assert shares["generation"] + shares["training"] > 0.6
    report = (folder / "results/report.md").read_text()
    assert "### rejection, from full" in report
    assert "### dpo, from full" in report
    assert "### grpo, from full" in report
    assert "└─ full: " in report
    assert "](charts/reward_curves.svg)" in report
    assert "## Checkpoints" in report
    again = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert "Nothing to be done" in again.stdout, again.stdout
    assert "**1 of 1 training databases have one file" in report
    config = yaml.safe_load((folder / "config/run.yaml").read_text())
    config["datasets"]["music"]["suite"] = {"files": 4}
    (folder / "config/run.yaml").write_text(yaml.safe_dump(config))
    planned = run_snakemake(folder, "-n", *ARGUMENTS, "results/report.md").stdout
    rules = re.findall(r"^(?:local)?rule (\w+):", planned, re.MULTILINE)
    # What was drawn is judged anew, and the start is not trained anew.
    counts = Counter(rules)
    assert [counts[own] for own in ("make_training_suite", "judge_drawn", "draw_answers")] == [
        1,
        1,
        0,
    ]
    assert counts["reinforce"] == 1
    assert counts["train"] == 2
