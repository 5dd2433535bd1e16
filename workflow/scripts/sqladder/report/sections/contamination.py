"""Accuracy on the test's clean and suspect questions, where decontamination marked them."""

from pathlib import Path

import numpy as np

from sqladder.errors import InputError
from sqladder.files import by_id, read_jsonl
from sqladder.report.results import Run
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.tables import group_table

MARKS = ("clean", "suspect")


def section(inputs: ReportInputs) -> str:
    """The section in Markdown, "" where no question is suspect: the head says so then."""
    return clean_and_suspect(inputs.comparison.run, inputs.marks) if inputs.marks else ""


def clean_and_suspect(run: Run, path: Path) -> str:
    """The section from the marks of the test's questions, "" where none is suspect.

    Args:
        run: the scored run.
        path: JSON Lines of id and mark.

    Raises:
        InputError: a scored question has no mark.
    """
    marks = by_id(read_jsonl(path, {"id": str, "mark": str}), path)
    missing = [question["id"] for question in run.questions if question["id"] not in marks]
    if missing:
        raise InputError(f"{path} lacks {len(missing)} of {run.n} questions, first {missing[0]!r}")
    found = np.array([marks[question["id"]]["mark"] for question in run.questions], dtype=str)
    if "suspect" not in found:
        return ""
    groups = {mark: found == mark for mark in MARKS}
    return f"""## Accuracy on clean and suspect questions

{group_table(run, groups, "questions")}

A question is suspect when a training row is like it; decontamination.md beside this report names the rules, and shows
rows. A variant that is better on suspect questions only may have learnt answers by heart."""
