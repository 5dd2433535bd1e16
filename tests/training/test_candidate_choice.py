"""The choice among a sweep's candidates, by their marks on validation questions."""

import json
import subprocess
import sys

import pytest

import toy_models
from conftest import ROOT


def candidate(folder, name, right, seconds=3600.0, groups=("a", "b", "b"), **more):
    """What a training leaves: a model and its facts, whose chosen checkpoint has so many of three right."""
    model = folder / name / "model"
    model.mkdir(parents=True)
    (model / "weights").write_text(name)
    (model / ".snakemake_timestamp").touch()
    points = [
        {"step": 5, "correct": "1" * right + "0" * (3 - right)},
        {"step": 10, "correct": "000"},
    ]
    facts = {
        "seconds": seconds,
        "gpus": 2,
        "nodes": 1,
        "validation": {"groups": list(groups), "databases": 1, "points": points, "chosen": 5},
        **more,
    }
    (folder / name / "train.json").write_text(json.dumps(facts))
    return folder / name


def choose(folder, tried):
    words = [
        word
        for own, swept in tried
        for word in (
            "--candidate",
            str(own),
            swept if isinstance(swept, str) else json.dumps(swept),
        )
    ]
    program = ROOT / "workflow/scripts/choose_candidate.py"
    files = ["--output", str(folder / "own/model"), "--facts", str(folder / "own/train.json")]
    (folder / "own").mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, program, *words, *files], capture_output=True, text=True, check=False
    )


def test_the_most_right_answers_win_and_of_equal_ones_the_first(tmp_path):
    tried = [
        (candidate(tmp_path, "low", 1), {"rank": 2}),
        (candidate(tmp_path, "first", 2), {"rank": 4}),
        (candidate(tmp_path, "equal", 2, seconds=1.0), {"rank": 8}),
    ]
    done = choose(tmp_path, tried)
    assert done.returncode == 0, done.stderr
    assert "chose candidate 2 of 3, 2 of 3 right: rank 4" in done.stderr
    facts = json.loads((tmp_path / "own/train.json").read_text())
    assert [file.name for file in (tmp_path / "own/model").iterdir()] == ["weights"]
    assert (tmp_path / "own/model/weights").read_text() == "first"
    assert (facts["swept"], facts["sweep"]["chosen"]) == ({"rank": 4}, 1)
    assert facts["sweep"]["candidates"][0] == {
        "folder": str(tmp_path / "low"),
        "swept": {"rank": 2},
        "correct": "100",
        "device_hours": 2.0,
    }
    # The facts are those of its training.
    assert facts["validation"]["chosen"] == 5


@pytest.mark.parametrize(
    ("swept", "groups", "words"),
    [
        ({"rank": 8}, ("a", "a", "b"), "different validation questions; train them again"),
        ("{rank: 8}", ("a", "b", "b"), "is no JSON"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, swept, groups, words):
    tried = [
        (candidate(tmp_path, "one", 1), {"rank": 2}),
        (candidate(tmp_path, "two", 2, groups=groups), swept),
    ]
    done = choose(tmp_path, tried)
    assert done.returncode == 1
    assert words in done.stderr
    assert not (tmp_path / "own/train.json").exists()


def test_candidates_that_the_budget_left_out_are_passed_over_and_told(tmp_path):
    left_out = tmp_path / "late"
    left_out.mkdir()
    (left_out / "train.json").write_text('{"left_out": "2 of 2 hours are spent"}')
    done = choose(tmp_path, [(left_out, {"rank": 8})])
    assert done.returncode == 1
    assert "give the sweep more gpu_hours" in done.stderr
    done = choose(tmp_path, [(left_out, {"rank": 8}), (candidate(tmp_path, "one", 1), {"rank": 2})])
    assert done.returncode == 0, done.stderr
    sweep = json.loads((tmp_path / "own/train.json").read_text())["sweep"]
    assert (len(sweep["candidates"]), sweep["chosen"]) == (1, 0)
    assert sweep["left_out"] == [{"swept": {"rank": 8}, "reason": "2 of 2 hours are spent"}]


def test_one_that_was_stopped_on_its_way_is_told_of_and_not_chosen(tmp_path):
    tried = [
        (candidate(tmp_path, "stopped", 2, stopped=0.25), {"rank": 2}),
        (candidate(tmp_path, "whole", 2), {"rank": 4}),
    ]
    assert choose(tmp_path, tried).returncode == 0
    facts = json.loads((tmp_path / "own/train.json").read_text())
    assert facts["swept"] == {"rank": 4}
    rows = facts["sweep"]["candidates"]
    assert [row.get("stopped") for row in rows] == [0.25, None]
    assert (tmp_path / "own/model/weights").read_text() == "whole"


def test_a_candidate_that_was_not_judged_is_refused(tmp_path):
    own = candidate(tmp_path, "one", 1)
    facts = json.loads((own / "train.json").read_text())
    del facts["validation"]
    (own / "train.json").write_text(json.dumps(facts))
    done = choose(tmp_path, [(own, {"rank": 2})])
    assert done.returncode == 1
    assert "train it with --choose validation" in done.stderr


def test_a_training_takes_the_settings_that_a_sweep_chose(tmp_path):
    base = toy_models.save_base(tmp_path / "base")
    chosen = tmp_path / "chosen.json"
    chosen.write_text(json.dumps({"swept": {"learning_rate": 0.002, "epochs": 1.0}}))
    (tmp_path / "own").mkdir()
    options = toy_models.train_options(tmp_path / "own", base, method="full", epochs=2)
    done = toy_models.run("train.py", **options, swept=chosen)
    assert done.returncode == 0, done.stdout
    facts = json.loads((tmp_path / "own/train.json").read_text())
    assert (facts["settings"]["learning_rate"], facts["epochs"]) == (0.002, 1.0)
    assert facts["swept"] == {"learning_rate": 0.002, "epochs": 1.0}
