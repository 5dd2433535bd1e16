"""Generation: batches, end of answers, refusals, and what predictions and facts hold."""

import json

import pytest
import torch
from transformers import AutoTokenizer

import toy_models
from sqladder import prompts
from sqladder.errors import InputError
from sqladder.extraction import extract_sql
from sqladder.generation import transformers_engine, vllm_engine
from sqladder.generation.contract import Completion, Decoding, cut_at_end_token

GREEDY = Decoding(max_new_tokens=12, temperature=0, top_p=1, repetition_penalty=1, seed=1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learned a little, so that some answers end by themselves."""
    folder = tmp_path_factory.mktemp("model")
    options = toy_models.base_options(folder, epochs=30, learning_rate=0.01)
    done = toy_models.run("train_base.py", **options)
    assert done.returncode == 0, done.stdout
    return folder / "base"


@pytest.fixture(scope="module")
def prompt_ids(model):
    tokenizer = AutoTokenizer.from_pretrained(model)
    return [prompts.prompt_ids(tokenizer, r["messages"]) for r in toy_models.rows(9, False)]


def generate_options(folder, model, **options):
    return {
        "model": model,
        "prompts": toy_models.write_rows(folder / "test.jsonl", 9, with_answer=False),
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        "max_new_tokens": 12,
    } | options


def test_predictions_hold_text_sql_reason_and_token_counts(model, prompt_ids, tmp_path):
    done = toy_models.run("generate.py", **generate_options(tmp_path, model))
    assert done.returncode == 0, done.stdout
    rows = toy_models.read_lines(tmp_path / "predictions.jsonl")
    assert [row["id"] for row in rows] == [f"q{number}" for number in range(9)]
    tokenizer = AutoTokenizer.from_pretrained(model)
    for row, ids in zip(rows, prompt_ids, strict=True):
        assert row["sql"] == extract_sql(row["text"])
        assert row["prompt_tokens"] == len(ids)
        assert "<|im_end|>" not in row["text"]
        assert (row["output_tokens"] == 12) == (row["finish_reason"] == "length")
        assert len(tokenizer.encode(row["text"])) <= row["output_tokens"]
    facts = json.loads((tmp_path / "generation.json").read_text())
    assert facts["prompts"] == 9
    assert facts["output_tokens"] == sum(row["output_tokens"] for row in rows)
    assert facts["cut_off"] == sum(row["finish_reason"] == "length" for row in rows)


def test_a_batch_gives_what_each_prompt_gives_alone(model, prompt_ids):
    assert len({len(ids) for ids in prompt_ids}) > 1
    together = transformers_engine.generate(model, prompt_ids, GREEDY, batch_size=4)
    network = toy_models.load(model).eval()
    for ids, completion in zip(prompt_ids, together, strict=True):
        output = network.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids)),
            max_new_tokens=12,
            do_sample=False,
        )
        end_token = network.config.eos_token_id
        assert completion == cut_at_end_token(output[0, len(ids) :].tolist(), end_token)


def test_sampling_repeats_with_its_seed_and_differs_with_another(model, prompt_ids):
    def sample(seed):
        decoding = Decoding(12, temperature=2.0, top_p=0.95, repetition_penalty=1.2, seed=seed)
        return transformers_engine.generate(model, prompt_ids, decoding, batch_size=4)

    assert sample(1) == sample(1) != sample(2)


def test_an_answer_ends_before_its_end_token():
    assert cut_at_end_token([5, 6, 9, 0, 0], end_token=9) == Completion([5, 6], "stop")
    assert cut_at_end_token([5, 6], end_token=9) == Completion([5, 6], "length")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_new_tokens": 50_000}, "prompt 'q0' has"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"top_p": 0}, "top_p is 0"),
        ({"temperature": -1}, "temperature is -1"),
        ({"model": "nowhere"}, "model nowhere is not a folder"),
    ],
)
@pytest.mark.parametrize("engine", ["transformers", "vllm"])
def test_bad_input_is_refused_before_an_engine_starts(model, tmp_path, change, message, engine):
    options = generate_options(tmp_path, model, engine=engine) | change
    done = toy_models.run("generate.py", **options)
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (tmp_path / "predictions.jsonl").exists()


def test_a_checkpoint_without_weights_is_refused(model, tmp_path):
    (tmp_path / "model").mkdir()
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / "model" / name).write_bytes((model / name).read_bytes())
    done = toy_models.run("generate.py", **generate_options(tmp_path, tmp_path / "model"))
    assert "holds no weights" in done.stdout


def test_vllm_gets_no_option_that_it_does_not_know(capsys):
    options = vllm_engine.engine_options("model", context=99, batch_size=8, on_gpu=False)
    known = set(options) - {"enable_prefix_caching"}
    assert set(vllm_engine.known_options(options, known)) == known
    assert "'enable_prefix_caching'" in capsys.readouterr().out


def test_a_vllm_that_lacks_an_option_of_decoding_is_refused():
    options = vllm_engine.sampling_options(GREEDY, end_token=3)
    with pytest.raises(InputError, match="'repetition_penalty'"):
        vllm_engine.known_options(options, set(options) - {"repetition_penalty"})
