"""Checkpoints and adapters are checked by the headers of their files, before anything slow starts."""

import json

import pytest
import torch
from safetensors.torch import save_file

from sqladder.errors import InputError
from sqladder.models.folders import check_model_folder
from sqladder.models.weights import check_adapter, check_weights, read_header

WEIGHTS = {
    "model.embed_tokens.weight": torch.zeros(6, 4),
    "model.layers.0.self_attn.q_proj.weight": torch.zeros(8, 4),
}


@pytest.fixture
def checkpoint(tmp_path):
    """A checkpoint of two files with an index."""
    folder = tmp_path / "model"
    folder.mkdir()
    weight_map = {}
    for number, (name, weight) in enumerate(WEIGHTS.items()):
        file = f"model-{number}.safetensors"
        save_file({name: weight}, folder / file, metadata={"format": "pt"})
        weight_map[name] = file
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    for name in ("config.json", "tokenizer_config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    return folder


def make_adapter(folder, width=4, out=8, module="model.layers.0.self_attn.q_proj"):
    folder.mkdir()
    key = f"base_model.model.{module}.lora_"
    parts = {f"{key}A.weight": torch.zeros(2, width), f"{key}B.weight": torch.zeros(out, 2)}
    save_file(parts, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Other"}')
    return folder


def test_a_whole_checkpoint_passes(checkpoint):
    check_model_folder(checkpoint, "model")
    header = read_header(checkpoint / "model-0.safetensors")
    assert {name: tensor["shape"] for name, tensor in header.items()} == {
        "model.embed_tokens.weight": [6, 4]
    }


def remove_all_weights(folder):
    for path in folder.glob("*.safetensors"):
        path.unlink()
    (folder / "model.safetensors.index.json").unlink()


def cut(length):
    def spoil(folder):
        path = folder / "model-1.safetensors"
        path.write_bytes(path.read_bytes()[:length])

    return spoil


def write_other_text(folder):
    (folder / "model-1.safetensors").write_text("version https://git-lfs.github.com/spec/v1" * 9)


def write_broken_header(folder):
    (folder / "model-1.safetensors").write_bytes((4).to_bytes(8, "little") + b"none" + bytes(99))


def swap_files(folder):
    (folder / "model-1.safetensors").write_bytes((folder / "model-0.safetensors").read_bytes())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_all_weights, "holds no weights"),
        (lambda folder: (folder / "model-1.safetensors").unlink(), "lacks model-1.safetensors"),
        (cut(-1), r"model-1\.safetensors is no whole .* bytes, but its header says"),
        (cut(40), "end within its header"),
        (cut(3), "end within its header"),
        (cut(0), "end within its header"),
        (write_other_text, "end within its header"),
        (write_broken_header, "does not begin with the header"),
        (swap_files, "of different checkpoints"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "lacks tokenizer.json or vocab.json"),
        (lambda folder: (folder / "config.json").unlink(), "lacks config.json"),
    ],
)
def test_an_incomplete_checkpoint_is_refused_and_says_what_is_missing(checkpoint, spoil, message):
    spoil(checkpoint)
    with pytest.raises(InputError, match=message):
        check_model_folder(checkpoint, "model")


def test_an_adapter_is_no_model(tmp_path):
    with pytest.raises(InputError, match=r"is an adapter of Qwen/Other.*merge it"):
        check_weights(make_adapter(tmp_path / "adapter"), "model")


@pytest.mark.parametrize(
    "module", ["model.layers.0.self_attn.q_proj", "model._orig_mod.layers.0.self_attn.q_proj"]
)
def test_an_adapter_of_this_base_may_be_merged(checkpoint, tmp_path, module):
    check_adapter(make_adapter(tmp_path / "adapter", module=module), checkpoint)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"width": 5}, "takes 4 numbers there, 5 here"),
        ({"out": 9}, "gives 8 numbers there, 9 here"),
        ({"module": "transformer.h.0.attn"}, "changes no weight"),
    ],
)
def test_an_adapter_of_another_base_is_refused(checkpoint, tmp_path, shape, message):
    with pytest.raises(InputError, match=rf"trained on Qwen/Other.*{message}"):
        check_adapter(make_adapter(tmp_path / "adapter", **shape), checkpoint)


def test_an_adapter_without_weights_is_refused(checkpoint, tmp_path):
    adapter = make_adapter(tmp_path / "adapter")
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(InputError, match="holds no weights"):
        check_adapter(adapter, checkpoint)
