"""Generation: batches, end of answers, refusals, and what predictions and facts hold."""

import json
import logging
import re
import shutil
import sqlite3
from contextlib import closing

import pytest
import torch
import xgrammar
from transformers import AutoTokenizer

import toy_models
from sqladder.errors import InputError
from sqladder.files import write_jsonl
from sqladder.generation import vllm_engine
from sqladder.generation.contract import Completion, cut_at_end_token, prompt_seed
from sqladder.generation.extraction import extract_sql
from sqladder.generation.grammars import tables_of
from sqladder.generation.settings import DecodingSettings
from sqladder.generation.sql_grammar import any_names, own_names
from sqladder.models.turns import Turns, read_turns
from sqladder.prompts import rendering as prompts

GREEDY = DecodingSettings(**toy_models.GREEDY | {"max_new_tokens": 12, "batch_size": 4})


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learned a little, so that some answers end by themselves."""
    return toy_models.learned_base(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def prompt_ids(model):
    turns = read_turns(model)
    return [prompts.prompt_ids(turns, r["messages"]) for r in toy_models.rows(9, False)]


def generate_options(folder, model, **options):
    files = {
        "model": model,
        "prompts": toy_models.write_rows(folder / "test.jsonl", 9, with_answer=False),
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        "max_new_tokens": 12,
    }
    return toy_models.GREEDY | files | options


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
    assert set(facts["stages"]) >= {
        "tokenization",
        "imports",
        "engine_start",
        "generation",
        "writing",
    }
    assert sum(facts["stages"].values()) <= facts["seconds"] + 0.1
    assert facts["prompts_per_second"] == pytest.approx(9 / facts["stages"]["generation"], rel=0.1)


def test_a_batch_gives_what_each_prompt_gives_alone(model, prompt_ids):
    assert len({len(ids) for ids in prompt_ids}) > 1
    network = toy_models.load(model).eval()
    end_token = network.config.eos_token_id
    together = toy_models.answers(model, prompt_ids, GREEDY, [end_token])
    for ids, completions in zip(prompt_ids, together, strict=True):
        output = network.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids)),
            max_new_tokens=12,
            do_sample=False,
        )
        assert completions == [cut_at_end_token(output[0, len(ids) :].tolist(), [end_token])]


def test_sampling_repeats_with_its_seed_and_differs_with_another(model, prompt_ids):
    def sample(seed):
        sampling = {"temperature": 2.0, "top_p": 0.95, "repetition_penalty": 1.2, "seed": seed}
        decoding = GREEDY.model_copy(update=sampling)
        return toy_models.answers(model, prompt_ids, decoding, [1])

    assert sample(1) == sample(1) != sample(2)


def test_what_is_drawn_does_not_depend_on_what_stands_beside_it(model, prompt_ids):
    sampling = {"samples": 3, "temperature": 2.0, "top_p": 0.95, "include_greedy": True}
    decoding = GREEDY.model_copy(update=sampling)
    together = toy_models.answers(model, prompt_ids, decoding, [1])
    backwards = toy_models.answers(model, prompt_ids[::-1], decoding, [1])
    alone = toy_models.answers(
        model, prompt_ids, decoding.model_copy(update={"batch_size": 1}), [1]
    )
    assert together == backwards[::-1] == alone
    fewer = toy_models.answers(model, prompt_ids, decoding.model_copy(update={"samples": 2}), [1])
    assert [own[:2] for own in together] == fewer


def test_tokens_are_drawn_as_often_as_the_model_gives_them(model, prompt_ids):
    network = toy_models.load(model).eval()
    decoding = GREEDY.model_copy(
        update={"samples": 1000, "temperature": 1.5, "top_p": 0.9, "max_new_tokens": 1}
    )
    (own,) = toy_models.answers(model, prompt_ids[:1], decoding, [1])
    with torch.inference_mode():
        shares = (network(torch.tensor([prompt_ids[0]])).logits[0, -1] / 1.5).softmax(-1)
    ordered = shares.sort(descending=True)
    kept = int((ordered.values.cumsum(0) < 0.9).sum()) + 1
    nucleus = set(ordered.indices[:kept].tolist())
    drawn = [each.token_ids[0] if each.token_ids else 1 for each in own]
    assert set(drawn) <= nucleus
    total = float(ordered.values[:kept].sum())
    for token in ordered.indices[:3].tolist():
        share = float(shares[token]) / total
        spread = (share * (1 - share) / 1000) ** 0.5
        assert abs(drawn.count(token) / 1000 - share) < 4 * spread + 1e-9


def test_an_answer_ends_before_its_end_token():
    assert cut_at_end_token([5, 6, 9, 0, 0], [8, 9]) == Completion([5, 6], "stop", end_token=9)
    assert cut_at_end_token([5, 6], [8, 9]) == Completion([5, 6], "length")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_new_tokens": 50_000}, "prompt 'q0' has"),
        ({"max_new_tokens": 0}, "--max-new-tokens: 0 is out of range: it has to be at least 1"),
        ({"top_p": 0}, "--top-p: 0.0 is out of range"),
        ({"temperature": "-1"}, "--temperature: -1.0 is out of range"),
        ({"samples": 2}, "greedy answers are all the same"),
        ({"include_greedy": True}, "a greedy answer is the first of several samples"),
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


def test_several_samples_are_all_kept_and_the_first_is_the_prediction(model, tmp_path):
    options = {"samples": 3, "temperature": 2, "top_p": 0.95}
    done = toy_models.run("generate.py", **generate_options(tmp_path, model, **options))
    assert done.returncode == 0, done.stdout
    rows = toy_models.read_lines(tmp_path / "predictions.jsonl")
    for row in rows:
        assert len(row["samples"]) == 3
        assert {name: row[name] for name in row["samples"][0]} == row["samples"][0]
    assert any(len({sample["text"] for sample in row["samples"]}) > 1 for row in rows)
    facts = json.loads((tmp_path / "generation.json").read_text())
    drawn = [sample["output_tokens"] for row in rows for sample in row["samples"]]
    assert facts["output_tokens"] == sum(drawn)


def test_the_greedy_answer_is_the_first_sample_and_the_others_are_drawn(model, prompt_ids):
    sampling = {"samples": 3, "temperature": 2.0, "top_p": 0.95, "include_greedy": True}
    answers = toy_models.answers(model, prompt_ids, GREEDY.model_copy(update=sampling), [1])
    alone = toy_models.answers(model, prompt_ids, GREEDY, [1])
    assert [completions[0] for completions in answers] == [only for (only,) in alone]
    assert {len(completions) for completions in answers} == {3}
    assert any(completions[1] != completions[0] for completions in answers)


def test_a_log_probability_is_the_mean_over_the_answers_own_tokens(model, prompt_ids):
    network = toy_models.load(model).eval()
    end_token = network.config.eos_token_id
    sampling = {"samples": 3, "temperature": 1.5, "log_probabilities": True}
    answers = toy_models.answers(model, prompt_ids, GREEDY.model_copy(update=sampling), [end_token])
    reasons = set()
    for ids, completions in zip(prompt_ids, answers, strict=True):
        for tokens, reason, log_probability, end in completions:
            reasons.add(reason)
            assert end == (end_token if reason == "stop" else None)
            whole = [*ids, *tokens, *([end_token] if reason == "stop" else [])]
            with torch.inference_mode():
                each = network(torch.tensor([whole])).logits[0].log_softmax(-1)
            places = range(len(ids), len(whole))
            expected = [each[place - 1, whole[place]].item() for place in places]
            assert log_probability == pytest.approx(sum(expected) / len(expected), abs=1e-4)
    assert reasons == {"stop", "length"}


def test_a_tokenizer_of_another_model_is_refused(model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    done = toy_models.run("generate.py", **generate_options(tmp_path, folder))
    assert "has 400 tokens, but its network knows 100" in done.stdout
    assert "Traceback" not in done.stdout


def test_an_answer_may_end_with_its_turn_or_with_the_document(model):
    tokenizer = AutoTokenizer.from_pretrained(model)
    turn, document = tokenizer.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>"])
    assert Turns(tokenizer).stops == (turn,)
    tokenizer.eos_token = "<|endoftext|>"
    assert Turns(tokenizer).stops == (turn, document)


def test_a_prompts_seed_depends_on_the_prompt_and_on_the_seed_alone():
    seeds = {prompt_seed(seed, tokens) for seed in (1, 2) for tokens in ([1, 2], [2, 1], [1])}
    assert len(seeds) == 6
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert prompt_seed(1, (1, 2)) in seeds


def test_a_checkpoint_without_weights_is_refused(model, tmp_path):
    (tmp_path / "model").mkdir()
    for name in ("config.json", "tokenizer_config.json"):
        (tmp_path / "model" / name).write_bytes((model / name).read_bytes())
    done = toy_models.run("generate.py", **generate_options(tmp_path, tmp_path / "model"))
    assert "holds no weights" in done.stdout


def test_greedy_decoding_needs_no_seed_and_sampling_has_one_of_the_prompts_own():
    def seed(temperature, prompt):
        decoding = GREEDY.model_copy(update={"temperature": temperature})
        return vllm_engine.sampling_options(decoding, [3], prompt).get("seed")

    assert seed(0, [1, 2]) is None
    assert seed(0.5, [1, 2]) == prompt_seed(GREEDY.seed, [1, 2]) != seed(0.5, [2, 1])


@pytest.mark.parametrize(
    ("at_once", "sizes"),
    [(1, [1]), (16, [16]), (40, [16, 32, 40]), (256, [16, 32, 64, 128, 256])],
)
def test_graphs_are_captured_for_few_sizes_up_to_the_largest_batch(at_once, sizes):
    assert vllm_engine.graph_sizes(at_once) == sizes
    options = vllm_engine.engine_options("model", context=99, at_once=at_once, on_gpu=True)
    assert options["compilation_config"]["cudagraph_capture_sizes"] == sizes


def test_the_environment_adds_options_of_the_engine(monkeypatch):
    assert vllm_engine.extra_options() == {}
    monkeypatch.setenv("SQLADDER_VLLM_OPTIONS", '{"attention_config": {"backend": "TRITON_ATTN"}}')
    assert vllm_engine.extra_options() == {"attention_config": {"backend": "TRITON_ATTN"}}


def test_beside_a_training_an_engine_takes_a_bounded_part_of_the_gpu():
    options = vllm_engine.options_beside_training
    bounded = {"kv_cache_memory_bytes": 80, "gpu_memory_utilization": 0.01}
    assert options(1000, {}) == bounded
    others = {"gpu_memory_utilization": 0.9, "block_size": 32}
    assert options(1000, others) == {**bounded, "block_size": 32}
    assert options(1000, {"kv_cache_memory_bytes": 5})["kv_cache_memory_bytes"] == 5


@pytest.mark.parametrize("text", ["TRITON_ATTN", "[1]", "{"])
def test_options_that_are_no_json_object_are_refused(monkeypatch, text):
    monkeypatch.setenv("SQLADDER_VLLM_OPTIONS", text)
    with pytest.raises(InputError, match="no JSON object of vLLM's engine options"):
        vllm_engine.extra_options()


def test_the_stages_that_vllm_logs_are_noted():
    stages = {}
    logger = logging.getLogger("vllm")
    logger.setLevel(logging.INFO)
    with vllm_engine.LoggedStages(stages):
        logger.info("Model loading took %s GiB and %.6f seconds", "3.22", 1.23456)
        logger.info("Graph capturing finished in %.0f secs, took %.2f GiB", 2.4, 0.1)
        logger.info("something else took %.2f", 9.0)
    logger.info("Model loading took %s GiB and %.6f seconds", "3.22", 7.0)
    assert stages == {"weights": 1.235, "graph_capture": 2.4}


def write_database(folder):
    """The prompts' database, and the questions that it belongs to."""
    with closing(sqlite3.connect(folder / "music.sqlite")) as connection:
        connection.execute("CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)")
    rows = [{"id": f"q{number}", "db_id": "music"} for number in range(9)]
    write_jsonl(folder / "examples.jsonl", rows)
    return {"databases": folder, "examples": folder / "examples.jsonl"}


