"""A branch of a repository is another thing every day: said before the run, recorded by it."""

import json

import pytest

from sqladder.experiment.data_jobs import moving_revisions, records

HUB = {"source": "huggingface", "repository": "a/b", "files": ["*"]}


def config_with(revision):
    web = {"source": "http", "url": "https://example.org/a", "file": "a"}
    return {"downloads": {"base": {**HUB, "revision": revision}, "web": web}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("revision", ["main", "v2", "0123abc"])
def test_a_branch_or_tag_is_said_with_the_way_out(revision):
    (line,) = moving_revisions(config_with(revision))
    assert line.startswith(f"downloads.base.revision: {revision!r} is what the source has on the")
    assert "write a commit to fix it, or commit config/checksums/base.json" in line


def test_a_commit_and_a_recorded_branch_are_fixed(folder):
    assert list(moving_revisions(config_with("c" * 40))) == []
    (record,) = records(config_with("main"))
    (folder / record).parent.mkdir(parents=True)
    (folder / record).write_text(json.dumps({"commit": "c" * 40, "files": {}}))
    assert list(moving_revisions(config_with("main"))) == []
