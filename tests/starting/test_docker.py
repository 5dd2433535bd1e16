"""The Dockerfiles: linted, and their steps run as a script where no image can be built."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
# The folder that the images keep everything in.
PLACE = "/opt/sqladder"


def steps(path):
    """(instruction, its text) of a Dockerfile, lines joined."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_the_linter_has_no_complaint_about_a_dockerfile(path):
    program = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("hadolint is not installed: requirements/test.lock has it")
    done = subprocess.run(
        [program, "--config", ROOT / ".hadolint.yaml", path], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_a_dockerfile_copies_what_is_there_and_its_context_has_it(path):
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [text.split()[0] for name, text in steps(path) if name == "COPY"]
    assert copied == [".", "requirements", "--from=wheel"]
    kept = [line[1:] for line in allowed if line.startswith("!")]
    assert [name for name in kept if not (ROOT / name).exists()] == []
    # What setup.py puts into the wheel.
    parts = re.search(r"PARTS = \((.*?)\)", (ROOT / "setup.py").read_text(), re.DOTALL)
    assert set(re.findall(r'"(.*?)"', parts[1])) <= set(kept)


@pytest.mark.slow
@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.stem)
def test_the_steps_of_a_dockerfile_run_as_a_script(path, tmp_path):
    # Here the packages are installed already, so pip has nothing to do but to see that; the wheel is built. What needs
    # root changes the machine: the system's packages.
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if "!" in line]
    source = tmp_path / "source"
    for name in kept:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=ignored)
        else:
            shutil.copyfile(ROOT / name, source / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    commands = [
        text
        for name, text in steps(path)
        if name == "RUN" and not re.match("apt-get|useradd", text)
    ]
    assert len(commands) == 3
    script = "\n".join(commands).replace(PLACE, str(tmp_path))
    folder = str(Path(sys.executable).parent)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("pip install", "pip install --dry-run")],
        cwd=source,
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert [*tmp_path.glob("wheels/sqladder-*.whl")]
    # All that the lock names was there in its version, and only the package itself would be installed.
    wanted = re.findall(r"^Would install (.*)", done.stdout, re.MULTILINE)
    assert [name for name in " ".join(wanted).split() if not name.startswith("sqladder-")] == []
