"""A generation that is killed, and the same command again: the same file, and nothing drawn twice."""

import json

import pytest

import toy_models
from killed_writes import run_killed

PROMPTS = 11
SAMPLING = {"samples": 3, "temperature": 1.5, "include_greedy": True, "log_probabilities": True}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return toy_models.learned_base(tmp_path_factory.mktemp("model"))


def options(folder, model):
    folder.mkdir(exist_ok=True)
    return {
        **toy_models.GREEDY,
        **SAMPLING,
        "model": model,
        "prompts": toy_models.write_rows(folder / "test.jsonl", PROMPTS, with_answer=False),
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        "max_new_tokens": 12,
        "batch_size": 2,
    }


@pytest.fixture(scope="module")
def undisturbed(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    done = toy_models.run("generate.py", **options(folder, model))
    assert done.returncode == 0, done.stdout
    assert sorted(path.name for path in folder.iterdir()) == [
        "generation.json",
        "predictions.jsonl",
        "test.jsonl",
    ]
    return (folder / "predictions.jsonl").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("write", "moment", "kept"),
    [
        pytest.param(1, "before", 0, marks=pytest.mark.long),
        (1, "behind", 2),
        (3, "torn", 5),
        (4, "before", 6),
        pytest.param(6, "behind", 11, marks=pytest.mark.long),
    ],
)
def test_a_killed_generation_goes_on_and_ends_with_the_same_file(
    model, undisturbed, tmp_path, write, moment, kept
):
    asked = options(tmp_path, model)
    assert run_killed("generate.py", write, moment, **asked) == -9
    assert not (tmp_path / "predictions.jsonl").exists()
    done = toy_models.run("generate.py", **asked)
    assert done.returncode == 0, done.stdout
    assert (f"generate: {kept} of {PROMPTS} were answered before" in done.stdout) == (
        0 < kept < PROMPTS
    )
    assert (tmp_path / "predictions.jsonl").read_bytes() == undisturbed
    facts = json.loads((tmp_path / "generation.json").read_text())
    assert facts.get("resumed", {"answers": 0})["answers"] == kept
    assert ("engine_start" in facts["stages"]) == (kept < PROMPTS)
    assert facts["prompts"] == PROMPTS
    assert not list(tmp_path.glob("*.work"))
