"""Learning curves in the report: read from files, told in a table and a sentence, drawn."""

import json
from dataclasses import replace

import numpy as np
import pytest

import report_runs as runs
from sqladder.errors import InputError
from sqladder.report.charts import learning_curve_chart
from sqladder.report.comparison import compare
from sqladder.report.curve_files import read_curves
from sqladder.report.loading import load_run
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.rows_needed import twice_the_rows


def written(folder, errors, rows=(100, 300, 1000), n=600, draws=2, variant="full"):
    random = np.random.default_rng(3)
    hard = random.random(n)
    sizes = [
        {
            "share": size / rows[-1],
            "rows": size,
            "draws": [
                {
                    "seed": seed,
                    "correct": "".join(
                        "01"[own] for own in (hard + random.normal(0, 0.02, n) >= error).astype(int)
                    ),
                    "device_hours": 0.5,
                }
                for seed in range(draws)
            ],
        }
        for size, error in zip(rows, errors, strict=True)
    ]
    path = folder / "learning_curve.json"
    content = {"variant": variant, "groups": list(range(n)), "sizes": sizes}
    path.write_text(json.dumps(content))
    return path


LAW = [2.0 * size**-0.3 for size in (100, 300, 1000)]


def test_a_curve_that_carries_a_law_says_what_twice_the_rows_would_bring(tmp_path):
    curve = read_curves([written(tmp_path, LAW)])["full"]
    said = twice_the_rows(curve)
    assert said.startswith("Twice the rows, 2,000 instead of 1,000, would bring +")
    assert "600 questions and 2 draws of the rows" in said
    assert curve.hours == [1.0, 1.0, 1.0]


def test_one_draw_says_that_another_is_not_in_the_interval(tmp_path):
    said = twice_the_rows(read_curves([written(tmp_path, LAW, draws=1)])["full"])
    assert "how much another draw of the rows would change is not in it" in said


def test_a_flat_curve_says_why_nothing_can_be_said(tmp_path):
    said = twice_the_rows(read_curves([written(tmp_path, [0.4, 0.4, 0.4])])["full"])
    assert said.startswith("What twice the rows would bring cannot be said: it is not known")


def test_samples_that_do_not_grow_are_refused(tmp_path):
    path = written(tmp_path, LAW, rows=(100, 100, 1000))
    with pytest.raises(InputError, match="100, 100, 1000 rows"):
        read_curves([path])


def test_a_run_of_more_variants_than_are_drawn_has_the_curve_of_each(tmp_path):
    names = [f"v{number:02}" for number in range(15)]
    marks = {name: [number < 12 for number in range(20)] for name in names}
    files = runs.write_run(tmp_path, runs.question_rows(20), marks, trained=names)
    curve = read_curves([written(tmp_path, LAW, variant="v14")])
    own = compare(replace(load_run(**files, baseline="v00"), learning_curves=curve))
    (axes,) = learning_curve_chart.draw(own, 8.0).axes
    # The law is drawn on to twice the rows.
    assert axes.get_lines()[-1].get_xdata()[-1] == pytest.approx(2000)
    text = render(ReportInputs(own, runs.run_facts(), "T", "charts"))
    assert "### Rows of v14" in text
    assert "| 1,000 | 0." in text
