"""A whole run with a learning curve, at toy size."""

import json

import pytest
import yaml

import toy_models
from conftest import ROOT, copy_project, run_snakemake

ARGUMENTS = ["--cores", "2", "--configfile", "config/run.yaml", "--replace-workflow-config"]


@pytest.mark.slow
def test_a_curve_is_measured_on_validation_questions_and_told_of(tmp_path):
    folder = copy_project(tmp_path)
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["training"].update(choose="validation", checkpoints={"per_epoch": 50})
    curve = {"method": "full", "learning_curve": {"rows": [0.1, 0.3, 1.0]}}
    config["variants"] = {"full": curve}
    config["base_model"] = {"source": "folder", "path": "base"}
    toy_models.save_base(folder / "base")
    (folder / "config/run.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = run_snakemake(folder, *ARGUMENTS, "results/report.md")
    assert done.returncode == 0, done.stdout
    results = folder / "results"
    measured = json.loads((results / "full/learning_curve.json").read_text())
    rows = [size["rows"] for size in measured["sizes"]]
    assert [round(own / rows[-1], 1) for own in rows] == [0.1, 0.3, 1.0]
    for size in measured["sizes"]:
        (draw,) = size["draws"]
        assert len(draw["correct"]) == len(measured["groups"])
    own = results / "full/learning_curve/0.1/seed_1"
    assert json.loads((own / "train.json").read_text())["rows"] == rows[0]
    # No point was asked a question of the test.
    assert not [path for path in own.rglob("*") if path.name == "predictions.jsonl"]
    report = (results / "report.md").read_text()
    assert "### Rows of full" in report
    assert f"| {rows[0]} | 0." in report
    assert "](charts/learning_curves.svg)" in report
