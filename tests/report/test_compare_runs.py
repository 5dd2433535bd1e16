"""The command that compares two runs."""

import os
import subprocess
import sys

import pytest
from scipy.stats import binomtest

import report_runs as runs

FURTHER = "for further questions on the same databases"


def compare(*arguments):
    command = [sys.executable, "-m", "sqladder.cli", "compare", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(runs.SCRIPTS)}
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def write(folder, **variants):
    questions = runs.question_rows(60)
    for name, marks in variants.items():
        rows = runs.verdict_rows(questions, marks)
        runs.write_lines(folder / "results" / name / "verdicts.jsonl", rows)
    return folder


def test_changes_are_counted_tested_and_named(tmp_path):
    before = [False] * 20 + [True] * 40
    clear = [True] * 12 + [False] * 8 + [False] * 2 + [True] * 38
    noise = [True] * 3 + [False] * 17 + [False] * 2 + [True] * 38
    old = write(tmp_path / "old", clear=before, noise=before, gone=before)
    new = write(tmp_path / "new", clear=clear, noise=noise, added=clear)
    done = compare(old, new)
    assert (done.returncode, done.stderr) == (0, "")
    # Holm: the smaller of two p-values counts twice.
    p = 2 * binomtest(12, 14).pvalue
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"only in {old}: gone", f"only in {new}: added"]
    assert (
        f"clear: 0.667 -> 0.833 of 60 questions, 12 fixed, 2 broken, p = {p:.2g} {FURTHER}: significant"
        in lines
    )
    assert (
        f"noise: 0.667 -> 0.683 of 60 questions, 3 fixed, 2 broken, p = 1 {FURTHER}: not significant"
        in lines
    )
    assert "  broken  q0020  db_0, medium: correct -> wrong_result" in lines
    assert sum(line.startswith("  fixed  q") for line in lines) == 10 + 3
    assert "  fixed  and 2 more; --show 12 names them all" in lines
    assert compare(old, new, "--show", 12).stdout.count("fixed  q") == 12 + 3


def test_changes_that_come_of_failing_gold_are_told_apart(tmp_path):
    old = write(tmp_path / "old", one=[True] * 40 + [False] * 18 + ["gold_error"] * 2)
    new = write(tmp_path / "new", one=["gold_error"] * 12 + [True] * 48)
    said = compare(old, new).stdout
    assert (
        "2 of these changes are no matter of the models: gold failed on them in the old run, q0058 first"
        in said
    )
    assert (
        "12 of these changes are no matter of the models: gold failed on them in the new run, q0000 first"
        in said
    )
    assert "no matter of the models" not in compare(old, old).stdout


def test_verdicts_that_lack_what_is_compared_are_refused_by_their_line(tmp_path):
    old = write(tmp_path / "old", one=[True] * 60)
    runs.write_lines(tmp_path / "new/one/verdicts.jsonl", [{"id": "q0000", "db_id": "db_0"}])
    done = compare(old, tmp_path / "new")
    assert done.returncode == 1
    assert "verdicts.jsonl line 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_runs_that_were_scored_with_other_quirks_are_told_apart(tmp_path):
    questions, marks = runs.question_rows(20), {"one": [True] * 20}
    for name in ("official", "repaired"):
        runs.write_run(tmp_path / name, questions, marks, quirks=name)
    done = compare(tmp_path / "official", tmp_path / "repaired")
    assert "other quirks of the official evaluator, official -> repaired" in done.stdout
    assert "quirks" not in compare(tmp_path / "official", tmp_path / "official").stdout


def test_seeds_are_compared_as_seeds(tmp_path):
    """Each of the new seeds alone would be significant; together they vary too much."""
    before = [False] * 30 + [True] * 30
    old = write(tmp_path / "old", one=before)
    seeds = {"one/seed_1": [False] * 18 + [True] * 42, "one/seed_2": [True] * 60}
    new = write(tmp_path / "new", **seeds)
    done = compare(old, new)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith(
        "one: 0.500 -> 0.850 of 60 questions (1 and 2 seeds), 30 fixed, 0 broken"
    )
    assert lines[0].endswith("not significant")
    assert "  fixed  q0000  db_0, easy: wrong_result -> 1 of 2 seeds right" in lines


@pytest.mark.parametrize(("steps", "found"), [(400, "not significant"), (None, "significant")])
def test_a_variant_that_was_trained_once_is_taken_to_vary_as_the_seeds_do(tmp_path, steps, found):
    old = write(tmp_path / "old", one=[False] * 20 + [True] * 40)
    if steps:
        (old / "results/one/train.json").write_text(f'{{"steps": {steps}}}')
    seeds = {f"one/seed_{n}": [False] * n + [True] * (60 - n) for n in (0, 4, 8, 12)}
    done = compare(old, write(tmp_path / "new", **seeds))
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].endswith(f": {found}")


