"""An engine beside the trainer answers as the network that is trained does, at each step."""

import pytest
import torch

import toy_models
from sqladder.errors import InputError
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.tokens import end_tokens
from sqladder.models.network import load_network
from sqladder.reinforcement import engine_answers
from sqladder.reinforcement.engine_answers import EngineAnswers
from sqladder.reinforcement.live_answers import LiveAnswers
from sqladder.reinforcement.policy_weights import policy_weights

GREEDY = {
    "engine": "vllm",
    "max_new_tokens": 12,
    "batch_size": 4,
    "temperature": 0,
    "top_p": 1,
    "repetition_penalty": 1,
    "seed": 1,
}

VARIABLE = "SQLADDER_VLLM_PYTHON"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base", **toy_models.FOR_VLLM)


def changed(network):
    with torch.no_grad():
        for number, weights in enumerate(network.parameters()):
            if weights.requires_grad:
                noise = torch.Generator().manual_seed(number)
                weights += 0.05 * torch.randn(weights.shape, generator=noise)
    return network


@pytest.mark.parametrize("own", [{}, {"use_dora": True}, {"use_rslora": True}])
def test_adapters_are_merged_into_copies(base, own):
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "down_proj"], **own)
    network = changed(get_peft_model(load_network(base), config))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    found = policy_weights(network)
    assert all(torch.equal(network.state_dict()[name], own) for name, own in before.items())
    merged = policy_weights(network.merge_and_unload())
    assert found.keys() == merged.keys()
    for name, tensor in merged.items():
        torch.testing.assert_close(found[name], tensor)


@pytest.mark.vllm
@pytest.mark.parametrize("devices", [(), ("", "")], ids=["shared", "two of their own"])
def test_the_engine_answers_by_the_weights_of_the_step(base, devices):
    decoding = DecodingSettings(**GREEDY)
    prompts = [[5, 6, 7, 8], [9, 10, 11], [12, 13]]
    network = load_network(base)
    live = LiveAnswers(end_tokens(base))
    engine = EngineAnswers(base, 32, 4, decoding, devices)
    answers = []
    for step in range(2):
        own = changed(network) if step else network
        answers.append(engine.draw(own, prompts, decoding))
        assert answers[-1] == live.draw(own, prompts, decoding)
    assert answers[0] != answers[1]
    engine.close()


def test_an_engine_that_is_not_beside_the_trainer_is_refused_with_the_way_out(base, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(engine_answers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"vllm draws beside the trainer.*engine: transformers"):
        EngineAnswers(base, 32, 4, DecodingSettings(**GREEDY))


def test_an_engine_that_does_not_start_is_told_of(base, monkeypatch):
    monkeypatch.setenv(VARIABLE, "/bin/false")
    with pytest.raises(InputError, match="draws answers ended with status 1"):
        EngineAnswers(base, 32, 4, DecodingSettings(**GREEDY))


# Answers to each prompt with a text of what it was asked by: the folder, its GPU and whether it has it alone.
ECHO = """
import json, os, sys
print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    own = f"{os.environ.get('CUDA_VISIBLE_DEVICES')} {'--alone' in sys.argv}"
    print(json.dumps([[[prompt, own, None, None]] for prompt in asked["prompts"]]), flush=True)
"""


@pytest.mark.parametrize(
    ("devices", "told"),
    [
        ((), ["0 False"] * 5),
        (("1",), ["1 True"] * 5),
        (("1", "3"), ["1 True"] * 2 + ["3 True"] * 3),
    ],
)
def test_prompts_are_parted_among_engines_and_their_answers_in_order(
    base, tmp_path, monkeypatch, devices, told
):
    program = tmp_path / "echo.py"
    program.write_text(ECHO)
    monkeypatch.setattr(engine_answers, "PROGRAM", str(program))
    monkeypatch.setattr(engine_answers, "_check_vllm", lambda: None)
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    decoding = DecodingSettings(**GREEDY)
    engine = EngineAnswers(base, 32, 4, decoding, devices)
    prompts = [[number] for number in range(5)]
    answers = engine.draw(load_network(base), prompts, decoding)
    engine.close()
    assert [own[0][0] for own in answers] == prompts
    assert [own[0][1] for own in answers] == told
