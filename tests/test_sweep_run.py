"""A whole run with a sweep that halves its candidates and chooses a context, at toy size."""

import json

import pytest
import yaml

import toy_models
from conftest import ROOT, copy_project, run_snakemake

ARGUMENTS = ["--cores", "2", "--configfile", "config/run.yaml", "--replace-workflow-config"]
CONTEXTS = {"schema": "compact", "system": "SQL.", "user": "{schema}\n{question}"}


def write_config(folder, config):
    (folder / "config/run.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


@pytest.mark.slow
def test_a_halved_sweep_chooses_a_context_and_grows_by_a_value(tmp_path):
    folder = copy_project(tmp_path)
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["training"].update(choose="validation", checkpoints={"per_epoch": 100}, epochs=0.04)
    config["contexts"]["bare"] = CONTEXTS
    sweep = {"context": ["bare", "published"], "halving": {"factor": 2}}
    config["variants"] = {"full": {"method": "full", "sweep": sweep}}
    config["base_model"] = {"source": "folder", "path": "base"}
    toy_models.save_base(folder / "base")
    write_config(folder, config)
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    results = folder / "results"
    facts = json.loads((results / "full/train.json").read_text())
    # The toy answers nothing right, so the first goes on and wins.
    assert facts["swept"] == {"context": "bare"}
    stopped = [row.get("stopped") for row in facts["sweep"]["candidates"]]
    assert stopped == [None, pytest.approx(10 / 17, abs=1e-4)]
    prompts = folder / "resources/prompts"
    assert (prompts / "bare/test.jsonl").is_file()
    assert not (prompts / "published/test.jsonl").exists()
    report = (results / "report.md").read_text()
    assert "| context published (stopped after 59 %) |" in report

    # A third context, which comes first: it wins, and the others take no step again.
    config["contexts"]["third"] = {**CONTEXTS, "system": "Answer in SQL."}
    sweep["context"] = ["third", *sweep["context"]]
    write_config(folder, config)
    done = run_snakemake(folder, *ARGUMENTS, "results/full/metrics.json")
    assert done.returncode == 0, done.stdout
    facts = json.loads((results / "full/train.json").read_text())
    assert facts["swept"] == {"context": "third"}
    stopped = [row.get("stopped") for row in facts["sweep"]["candidates"]]
    assert stopped == [None, *[pytest.approx(10 / 17, abs=1e-4)] * 2]
    assert done.stdout.count("rule train_rung:") == 1
    logs = [path.read_text() for path in (folder / "logs/train/full/candidates").glob("*.log")]
    assert sum("training on" in text for text in logs) == 1
