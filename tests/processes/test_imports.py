"""Programs start without what they do not use."""

import subprocess
import sys

import pytest

from conftest import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from sqladder.processes.imports import leave_out_sklearn
leave_out_sklearn()
from transformers import AutoModelForCausalLM, AutoTokenizer
print([name for name in ("sklearn.base", "pandas", "scipy.stats") if name in sys.modules])
"""


REPORT = """
import sys
sys.path.insert(0, sys.argv[1])
import {program}
print([name for name in ("scipy.stats", "scipy.optimize", "pandas") if name in sys.modules])
"""


@pytest.mark.parametrize("program", ("write_report", "plot_charts"))
def test_the_report_starts_without_what_takes_a_second_to_import(program):
    command = [sys.executable, "-c", REPORT.format(program=program), str(ROOT / "workflow/scripts")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_transformers_starts_without_scikit_learn():
    command = [sys.executable, "-c", PROGRAM, str(ROOT / "workflow/scripts")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