@pytest.mark.parametrize("grammar", ["sql", "schema"])
def test_answers_are_held_to_the_grammar_in_every_sample(model, tmp_path, grammar):
    sampling = {"samples": 3, "temperature": 2.0, "include_greedy": True, "max_new_tokens": 60}
    options = generate_options(tmp_path, model, grammar=grammar, **sampling)
    done = toy_models.run("generate.py", **options | write_database(tmp_path))
    assert done.returncode == 0, done.stdout
    rows = toy_models.read_lines(tmp_path / "predictions.jsonl")
    texts = [s["text"] for row in rows for s in row["samples"] if s["finish_reason"] == "stop"]
    text = own_names(tables_of(tmp_path, "music")) if grammar == "schema" else any_names()
    tokens = xgrammar.TokenizerInfo(
        [*(bytes([n]) for n in range(256)), b"</s>"], stop_token_ids=[256]
    )
    compiled = xgrammar.GrammarCompiler(tokens, max_threads=1).compile_grammar(text)
    assert len(texts) > 9
    for each in texts:
        matcher = xgrammar.GrammarMatcher(compiled)
        assert matcher.accept_string(each), each
        assert matcher.is_completed(), each


def test_a_grammar_changes_no_answer_that_it_admits(model, tmp_path):
    own = {"grammar": "schema"} | write_database(tmp_path)
    for name, options in (("free", {}), ("held", own), ("shared", own | {"gpus": 2})):
        (tmp_path / name).mkdir()
        given = generate_options(tmp_path / name, model, max_new_tokens=24, **options)
        done = toy_models.run("generate.py", **given)
        assert done.returncode == 0, done.stdout
    free, held, shared = (
        toy_models.read_lines(tmp_path / name / "predictions.jsonl")
        for name in ("free", "held", "shared")
    )
    # Each GPU's process gets its own prompts, and the questions of all.
    assert shared == held
    admitted = [
        place
        for place, row in enumerate(free)
        if re.fullmatch(r"SELECT name FROM singer WHERE age > \d+", row["text"])
    ]
    assert len(admitted) > 2, [row["text"] for row in free]
    for place in admitted:
        assert held[place] == free[place]


def test_a_grammar_of_names_needs_the_databases(model, tmp_path):
    done = toy_models.run("generate.py", **generate_options(tmp_path, model, grammar="schema"))
    assert done.returncode == 1
    assert "give --examples (id, db_id) and --databases, or take --grammar sql" in done.stdout
