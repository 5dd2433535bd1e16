"""Networks of many architectures through a whole training: adapters and all parameters, packed and not, then asked."""

import pytest
import torch

import toy_models
from sqladder.generation.settings import DecodingSettings
from sqladder.models.turns import read_turns
from sqladder.settings.problems import settings_of
from sqladder.training import llamafactory
from sqladder.training.settings import AnyTraining
from toy_architectures import ARCHITECTURES, PLAIN_WHERE_PACKED, network
from training_here import train_here

RECIPE = {
    "learning_rate": 0.01,
    "epochs": 4,
    "batch_size": 4,
    "gradient_accumulation": 1,
    "cutoff_length": 512,
    "seed": 1,
}
METHODS = {
    "full": {"method": "full"},
    "lora": {**toy_models.LORA, "target_modules": ["all-linear"]},
}
ROWS = {
    "single rows": {},
    "packed rows": {"kernels": "fused", "packing_length": 512},
}
# Continuous integration has each method once and each form of rows once, of every architecture.
COMBINATIONS = [
    ("full", "single rows"),
    ("lora", "packed rows"),
    pytest.param("full", "packed rows", marks=pytest.mark.long),
    pytest.param("lora", "single rows", marks=pytest.mark.long),
]
DECODING = toy_models.GREEDY | {"max_new_tokens": 4}


@pytest.fixture(scope="module", autouse=True)
def once_loaded(tmp_path_factory):
    """LLaMA-Factory, which a process of a training loads once."""
    loaded = llamafactory.load_llamafactory(tmp_path_factory.mktemp("loaded"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(llamafactory, "load_llamafactory", lambda work_folder: loaded)
        yield


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Folders of untrained bases, by architecture."""
    folder = tmp_path_factory.mktemp("bases")

    def of_architecture(name):
        if not (folder / name).exists():
            network(name).save_pretrained(folder / name)
            toy_models.tokenizer().save_pretrained(folder / name)
        return folder / name

    return of_architecture


def train(folder, base, options):
    """What a training process does, in this one; returns the facts of the training."""
    return train_here(folder, base, settings_of(AnyTraining, {**RECIPE, **options}), rows=24)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "rows"), COMBINATIONS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_trains_and_answers(base, tmp_path, architecture, method, rows):
    model = base(architecture)
    facts = train(tmp_path, model, {**METHODS[method], **ROWS[rows]})
    losses = [loss for _, loss in facts["loss_curve"]]
    assert losses[-1] < losses[0]
    is_fused = rows == "packed rows" and architecture not in PLAIN_WHERE_PACKED
    assert facts["kernels"] == ("fused" if is_fused else "plain")
    before, after = toy_models.load(model), toy_models.load(tmp_path / "model")
    weights = after.state_dict()
    changed = [name for name, old in before.state_dict().items() if not weights[name].equal(old)]
    assert len(changed) == len(weights) if method == "full" else changed
    turns = read_turns(tmp_path / "model")
    prompts = [turns.prompt_ids(row["messages"]) for row in toy_models.rows(3, with_answer=False)]
    decoding = settings_of(DecodingSettings, DECODING)
    answers = toy_models.answers(tmp_path / "model", prompts, decoding, turns.stops)
    for prompt, (answer,) in zip(prompts, answers, strict=True):
        likeliest = after(torch.tensor([prompt])).logits[0, -1].argmax()
        assert (*answer.token_ids, *turns.stops[:1])[0] == likeliest


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_tokenizer_that_names_neither_end_nor_padding_trains(tmp_path, method):
    words = toy_models.tokenizer()
    words.eos_token = words.pad_token = None
    network("llama").save_pretrained(tmp_path / "base")
    words.save_pretrained(tmp_path / "base")
    # Nor has it the token that LLaMA-Factory would take, which then were one more than there are.
    for path in tmp_path.glob("base/tokenizer*.json"):
        path.write_text(path.read_text().replace("<|endoftext|>", "<|over|>"))
    rows = {"alone": {"batch_size": 1, "gradient_accumulation": 4}, "padded": {"batch_size": 4}}
    alone, padded = (
        train(tmp_path / name, tmp_path / "base", {**METHODS[method], **split})
        for name, split in rows.items()
    )
    assert padded["final_loss"] == pytest.approx(alone["final_loss"], abs=1e-3)
