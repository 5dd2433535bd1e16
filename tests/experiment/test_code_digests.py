"""What changes the digest of a program's code, and what does not."""

import ast
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment import kept_code
from sqladder.experiment.code_digests import code_digests, reached_files
from sqladder.experiment.code_of_file import Code, read_code

SCRIPTS = ROOT / "workflow/scripts"
FILES = {
    "run.py": '''"""Run it.

Example: python run.py
"""

# Why so.
from sqladder.metric.suite import run

LIMIT = 10  # seconds


class Job:
    """One job."""

    name: str = "job"
    """Its name."""

    def start(self, wait=False):
        """Start it."""
        return run(self.name, [LIMIT, 2.5], wait=wait or not LIMIT)
''',
    "other.py": "print(1)\n",
    "sqladder/__init__.py": "",
    "sqladder/files.py": "import json\n",
    "sqladder/metric/__init__.py": "",
    "sqladder/metric/suite.py": "from sqladder import files\n\n\ndef run():\n    return files\n",
    "sqladder/metric/lonely.py": "",
    "sqladder/page/__init__.py": "",
    "sqladder/page/fill.py": "",
    "sqladder/page/page.css": "p {}\n",
}


@pytest.fixture
def scripts(tmp_path):
    """A folder with two programs and their package; called with files, it changes or adds them."""

    def write(**files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return tmp_path

    return write(**FILES) and write


def names(root, program="run.py"):
    return {path.relative_to(root).as_posix() for path in reached_files(root / program)}


# What a file holds


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# Why so.", "# Why not."),
        ("# Why so.\n", ""),
        ("  # seconds", ""),
        ('"""Run it.', '"""Run anything.'),
        ('"""One job."""', '"""One\n\n    job."""'),
        ('    """Its name."""\n', ""),
        ('        """Start it."""\n', ""),
        ('"job"', "'job'"),
        ("wait or not LIMIT", "(wait or (not LIMIT))"),
        ("[LIMIT, 2.5]", "[\n            LIMIT,\n            2.50,\n        ]"),
        ("\n\nclass", "\nclass"),
    ],
)
def test_what_python_does_not_run_does_not_count(scripts, old, new):
    before = code_digests(scripts())
    assert old in FILES["run.py"]
    changed = FILES["run.py"].replace(old, new)
    assert changed != FILES["run.py"]
    assert code_digests(scripts(**{"run.py": changed})) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 10", "LIMIT = 11"),
        ("LIMIT = 10", "LIMIT = 10.0"),
        ("LIMIT = 10", "LIMIT = '10'"),
        ("LIMIT = 10", "LIMIT = 10\nLIMIT = 10"),
        ("2.5]", "2.5, None]"),
        ("[LIMIT, 2.5]", "[2.5, LIMIT]"),
        ("[LIMIT, 2.5]", "(LIMIT, 2.5)"),
        ('"job"', '"Job"'),
        ('name: str = "job"', 'name = "job"'),
        ("wait or not", "wait and not"),
        ("or not LIMIT", "or LIMIT"),
        ("wait=wait", "wait_for=wait"),
        ("wait=False", "wait=True"),
        ("self.name", "self.Name"),
        ("return run", "run"),
        ("class Job:", "class Job(str):"),
        ("    def start", "    @property\n    def start"),
        ("    def start", "    async def start"),
        ("suite import run", "suite import run as go"),
    ],
)
def test_what_python_runs_counts(scripts, old, new):
    before = code_digests(scripts())
    assert old in FILES["run.py"]
    after = code_digests(scripts(**{"run.py": FILES["run.py"].replace(old, new)}))
    assert after["run.py"] != before["run.py"]
    assert after["other.py"] == before["other.py"]


def test_the_time_of_a_file_does_not_count(scripts):
    root = scripts()
    before = code_digests(root)
    for path in root.rglob("*.py"):
        os.utime(path, (1, 1))
    assert code_digests(root) == before


def test_the_folder_that_the_code_lies_in_does_not_count(scripts, tmp_path):
    before = code_digests(scripts())
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert code_digests(moved) == before


def pieces_of_the_project():
    """Every statement of the project's modules, those in functions among them."""
    for path in sorted(SCRIPTS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.stmt) and not isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield ast.unparse(node)


def without_text_statements(tree):
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [
                each
                for each in body
                if not (
                    isinstance(each, ast.Expr)
                    and isinstance(each.value, ast.Constant)
                    and isinstance(each.value.value, str)
                )
            ]
    return tree


