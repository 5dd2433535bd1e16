"""Runs a program that generates, and kills it at a write of the work file."""

import os
import subprocess
import sys

import toy_models
from conftest import ROOT

# The moment is before the write, in the middle of it ("torn"), or behind it.
KILLED = """
import os, runpy, signal, sys
writes, moment, kind, program = int(sys.argv[1]), *sys.argv[2:5]
sys.argv[:] = sys.argv[4:]
sys.path.insert(0, os.path.dirname(program))
from sqladder.generation import work_file
add = work_file.WorkFile.add
seen = 0
def add_or_die(self, rows, seconds=0.0):
    global seen
    seen += not kind or kind in {str(key[0]) for key in rows}
    if seen == writes and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    add(self, rows, seconds)
    if seen == writes and moment == "torn":
        self._file.truncate(self._file.seek(0, os.SEEK_END) - 9)
    if seen == writes:
        os.kill(os.getpid(), signal.SIGKILL)
work_file.WorkFile.add = add_or_die
runpy.run_path(program, run_name="__main__")
"""


def run_killed(program, write, moment, kind="", **options):
    """Run a program of the workflow up to a write, counted from 1; its exit status.

    Counted are writes of one kind, by the first part of their keys ("0", "errors", "1"), or all.
    """
    command = toy_models.command(program, **options)
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(write), moment, kind, *command[1:]],
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")},
    ).returncode
