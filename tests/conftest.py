"""Shared fixtures: the material that is not part of the project is found through the environment, or the test skips."""

import functools
import gc
import lzma
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from sqladder.errors import LOG
from sqladder.experiment.code_digests import code_digests
from sqladder.processes.imports import uncollected
from started_snakemake import run_started

ROOT = Path(__file__).resolve().parent.parent

# A second thread costs networks of this size more than it gives, and other tests run meanwhile.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine stops any process for a while; tests that time something say so themselves.
settings.register_profile("tests", deadline=timedelta(seconds=10))
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Some commands change their process for all that comes after: what the log shows, whether the hub is asked."""
    level, environment = LOG.level, dict(os.environ)
    yield
    LOG.setLevel(level)
    if os.environ != environment:
        os.environ.clear()
        os.environ.update(environment)


@pytest.fixture
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in the project's folder, as Snakemake is, by whose paths a config names files."""
    monkeypatch.chdir(ROOT)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Import all test files without looking for garbage among what they import, then or in any test."""
    with uncollected():
        return (yield)


def pytest_unconfigure() -> None:
    """Let go of what was imported: at the end of Python, some packages report what is still held as leaked."""
    gc.unfreeze()


def _folder_named_by(variable: str, holds: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: it names the folder that holds {holds}")
    folder = Path(value)
    if not folder.is_dir():
        raise FileNotFoundError(f"{variable}={value} is not a folder; it should hold {holds}")
    return folder


@pytest.fixture(scope="session")
def spider() -> Path:
    """The folder with Spider's dev questions, databases.tar.xz and predictions with known verdicts."""
    return _folder_named_by("SQLADDER_SPIDER", "Spider's dev questions and databases")


@pytest.fixture(scope="session")
def spider_databases(spider, tmp_path_factory) -> Path:
    """Spider's databases with their test suites: <db_id>/*.sqlite."""
    folder = tmp_path_factory.mktemp("spider")
    with tarfile.open(spider / "databases.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "database"


@pytest.fixture(scope="session")
def spider_train(tmp_path_factory) -> Path:
    """Spider's training questions with their databases: train.jsonl and database/<db_id>/<db_id>.sqlite."""
    source = _folder_named_by("SQLADDER_SPIDER_TRAIN", "Spider's training questions and databases")
    folder = tmp_path_factory.mktemp("spider_train")
    with tarfile.open(source / "spider_train.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def tokenizers() -> Path:
    """The folder with the tokenizers of Gemma 3 (gemma3) and Llama 3.1 (llama3_1)."""
    return _folder_named_by("SQLADDER_TOKENIZERS", "the tokenizers of Gemma 3 and Llama 3.1")


@pytest.fixture(scope="session")
def smollm2() -> Path:
    """The folder of SmolLM2-135M-Instruct, or of its tokenizer alone."""
    return _folder_named_by("SQLADDER_SMOLLM2", "SmolLM2's tokenizer")


def unpack(source: Path, target: Path) -> Path:
    """Copy the files of a folder, those that end in .xz unpacked."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        packed = path.read_bytes()
        is_packed = path.suffix == ".xz"
        (target / (path.stem if is_packed else path.name)).write_bytes(
            lzma.decompress(packed) if is_packed else packed
        )
    return target


@pytest.fixture(scope="session")
def qwen3() -> Path:
    """The folder with Qwen3's tokenizer and config."""
    return _folder_named_by("SQLADDER_QWEN3", "Qwen3's tokenizer and config")


@pytest.fixture(scope="session")
def extensions(tmp_path_factory) -> str:
    """The folder of DeepSpeed's operators, which take minutes to compile: one for all processes of the tests."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return os.environ.get("TORCH_EXTENSIONS_DIR") or str(folder / "extensions")


def copy_project(target: Path) -> Path:
    """Copy what a run needs into an empty folder, so that no test touches this checkout's results."""
    for name in ("config", "profiles", "workflow", "resources/demo"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, target / name, ignore=ignored)
    shutil.copyfile(ROOT / "Snakefile", target / "Snakefile")
    kept = target / ".snakemake/code.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(_kept_code())
    return target


@functools.cache
def _kept_code() -> bytes:
    """What a first start would read of all programs' code, which takes as long as the rest of a plan."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "code.json"
        code_digests(ROOT / "workflow/scripts", kept)
        return kept.read_bytes()


def snakemake_environment(**more: str) -> dict[str, str]:
    """This process's environment with this Python first on the path, for the rules' `python`."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, **more}


def run_snakemake(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess:
    """Run snakemake in a folder; output is text, both streams in one."""
    return run_started(folder, arguments, snakemake_environment(**more))