@pytest.mark.parametrize("steps", (400, None))
def test_two_models_trained_once_are_compared_as_models(tmp_path, steps):
    runs = [
        write(tmp_path / "old", one=[False] * 60),
        write(tmp_path / "new", one=[False] * 20 + [True] * 40),
    ]
    if steps:
        for run in runs:
            (run / "results/one/train.json").write_text(f'{{"steps": {steps}}}')
    line = compare(*runs).stdout.splitlines()[0]
    told = f"{FURTHER}: significant for the models of these runs, trained with one seed; another seed may turn it"
    assert line.endswith(told) == bool(steps)


def shares(*right):
    """Marks of which so many of 60 are right, by seed of a variant."""
    return {seed: [False] * (60 - n) + [True] * n for seed, n in enumerate(right)}


def several(folder, training=None, **variants):
    """A run of variants with several seeds: of each the right answers of every seed."""
    marks = {
        f"{name}/seed_{seed}": own
        for name, right in variants.items()
        for seed, own in shares(*right).items()
    }
    write(folder, **marks)
    for name in marks if training else ():
        runs.write_value(folder / "results" / name / "train.json", training)
    return folder


def test_the_seeds_of_all_variants_of_both_runs_tell_how_far_seeds_scatter(tmp_path):
    """Two pairs of seeds alone tell nothing of a difference that eight variants make clear."""
    alone = [several(tmp_path / "a", one=(18, 24)), several(tmp_path / "b", one=(36, 42))]
    others = {"two": (28, 31), "three": (40, 43), "four": (22, 25)}
    old = several(tmp_path / "old", one=(18, 24), **others)
    new = several(tmp_path / "new", one=(36, 42), **others)
    lines = compare(*alone).stdout.splitlines()
    assert lines[1].startswith("  how far seeds scatter is told by these seeds alone, as fewer")
    assert lines[0].endswith("not significant")
    lines = compare(old, new).stdout.splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith("one: "))
    assert (
        lines[place + 1] == "  how far seeds scatter is told by those of all variants of both runs"
    )
    assert lines[place].endswith("databases: significant")


def test_other_answers_of_the_same_trainings_are_compared_seed_by_seed(tmp_path):
    """The models are 25 points apart, and each was asked better by as much: only that counts."""
    facts = {"steps": 400, "seconds": 71.3}
    old = several(tmp_path / "old", facts, one=(15, 30, 45))
    new = several(tmp_path / "new", facts, one=(23, 38, 53))
    other = several(tmp_path / "other", {**facts, "seconds": 70.9}, one=(23, 38, 53))
    lines = compare(old, new).stdout.splitlines()
    assert lines[1] == "  both runs asked the same trainings, which are compared seed by seed"
    assert lines[0].endswith("databases: significant")
    assert compare(old, other).stdout.splitlines()[0].endswith("not significant")


@pytest.mark.parametrize("beside", ["train.json", "generation.json"])
def test_a_variant_that_asks_a_model_trained_once_is_one_of_models(tmp_path, beside):
    asks = {"train.json": {"model_of": "full"}, "generation.json": {"model": "full"}}
    before, after = [False] * 60, [False] * 20 + [True] * 40
    old, new = (
        write(tmp_path / name, full=[True] * 60, votes=marks)
        for name, marks in (("old", before), ("new", after))
    )
    for run in (old, new):
        runs.write_value(run / "results/full/train.json", {"steps": 400})
        runs.write_value(run / "results/votes" / beside, asks[beside])
    (line,) = [own for own in compare(old, new).stdout.splitlines() if own.startswith("votes: ")]
    assert line.endswith("trained with one seed; another seed may turn it")


def test_what_another_run_left_beside_the_seeds_is_refused(tmp_path):
    new = write(tmp_path / "new", **{"one/seed_1": [True] * 60, "one": [True] * 60})
    done = compare(new, new)
    assert done.returncode == 1
    assert "variant 'one' has verdicts of one seed and of several" in done.stderr


def test_a_run_is_no_different_from_itself(tmp_path):
    run = write(tmp_path / "run", one=[True, False] * 30)
    done = compare(run, run / "results")
    assert done.stdout == (
        f"one: 0.500 -> 0.500 of 60 questions, 0 fixed, 0 broken, p = 1 {FURTHER}: not significant\n"
    )


def test_questions_of_one_run_only_are_left_out_and_counted(tmp_path):
    old, new = (write(tmp_path / name, one=[True] * 60) for name in ("old", "new"))
    path = new / "results/one/verdicts.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:50]))
    done = compare(old, new)
    assert "of 50 questions" in done.stdout
    assert "  10 questions are in one of the runs only and are left out" in done.stdout


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("empty", "has no results/<variant>/verdicts.jsonl: name the folder of a finished run"),
        ("two", "the runs share no variant"),
        ("three", "variant 'one' has no question in both runs: ids differ"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(tmp_path, other, message):
    run = write(tmp_path / "run", one=[True] * 60)
    write(tmp_path / "two", another=[True] * 60)
    moved = [{**row, "id": f"x{row['id']}"} for row in runs.question_rows(60)]
    rows = runs.verdict_rows(moved, [True] * 60)
    runs.write_lines(tmp_path / "three/results/one/verdicts.jsonl", rows)
    done = compare(run, tmp_path / other)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
