"""Downloads from a server that fails in every way: the file comes whole in the end, or the error says why."""

import random

import pytest

from fault_server import Fault, fault_server
from sqladder.downloads.fetching import Patience, fetch_url
from sqladder.errors import InputError

CONTENT = random.Random(0).randbytes(300_000)
PATIENT = Patience(attempts=4, first_wait=0.01, longest_wait=2, timeout=2)


@pytest.fixture
def server():
    with fault_server() as running:
        yield running


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [Fault(cut_after=100_000)],
        [Fault(cut_after=0), Fault(cut_after=7), Fault(cut_after=100_000)],
        [Fault(status=503)] * 3,
        [Fault(status=500), Fault(status=429), Fault(cut_after=9)],
        [Fault(cut_after=100_000), Fault(ignore_range=True)],
        [Fault(cut_after=100_000), Fault(shift_range=5)],
        [Fault(announce=400_000)],
        [Fault(cut_after=1000)] * 12,
    ],
    ids=lambda faults: f"{len(faults)}-{faults[-1] if faults else 'none'}"[:40],
)
def test_a_file_comes_whole_through_failures_that_pass(server, tmp_path, faults):
    url = server.add("/data.bin", CONTENT, *faults)
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["data.bin"]


def test_a_broken_download_goes_on_where_it_broke(server, tmp_path):
    url = server.add("/data.bin", CONTENT, Fault(cut_after=200_000))
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    ranges = [headers.get("range") for headers in server.asked("/data.bin")]
    assert ranges[0] is None
    assert ranges[1] == "bytes=200000-"


def test_a_rerun_goes_on_where_the_run_before_gave_up(server, tmp_path):
    faults = [Fault(cut_after=150_000), *[Fault(status=503)] * 4]
    url = server.add("/data.bin", CONTENT, *faults)
    with pytest.raises(InputError, match=r"503 .*4 times in a row.*150000 bytes are kept"):
        fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert not (tmp_path / "data.bin").exists()
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert server.asked("/data.bin")[-1]["range"] == "bytes=150000-"
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_file_that_changed_since_is_fetched_anew(server, tmp_path):
    url = server.add(
        "/data.bin", b"old" * 50_000, Fault(cut_after=60_000), *[Fault(status=503)] * 4
    )
    with pytest.raises(InputError):
        fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    server.add("/data.bin", CONTENT)
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(server, tmp_path):
    url = server.add("/data.bin", CONTENT)
    (tmp_path / "data.bin.part").write_bytes(CONTENT + b"more")
    (tmp_path / "data.bin.part.tag").write_text('"unknown"')
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_a_part_of_full_size_is_not_fetched_again(server, tmp_path):
    url = server.add("/data.bin", CONTENT, Fault(cut_after=60_000), *[Fault(status=503)] * 4)
    with pytest.raises(InputError):
        fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    # Killed between the last byte and the end.
    (tmp_path / "data.bin.part").write_bytes(CONTENT)
    asked = len(server.requests)
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert len(server.requests) == asked + 1


def test_retry_after_is_obeyed(server, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    url = server.add("/data.bin", CONTENT, Fault(status=429, headers={"Retry-After": "1.5"}))
    fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert waits == [1.5]


def test_waits_double_and_stay_below_the_longest(server, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    url = server.add("/data.bin", CONTENT, *[Fault(status=503)] * 6)
    fetch_url(
        url, tmp_path / "data.bin", "data", Patience(attempts=9, first_wait=1, longest_wait=10)
    )
    assert all(2**n <= wait <= min(2**n * 1.25, 10) for n, wait in enumerate(waits[:4]))
    assert max(waits) <= 10


def test_a_server_that_asks_for_more_patience_than_there_is_ends_the_run_at_once(server, tmp_path):
    url = server.add("/data.bin", CONTENT, Fault(status=429, headers={"Retry-After": "86400"}))
    with pytest.raises(InputError, match="429 and asks to wait 86400 s"):
        fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_final_refusal_is_not_tried_again(server, tmp_path, status):
    url = server.add("/data.bin", CONTENT, Fault(status=status))
    with pytest.raises(InputError, match=f"answers {status}.*check the URL"):
        fetch_url(url, tmp_path / "data.bin", "data", PATIENT)
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_web_page_instead_of_a_file_is_refused(server, tmp_path):
    url = server.add("/data.zip", b"<html>Are you sure?</html>")
    server.types["/data.zip"] = "text/html; charset=utf-8"
    with pytest.raises(InputError, match="a web page instead of a file"):
        fetch_url(url, tmp_path / "data.zip", "data", PATIENT)


def test_nothing_listens(tmp_path):
    with fault_server() as server:
        url = server.add("/data.bin", CONTENT)
    with pytest.raises(InputError, match=r"ConnectError.*4 times in a row"):
        fetch_url(url, tmp_path / "data.bin", "data", PATIENT)


def test_a_secret_in_a_url_is_not_shown(server, tmp_path, caplog):
    url = server.add("/data.bin", CONTENT, *[Fault(status=503)] * 9)
    with pytest.raises(InputError) as error:
        fetch_url(
            url.replace("//", "//me:hush@") + "?sig=hush", tmp_path / "data.bin", "data", PATIENT
        )
    assert "hush" not in str(error.value) + caplog.text


def test_a_url_that_cannot_be_read_is_refused_without_its_parts(tmp_path):
    with pytest.raises(InputError, match="data: the URL is not valid") as error:
        fetch_url("http://me:hush/hush@127.0.0.1/x", tmp_path / "x", "data", PATIENT)
    assert "hush" not in str(error.value)
