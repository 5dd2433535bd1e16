"""Candidates that are compared on their way: who goes on, and that whoever does ends as if nobody had looked."""

import json

import pytest
from test_checkpoint_choice import assert_equal, options, trained, weights
from test_resume import kill_tree_after_a_checkpoint

import toy_models
from sqladder.errors import InputError
from sqladder.training.rung_choice import choose_rung
from sqladder.training.rungs import facts_at, rung_step, share_trained

# 40 rows by 4 are 10 steps an epoch: 60, of which each fifth is judged.
RIGHT = {step: 3 + (step == 15) for step in range(5, 61, 5)}
RUNGS = {"method": "lora", **toy_models.LORA, "dropout": 0.1, "epochs": 6, "made_by": "code"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


@pytest.mark.parametrize(
    ("steps", "between", "share", "end"),
    [
        (90, 10, 1 / 9, 10),
        (90, 10, 1 / 3, 30),
        (90, 10, 0.34, 40),
        (95, 10, 1.0, 95),
        (9, 20, 0.1, 9),
    ],
)
def test_a_rung_ends_at_the_first_checkpoint_with_its_share(steps, between, share, end):
    assert rung_step(steps, between, share) == end


def facts_of(*right):
    """The facts of a training of 40 steps with a checkpoint each tenth, as far as it was taken."""
    points = [
        {"step": 10 * place, "correct": "1" * n + "0" * (4 - n)} for place, n in enumerate(right, 1)
    ]
    validation = {"groups": list("abcd"), "points": points, "chosen": 10}
    return {"planned_steps": 40, "checkpoint_steps": 10, "validation": validation}


def test_what_was_trained_further_is_judged_as_it_was_at_the_rung():
    far = facts_of(1, 3, 2, 4)
    half = facts_at(far, 0.5)["validation"]
    assert ([point["step"] for point in half["points"]], half["chosen"]) == ([10, 20], 20)
    assert facts_at(far, 1.0)["validation"]["chosen"] == 40
    assert facts_at(facts_of(1, 3), 0.75) is None


def test_a_stopped_one_is_told_as_far_as_it_came_which_is_to_a_checkpoint():
    assert share_trained(facts_at(facts_of(1, 3, 2, 4), 0.3)) == 0.5


def write_candidates(folder, facts):
    paths = [folder / name / "rung_1.json" for name in facts]
    for path, own in zip(paths, facts.values(), strict=True):
        path.parent.mkdir()
        path.write_text(json.dumps(own))
    return paths


def test_the_better_part_goes_on_and_of_equal_ones_the_first(tmp_path):
    paths = write_candidates(
        tmp_path,
        {
            "low": facts_of(1),
            # Its best checkpoint counts, not its last.
            "best": facts_of(3, 0),
            "equal": facts_of(2),
            "later": facts_of(2),
            "gone": {**facts_of(4), "stopped": 0.1},
            "never": {"left_out": "no hours"},
        },
    )
    choice = choose_rung(paths, 2, 0.5)
    assert choice["go_on"] == [str(tmp_path / "best"), str(tmp_path / "equal")]
    assert choice["after"] == 0.5
    assert list(choice["right"].values()) == [1, 3, 2, 2]


def test_candidates_of_different_questions_are_not_compared(tmp_path):
    other = facts_of(1)
    other["validation"]["groups"] = ["x"]
    with pytest.raises(InputError, match="different validation questions"):
        choose_rung(write_candidates(tmp_path, {"one": facts_of(1), "two": other}), 1, 0.5)


def rung(folder, base, number, until, go_on=(), **others):
    """Train a candidate for a rung; its facts."""
    before = {}
    if number > 1:
        choice = folder / "choice.json"
        choice.write_text(json.dumps({"after": 0.2, "go_on": list(map(str, go_on))}))
        before = {"choice": choice, "before": folder / f"rung_{number - 1}.json"}
    facts = folder / f"rung_{number}.json"
    own = {**RUNGS, **before, "until": until, "facts": facts, **others}
    done = toy_models.run("train.py", **options(folder, base, RIGHT, **own))
    assert done.returncode == 0, done.stdout
    return json.loads(facts.read_text()), done.stdout


@pytest.mark.slow
def test_a_training_in_rungs_ends_as_one_at_once_and_takes_no_step_twice(base, tmp_path):
    at_once = {key: value for key, value in RUNGS.items() if key != "made_by"}
    whole = trained(tmp_path / "whole", base, RIGHT, **at_once)
    folder = tmp_path / "rungs"
    # Killed on its way, too.
    killed = options(folder, base, RIGHT, **RUNGS, until=0.4, facts=folder / "rung_1.json")
    kill_tree_after_a_checkpoint(toy_models.command("train.py", **killed), killed["work_folder"])
    first, _ = rung(folder, base, 1, 0.4)
    assert [point["step"] for point in first["validation"]["points"]] == [5, 10, 15, 20, 25]
    assert not (folder / "model").exists()
    last, _ = rung(folder, base, 2, 1.0, [folder])
    assert last["loss_curve"] == whole["loss_curve"]
    marks = [
        [(point["step"], point["correct"], point["loss"]) for point in own["validation"]["points"]]
        for own in (last, whole)
    ]
    assert marks[0] == marks[1]
    assert_equal(weights(folder / "model"), weights(tmp_path / "whole/model"))
    # Asked again, for a rung of another length too, it trains nothing.
    again, said = rung(folder, base, 1, 0.2)
    assert "trained as far before" in said
    assert [point["step"] for point in again["validation"]["points"]] == [5, 10, 15]
    # Who does not go on has no model, and keeps what it had.
    stopped, _ = rung(folder, base, 2, 1.0, [])
    assert (stopped["stopped"], stopped["validation"]) == (0.25, again["validation"])
    assert not list((folder / "model").glob("*.safetensors"))
    # Nor does it lose anything by that.
    _, said = rung(folder, base, 2, 1.0, [folder])
    assert "trained as far before" in said
    assert_equal(weights(folder / "model"), weights(tmp_path / "whole/model"))
