"""The simulation of false claims and coverage: its short form holds, and it sees what ignores groups."""

import json
import runpy
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from sqladder.report.comparison import compare
from sqladder.statistics.groups import Groups

PROGRAM = ROOT / "benchmarks" / "claims.py"


@pytest.fixture(scope="module")
def claims():
    return runpy.run_path(str(PROGRAM))


def test_the_short_form_stays_within_its_limits():
    done = subprocess.run(
        [sys.executable, PROGRAM, "--short"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n| 45 |") == 12
    assert done.stdout.count("\n| 200 |") == 19


def test_a_run_goes_on_from_what_it_kept_and_ends_alike(tmp_path, claims):
    """The second run draws nothing: its counts are those of the file, which other code would not take."""
    kept = tmp_path / "kept.jsonl"
    command = [sys.executable, PROGRAM, "--runs", "2", "--questions", "45", "--keep", kept]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)
    )
    tables = [done.stdout.split("\n±")[0] for done in (first, second)]
    assert tables[0] == tables[1]
    assert first.returncode == second.returncode
    assert tables[0].count("\n| 45 |") == len(kept.read_text().splitlines()) == 17
    assert "kept" not in first.stderr
    assert "false_claims: 8 conditions kept" in second.stderr
    assert " of 8 conditions" not in second.stderr
    (row, *_) = map(json.loads, kept.open())
    name, code = row["condition"].split(") ")
    assert claims["KeptCounts"](kept, code).get(f"{name})") == row["found"]
    assert claims["KeptCounts"](kept, "other").get(f"{name})") is None


def test_runs_have_the_structure_of_spider(claims):
    rng = np.random.default_rng(1)
    run = claims["draw"](claims["Cell"](972, (0.5, 0.5), 1, 1), rng, False, False).run
    assert run.n == 972
    assert len(run.groups.sizes) == pytest.approx(520, abs=15)
    assert len(run.database_groups.sizes) == pytest.approx(19, abs=1)
    pairs = run.groups.sizes == 2
    sums = run.groups.sums(run.variants[0].correct[0])[pairs]
    apart = np.mean(sums == 1)
    assert 1 - apart / (2 * 0.5 * 0.5) == pytest.approx(0.73, abs=0.12)


def test_questions_taken_for_independent_claim_too_often(claims):
    """What the simulation is for: the same runs without their groups break the limit."""
    cell, rng = claims["Cell"](400, (0.5, 0.5), 1, 1), np.random.default_rng(2)
    grouped = independent = 0
    for _ in range(500):
        run = claims["draw"](cell, rng, True, False).run
        grouped += compare(run).pairs[0].significant
        run.__dict__["groups"] = Groups.single(run.n)
        independent += compare(run).pairs[0].significant
    assert grouped / 500 <= 0.065 < independent / 500


def test_a_limit_is_broken_where_chance_does_not_explain_it(claims):
    cell = claims["Cell"](200, (0.5, 0.5), 1, 2000)
    assert claims["broken_claims"](cell, {"best": 0.063}) == []
    assert len(claims["broken_claims"](cell, {"best": 0.067, "any pair": 0.05})) == 1
    new, same = "accuracy, new databases", "accuracy, same databases"
    within = {new: 0.976, same: 0.92}
    assert claims["broken_coverage"](cell, within) == []
    assert len(claims["broken_coverage"](cell, {new: 0.979, same: 0.915})) == 2
    few = cell._replace(n=45)
    assert len(claims["broken_coverage"](few, {new: 0.979, same: 0.979})) == 1
    lone = cell._replace(lone=True)
    wide = {"difference, same databases": 0.985, same: 0.985}
    assert len(claims["broken_coverage"](lone, wide)) == 1


def test_the_last_variant_may_have_a_single_seed(claims):
    cell = claims["Cell"](45, (0.5, 0.5, 0.5), 3, 1, lone=True)
    run = claims["draw"](cell, np.random.default_rng(1), True, False).run
    assert [len(variant.seeds) for variant in run.variants] == [3, 3, 1]
    assert run.variants[-1].single_seed_varies


@pytest.mark.parametrize(("scatter", "spread"), [("", 1.5), ("wide", 3.0), ("odd", 4.0)])
def test_seeds_scatter_as_far_as_a_condition_says(claims, scatter, spread):
    """Of the last variant, beside what single answers scatter by, in points of accuracy."""
    cell = claims["Cell"](2000, (0.5, 0.5), 40, 1, scatter=scatter)
    run = claims["draw"](cell, np.random.default_rng(3), True, False).run
    means = run.variants[-1].correct.mean(axis=1)
    assert 100 * means.std(ddof=1) == pytest.approx((spread**2 + 0.6**2) ** 0.5, rel=0.25)


def test_ways_to_ask_one_model_share_its_seed(claims):
    cell = claims["Cell"](2000, (0.5, 0.5), 20, 1, scatter="wide", one_model=True)
    run = claims["draw"](cell, np.random.default_rng(4), True, False).run
    first, second = (variant.correct.mean(axis=1) for variant in run.variants)
    assert np.corrcoef(first, second)[0, 1] > 0.9
    assert run.models_of(run.variants[0]) == run.models_of(run.variants[1])
