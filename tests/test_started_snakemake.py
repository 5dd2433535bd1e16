"""The tests run Snakemake without its start (tests/started_snakemake.py): what they see is what it prints."""

import re
import subprocess
import sys

import pytest

from conftest import copy_project, run_snakemake, snakemake_environment


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("started"))


def lines(output):
    """Lines that two starts share; the order of Snakemake's sets, and so of jobs, is another in each process."""
    same = re.sub(
        r"^(  (Date|Workflow ID|Command|Run dir)|\[\w+ ).*", "", output, flags=re.MULTILINE
    )
    return sorted(sorted(re.split(r"[ ,;]+", line)) for line in same.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--dry-run", "results/lora_32r/metrics.json"], 0),
        (["--dry-run", "results/nothing.json"], 1),
    ],
)
def test_output_and_exit_code_are_those_of_the_command(project, arguments, code):
    command = subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=project,
        env=snakemake_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    done = run_snakemake(project, *arguments)
    assert done.returncode == command.returncode == code
    assert lines(done.stdout) == lines(command.stdout)


def test_each_has_folder_environment_and_modules_of_its_own(project, tmp_path):
    other = copy_project(tmp_path)
    with (other / "workflow/scripts/sqladder/experiment/config.py").open("a") as module:
        module.write("\nraise SystemExit('edited ' + os.environ['NAME'])\n")
    run_snakemake(project, "-n")
    done = run_snakemake(other, "-n", NAME="here")
    assert "edited here" in done.stdout
    assert run_snakemake(project, "-n").returncode == 0
