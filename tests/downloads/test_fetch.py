"""The program that fetches: what it leaves after success, after failure, and when it is run again."""

import base64
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import zipfile

import pytest

from conftest import ROOT
from fault_server import COMMIT, Fault, fault_server


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


ARCHIVE = zipped({"database/a/a.sqlite": b"x" * 1000, "dev.json": b"[]"})
SUM = hashlib.sha256(ARCHIVE).hexdigest()
ROWS = {"data/train.parquet": b"rows" * 1000, "data/more.parquet": b"more", "README.md": b"card"}


@pytest.fixture
def server():
    with fault_server() as running:
        yield running


class Fetch:
    """Runs the program in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.output = folder, folder / "downloads/x"
        self.record, self.work = folder / "checksums/x.json", folder / "fetching/x"

    def __call__(self, *arguments, **environment):
        common = ["--record", self.record, "--work-folder", self.work, "--output", self.output]
        command = [sys.executable, ROOT / "workflow/scripts/fetch.py", *arguments, *common]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        clean["HF_HOME"] = str(self.folder / "hf")
        return subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env={**clean, **environment}
        )

    def files(self):
        return {
            str(path.relative_to(self.output)): path.read_bytes()
            for path in self.output.rglob("*")
            if path.is_file()
        }

    def recorded(self):
        return json.loads(self.record.read_text())


@pytest.fixture
def fetch(tmp_path):
    return Fetch(tmp_path)


def test_an_archive_is_fetched_unpacked_and_recorded(server, fetch):
    done = fetch("--source", "http", "--url", server.add("/get", ARCHIVE), "--file", "a.zip")
    assert done.returncode == 0, done.stderr
    assert set(fetch.files()) == {"database/a/a.sqlite", "dev.json"}
    assert fetch.recorded() == {"files": {"a.zip": {"sha256": SUM, "bytes": len(ARCHIVE)}}}
    assert not fetch.work.exists()
    assert "2 files, 1002 bytes" in done.stderr


def test_a_file_that_is_no_archive_is_kept_as_it_is(server, fetch):
    assert (
        fetch(
            "--source", "http", "--url", server.add("/get", b"[]"), "--file", "dev.json"
        ).returncode
        == 0
    )
    assert fetch.files() == {"dev.json": b"[]"}


def test_wrong_bytes_are_refused_with_both_sums_and_the_next_run_gets_the_right_ones(server, fetch):
    url = server.add("/get", ARCHIVE, Fault(body=b"something else"))
    arguments = ["--source", "http", "--url", url, "--file", "a.zip", "--sha256", SUM]
    done = fetch(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("error: a.zip has the SHA-256 ")
    assert SUM in done.stderr
    assert not fetch.output.exists()
    assert not fetch.record.exists()
    assert fetch(*arguments).returncode == 0


def test_what_the_first_download_recorded_later_ones_must_match(server, fetch):
    arguments = ["--source", "http", "--url", server.add("/get", ARCHIVE), "--file", "a.zip"]
    assert fetch(*arguments).returncode == 0
    before = fetch.record.read_bytes()
    subprocess.run(["rm", "-r", fetch.output], check=True)
    server.add("/get", zipped({"other": b"x"}))
    done = fetch(*arguments)
    assert done.returncode == 1
    assert str(fetch.record) in done.stderr
    assert not fetch.output.exists()
    assert fetch.record.read_bytes() == before


def test_a_body_shorter_than_it_should_be_is_not_recorded(server, fetch):
    # The announced length is the one that comes, so that only the archive itself can tell.
    short = ARCHIVE[: len(ARCHIVE) // 2]
    arguments = [
        "--source",
        "http",
        "--url",
        server.add("/get", ARCHIVE, Fault(body=short)),
        "--file",
        "a.zip",
    ]
    done = fetch(*arguments)
    assert done.returncode == 1
    assert "a.zip cannot be unpacked" in done.stderr
    assert not fetch.record.exists()
    assert fetch(*arguments).returncode == 0
    assert set(fetch.files()) == {"database/a/a.sqlite", "dev.json"}


def test_a_zip_with_climbing_paths_leaves_nothing(server, fetch, tmp_path):
    url = server.add("/get", zipped({"good": b"x", "../../../outside": b"x"}))
    done = fetch("--source", "http", "--url", url, "--file", "a.zip")
    assert done.returncode == 1
    assert "'../../../outside' would climb out of the folder" in done.stderr
    assert not fetch.output.exists()
    assert not fetch.record.exists()
    assert not list(tmp_path.rglob("outside"))


def test_a_local_folder_is_used_instead_of_the_net_and_checked_the_same_way(fetch, tmp_path):
    local = tmp_path / "local"
    local.mkdir()
    (local / "a.zip").write_bytes(ARCHIVE)
    nowhere = [
        "--source",
        "http",
        "--url",
        "http://127.0.0.1:9/a",
        "--file",
        "a.zip",
        "--folder",
        local,
    ]
    assert fetch(*nowhere, "--sha256", SUM).returncode == 0
    subprocess.run(["rm", "-r", fetch.output], check=True)
    done = fetch(*nowhere, "--sha256", "0" * 64)
    assert done.returncode == 1
    assert "SHA-256" in done.stderr
    assert (local / "a.zip").read_bytes() == ARCHIVE
    (local / "a.zip").unlink()
    assert "holds no a.zip" in fetch(*nowhere).stderr


def test_a_variable_of_the_url_is_filled_in_and_never_shown(server, fetch):
    url = server.add("/get", b"[]", Fault(status=503)).replace("//", "//me:$PASSWORD@")
    arguments = ["--source", "http", "--url", f"{url}?token=$TOKEN", "--file", "dev.json"]
    done = fetch(*arguments, PASSWORD="hush1", TOKEN="hush2")
    assert done.returncode == 0, done.stderr
    asked = server.asked("/get")[-1]
    assert asked["authorization"] == f"Basic {base64.b64encode(b'me:hush1').decode()}"
    assert asked["?"] == "token=hush2"
    assert "dev.json from 127.0.0.1" in done.stderr
    assert "hush" not in done.stdout + done.stderr + fetch.record.read_text()
    refused = fetch(*arguments, PASSWORD="hush1")
    assert "names the environment variable TOKEN, which is not set" in refused.stderr


def test_a_variable_without_an_address_is_named_without_its_value(fetch):
    done = fetch("--source", "http", "--url", "$WHERE", "--file", "a.zip", WHERE="ftp://hush/a")
    assert "$WHERE, an environment variable, does not hold an address" in done.stderr
    assert "hush" not in done.stderr


# The hub, by the real client


def hub(server, fetch, *arguments, files="data/*.parquet", **environment):
    return fetch(
        *("--source", "huggingface", "--repository", "owner/rows"),
        *("--revision", "main", "--files", files),
        *arguments,
        HF_ENDPOINT=server.url,
        **environment,
    )


def test_a_data_set_is_fetched_at_its_commit_which_is_recorded(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    done = hub(server, fetch)
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {name: ROWS[name] for name in ROWS if name.startswith("data/")}
    record = fetch.recorded()
    assert (record["repository"], record["requested"], record["commit"]) == (
        "owner/rows",
        "main",
        COMMIT,
    )
    assert set(record["files"]) == set(fetch.files())


def test_a_later_fetch_asks_for_the_recorded_commit(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    assert hub(server, fetch).returncode == 0
    subprocess.run(["rm", "-r", fetch.output], check=True)
    server.requests.clear()
    assert hub(server, fetch).returncode == 0
    assert not any("/main" in path for _, path, _ in server.requests)


def test_files_that_changed_at_a_recorded_commit_are_refused(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    assert hub(server, fetch).returncode == 0
    subprocess.run(["rm", "-r", fetch.output], check=True)
    server.add_dataset("owner/rows", {**ROWS, "data/more.parquet": b"less"})
    done = hub(server, fetch)
    assert done.returncode == 1
    assert "data/more.parquet has the SHA-256" in done.stderr
    assert not fetch.output.exists()


def test_another_revision_than_the_recorded_one_is_refused_with_the_way_out(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    assert hub(server, fetch).returncode == 0
    done = hub(server, fetch, "--revision", "v2")
    assert "records revision 'main', but the config asks for 'v2'" in done.stderr


def test_the_hub_may_cut_and_be_busy(server, fetch):
    # huggingface_hub writes 10 MiB at a time: what a cut leaves of the next ones is lost.
    long = random.Random(0).randbytes(12 * 2**20)
    server.add_dataset("owner/rows", {**ROWS, "data/train.parquet": long})
    path = f"/datasets/owner/rows/resolve/{COMMIT}/data/train.parquet"
    server.faults["/api/datasets/owner/rows/revision/main"] = [
        Fault(status=503),
        Fault(status=429, headers={"Retry-After": "0"}),
    ]
    server.faults[path] = [Fault(cut_after=11 * 2**20), Fault(status=500)]
    done = hub(server, fetch)
    assert done.returncode == 0, done.stderr
    assert fetch.files()["data/train.parquet"] == long
    assert any(headers.get("range") == f"bytes={10 * 2**20}-" for headers in server.asked(path))


def test_a_password_of_a_mirror_is_not_shown(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    mirror = server.url.replace("//", "//me:hush@")
    path = f"/datasets/owner/rows/resolve/{COMMIT}/data/train.parquet"
    server.faults[path] = [Fault(status=503), Fault(status=503)]
    server.faults["/api/datasets/owner/rows/revision/main"] = [Fault(status=503)]
    common = ["--source", "huggingface", "--repository", "owner/rows", "--revision", "main"]
    done = fetch(*common, "--files", "data/*.parquet", HF_ENDPOINT=mirror)
    assert done.returncode == 0, done.stderr
    assert "503" in done.stderr
    assert "hush" not in done.stdout + done.stderr
    again = fetch(*common, "--files", "*.csv", HF_ENDPOINT=mirror)
    assert again.returncode == 1
    assert "hush" not in again.stdout + again.stderr


def test_a_name_with_brackets_is_a_name(server, fetch):
    rows = {"data/part[1].parquet": b"one", "data/part1.parquet": b"other", "README.md": b"card"}
    server.add_dataset("owner/rows", rows)
    server.add("/datasets/owner/rows/resolve/" + COMMIT + "/data/part%5B1%5D.parquet", b"one")
    done = hub(server, fetch, files="data/part[[]1].parquet")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"data/part[1].parquet": b"one"}


def test_a_pattern_that_matches_nothing_shows_what_there_is(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    done = hub(server, fetch, files="*.csv")
    assert "matches '*.csv'; it holds README.md, data/more.parquet" in done.stderr


def test_a_data_set_that_is_not_there_is_named_with_the_mirror(server, fetch):
    done = hub(server, fetch)
    assert done.returncode == 1
    assert f"owner/rows is not on {server.url}, or it is private" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_token_comes_from_the_environment_and_is_never_shown(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    server.faults["/api/datasets/owner/rows/revision/main"] = [
        Fault(status=503),
        Fault(status=403, headers={"X-Error-Code": "GatedRepo"}),
    ]
    done = hub(server, fetch, HF_TOKEN="hf_hush")
    assert done.returncode == 1
    assert "is gated" in done.stderr
    assert "HF_TOKEN" in done.stderr
    assert "hf_hush" not in done.stdout + done.stderr
    asked = server.asked("/api/datasets/owner/rows/revision/main")
    assert [headers["authorization"] for headers in asked] == ["Bearer hf_hush"] * 2


def test_without_a_token_none_is_sent_even_if_an_earlier_login_left_one(server, fetch):
    server.add_dataset("owner/rows", ROWS)
    (fetch.folder / "hf").mkdir()
    (fetch.folder / "hf/token").write_text("hf_hush")
    assert hub(server, fetch).returncode == 0
    assert all("authorization" not in headers for _, _, headers in server.requests)


def test_a_local_copy_of_a_data_set_needs_no_hub(fetch, tmp_path):
    for name, content in ROWS.items():
        (tmp_path / "local" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "local" / name).write_bytes(content)
    arguments = [
        "--source",
        "huggingface",
        "--repository",
        "owner/rows",
        "--revision",
        "main",
        "--files",
        "data/*.parquet",
    ]
    done = fetch(*arguments, "--folder", tmp_path / "local", HF_ENDPOINT="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    assert set(fetch.files()) == {"data/train.parquet", "data/more.parquet"}


def test_a_model_is_fetched_like_a_data_set(server, fetch):
    server.add_model("owner/rows", {"config.json": b"{}", "data/model.parquet": b"weights"})
    done = hub(server, fetch, "--type", "model", files="*")
    assert done.returncode == 0, done.stderr
    assert fetch.files() == {"config.json": b"{}", "data/model.parquet": b"weights"}
