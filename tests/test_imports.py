"""Programs start without what they do not use."""

import subprocess
import sys

from conftest import ROOT

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from sqladder.imports import leave_out_sklearn
leave_out_sklearn()
from transformers import AutoModelForCausalLM, AutoTokenizer
print([name for name in ("sklearn.base", "pandas", "scipy.stats") if name in sys.modules])
"""


def test_transformers_starts_without_scikit_learn():
    command = [sys.executable, "-c", PROGRAM, str(ROOT / "workflow/scripts")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
