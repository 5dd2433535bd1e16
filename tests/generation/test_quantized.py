"""Models with smaller numbers: the folder that is written, and the answers that it gives through the same program."""

import importlib.util
import json
import math
import shutil

import pytest

import toy_models
from sqladder.errors import InputError
from sqladder.generation.settings import DecodingSettings
from sqladder.models.folders import check_model_folder
from sqladder.models.quantizing import quantize
from sqladder.models.turns import read_turns
from sqladder.models.weights import gguf_files
from sqladder.prompts.rendering import prompt_ids

needs_llama = pytest.mark.skipif(
    importlib.util.find_spec("llama_cpp") is None,
    reason="llama.cpp is not installed (make gguf compiles it)",
)
GREEDY = {**toy_models.GREEDY, "max_new_tokens": 12}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return toy_models.learned_base(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def gguf(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf") / "model"
    return folder, quantize(model, "q8_0", folder)


def ask(folder, model, name, **options):
    """The predictions and the facts of a model, by the program of the rule."""
    files = {
        "model": model,
        "prompts": toy_models.write_rows(folder / "test.jsonl", 6, with_answer=False),
        "output": folder / f"{name}.jsonl",
        "facts": folder / f"{name}.json",
    }
    done = toy_models.run("generate.py", **GREEDY | files | options)
    assert done.returncode == 0, done.stdout
    return toy_models.read_lines(folder / f"{name}.jsonl"), json.loads(
        (folder / f"{name}.json").read_text()
    )


def test_eight_bits_of_bitsandbytes_are_asked_as_any_checkpoint_is(model, tmp_path):
    facts = quantize(model, "int8", tmp_path / "model")
    assert facts["bytes"] < facts["bytes_before"]
    check_model_folder(tmp_path / "model", "model", is_asked=True)
    with pytest.raises(InputError, match="holds quantised weights"):
        check_model_folder(tmp_path / "model", "base model")
    answers, said = ask(tmp_path, tmp_path / "model", "int8")
    whole, _ = ask(tmp_path, model, "whole")
    assert [row["prompt_tokens"] for row in answers] == [row["prompt_tokens"] for row in whole]
    assert said["engine"] == "transformers"
    # What was linked into the folder is as it was.
    assert "quantization_config" not in json.loads((model / "config.json").read_text())


def test_without_llama_cpp_the_way_out_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "llama_cpp", None)
    with pytest.raises(InputError, match=r"not installed here.*make gguf"):
        quantize(model, "q8_0", tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_a_folder_of_no_gguf_file_is_refused(model, tmp_path):
    pytest.importorskip("llama_cpp", reason="llama.cpp is not installed (make gguf compiles it)")
    (tmp_path / "a.gguf").write_bytes(b"GGUF no more")
    shutil.copy(model / "config.json", tmp_path)
    from sqladder.generation import llama_engine
    from sqladder.generation.contract import Load

    with pytest.raises(InputError, match=r"cannot load .*a\.gguf"):
        llama_engine.start(tmp_path, Load(20, 1), DecodingSettings(**GREEDY), [0])


@needs_llama
def test_a_gguf_file_replaces_the_weights_and_keeps_the_tokenizer(model, gguf):
    folder, facts = gguf
    assert [path.name for path in gguf_files(folder)] == ["model-q8_0.gguf"]
    assert list(folder.glob("*.safetensors")) == []
    assert (folder / "tokenizer.json").read_bytes() == (model / "tokenizer.json").read_bytes()
    assert facts["tensors"]["Q8_0"] > 0
    assert facts["same_tokens"]


@needs_llama
def test_llama_cpp_answers_as_transformers_does_where_rounding_leaves_it(model, gguf, tmp_path):
    answers, said = ask(tmp_path, gguf[0], "small", engine="llama_cpp")
    whole, _ = ask(tmp_path, model, "whole")
    assert [row["prompt_tokens"] for row in answers] == [row["prompt_tokens"] for row in whole]
    same = [own["text"] == other["text"] for own, other in zip(answers, whole, strict=True)]
    assert sum(same) >= 4
    assert said["engine"] == "llama_cpp"
    assert said["device"] == "cpu"
    assert "llama_cpp" in said["versions"]


@needs_llama
def test_llama_cpp_draws_what_transformers_draws(model, tmp_path):
    from sqladder.generation import llama_engine, transformers_engine
    from sqladder.generation.contract import Load

    whole = tmp_path / "model"
    quantize(model, "none", whole)
    turns = read_turns(model)
    prompts = [prompt_ids(turns, row["messages"]) for row in toy_models.rows(3, False)]
    drawn = DecodingSettings(
        **GREEDY
        | {"temperature": 0.8, "top_p": 0.9, "samples": 3, "log_probabilities": True}
        | {"include_greedy": True, "repetition_penalty": 1.1}
    )
    load, ends = Load(400, 9), list(turns.stops)
    own, other = (
        dict(
            part
            for finished in module.start(folder, load, drawn, ends).answer(prompts, drawn)
            for part in finished.items()
        )
        for module, folder in ((llama_engine, whole), (transformers_engine, model))
    )
    # The same numbers, but for their rounding.
    for place in range(3):
        for mine, theirs in zip(own[place], other[place], strict=True):
            assert mine[:2] == theirs[:2]
            assert math.isclose(mine.log_probability, theirs.log_probability, abs_tol=0.01)


@needs_llama
def test_llama_cpp_is_held_to_a_grammar(gguf, tmp_path):
    answers, _ = ask(tmp_path, gguf[0], "held", engine="llama_cpp", grammar="sql")
    assert all(row["text"].lstrip().upper().startswith("SELECT") for row in answers)
