"""Checkpoints that are judged while a model trains: the best goes on, and training ends when none gets better."""

import json
import sys

import pytest
import torch
from safetensors.torch import load_file
from test_resume import kill_tree_after_a_checkpoint

import toy_models
from sqladder.errors import InputError
from sqladder.settings.problems import settings_of
from sqladder.training.checkpoint_choice import CheckpointJudge, Point, best_of, is_over
from sqladder.training.settings import AnyTraining, FineTuning
from training_here import train_here

# A judge that knows what each checkpoint is worth: as many right answers of ten as its step has here.
JUDGE = """
import json, sys
right = dict(pair.split("=") for pair in sys.argv[1].split(","))
print(json.dumps({"groups": list("aabcdefghi"), "databases": 3}), flush=True)
for line in sys.stdin:
    n = int(right[line.strip().rpartition("-")[2]])
    print("1" * n + "0" * (10 - n), flush=True)
"""
# 40 rows by 4 are 10 steps an epoch, of which a checkpoint follows each fifth.
OPTIONS = {"epochs": 2, "choose": "validation", "checkpoints_per_epoch": 2}


def points(*right):
    return [
        Point(step, 0.1 * step, 1.0, "1" * n + "0" * (10 - n), 0.5)
        for step, n in enumerate(right, 1)
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


def judge_who_knows(folder, right):
    """The judge, with what each checkpoint is worth."""
    folder.mkdir(exist_ok=True)
    judge = folder / "judge.py"
    judge.write_text(JUDGE)
    return [judge, ",".join(f"{step}={n}" for step, n in right.items())]


def options(folder, base, right, **others):
    """Options of train.py; the judge and what it knows come last."""
    judge = judge_who_knows(folder, right)
    return toy_models.train_options(folder, base, **{**OPTIONS, **others}) | {"judge": judge}


def trained(folder, base, right, **others):
    done = toy_models.run("train.py", **options(folder, base, right, **others))
    assert done.returncode == 0, done.stdout
    return json.loads((folder / "train.json").read_text())


def weights(folder):
    return load_file(folder / "model.safetensors")


def assert_equal(left, right):
    assert left.keys() == right.keys()
    assert all(torch.equal(left[name], right[name]) for name in left)


def test_the_best_is_the_earliest_of_equal_ones():
    assert best_of(points(3, 5, 4, 5)).step == 2
    assert best_of(points(0, 0)).step == 1


@pytest.mark.parametrize(
    ("right", "patience", "over"),
    [
        ((5,), 1, False),
        ((5, 5), 1, True),
        ((5, 4, 6), 2, False),
        ((5, 4, 6, 6, 1), 2, True),
        ((5, 4, 4), None, False),
        ((), 1, False),
    ],
)
def test_patience_counts_checkpoints_since_the_best(right, patience, over):
    assert is_over(points(*right), patience) is over


@pytest.mark.parametrize(
    ("steps", "epochs", "per_epoch", "between"),
    [(20, 2, 2, 5), (60, 6, 4, 3), (3, 1, 100, 1), (7, 0.02, 200, 2)],
)
def test_an_epoch_has_at_most_as_many_checkpoints_as_asked_for(steps, epochs, per_epoch, between):
    settings = FineTuning(
        learning_rate=1e-3,
        epochs=epochs,
        batch_size=4,
        gradient_accumulation=1,
        cutoff_length=64,
        choose="validation",
        checkpoints={"per_epoch": per_epoch},
    )
    assert settings.steps_between_checkpoints(steps) == between


def test_the_judge_runs_by_the_python_that_is_named_and_is_none_of_torchruns_processes(
    monkeypatch, tmp_path
):
    program = tmp_path / "judge.py"
    program.write_text("import json, os; print(json.dumps(dict(os.environ)))")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nBY=this exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("SQLADDER_VLLM_PYTHON", str(python))
    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")
    monkeypatch.setenv("RANK", "0")
    judge = CheckpointJudge([str(program)])
    environment = judge.about()
    judge.close()
    assert environment["BY"] == "this"
    assert not {"RANK", "TORCHELASTIC_USE_AGENT_STORE"} & environment.keys()
    monkeypatch.setenv("SQLADDER_VLLM_PYTHON", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"SQLADDER_VLLM_PYTHON=.*none is no program"):
        CheckpointJudge([str(program)])


def test_the_best_checkpoint_is_the_model_and_the_curve_is_kept(base, tmp_path):
    right = {5: 3, 10: 7, 15: 7, 20: 6}
    facts = trained(tmp_path, base, right, method="full", keep_checkpoints=True)
    found = facts["validation"]
    assert [(point["step"], point["correct"].count("1")) for point in found["points"]] == [
        *right.items()
    ]
    assert [point["epoch"] for point in found["points"]] == [0.5, 1.0, 1.5, 2.0]
    losses = dict(facts["loss_curve"])
    assert [point["loss"] for point in found["points"]] == [losses[step] for step in right]
    assert (found["chosen"], found["stopped_early"], found["databases"]) == (10, False, 3)
    assert found["groups"] == list("aabcdefghi")
    assert (facts["steps"], facts["epochs"]) == (20, 2)
    kept = tmp_path / "work/checkpoints"
    assert sorted(path.name for path in kept.iterdir()) == [
        "step_10", "step_15", "step_20", "step_5",
    ]  # fmt: skip
    assert not list(kept.rglob("optimizer*"))
    assert_equal(weights(tmp_path / "model"), weights(kept / "step_10"))
    assert not torch.equal(
        weights(tmp_path / "model")["model.embed_tokens.weight"],
        weights(kept / "step_20")["model.embed_tokens.weight"],
    )


def test_training_ends_when_patience_does(base, tmp_path):
    facts = trained(tmp_path, base, {5: 3, 10: 2}, method="full", stop_early_patience=1, epochs=8)
    assert facts["validation"]["stopped_early"]
    assert facts["validation"]["chosen"] == 5
    assert (facts["steps"], facts["epochs"]) == (10, 1.0)
    assert facts["tokens"] == pytest.approx(
        facts["validation"]["points"][-1]["epoch"] * per_epoch(tmp_path)
    )
    # Nothing is left of the checkpoints that were not chosen.
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == [
        "row_names.json", "settings.json", "train.yaml",
    ]  # fmt: skip


def per_epoch(folder):
    """Tokens of all rows, as the base's own template and tokenizer make them."""
    from sqladder.models.turns import read_turns
    from sqladder.training.pairs import lengths, token_pairs

    rows = toy_models.read_lines(folder / "train.jsonl")
    return sum(lengths(token_pairs(read_turns(folder / "model"), rows, folder / "train.jsonl")))


# As the other trainings here, with adapters.
RECIPE = toy_models.LORA | toy_models.RECIPE
JUDGED = RECIPE | {"choose": "validation", "checkpoints": {"per_epoch": 2}}


def test_adapters_of_the_best_checkpoint_are_merged(base, tmp_path):
    found = {}
    for name, right in {
        "early": {5: 3, 10: 2, 15: 1, 20: 0},
        "late": {5: 0, 10: 1, 15: 2, 20: 3},
    }.items():
        judge = judge_who_knows(tmp_path / name, right)
        own = settings_of(AnyTraining, JUDGED)
        found[name] = train_here(tmp_path / name, base, own, 40, judge)["validation"]["chosen"]
    assert found == {"early": 5, "late": 20}
    train_here(tmp_path / "last", base, settings_of(AnyTraining, RECIPE), 40)
    early, late, last = (weights(tmp_path / name / "model") for name in (*found, "last"))
    assert_equal(late, last)
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(early[name], last[name])


def test_a_judge_that_fails_is_said_before_any_step(base, tmp_path):
    asked = options(tmp_path, base, {5: 3}, method="full")
    asked["judge"][0].write_text("import sys; sys.exit('no such database')")
    done = toy_models.run("train.py", **asked)
    assert done.returncode == 1
    assert "no such database" in done.stdout
    assert "the program that judges checkpoints ended with status 1" in done.stdout
    assert "step 1/" not in done.stdout


def test_without_a_judge_nothing_starts(base, tmp_path):
    asked = toy_models.train_options(tmp_path, base, method="full", **OPTIONS)
    done = toy_models.run("train.py", **asked)
    assert (done.returncode, "needs a program that judges" in done.stdout) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "method",
    [
        toy_models.LORA | {"dropout": 0.1},
        pytest.param({"method": "full"}, marks=pytest.mark.long),
    ],
)
def test_a_killed_training_chooses_and_stops_as_an_undisturbed_one(base, tmp_path, method):
    right = {5: 3, 10: 4, 15: 4, 20: 2, 25: 9}
    others = method | {"epochs": 6, "stop_early_patience": 2}
    whole = trained(tmp_path / "whole", base, right, **others)
    killed = options(tmp_path / "killed", base, right, **others)
    kill_tree_after_a_checkpoint(toy_models.command("train.py", **killed), killed["work_folder"])
    facts = trained(tmp_path / "killed", base, right, **others)
    assert facts["resumed"]
    assert without_times(facts) == without_times(whole)
    assert_equal(weights(tmp_path / "killed/model"), weights(tmp_path / "whole/model"))


