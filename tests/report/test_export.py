"""`sqladder export`: a model as a GGUF file, and with its card on a hub; what cannot be is refused in words."""

import importlib.util
import os
import shutil
import subprocess
import sys

import pytest
import yaml

from asked_runs import DATABASE, make_run
from hub_server import hub_server
from sqladder.files import parse_json, write_json, write_text
from sqladder.report.model_card import use_section

TOKEN = "hf_of_a_test"
SQLADDER = (sys.executable, "-m", "sqladder.cli")


@pytest.fixture(scope="module")
def a_run(tmp_path_factory):
    """A run with one trained variant, `full`."""
    root = tmp_path_factory.mktemp("run")
    config = make_run(root)
    own = root / "results/full"
    use = use_section("results/full", "results/full/model")
    write_text(own / "model_card.md", f"---\nlicense: unknown\n---\n\n# full\n\n{use}\n")
    write_text(own / "loss.svg", "<svg/>")
    for name in ("train.json", "metrics.json", "generation.json"):
        write_json(own / name, {"of": name})
    write_json(root / "results/facts.json", {"config": config})
    # As a quantized variant leaves it.
    small = root / "results/small"
    shutil.copytree(own, small)
    settings = parse_json((small / "model/config.json").read_text(), "config.json")
    packed = {**settings, "quantization_config": {"quant_method": "bitsandbytes"}}
    write_json(small / "model/config.json", packed)
    return root


def export(root, *words, **environment):
    """Run `sqladder export` in the folder of a run."""
    clean = {key: value for key, value in os.environ.items() if key != "HF_TOKEN"}
    return subprocess.run(
        [*SQLADDER, "export", *words],
        cwd=root,
        env={**clean, "HF_HUB_DISABLE_XET": "1", **environment},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["results/full", "--to", "gguf", "--repository", "me/m"], "--repository has no use"),
        (["results/full", "--to", "hub", "--quantize", "q8_0"], "--quantize has no use"),
        (["results/full", "--to", "hub"], "needs --repository OWNER/NAME"),
        (["results/full", "--to", "hub", "--repository", "shop"], "'shop' is no name on the hub"),
        (["results/full", "--to", "hub", "--repository", "me/shop.git"], "no '.git' last"),
        (["results/full", "--to", "hub", "--repository", "me/m"], "HF_TOKEN"),
        (["results", "--to", "gguf"], "results is no variant, but holds some: name one of"),
        (["results/elsewhere", "--to", "gguf"], "a server answers for it"),
        (["results/full", "--to", "gguf", "--output", "results"], "results is a folder"),
        (["results/full", "--to", "gguf", "--output", "results/facts.json"], "ends in .gguf"),
        (["results/small", "--to", "gguf"], "bitsandbytes made smaller"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_line(a_run, words, message):
    done = export(a_run, *words)
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_variant_on_the_hub_is_private_whole_and_can_be_asked(a_run, tmp_path):
    with hub_server(TOKEN) as hub:
        hub_of = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN}
        words = ["results/full", "--to", "hub", "--repository", "me/shop-sql"]
        done = export(a_run, *words, **hub_of)
        assert done.returncode == 0, done.stderr
        assert f"{hub.url}/me/shop-sql" in done.stderr
        assert TOKEN not in done.stdout + done.stderr
        assert hub.private == {"me/shop-sql": True}
        files = hub.files["me/shop-sql"]
        again = export(a_run, *words, **hub_of)
        assert again.returncode == 0, again.stderr
        wrong = export(a_run, *words, **hub_of | {"HF_TOKEN": "hf_other"})
        assert wrong.returncode == 1
        assert "does not let this token write me/shop-sql (status 401)" in wrong.stderr
        # A repository that everybody reads is not what was asked for.
        hub.private["me/shop-sql"] = False
        refused = export(a_run, *words, **hub_of)
        assert refused.returncode == 1
        assert "everybody may read it" in refused.stderr
    model = a_run / "results/full/model"
    assert files["model.safetensors"] == (model / "model.safetensors").read_bytes()
    card = files["README.md"].decode()
    assert 'from_pretrained("me/shop-sql")' in card
    assert "hf download me/shop-sql --local-dir shop-sql\nsqladder ask shop-sql " in card
    assert "results/full" not in card
    config = yaml.safe_load(files["sqladder/config.yaml"])
    assert config["variants"]["full"] == {"method": "full"}
    assert parse_json(files["sqladder/metrics.json"].decode(), "it") == {"of": "metrics.json"}
    # As the card says.
    for name, content in files.items():
        path = tmp_path / "shop-sql" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    asked = subprocess.run(
        [*SQLADDER, "ask", "shop-sql", "--database", a_run / DATABASE, "--json", "How many?"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert '"question": "How many?"' in asked.stdout, asked.stderr


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"HF_ENDPOINT": "http://[::1", "HF_TOKEN": TOKEN},
            "HF_ENDPOINT is 'http://[::1', which is no",
        ),
        ({"HF_TOKEN": "hf_é"}, "HF_TOKEN holds characters that no token has"),
    ],
)
def test_a_token_or_a_hub_that_cannot_be_one_is_said_in_one_line(a_run, environment, message):
    words = ["results/full", "--to", "hub", "--repository", "me/m"]
    done = export(a_run, *words, **environment)
    assert done.returncode == 1
    assert message in done.stderr.strip().splitlines()[-1]


def test_a_hub_that_is_not_there_is_said_in_one_line(a_run):
    done = export(
        a_run,
        *("results/full", "--to", "hub", "--repository", "me/m"),
        HF_ENDPOINT="http://127.0.0.1:9",
        HF_TOKEN=TOKEN,
    )
    assert done.returncode == 1
    assert "the upload to me/m failed: ConnectError" in done.stderr.strip().splitlines()[-1]


@pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None,
    reason="llama.cpp is not installed (make gguf compiles it)",
)
def test_a_gguf_file_is_written_and_said(tmp_path):
    make_run(tmp_path)
    done = export(tmp_path, "results/full", "--to", "gguf", "--quantize", "q8_0")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "results/full/full-q8_0.gguf"
    assert file.read_bytes()[:4] == b"GGUF"
    weights = tmp_path / "results/full/model/model.safetensors"
    assert file.stat().st_size < weights.stat().st_size
    assert "Q8_0" in done.stderr
