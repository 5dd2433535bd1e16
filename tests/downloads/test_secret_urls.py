"""A URL with user, password and signature fetches its file, and stands in the config and the environment alone."""

import base64
import json

import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake
from fault_server import fault_server
from sqladder.errors import InputError
from sqladder.experiment import data_jobs, report_jobs
from sqladder.experiment.config import check
from sqladder.experiment.reading import read_yaml

SIGNED = "https://me:hush@example.org/x?X-Amz-Signature=hush"


def config_with(url):
    config = read_yaml(ROOT / "config/config.yaml")
    config["downloads"] = {"shop": {"source": "http", "url": url, "file": "dev.json"}}
    return config


def test_the_recorded_config_and_the_command_hold_no_secret():
    config = config_with(SIGNED)
    recorded = json.loads(report_jobs.merged_config(config))
    assert recorded["downloads"]["shop"]["url"] == "https://***@example.org/x?X-Amz-Signature=***"
    assert {**recorded, "downloads": None} == {**config, "downloads": None}
    assert "hush" not in " ".join(data_jobs.download_flags(config, "shop"))
    assert SIGNED in data_jobs.secret_urls(config).values()


def test_another_address_is_another_job_and_another_password_is_not():
    flags = [
        data_jobs.download_flags(config_with(url), "shop")
        for url in (SIGNED, SIGNED.replace("me:hush", "me:other"), SIGNED + "&id=2")
    ]
    assert flags[0] == flags[1] != flags[2]


@pytest.mark.parametrize(
    "url", ["https://example.org/x", "https://example.org/x?token=$SHOP_TOKEN"]
)
def test_a_url_without_secrets_stands_in_the_command(url, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "hush")
    check(config_with(url))
    assert f"--url={url}" in data_jobs.download_flags(config_with(url), "shop")
    assert data_jobs.secret_urls(config_with(url)) == {}


def test_a_variable_that_is_not_set_is_refused_before_any_job(monkeypatch):
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    with pytest.raises(
        InputError, match=r"downloads.shop.url: names .* SHOP_TOKEN, which is not set"
    ):
        check(config_with("https://example.org/x?token=${SHOP_TOKEN}"))


def test_a_wrong_url_is_refused_without_its_password():
    with pytest.raises(InputError, match=r"downloads.shop.url") as error:
        check(config_with("ftp://me:hush@host/x"))
    assert "hush" not in str(error.value)


def test_a_refusal_is_not_tried_again(tmp_path):
    project = copy_project(tmp_path / "project")
    with fault_server() as server:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config_with(f"{server.url}/nowhere")))
        arguments = ("--cores", "1", "--configfile", str(path), "--replace-workflow-config")
        done = run_snakemake(project, *arguments, "--retries", "2", "resources/downloads/shop")
        assert done.returncode == 1
        assert "the server answers 404" in done.stdout
        assert len(server.requests) == 1


def test_a_run_fetches_with_the_secrets_and_leaves_them_nowhere(tmp_path):
    project = copy_project(tmp_path / "project")
    with fault_server() as server:
        url = server.add("/get", b"[]").replace("//", "//me:hush@") + "?sig=hush"
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(config_with(url)))
        arguments = ("--cores", "1", "-p", "--configfile", str(path), "--replace-workflow-config")
        arguments += ("resources/downloads/shop",)
        done = run_snakemake(project, *arguments)
        assert done.returncode == 0, done.stdout
        asked = server.asked("/get")[-1]
    assert asked["authorization"] == f"Basic {base64.b64encode(b'me:hush').decode()}"
    assert asked["?"] == "sig=hush"
    assert (project / "resources/downloads/shop/dev.json").read_bytes() == b"[]"
    left = [file for file in project.rglob("*") if file.is_file() and b"hush" in file.read_bytes()]
    assert left == []
    assert "hush" not in done.stdout
