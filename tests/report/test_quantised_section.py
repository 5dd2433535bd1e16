"""What smaller numbers cost: paired with the variant that they were made from."""

import json

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.costs import training_table
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.texts.numbers import p_value

QUESTIONS = runs.question_rows(20)
NAMES = ["full/seed_1", "full/seed_2", "small/seed_1", "small/seed_2"]


def quantized_run(folder):
    """A variant with 12 of 20 right answers in two seeds, and its model in eight bits with 10 of them and another."""
    whole = [number < 12 for number in range(20)]
    small = [number < 10 or number == 19 for number in range(20)]
    marks = dict(zip(NAMES, [whole, whole, small, small], strict=True))
    files = runs.write_run(folder, QUESTIONS, marks, trained=NAMES, generated=NAMES)
    for path in files["training"]:
        if path.parent.parent.name == "small":
            owner = f"full/{path.parent.name}"
            smaller = {"kind": "q8_0", "bytes": 27_000_000, "bytes_before": 50_000_000}
            training = json.loads(path.read_text())
            runs.write_value(path, {**training, "model_of": owner, "quantized": smaller})
    path = folder / "results/small/seed_1/predictions.jsonl"
    first, *others = path.read_text().splitlines()
    path.write_text("\n".join([first.replace("SELECT", "SELECT DISTINCT"), *others]) + "\n")
    return load_run(**files)


def test_a_quantized_variant_stands_beside_the_one_it_was_made_from(tmp_path):
    comparison = compare(quantized_run(tmp_path))
    facts = runs.run_facts()
    small = {"method": "quantized", "model_of": "full", "quantize": "q8_0"}
    variants = {**facts["config"]["variants"], "small": small}
    facts = {**facts, "config": {**facts["config"], "variants": variants}}
    text = render(ReportInputs(comparison, facts, "T", "charts"))
    row = text.split("## Smaller numbers")[1].splitlines()[4]
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[9] == p_value(comparison.pair("small", "full").p_alone)
    assert cells[:5] == ["small", "full", "q8_0", "27.0 MB", "54%"]
    assert cells[5:7] == ["0.550", "−5.0"]
    assert cells[8] == "1 : 2"
    # One of 40 answers is another text.
    assert cells[10] == "98%"
    (line,) = [own for own in training_table(comparison.run, {}).splitlines() if "small" in own][:1]
    assert "model of full/seed_1, q8_0" in line


def test_a_run_without_quantized_variants_has_no_such_section(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, {"full": [True] * 20})
    text = render(ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts"))
    assert "Smaller numbers" not in text
