"""The toy base model: its tokenizer, its bundles of prompts, and the program that trains it."""

import json

import pytest
import torch
from transformers import AutoTokenizer

import toy_models
from published_texts import published_messages
from sqladder.demo.base_model import bundle, collate, new_model, train_tokenizer
from sqladder.demo.settings import NetworkSize
from sqladder.models.turns import Turns
from sqladder.training.pairs import token_pairs

SHAPE = NetworkSize(vocab_size=400, hidden_size=32, layers=2, heads=2)


def test_the_tokenizer_gives_back_any_text_and_keeps_control_tokens_whole():
    tokenizer = train_tokenizer(["SELECT name FROM singer"] * 3, vocab_size=300)
    assert len(tokenizer) <= 300
    for text in ["SELECT ö, '東京' FROM t\n\n\t;", "\x00\x7f 🙂", "a  b   c\r\nd"]:
        assert tokenizer.decode(tokenizer.encode(text)) == text
    for token in ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<think>", "</think>"]:
        assert len(tokenizer.encode(token)) == 1
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.pad_token == "<|endoftext|>"


def test_a_saved_tokenizer_reads_as_it_was_trained(tmp_path):
    tokenizer = toy_models.tokenizer()
    toy_models.save_base(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for text in ["SELECT 123 FROM “t”", "it's 20\n\n  <think>x", "<|im_start|>user\nå"]:
        assert loaded.encode(text) == tokenizer.encode(text)
    assert loaded.chat_template == tokenizer.chat_template


def pairs_on_two_schemas(tokenizer):
    schemas = [toy_models.SCHEMA] * 5 + ["a(b, c, d, e, f, g, h, i, j, k)"]
    messages = [
        published_messages(schema, f"Which {number}?", f"SELECT {number}", system_text="")
        for number, schema in enumerate(schemas)
    ]
    return token_pairs(Turns(tokenizer), [{"messages": m} for m in messages], "rows")


def test_bundled_prompts_give_the_logits_that_each_gives_alone():
    tokenizer = toy_models.tokenizer()
    pairs = pairs_on_two_schemas(tokenizer)
    model = new_model(tokenizer, SHAPE, seed=3).eval()
    bundles = bundle(pairs, size=3, seed=1)
    batch = collate(bundles, tokenizer.pad_token_id)
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = model(**batch).logits
        for row, item in enumerate(bundles):
            at = len(item.prefix)
            for prompt, answer in item.rests:
                alone = torch.tensor([item.prefix + prompt + answer])
                expected = model(input_ids=alone).logits[0, len(item.prefix) :]
                end = at + len(prompt) + len(answer)
                torch.testing.assert_close(logits[row, at:end], expected, rtol=1e-4, atol=1e-5)
                assert labels[row, at:end].tolist() == [-100] * len(prompt) + answer
                at = end
            assert (labels[row, at:] == -100).all()


def test_bundles_hold_every_prompt_once_and_mix_no_schemas():
    pairs = pairs_on_two_schemas(toy_models.tokenizer())
    bundles = bundle(pairs, size=3, seed=1)
    unpacked = [(b.prefix + prompt, answer) for b in bundles for prompt, answer in b.rests]
    assert sorted(unpacked) == sorted(pairs)
    assert sorted(len(b.rests) for b in bundles) == [1, 2, 3]
    assert all(2 * len(b.prefix) > len(b.prefix + prompt) for b in bundles for prompt, _ in b.rests)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    done = toy_models.run("train_base.py", **toy_models.base_options(folder, epochs=20))
    assert done.returncode == 0, done.stdout
    return folder


def test_a_base_model_learns_and_its_folder_loads(trained):
    facts = json.loads((trained / "base.json").read_text())
    assert facts["steps"] == 20 * 2
    assert facts["loss_curve"][-1][1] < 0.7 * facts["loss_curve"][0][1]
    assert facts["total_parameters"] == toy_models.load(trained / "base").num_parameters()
    assert facts["seconds"] > 0
    assert not facts["resumed"]
    assert not (trained / "work").exists()


def test_a_base_model_may_take_prompts_far_longer_than_its_own(trained):
    assert toy_models.load(trained / "base").config.max_position_embeddings >= 32768


def test_prompts_without_answers_are_refused(tmp_path):
    options = toy_models.base_options(tmp_path, epochs=1)
    toy_models.write_rows(options["prompts"], 3, with_answer=False)
    done = toy_models.run("train_base.py", **options)
    assert done.returncode == 1
    assert "--with-answer" in done.stdout
    assert not (tmp_path / "base").exists()


def test_a_diverging_training_ends_with_one_line_and_no_model(tmp_path):
    options = toy_models.base_options(tmp_path, epochs=4, learning_rate=1e30)
    done = toy_models.run("train_base.py", **options)
    assert done.returncode == 1
    assert "the training diverged" in done.stdout.splitlines()[-1]
    assert not (tmp_path / "base").exists()
