"""Every command that the README shows is planned, run or looked up, so that none can rot."""

import re
import shlex
import subprocess

import pytest

from conftest import ROOT, copy_project, run_snakemake
from sqladder.cli import parse_arguments

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(?:bash|sh)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("  #")[0].strip()
    for block in BLOCKS
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#")
]


def commands(program: str) -> list[str]:
    return [command for command in COMMANDS if re.search(rf"(^|\s){program}(\s|$)", command)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("readme"))


def planned_commands():
    """All but --report, which needs a finished run: tests/experiment/test_workflow.py has one."""
    return [command for command in commands("snakemake") if "--report" not in command]


@pytest.mark.parametrize("command", planned_commands())
def test_a_snakemake_command_of_the_readme_can_be_planned(project, command, request):
    if "spider-local" in command:
        request.getfixturevalue("spider")
    words = shlex.split(command)
    arguments = words[words.index("snakemake") + 1 :]
    done = run_snakemake(project, *arguments, *([] if "--lint" in arguments else ["-n"]))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("command", commands("make"))
def test_a_make_target_of_the_readme_exists(command):
    done = subprocess.run([*shlex.split(command), "-n"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_readme_shows_the_commands_that_the_project_is_used_by():
    for expected in (
        "make report",
        "make test",
        "snakemake --cores 4 results/report.md",
        "snakemake --cores 4 results/lora_32r/metrics.json",
        "snakemake -n",
    ):
        assert expected in COMMANDS


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)", README))))
def test_a_link_of_the_readme_leads_somewhere(path):
    # results/ is there after a run only.
    assert path.startswith("results/") or (ROOT / path).exists()


@pytest.mark.parametrize("command", commands("sqladder"))
def test_a_sqladder_command_of_the_readme_is_known(command):
    words = shlex.split(command)
    assert parse_arguments(words[words.index("sqladder") + 1 :]).command