@pytest.mark.slow
def test_a_training_killed_after_its_last_checkpoint_takes_no_further_step(base, tmp_path):
    right = {5: 3, 10: 2}
    others = {"method": "full", "epochs": 6, "stop_early_patience": 1}
    whole = trained(tmp_path / "whole", base, right, **others)
    killed = options(tmp_path / "killed", base, right, **others)
    # The file in the model's place lets the training end, and its model not be written.
    killed["output"].write_text("in the way")
    assert toy_models.run("train.py", **killed).returncode == 1
    killed["output"].unlink()
    assert (killed["work_folder"] / "run/checkpoint-10").is_dir()
    facts = trained(tmp_path / "killed", base, right, **others)
    assert without_times(facts) == without_times(whole)
    assert_equal(weights(tmp_path / "killed/model"), weights(tmp_path / "whole/model"))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ddp", pytest.param("zero3", marks=pytest.mark.long)])
def test_several_processes_choose_and_stop_together(base, tmp_path, method):
    spread = {"parallelism_method": method, "parallelism_gpus": 2, "batch_size": 2}
    right = {5: 3, 10: 7, 15: 7, 20: 6}
    others = {"method": "full", "epochs": 6, "stop_early_patience": 2, **spread}
    facts = trained(tmp_path, base, right, **others)
    assert (facts["validation"]["chosen"], facts["steps"]) == (10, 20)
    assert facts["validation"]["stopped_early"]


def without_times(facts):
    """What has to be the same after a kill."""
    choice = facts["validation"]
    points = [{**point, "seconds": None} for point in choice["points"]]
    return {
        **{key: facts[key] for key in ("steps", "epochs", "tokens", "loss_curve")},
        **{key: choice[key] for key in ("chosen", "stopped_early", "groups")},
        "points": points,
    }
