"""Every recipe of CONTRIBUTING.md, followed literally in a copy of the project: its own test then passes."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
RECIPES = dict(
    re.findall(r"^### (A new .*)\n((?:(?!^##).*\n)*)", PAGE.split("## Recipes")[1], re.MULTILINE)
)
# What a block's sentence says: where in which file, or which file is new; the code follows.
BLOCKS = re.compile(
    r"(?:(?P<where>Before|After|Instead\s+of)\s+`(?P<anchor>[^`]+)`\s+in\s+`(?P<file>[^`]+)`"
    r"|[Tt]he\s+new\s+file\s+`(?P<new>[^`]+)`):\n\n```python\n(?P<code>.*?)```",
    re.DOTALL,
)


def edited(text, where, anchor, code):
    """A text with a block put before, after or instead of the one line that begins with the anchor."""
    lines = text.splitlines(keepends=True)
    [place] = [n for n, line in enumerate(lines) if line.startswith(anchor)]
    after = place + (where != "Before")
    before = place if where != "After" else after
    return "".join([*lines[:before], code, *lines[after:]])


def follow(recipe, project):
    """Put every block of a recipe where it says; the new tests that it brings."""
    tests = []
    for block in BLOCKS.finditer(recipe):
        path = project / (block["new"] or block["file"])
        if block["new"]:
            path.write_text(block["code"])
            tests += [path] if path.name.startswith("test_") else []
        else:
            path.write_text(
                edited(path.read_text(), block["where"], block["anchor"], block["code"])
            )
    assert len(list(BLOCKS.finditer(recipe))) == recipe.count("```python"), "a block without place"
    return tests


@pytest.fixture
def project(tmp_path):
    for name in ("config", "workflow", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def test_there_is_a_recipe_for_whatever_is_added_most_often():
    assert list(RECIPES) == [
        "A new schema form",
        "A new training method",
        "A new engine",
        "A new metric",
        "A new section of the report",
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_leads_where_it_says(name, project):
    [test] = follow(RECIPES[name], project)
    environment = {**os.environ, "PYTHONPATH": str(project / "workflow/scripts")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, str(test)], cwd=project, env=environment, capture_output=True, text=True
    )
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    # What comes out reads as the rest of the project does.
    lint = [sys.executable, "-m", "ruff", "check", "--quiet", "--select=E,F,I", "workflow"]
    done = subprocess.run(lint, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
