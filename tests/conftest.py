"""Shared fixtures: the material that is not part of the project is found through the environment, or the test skips."""

import os
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


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
def qwen3() -> Path:
    """The folder with Qwen3's tokenizer and config."""
    return _folder_named_by("SQLADDER_QWEN3", "Qwen3's tokenizer and config")
