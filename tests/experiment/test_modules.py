import ast
import re
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from sqladder.experiment.modules import imported_modules

SCRIPTS = ROOT / "workflow" / "scripts"


@pytest.fixture
def scripts(tmp_path):
    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "sqladder" / "__init__.py").write_text("")
        return tmp_path

    return write


def names(root: Path, program: str) -> list[str]:
    return [str(path.relative_to(root)) for path in imported_modules(root / program)]


def test_indirect_imports_are_found(scripts):
    root = scripts(
        train="from sqladder.prompts.rendering import render\n",
        sqladder__prompts="from sqladder import files\n",
        sqladder__files="import json\n",
        sqladder__charts="",
    )
    assert names(root, "train.py") == [
        "sqladder/__init__.py",
        "sqladder/files.py",
        "sqladder/prompts.py",
    ]


def test_an_import_inside_a_function_counts(scripts):
    root = scripts(train="def f():\n    import sqladder.files\n", sqladder__files="")
    assert "sqladder/files.py" in names(root, "train.py")


def test_modules_that_import_each_other_end(scripts):
    root = scripts(
        a="import sqladder.b", sqladder__b="import sqladder.c", sqladder__c="import sqladder.b"
    )
    assert len(names(root, "a.py")) == 3


def test_packages_count_by_their_init(scripts):
    root = scripts(
        a="from sqladder.metric.suite import run",
        sqladder__metric__suite="",
    )
    (root / "sqladder/metric/__init__.py").write_text("from sqladder.metric import equality")
    (root / "sqladder/metric/equality.py").write_text("")
    assert names(root, "a.py") == [
        "sqladder/__init__.py",
        "sqladder/metric/__init__.py",
        "sqladder/metric/equality.py",
        "sqladder/metric/suite.py",
    ]


DISTRIBUTIONS = {"yaml": "pyyaml", "markdown_it": "markdown-it-py"}


def third_party(program):
    """Names of what a program and its modules import that neither Python nor the project brings."""
    found = set()
    for path in (SCRIPTS / program, *imported_modules(SCRIPTS / program)):
        for node in ast.walk(ast.parse(Path(path).read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"sqladder"}


def test_the_reports_environment_pins_what_its_programs_import():
    rules = (SCRIPTS.parent / "rules/report.smk").read_text()
    pinned = (SCRIPTS.parent / "envs/report.yaml").read_text()
    programs = re.findall(
        r'script="workflow/scripts/(\w+\.py)"(?:(?!\nrule ).)*?report\.yaml', rules, re.DOTALL
    )
    assert "write_model_cards.py" in programs
    for program in programs:
        for name in third_party(program):
            assert f"- {DISTRIBUTIONS.get(name, name)}==" in pinned, (program, name)
