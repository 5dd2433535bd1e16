from pathlib import Path

import pytest

from sqladder.modules import imported_modules


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
        train="from sqladder.prompts import render\n",
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
