"""Whole runs: killed and given again, made twice, and on Spider's development questions."""

import json
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake, snakemake_environment
from sqladder.training.checkpoints import PROGRESS_FILE

ARGUMENTS = ["--cores", "2", "--configfile", "config/run.yaml", "--replace-workflow-config"]
TIMES = re.compile(r"<!-- times: begin -->.*?<!-- times: end -->", re.DOTALL)


def write_config(folder, change):
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    change(config)
    (folder / "config/run.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def longer_training(config):
    """Let one variant train for several checkpoints; the others would only take time."""
    config["training"]["epochs"] = 0.6
    config["variants"] = {"full": {"method": "full"}}


def report_without_times(folder):
    return TIMES.sub("", (folder / "results/report.md").read_text())


def wait_for(condition, seconds):
    """Wait until a condition holds; a process that never gets there is a failure, not a hang."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.05)


def kill_tree(process):
    """Kill a process and all its descendants at once, as a machine that loses power does."""
    family = [process, *process.children(recursive=True)]
    for member in family:
        try:
            member.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=30)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = copy_project(tmp_path_factory.mktemp("undisturbed"))
    write_config(folder, longer_training)
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    return folder


def kill_snakemake(process):
    """Kill Snakemake alone; its training job has to notice by itself."""
    family = process.children(recursive=True)
    process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=60)
    assert not alive


@pytest.mark.slow
@pytest.mark.parametrize("kill", [kill_tree, pytest.param(kill_snakemake, marks=pytest.mark.long)])
def test_a_run_killed_in_training_goes_on_and_ends_like_an_undisturbed_one(
    undisturbed, tmp_path, kill
):
    folder = copy_project(tmp_path)
    write_config(folder, longer_training)
    command = [sys.executable, "-m", "snakemake", *ARGUMENTS, "results/report.md"]
    with (folder / "first.log").open("w") as log:
        started = subprocess.Popen(
            command, cwd=folder, env=snakemake_environment(), stdout=log, stderr=log
        )
    try:
        # Its folder comes first; without this file it was cut off, and nothing goes on from it.
        complete = f"results/full/training/**/checkpoint-*/{PROGRESS_FILE}"
        wait_for(lambda: list(folder.glob(complete)), 300)
    finally:
        kill(psutil.Process(started.pid))
        started.wait()
    assert not (folder / "results/full/model").exists()

    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    assert "rule train_base:" not in done.stdout
    assert "rule make_demo_examples:" not in done.stdout
    facts = json.loads((folder / "results/full/train.json").read_text())
    expected = json.loads((undisturbed / "results/full/train.json").read_text())
    assert facts["resumed"]
    assert not expected["resumed"]
    assert facts["final_loss"] == expected["final_loss"]
    for name in ("predictions.jsonl", "verdicts.jsonl"):
        path = f"results/full/{name}"
        assert (folder / path).read_text() == (undisturbed / path).read_text()


@pytest.mark.slow
@pytest.mark.long
def test_two_runs_with_one_seed_differ_in_times_only(tmp_path):
    folders = [copy_project(tmp_path / name) for name in ("first", "second")]
    for folder in folders:
        write_config(folder, lambda config: config["variants"].pop("baseline"))
        done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
        assert done.returncode == 0, done.stdout
    first, second = folders
    for variant in ("lora_4r", "full"):
        for name in ("predictions.jsonl", "verdicts.jsonl"):
            path = f"results/{variant}/{name}"
            assert (first / path).read_bytes() == (second / path).read_bytes()
    assert report_without_times(first) == report_without_times(second)


def add_votes(config):
    """Three ways of asking one model; little is learned, so most samples fail."""
    drawn = {"samples": 4, "temperature": 1.0}
    config["variants"] = {
        "baseline": {"method": "none"},
        "likeliest": {
            "method": "reuse",
            "model_of": "baseline",
            "decoding": {**drawn, "choose": "likeliest"},
        },
        "votes": {
            "method": "reuse",
            "model_of": "likeliest",
            "decoding": {**drawn, "choose": "vote", "include_greedy": True},
        },
    }


@pytest.mark.slow
def test_several_ways_of_asking_one_model_stand_in_one_report(tmp_path):
    folder = copy_project(tmp_path)
    write_config(folder, add_votes)
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    results = folder / "results"
    assert [path.parent.name for path in results.glob("*/model")] == ["baseline"]
    for name in ("likeliest", "votes"):
        rows = [json.loads(line) for line in (results / name / "predictions.jsonl").open()]
        assert {len(row["samples"]) for row in rows} == {4}
        assert all(row["sql"] == row["samples"][row["chosen"]]["sql"] for row in rows)
        assert json.loads((results / name / "generation.json").read_text())["model"] == "baseline"
    greedy = [json.loads(line) for line in (results / "baseline/predictions.jsonl").open()]
    votes = [json.loads(line) for line in (results / "votes/predictions.jsonl").open()]
    assert [row["samples"][0]["text"] for row in votes] == [row["text"] for row in greedy]
    report = (results / "report.md").read_text()
    assert "| votes | model of baseline |" in report
    for name in ("likeliest", "votes"):
        accuracy = json.loads((results / name / "metrics.json").read_text())["accuracy"]["all"]
        assert f"| {name} | 4 | {accuracy['rate']:.3f} |" in report
    again = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert "Nothing to be done" in again.stdout, again.stdout


def imported_only(path):
    """The Spider config without the toy variants, which cost minutes and say nothing here."""
    config = yaml.safe_load((ROOT / "config/spider-local.yaml").read_text())
    variants = config["variants"]
    config["variants"] = {k: v for k, v in variants.items() if v["method"] == "imported"}
    path.write_text(yaml.safe_dump(config, sort_keys=False))


def test_imported_spider_predictions_score_as_the_official_evaluator_says(spider, tmp_path):
    folder = copy_project(tmp_path)
    imported_only(folder / "config/run.yaml")
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    metrics = json.loads((folder / "results/lora_32r/metrics.json").read_text())
    assert (metrics["accuracy"]["all"]["correct"], metrics["n"]) == (468, 972)
    assert metrics["secondary"]["plug_value"]["all"]["correct"] == 487
    report = (folder / "results/report.md").read_text()
    assert re.search(r"62 of 1,034 questions were not scored.*wta_1 \(62\)", report)
    assert re.search(r"\| 1 \| lora_32r \| 972 \| 468 \|", report)


def test_missing_databases_stop_a_run_that_does_not_allow_them(spider, tmp_path):
    folder = copy_project(tmp_path)
    imported_only(folder / "config/run.yaml")
    text = (folder / "config/run.yaml").read_text()
    refused = text.replace("allow_missing_databases: true", "allow_missing_databases: false")
    (folder / "config/run.yaml").write_text(refused)
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode != 0
    assert "62 of 1034 questions have no database: wta_1" in done.stdout
    assert [p.name for p in (folder / "resources/datasets/spider").iterdir()] == ["databases"]
