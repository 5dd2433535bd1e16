"""Kinds of adapters: what is trained is what is merged, and how it is named."""

import functools
import json

import pytest
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

import toy_models
from sqladder.errors import InputError
from sqladder.models.shapes import linear_layers
from sqladder.models.turns import Turns
from sqladder.settings.problems import settings_of
from sqladder.training import launch, llamafactory
from sqladder.training.adapters import adapter_weights
from sqladder.training.kernel_check import fuse_checked
from sqladder.training.packing import PackedLimits, pack
from sqladder.training.pairs import token_pairs
from sqladder.training.settings import AnyTraining
from training_here import train_here

KINDS = {
    "lora": {},
    "lora (rsLoRA)": {"rslora": True},
    "lora (DoRA)": {"dora": True},
    "lora (rsLoRA, DoRA)": {"rslora": True, "dora": True},
    "lora (QLoRA)": {"quantize": "nf4"},
    "lora (rsLoRA, QLoRA)": {"rslora": True, "quantize": "nf4"},
}
# Kinds whose parts are in another kind.
ALSO_ALONE = ("lora (rsLoRA)", "lora (DoRA)", "lora (QLoRA)")
RECIPE = {
    **toy_models.LORA,
    "target_modules": ["all-linear"],
    "learning_rate": 0.01,
    "epochs": 2,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "cutoff_length": 1024,
    "packing_length": 1024,
    "kernels": "fused",
    "seed": 42,
}


def settings(**changes):
    return settings_of(AnyTraining, RECIPE | changes)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base", layers=2, hidden_size=64)


@pytest.fixture(scope="module")
def once_loaded(tmp_path_factory):
    """LLaMA-Factory, which a process of a training loads once."""
    loaded = llamafactory.load_llamafactory(tmp_path_factory.mktemp("loaded"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llamafactory, "load_llamafactory", lambda work_folder: loaded)
        yield


@pytest.fixture(scope="module")
def trained(base, once_loaded, tmp_path_factory):
    """Each kind of adapters, trained once: its folder and the facts of its training."""

    @functools.cache
    def of_kind(name):
        own = settings(**KINDS[name])
        if own.by_bitsandbytes:
            pytest.importorskip("bitsandbytes", reason="requirements/bitsandbytes.lock")
        folder = tmp_path_factory.mktemp("trained")
        return folder, train_here(folder, base, own, rows=40)

    return of_kind


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long if name in ALSO_ALONE else ()) for name in KINDS],
)
def test_a_merged_model_computes_what_base_and_adapters_do(base, trained, name):
    own, (folder, facts) = settings(**KINDS[name]), trained(name)
    assert facts["method"] == name
    assert facts["kernels"] == "fused"
    assert facts["trainable_parameters"] == adapter_weights(own.lora, linear_layers(base))
    losses = [loss for _, loss in facts["loss_curve"]]
    assert losses[-1] < losses[0] - 0.5
    adapter = json.loads((folder / "work/run/adapter_config.json").read_text())
    assert (adapter["use_rslora"], adapter["use_dora"]) == (own.rslora, own.dora)
    ids = torch.arange(60).view(1, -1)
    beside = PeftModel.from_pretrained(toy_models.load(base), folder / "work/run").eval()
    merged = toy_models.load(folder / "model").eval()
    with torch.no_grad():
        expected, found = beside(ids).logits, merged(ids).logits
        untrained = toy_models.load(base)(ids).logits
    assert (found - expected).abs().max() < 1e-5
    assert (found - untrained).abs().max() > 0.1
    before, after = (load_file(path / "model.safetensors") for path in (base, folder / "model"))
    same = {name for name in before if torch.equal(before[name], after[name])}
    adapted = {f"{layer}.weight" for layer in linear_layers(base)}
    assert same == {name for name in before if ".".join(name.split(".")[-2:]) not in adapted}


@pytest.mark.slow
def test_nf4_trains_beside_rounded_weights(trained):
    first, rounded = (trained(name)[1]["loss_curve"][0][1] for name in ("lora", "lora (QLoRA)"))
    # Adapters begin with nothing, so the first loss is that of the base alone.
    assert 1e-5 < abs(first - rounded) < 0.05


def test_packed_weights_are_no_numbers_to_lengthen(base):
    bitsandbytes = pytest.importorskip("bitsandbytes", reason="requirements/bitsandbytes.lock")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        base,
        dtype=torch.bfloat16,
        device_map={"": "cpu"},
        quantization_config=transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
            # As LLaMA-Factory stores them: two bytes of packed weights to a number.
            bnb_4bit_quant_storage=torch.bfloat16,
        ),
    )
    model = get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"]))
    packed = [layer for layer in model.modules() if isinstance(layer, bitsandbytes.nn.Linear4bit)]
    before = [layer.weight.data.view(torch.uint8).clone() for layer in packed]
    pairs = token_pairs(Turns(toy_models.tokenizer()), toy_models.rows(8), None)
    rows = pack(pairs, 320, 160, padding=0, seed=1)
    assert fuse_checked(model, rows, PackedLimits.of(rows, 160, len(rows))) is None
    assert packed
    for layer, weight in zip(packed, before, strict=True):
        assert torch.equal(layer.weight.data.view(torch.uint8), weight)
        assert layer.compute_dtype == torch.bfloat16


def test_adapters_are_named_by_what_they_are():
    for name, kind in KINDS.items():
        assert settings(**kind).described == name


def test_lengths_of_dora_are_counted():
    layers = {"q_proj": [(8, 4), (8, 4)], "down_proj": [(4, 16)]}
    assert adapter_weights(settings(rank=2).lora, layers) == 2 * (12 + 12 + 20)
    assert adapter_weights(settings(rank=2, dora=True).lora, layers) == 2 * 44 + 8 + 8 + 4


@pytest.mark.parametrize("change", [{"quantize": "nf4"}, {"optimizer": "adamw_8bit"}])
def test_a_missing_package_is_named_before_anything_is_written(monkeypatch, tmp_path, change):
    monkeypatch.setattr(launch, "installed_version", lambda package: None)
    files = launch.TrainingFiles(*(tmp_path / name for name in ("b", "d", "o", "w")), None)
    with pytest.raises(InputError, match=r"needs the package bitsandbytes.*bitsandbytes\.lock"):
        launch.fine_tune(settings(**change), files)
    assert not list(tmp_path.iterdir())


def test_no_other_training_asks_for_bitsandbytes():
    assert settings().by_bitsandbytes is None
