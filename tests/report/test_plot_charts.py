"""The program that draws all charts."""

import report_runs as runs
from report_runs import arguments_of, call, cpu_seconds_of_children
from sqladder.report.charts.registry import CHARTS


def test_all_charts_are_written_with_their_sizes(tmp_path):
    questions = runs.question_rows(64)
    marks = runs.random_marks(64, [0.3, 0.6], 1)
    variants = dict(zip(("baseline", "full"), marks, strict=True))
    files = runs.write_run(tmp_path, questions, variants, trained=["full"])
    done = call("plot_charts.py", *arguments_of(files), "--charts", tmp_path / "charts")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tmp_path / "charts").iterdir()} == {
        f"{chart}{kind}" for chart in CHARTS for kind in (".svg", ".png", "_narrow.svg")
    }
    assert done.stderr.count("bytes") == 3 * len(CHARTS)


def test_charts_of_ten_variants_with_long_names_take_at_most_10_seconds(tmp_path):
    questions = runs.question_rows(1034, databases=20)
    names = ["baseline", *(f"qwen3_1p7b_lora_rank_{2**n}_all_linear_layers" for n in range(9))]
    marks = runs.random_marks(1034, [0.4 + 0.02 * number for number in range(10)], 3)
    variants = dict(zip(names, marks, strict=True))
    files = runs.write_run(tmp_path, questions, variants, trained=names[1:])
    before = cpu_seconds_of_children()
    done = call("plot_charts.py", *arguments_of(files), "--charts", tmp_path / "charts")
    assert done.returncode == 0, done.stderr
    assert cpu_seconds_of_children() - before < 10
