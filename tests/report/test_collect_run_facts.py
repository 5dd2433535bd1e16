"""Facts of a run: where they come from and what happens without git or with broken files."""

import hashlib
import json
import sqlite3
import subprocess
from importlib import metadata

import pytest

from report_runs import call
from sqladder.errors import InputError
from sqladder.report.provenance import (
    checksum,
    fetched_commits,
    find_seeds,
    folder_size,
    git_state,
    package_versions,
    read_benchmark,
)

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


@pytest.fixture
def repository(tmp_path):
    """A git repository with one committed file."""
    (tmp_path / "a.txt").write_text("one")
    for arguments in (
        ["init", "-q"],
        ["add", "a.txt"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    return tmp_path


def test_commit_and_uncommitted_changes_are_found(repository):
    commit, modified = git_state(repository)
    assert len(commit) == 40
    assert not modified
    (repository / "a.txt").write_text("two")
    assert git_state(repository) == (commit, True)


def test_untracked_files_are_no_change(repository):
    (repository / "results.txt").write_text("new")
    assert git_state(repository)[1] is False


def test_without_a_repository_the_commit_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == (None, False)


def test_without_git_the_commit_is_unknown(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) == (None, False)


def test_seeds_are_found_at_any_depth_with_their_path():
    config = {"seed": 1, "variants": {"a": {"seed": 2, "rank": 8}, "b": {"seeds": [3, 4]}}}
    assert dict(find_seeds(config)) == {
        "seed": 1,
        "variants.a.seed": 2,
        "variants.b.seeds": [3, 4],
    }


def test_versions_are_those_installed():
    versions = package_versions()
    assert versions["numpy"] == metadata.version("numpy")
    assert versions["sqlglot"] == metadata.version("sqlglot")
    assert versions["sqlite"] == sqlite3.sqlite_version
    assert "python" in versions
    # What trains and generates is recorded by the jobs that did, and is none of a run of imported answers.
    assert not {"torch", "transformers"} & versions.keys()


def test_a_file_has_its_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert checksum(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_has_one_checksum_that_changes_with_content_and_name(tmp_path):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("1")
    (folder / "sub" / "b").write_text("2")
    first = checksum(folder)
    assert checksum(folder) == first
    (folder / "a").write_text("3")
    second = checksum(folder)
    (folder / "a").rename(folder / "c")
    assert len({first, second, checksum(folder)}) == 3


def test_missing_data_are_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing.jsonl does not exist"):
        checksum(tmp_path / "nothing.jsonl")


def test_folder_sizes_add_up(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "sub" / "b").write_bytes(b"123")
    assert folder_size(tmp_path) == 8


def test_benchmarks_give_rule_job_and_times(tmp_path):
    path = tmp_path / "benchmarks" / "train" / "full.tsv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + "12.5\t0:00:12\t800.25\t1\t1\t1\t0\t0\t98\t11.75\n")
    assert read_benchmark(path) == {
        "rule": "train",
        "name": "full",
        "seconds": 12.5,
        "cpu_seconds": 11.75,
        "peak_rss_mb": 800.25,
    }


def test_a_rule_of_one_job_has_no_job_name_and_short_jobs_no_samples(tmp_path):
    path = tmp_path / "benchmarks" / "train_base.tsv"
    path.parent.mkdir(parents=True)
    # Without a sample, and with one of the shell only, which had used 3.1 MB and no time.
    for line in (
        "0.02\t0:00:00\tNA\t-\t\t-\t-\t-\t0\tNA",
        "0.9\t0:00:00\t3.1\t1\t1\t1\t0\t0\t0\t0.0",
    ):
        path.write_text(f"{HEADER}{line}\n")
        assert read_benchmark(path) == {
            "rule": "train_base",
            "name": "",
            "seconds": float(line.split("\t")[0]),
            "cpu_seconds": None,
            "peak_rss_mb": None,
        }


def test_other_files_are_no_benchmarks(tmp_path):
    (tmp_path / "a.tsv").write_text("hello\n")
    with pytest.raises(InputError, match="is no Snakemake benchmark"):
        read_benchmark(tmp_path / "a.tsv")


def test_the_program_writes_all_facts(tmp_path):
    data, model = tmp_path / "test.jsonl", tmp_path / "results" / "full" / "model"
    data.write_text("{}\n")
    model.mkdir(parents=True)
    (model / "weights").write_bytes(b"x" * 1000)
    config = {"seed": 42, "variants": {"full": {"method": "full"}}}
    output = tmp_path / "run.json"
    done = call(
        "collect_run_facts.py", "--config", json.dumps(config), "--data", data, "--models", model,
        "--benchmarks", "--output", output,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    facts = json.loads(output.read_text())
    assert facts["config"] == config
    assert facts["seeds"] == {"seed": 42}
    assert facts["data"] == {data.as_posix(): hashlib.sha256(b"{}\n").hexdigest()}
    assert facts["disk_bytes"] == {"full": 1000}
    assert facts["hardware"]["cores"] >= 1
    assert facts["times"] == []


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not valid JSON"), ("[1]", "not a JSON object")]
)
def test_a_config_that_is_no_object_is_refused(tmp_path, text, message):
    done = call("collect_run_facts.py", "--config", text, "--output", tmp_path / "run.json")
    assert done.returncode == 1
    assert message in done.stderr


def test_the_commit_of_each_fetched_download_is_recorded(tmp_path):
    record = tmp_path / "base.json"
    row = {"repository": "a/b", "requested": "main", "commit": "c" * 40}
    record.write_text(json.dumps({**row, "files": {"x": {"sha256": "0" * 64, "bytes": 1}}}))
    found = fetched_commits([record, tmp_path / "not_fetched.json"])
    assert found == {"base": row}
