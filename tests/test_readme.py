"""Every command that README and docs show is planned, run or looked up, so that none can rot."""

import re
import shlex
import subprocess

import pytest

from conftest import ROOT, copy_project, run_snakemake
from sqladder.cli import parse_arguments

README = (ROOT / "README.md").read_text()
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "config/README.md",
    ROOT / "CONTRIBUTING.md",
]


def shown(text: str) -> list[str]:
    """The commands of a page's blocks, one a line, without comments."""
    blocks = re.findall(r"```(?:bash|sh)\n(.*?)```", text, re.DOTALL)
    return [
        re.split(r"\s+#", line)[0].strip()
        for block in blocks
        for line in block.replace("\\\n", " ").splitlines()
        if line.strip() and not line.startswith("#")
    ]


COMMANDS = shown(README)
DOCUMENTED = [command for page in PAGES for command in shown(page.read_text())]


def commands(program: str, lines: list[str] = COMMANDS) -> list[str]:
    """Those of this program, without what stands before `&&`; variables set for it stay."""
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [part for part in parts if re.match(rf"(\w+=\S*\s+)*{program}(\s|$)", part)]


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


@pytest.mark.parametrize("command", sorted({*commands("make"), *commands("make", DOCUMENTED)}))
def test_a_make_target_exists(command):
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


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r'(?:\]\(|src(?:set)?=")((?!http)[^)#"]+)', README)))
)
def test_a_link_of_the_readme_leads_somewhere(path):
    # results/ is there after a run only.
    assert path.startswith("results/") or (ROOT / path).exists()


@pytest.mark.parametrize(
    "command", sorted({*commands("sqladder"), *commands("sqladder", DOCUMENTED)})
)
def test_a_sqladder_command_is_known(command):
    words = shlex.split(command)
    assert parse_arguments(words[words.index("sqladder") + 1 :]).command


@pytest.mark.parametrize("command", sorted(set(commands("python", DOCUMENTED))))
def test_a_program_that_a_page_calls_is_there(command):
    words = shlex.split(command)
    assert (ROOT / words[words.index("python") + 1]).exists()


@pytest.mark.parametrize("command", sorted(set(commands("snakemake", DOCUMENTED))))
def test_config_and_profile_of_a_pages_command_are_there(command):
    words = shlex.split(command)
    named = [
        words[at + 1]
        for at, word in enumerate(words)
        if word in ("--configfile", "--workflow-profile")
    ]
    # my.yaml is the reader's own.
    assert [path for path in named if path != "my.yaml" and not (ROOT / path).exists()] == []
