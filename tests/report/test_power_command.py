"""`sqladder power`: its numbers are found again by simulation, and a pilot run tells what guesses would."""

import numpy as np
import pytest

import report_runs as runs
from sqladder.cli import parse_arguments
from sqladder.errors import InputError
from sqladder.report.power_command import Plan, _needed
from sqladder.statistics.paired import sign_flip_p


def power(*arguments):
    args = parse_arguments(["power", *map(str, arguments)])
    return args.command.run(args)


def table(text):
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {line[0]: line[1:] for line in lines[1:]}


def test_the_questions_it_names_find_the_difference_in_80_percent():
    n = _needed(Plan(0.25, 1, 0.01, ""), 1, 2, 5, 0.05)
    rng = np.random.default_rng(3)
    draws = rng.multinomial(n, [0.15, 0.10, 0.75], size=1500)
    found = [sign_flip_p(np.repeat([1, -1], [win, loss])) < 0.05 for win, loss, _ in draws]
    assert np.mean(found) == pytest.approx(0.8, abs=0.035)


def test_wordings_of_one_query_need_more_questions_and_a_scatter_of_seeds_more_seeds(capsys):
    power("--design-effect", 1, "--seed-sd", 1)
    alone = table(capsys.readouterr().out)
    power("--design-effect", 1.5, "--seed-sd", 1)
    grouped = table(capsys.readouterr().out)
    few, many = (int(cells["1"][2].replace(",", "")) for cells in (alone, grouped))
    assert many / few == pytest.approx(1.5, rel=0.02)
    # With seeds that scatter by a point, three of each never tell 2 points, however many questions there are.
    assert alone["3"][:2] == ["never", "never"]
    assert "never" not in alone["10"][1:]


def test_a_pilot_tells_disagreement_groups_and_seeds(tmp_path, capsys):
    questions = [{**row, "group": f"g{n // 2}"} for n, row in enumerate(runs.question_rows(200))]
    single = [n % 2 == 0 for n in range(100)]
    marks = {"one": [True] * 200, "two": np.repeat(single, 2).tolist(), "three": [True] * 200}
    runs.write_run(tmp_path, questions, marks)
    power("--pilot", tmp_path, "--variants", "one", "two", "--seed-sd", "0.5")
    told = capsys.readouterr().out
    assert "one and two disagree on 50.0 % of 200 questions in 100 groups" in told
    assert "seeds scatter by 0.5 points, a guess" in told
    power("--disagreement", 50, "--design-effect", 2, "--seed-sd", "0.5")
    assert table(told) == table(capsys.readouterr().out)
    with pytest.raises(InputError, match="one and three are right on the same questions"):
        power("--pilot", tmp_path, "--variants", "one", "three")
    with pytest.raises(InputError, match="has no variant 'four': it has one, three, two"):
        power("--pilot", tmp_path, "--variants", "one", "four")


def test_the_seeds_of_all_trainings_of_a_pilot_tell_how_far_seeds_scatter(tmp_path, capsys):
    """Those of the two alone would say 10 / 2 ** 0.5 points; ways to ask one model count once."""
    right = {"one": (50, 60), "two": (50, 60), "three": (50, 50), "votes": (50, 50)}
    marks = {
        f"{name}/seed_{seed}": [n < right for n in range(100)]
        for name, numbers in right.items()
        for seed, right in enumerate(numbers)
    }
    marks["two/seed_1"] = marks["two/seed_1"][::-1]
    runs.write_run(tmp_path, runs.question_rows(100), marks)
    for seed in (0, 1):
        asked = {"model": f"three/seed_{seed}"}
        runs.write_value(tmp_path / f"results/votes/seed_{seed}/generation.json", asked)
    power("--pilot", tmp_path, "--variants", "one", "two")
    points = 10 * (2 / 3) ** 0.5 / 2**0.5
    assert f"seeds scatter by {points:.1f} points, as in the pilot" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flag", "value"),
    [("disagreement", 0), ("design-effect", 0.5), ("seed-sd", -1), ("difference", 0), ("comparisons", 0)],
)  # fmt: skip
def test_numbers_out_of_range_are_refused(flag, value):
    with pytest.raises(InputError, match=f"--{flag} is {value}"):
        power(f"--{flag}", value)


def test_the_seeds_of_more_variants_tell_better_how_far_seeds_scatter(capsys):
    """With 45 comparisons, those of ten variants, the seeds of two alone would never tell what those of all do."""
    plan = Plan(0.25, 1, 0.01, "")
    alone, together = (_needed(plan, 3, variants, 5, 0.05 / 45) for variants in (2, 10))
    assert alone is None
    power("--comparisons", 45, "--difference", 5, "--design-effect", 1)
    assert table(capsys.readouterr().out)["3"][-1] == f"{together:,}"
