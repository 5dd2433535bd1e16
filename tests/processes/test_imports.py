"""Programs start without what they do not use, and so in less time."""

import importlib
import json
import subprocess
import sys

import pytest

from conftest import ROOT
from sqladder.processes.imports import leaving_out

# Seconds of CPU of the start, and of each package that is imported after it.
START = """
import importlib, json, sys, time
sys.path.insert(0, sys.argv[1])
begun = time.process_time()
{start}
seconds = [time.process_time() - begun]
sys.modules.pop("sklearn", None)
for package in sys.argv[2:]:
    begun = time.process_time()
    importlib.import_module(package)
    seconds.append(time.process_time() - begun)
print(json.dumps(seconds))
"""
TRANSFORMERS = """
from sqladder.processes.imports import leave_out_sklearn
leave_out_sklearn()
from transformers import AutoModelForCausalLM, AutoTokenizer
"""
WORKER = """
import sys
from importlib.util import find_spec
sys.path.insert(0, sys.argv.pop(1))
from sqladder.training.worker_process import work
def load():
    found = [name for name in ("scipy", "sklearn", "torch") if find_spec(name)]
    return lambda job: print(*found, find_spec("scipy") is not None)
work("A process of a training.", load)
"""


@pytest.mark.parametrize(
    ("start", "packages"),
    [
        ("import write_report", ["pandas", "scipy.stats"]),
        (TRANSFORMERS, ["sklearn.metrics"]),
    ],
    ids=["write_report", "transformers"],
)
def test_a_start_would_take_a_tenth_longer_with_what_it_leaves_out(start, packages):
    program = [sys.executable, "-c", START.format(start=start), str(ROOT / "workflow/scripts")]
    done = subprocess.run([*program, *packages], capture_output=True, text=True, check=True)
    own, *others = json.loads(done.stdout)
    # What has imported by itself takes no time here.
    assert min(others) > own / 10


def test_what_a_block_leaves_out_is_found_after_it_and_what_was_there_stays():
    sys.modules.pop("colorsys", None)
    with leaving_out("colorsys", "json"):
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("colorsys")
        assert importlib.import_module("json") is json
    assert importlib.import_module("colorsys").rgb_to_hsv


def test_what_a_training_imports_finds_neither_scipy_nor_sklearn_and_later_code_finds_scipy(
    tmp_path,
):
    program = [sys.executable, "-c", WORKER, str(ROOT / "workflow/scripts")]
    done = subprocess.run([*program, str(tmp_path / "job.json")], capture_output=True, text=True)
    assert done.stdout.split() == ["torch", "True"], done.stderr