def test_two_pieces_of_code_have_one_digest_if_and_only_if_their_trees_are_equal():
    digests, dumps = defaultdict(set), defaultdict(set)
    pieces = sorted(set(pieces_of_the_project()))[::10]
    assert len(pieces) > 500
    file = Path("piece.py")
    for piece in pieces:
        digest = read_code(piece.encode(), file).digest
        dump = ast.dump(without_text_statements(ast.parse(piece)))
        digests[digest].add(dump)
        dumps[dump].add(digest)
    assert {len(group) for group in (*digests.values(), *dumps.values())} == {1}


def test_a_module_written_anew_from_its_tree_has_its_digest():
    for path in sorted(SCRIPTS.rglob("*.py"))[::3]:
        own = path.read_bytes()
        anew = ast.unparse(ast.parse(own)).encode()
        assert read_code(anew, path).digest == read_code(own, path).digest, path


def test_the_digest_is_the_same_in_every_python():
    # A character that some Pythons know and others do not, and syntax that has more fields in later ones.
    code = 'def mark(text: str) -> str:\n    return f"{text} \u0ece"\n'
    digest = read_code(code.encode(), Path("piece.py")).digest
    assert digest == "2610adce4b77115141a9a6d78dc129c28679967e3f68c2d0ff8612ff1d70b3f3"


# What a program reaches


def test_indirect_imports_and_the_packages_on_the_way_are_reached(scripts):
    assert names(scripts()) == {
        "run.py",
        "sqladder/__init__.py",
        "sqladder/files.py",
        "sqladder/metric/__init__.py",
        "sqladder/metric/suite.py",
    }


def test_a_change_counts_for_the_programs_that_reach_it_and_no_other(scripts):
    before = code_digests(scripts())
    after = code_digests(scripts(**{"sqladder/files.py": "import csv\n"}))
    assert after["run.py"] != before["run.py"]
    assert after["other.py"] == before["other.py"]
    assert code_digests(scripts(**{"sqladder/metric/lonely.py": "x = 1\n"})) == after


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    import sqladder.metric.lonely\n",
        "def f():\n    from sqladder.metric import lonely\n",
        "if False:\n    from sqladder.metric.lonely import x\n",
        # A package may take what it is asked for from any of its modules.
        "from sqladder.metric import whatever\n",
        "import sqladder.metric as m\n",
        "from sqladder import metric\n",
        # A process may be started with code, or with a module.
        "START = 'import sys; from sqladder.metric.lonely import main; main()'\n",
        "run([executable, '-m', 'sqladder.metric.lonely'])\n",
    ],
)
def test_a_module_is_reached_however_it_is_named(scripts, code):
    assert "sqladder/metric/lonely.py" not in names(scripts(**{"other.py": ""}), "other.py")
    assert "sqladder/metric/lonely.py" in names(scripts(**{"other.py": code}), "other.py")


def test_a_program_that_another_one_starts_is_reached_with_its_modules(scripts):
    root = scripts(**{"starter.py": 'WORKER = HERE / "run.py"\n'})
    assert names(root, "starter.py") >= {"run.py", "sqladder/metric/suite.py"}


def test_a_name_in_a_comment_or_docstring_is_not_reached(scripts):
    root = scripts(**{"other.py": '"""See sqladder.files and\n"""\n# sqladder.files\n"run.py"\n'})
    assert names(root, "other.py") == {"other.py"}


def test_modules_that_import_each_other_end(scripts):
    root = scripts(**{"sqladder/files.py": "import sqladder.metric.suite\n"})
    assert {"sqladder/files.py", "sqladder/metric/suite.py"} <= names(root)


def test_files_that_are_no_python_count_by_content_with_the_modules_beside_them(scripts):
    root = scripts(**{"other.py": "from sqladder.page.fill import f\n"})
    before = code_digests(root)
    assert "sqladder/page/page.css" in names(root, "other.py")
    scripts(**{f"sqladder/page/{name}": "x" for name in (".p.swp", "#p.css#", "p.css~")})
    assert code_digests(root) == before
    after = code_digests(scripts(**{"sqladder/page/page.css": "p { }\n"}))
    assert after["other.py"] != before["other.py"]
    assert after["run.py"] == before["run.py"]


def test_a_relative_import_is_refused(scripts):
    root = scripts(**{"sqladder/metric/suite.py": "import json\nfrom . import lonely\n"})
    with pytest.raises(InputError, match=r"suite\.py, line 2: .*relative name; write it out"):
        code_digests(root)


# What is kept between starts


def test_what_is_kept_gives_the_same_digests_and_a_changed_file_others(scripts, tmp_path):
    root, kept = scripts(), tmp_path / "kept/code.json"
    before = code_digests(root, kept)
    assert before == code_digests(root, kept) == code_digests(root)
    after = code_digests(scripts(**{"sqladder/files.py": "import csv\n"}), kept)
    assert after == code_digests(root) != before
    # It is by content, not by name: what was there before is found again.
    assert code_digests(scripts(**FILES), kept) == before


