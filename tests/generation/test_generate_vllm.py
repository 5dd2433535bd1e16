"""vLLM gives the same greedy tokens as transformers; run by `make test-vllm`."""

import json
import sqlite3
from contextlib import closing

import pytest

import toy_models
from killed_writes import run_killed
from sqladder.files import write_jsonl

pytestmark = pytest.mark.vllm

PROMPTS = 40


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learned a little: an untrained one has ties that rounding decides."""
    return toy_models.learned_base(tmp_path_factory.mktemp("model"), **toy_models.FOR_VLLM)


def generate(folder, model, engine, program="generate.py", **options):
    folder.mkdir()
    done = toy_models.run(
        program,
        model=model,
        prompts=toy_models.write_rows(folder / "test.jsonl", PROMPTS, with_answer=False),
        output=folder / "predictions.jsonl",
        facts=folder / "generation.json",
        cache_folder=folder / "cache",
        **toy_models.GREEDY | {"engine": engine, "max_new_tokens": 24} | options,
    )
    assert done.returncode == 0, done.stdout
    return toy_models.read_lines(folder / "predictions.jsonl")


def test_vllm_predicts_what_transformers_predicts_on_one_device_and_on_two(model, tmp_path):
    by_vllm = generate(tmp_path / "vllm", model, "vllm")
    by_transformers = generate(tmp_path / "transformers", model, "transformers")
    assert by_vllm == by_transformers
    assert {row["finish_reason"] for row in by_vllm} <= {"stop", "length"}
    facts = json.loads((tmp_path / "vllm" / "generation.json").read_text())
    assert facts["engine"] == "vllm"
    assert facts["prompts"] == PROMPTS
    assert facts["versions"]["vllm"]
    assert facts["stages"]["engine_start"] > facts["stages"]["profile_and_warm_up"] > 0
    assert generate(tmp_path / "two", model, "vllm", gpus=2) == by_vllm


def test_samples_of_vllm_repeat_with_the_seed_however_the_prompts_are_shared_out(model, tmp_path):
    sampling = {"samples": 3, "temperature": 1.5, "top_p": 0.9}
    one, two, other = (
        generate(tmp_path / name, model, "vllm", **sampling, **options)
        for name, options in (("one", {}), ("two", {"gpus": 2}), ("other", {"seed": 7}))
    )
    assert one == two != other
    assert {len(row["samples"]) for row in one} == {3}
    assert any(len({sample["text"] for sample in row["samples"]}) > 1 for row in one)


@pytest.fixture
def repairs(tmp_path):
    """The flags of repairs on a database where singers have no names, for which the model asks."""
    rows = toy_models.rows(PROMPTS, with_answer=False)
    examples, database = tmp_path / "examples.jsonl", tmp_path / "databases/music/music.sqlite"
    write_jsonl(examples, [{"id": row["id"], "db_id": "music"} for row in rows])
    database.parent.mkdir(parents=True)
    with sqlite3.connect(database) as connection:
        connection.executescript("create table singer(id, age); create table band(name)")
    connection.close()
    return {
        "repair_rounds": 2,
        "repair_template": "The query\n{sql}\nfails: {error}\nWrite it again.",
        "examples": examples,
        "databases": database.parents[1],
    }


@pytest.mark.parametrize("grammar", [pytest.param("none", marks=pytest.mark.long), "schema"])
def test_repairs_are_those_of_transformers(model, repairs, tmp_path, grammar):
    asked = {"program": "generate_repaired.py", "grammar": grammar, **repairs}
    by_vllm = generate(tmp_path / "vllm", model, "vllm", **asked)
    assert by_vllm == generate(tmp_path / "transformers", model, "transformers", **asked)
    assert any(len(row.get("rounds", ())) > 1 for row in by_vllm)
    assert generate(tmp_path / "two", model, "vllm", gpus=2, **asked) == by_vllm


def answers_of(row):
    """The samples of a question and all of their rounds."""
    for sample in row["samples"]:
        yield from (sample, *sample.get("rounds", ()))


# Among the first answers, behind what became of them, behind the first repairs: all may end in one step.
@pytest.mark.parametrize(
    ("write", "kind"),
    [
        pytest.param(3, "0", marks=pytest.mark.long),
        (1, "errors"),
        pytest.param(1, "1", marks=pytest.mark.long),
    ],
)
def test_a_kill_among_samples_by_a_grammar_and_their_repairs_changes_nothing(
    model, repairs, tmp_path, write, kind
):
    sampling = {"samples": 3, "temperature": 1.5, "include_greedy": True, "log_probabilities": True}
    asked = {"engine": "vllm", "max_new_tokens": 24, "batch_size": 8, "grammar": "schema"}
    asked = toy_models.GREEDY | sampling | asked | repairs
    runs = {}
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
        runs[name] = asked | {
            "model": model,
            "prompts": toy_models.write_rows(tmp_path / "test.jsonl", PROMPTS, with_answer=False),
            "output": tmp_path / name / "predictions.jsonl",
            "facts": tmp_path / name / "generation.json",
            "cache_folder": tmp_path / "cache",
        }
    program = "generate_repaired.py"
    whole = toy_models.run(program, **runs["whole"])
    assert whole.returncode == 0, whole.stdout
    assert run_killed(program, write, "behind", kind, **runs["killed"]) == -9
    again = toy_models.run(program, **runs["killed"])
    assert again.returncode == 0, again.stdout
    rows, same = (toy_models.read_lines(runs[name]["output"]) for name in ("killed", "whole"))
    likelihoods = [
        [sample.pop("log_probability") for row in each for sample in answers_of(row)]
        for each in (rows, same)
    ]
    assert rows == same
    # What stands beside an answer in a batch moves the last of their digits.
    assert likelihoods[0] == pytest.approx(likelihoods[1], abs=1e-5)
    facts = json.loads(runs["killed"]["facts"].read_text())
    assert facts["resumed"]["answers"] > 0
    assert any("rounds" in sample for row in rows for sample in row["samples"])


def test_log_probabilities_and_the_greedy_sample_are_those_of_transformers(model, tmp_path):
    sampling = {"samples": 3, "temperature": 1.5, "include_greedy": True, "log_probabilities": True}
    by_vllm = generate(tmp_path / "vllm", model, "vllm", **sampling)
    by_transformers = generate(tmp_path / "transformers", model, "transformers", **sampling)
    for here, there in zip(by_vllm, by_transformers, strict=True):
        first, same = here["samples"][0], there["samples"][0]
        # Of the model itself, whatever the temperature.
        assert first["log_probability"] == pytest.approx(same["log_probability"], abs=1e-3)
        assert first["text"] == same["text"]
    known = {
        (row["id"], sample["text"]): sample["log_probability"]
        for row in by_transformers
        for sample in row["samples"]
    }
    both = [
        (sample["log_probability"], known[row["id"], sample["text"]])
        for row in by_vllm
        for sample in row["samples"][1:]
        if (row["id"], sample["text"]) in known
    ]
    for here, there in both:
        assert here == pytest.approx(there, abs=1e-3)


def test_both_engines_hold_answers_to_the_same_grammar(model, tmp_path):
    rows = [{"id": f"q{number}", "db_id": "music"} for number in range(PROMPTS)]
    write_jsonl(tmp_path / "examples.jsonl", rows)
    with closing(sqlite3.connect(tmp_path / "music.sqlite")) as connection:
        # The model asks for names, which this database does not hold.
        connection.execute("CREATE TABLE singer (id INTEGER PRIMARY KEY, title TEXT, age INTEGER)")
    held = {"grammar": "schema", "databases": tmp_path, "examples": tmp_path / "examples.jsonl"}
    by_vllm, by_transformers = (
        generate(tmp_path / engine, model, engine, **held) for engine in ("vllm", "transformers")
    )
    assert by_vllm == by_transformers
    assert "stop" in {row["finish_reason"] for row in by_vllm}
    assert not any("name" in row["text"] for row in by_vllm)
    assert generate(tmp_path / "two", model, "vllm", gpus=2, **held) == by_vllm
