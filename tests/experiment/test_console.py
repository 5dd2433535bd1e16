"""What a job's inputs look like on the console."""

import logging
from pathlib import Path

from sqladder.experiment.console import ShortInputs

PACKAGE = Path("workflow/scripts/sqladder")


def printed(inputs):
    record = logging.LogRecord("snakemake", logging.INFO, __file__, 1, None, None, None)
    record.input = inputs
    assert ShortInputs(PACKAGE).filter(record)
    return record.input


def test_modules_are_counted_and_other_inputs_are_named():
    inputs = [f"{PACKAGE}/a.py", "data.jsonl", f"{PACKAGE}/report/b.py", "workflow/scripts/x.py"]
    before = list(inputs)
    assert printed(inputs) == ["data.jsonl", "workflow/scripts/x.py", f"{PACKAGE}/ (2 files)"]
    assert inputs == before


def test_inputs_without_modules_stay_as_they_are():
    assert printed(["a", "b"]) == ["a", "b"]
    assert printed([]) == []


def test_a_record_without_inputs_passes():
    record = logging.LogRecord("snakemake", logging.INFO, __file__, 1, "text", None, None)
    assert ShortInputs(PACKAGE).filter(record)
    assert not hasattr(record, "input")