def test_what_is_kept_is_read_instead_of_the_files(scripts, tmp_path, monkeypatch):
    root, kept = scripts(), tmp_path / "kept/code.json"
    before = code_digests(root, kept)
    read = []

    def read_anew(content, path):
        read.append(path)
        return Code("another", frozenset(), frozenset())

    monkeypatch.setattr(kept_code, "read_code", read_anew)
    assert code_digests(root, kept) == before and not read
    # Another Python may read another syntax.
    monkeypatch.setattr(kept_code, "sys", SimpleNamespace(version="4.0"))
    assert code_digests(root, kept) != before and read


def half(text):
    return text[: len(text) // 2]


def another_digest(text):
    held = json.loads(text)
    next(iter(held["files"].values()))[0] = "another"
    return json.dumps(held)


@pytest.mark.parametrize(
    "damage", [half, another_digest, lambda _: "[]", lambda _: "{}", lambda _: "[" * 100_000]
)
def test_what_is_kept_and_damaged_is_made_anew(scripts, tmp_path, damage):
    root, kept = scripts(), tmp_path / "kept/code.json"
    before = code_digests(root, kept)
    whole = kept.read_text()
    kept.write_text(damage(whole))
    assert code_digests(root, kept) == before
    assert kept.read_text() == whole


def test_a_folder_that_cannot_be_written_keeps_nothing(scripts, tmp_path):
    (tmp_path / "kept").write_text("no folder")
    assert code_digests(scripts(), tmp_path / "kept/code.json") == code_digests(scripts())


# The project's own code

# Loads each program as a module of its own, and prints what it imported of the package. Other packages take seconds,
# and are replaced, but for those that settings are declared with.
LOAD = """
import importlib.abc, importlib.machinery, importlib.util, json, pathlib, sys, types
from unittest.mock import MagicMock

SETTINGS = ("pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection")

class Replaced(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        own = sys.stdlib_module_names | {"sqladder", *SETTINGS}
        is_own = name.split(".")[0] in own
        return None if is_own else importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: MagicMock()
        return module
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Replaced())
found = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    for name in [each for each in sys.modules if each.split(".")[0] == "sqladder"]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(path.stem, path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "sqladder"]
    found[path.name] = files
print(json.dumps(found))
"""


def test_whatever_a_program_loads_is_reached():
    command = [sys.executable, "-c", LOAD, str(SCRIPTS)]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert len(loaded) > 20
    for program, files in loaded.items():
        reached = set(reached_files(SCRIPTS / program))
        assert {Path(file) for file in files} - reached == set(), program


@pytest.mark.parametrize(
    ("program", "files"),
    [
        ("train.py", {"train_worker.py", "sqladder/training/run.py"}),
        ("score.py", {"sqladder/metric/worker.py"}),
        ("generate.py", {"sqladder/generation/vllm_engine.py"}),
        (
            "write_report.py",
            {f"sqladder/report/page/page.{kind}" for kind in ("css", "js", "html.j2")},
        ),
    ],
)
def test_code_of_other_processes_and_the_pages_files_are_reached(program, files):
    assert names(SCRIPTS, program) >= files


@pytest.mark.parametrize("program", ["train.py", "generate.py", "render_prompts.py", "fetch.py"])
def test_a_program_before_scoring_reaches_neither_the_metric_nor_the_report(program):
    metric = {path for path in names(SCRIPTS, program) if path.startswith("sqladder/metric/")}
    # Where a database's file is, how it is opened to be read, what a user can mend, how a text is shown, and that an
    # object names a key once: of what scores, nothing.
    ground = ("__init__", "database_files", "input_error", "read_only", "showing", "unique_keys")
    assert metric <= {f"sqladder/metric/{name}.py" for name in ground}
    assert not [path for path in names(SCRIPTS, program) if "/report/" in path]


def cpu_seconds(work):
    """The least of three measurements, as another process may have the core meanwhile."""
    costs = []
    for _ in range(3):
        started = time.process_time()
        found = work()
        costs.append(time.process_time() - started)
    return min(costs), found


def test_all_programs_are_digested_in_a_moment():
    # Some 0.3 s of a core, felt at every start of Snakemake; a second would be too much. Cores differ by a factor of
    # three, so the yardstick is what Python needs to parse the same files, garbage collection included: 0.65 of that.
    files = sorted(SCRIPTS.rglob("*.py"))
    parsing, _ = cpu_seconds(lambda: [ast.parse(path.read_bytes()) for path in files])
    seconds, digests = cpu_seconds(lambda: code_digests(SCRIPTS))
    assert seconds < 1.5 * parsing
    assert set(digests) == {path.name for path in SCRIPTS.glob("*.py")}
