"""Answers that fail on the question's own database are asked again with what the database said."""

import json
import shutil

import pytest

import toy_models
from killed_writes import run_killed
from sqladder.errors import InputError
from sqladder.files import write_jsonl
from sqladder.generation import repair_rounds, shards
from sqladder.generation.repair_inputs import RepairFiles, read_repairs
from sqladder.generation.work_file import WorkFile
from sqladder.metric.limits import Limits
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.suite import Options
from sqladder.models.turns import read_turns
from sqladder.prompts import rendering

OPTIONS = Options(repairs=QUIRKS["repaired"])
TEMPLATE = "The query\n{sql}\nfails: {error}\nWrite it again."
ROWS = [{"id": key, "messages": [{"role": "user", "content": key}]} for key in ("q1", "q2", "q3")]
GOOD, BAD, WORSE = "select name from singer", "select nam from singer", "select na from singer"


@pytest.fixture
def repairs(tmp_path):
    path = toy_models.write_database(tmp_path / "databases") / "music/music.sqlite"
    return repair_rounds.Repairs(
        TEMPLATE, {row["id"]: str(path) for row in ROWS}, OPTIONS, Limits()
    )


def answers(*sqls, tokens=3):
    samples = [{"sql": sql, "text": f"{sql};", "output_tokens": tokens} for sql in sqls]
    return {"prompt_tokens": 10, "samples": samples}


def ask(work, repairs, number):
    repair_rounds.execute(work, ROWS, repairs, number)
    return {
        asked.key: asked.messages for _, asked in repair_rounds.to_ask(work, ROWS, number, TEMPLATE)
    }


def test_what_has_no_result_is_asked_again_and_alike_failures_once(tmp_path, repairs):
    with WorkFile(tmp_path / "work", {}) as work:
        work.add({(0, "q1"): answers(GOOD, BAD, WORSE, BAD), (0, "q2"): answers(GOOD, GOOD)})
        work.add({(0, "q3"): answers(BAD)})
        asked = ask(work, repairs, 1)
        assert list(asked) == [(1, "q1", 1), (1, "q1", 2), (1, "q3", 0)]
        assert asked[1, "q1", 1] == [
            {"role": "user", "content": "q1"},
            {"role": "assistant", "content": f"{BAD};"},
            {"role": "user", "content": TEMPLATE.format(sql=BAD, error="no such column: nam")},
        ]
        assert repair_rounds.failing(work, ROWS, 1) == 4
        work.add({(1, "q1", 1): answers(GOOD), (1, "q1", 2): answers(BAD)})
        work.add({(1, "q3", 0): answers(BAD)})
        # A new failure is asked again; one that the model has just been asked about is not.
        assert list(ask(work, repairs, 2)) == [(2, "q1", 2)]
        work.add({(2, "q1", 2): answers(GOOD)})
        assert ask(work, repairs, 3) == {}
        chains = repair_rounds.rounds_of(work, "q1")
        assert [[own["sql"] for own in chain] for chain in chains] == [
            [GOOD],
            [BAD, GOOD],
            [WORSE, BAD, GOOD],
            [BAD, GOOD],
        ]
        kept = repair_rounds.repaired(chains[2])
        assert [own.get("error") for own in kept["rounds"]] == [
            "no such column: na",
            "no such column: nam",
            None,
        ]
        assert (kept["sql"], kept["rounds"][1]["prompt_tokens"]) == (GOOD, 10)
        assert repair_rounds.repaired(chains[0]) == answers(GOOD)["samples"][0]


def test_what_was_executed_and_asked_before_a_kill_stays_as_it_was(tmp_path, repairs):
    with WorkFile(tmp_path / "work", {}) as work:
        work.add({(0, row["id"]): answers(BAD, WORSE) for row in ROWS})
        first = ask(work, repairs, 1)
        work.add({(1, "q2", 0): answers(GOOD)})
    gone = repair_rounds.Repairs(
        TEMPLATE, {row["id"]: "nowhere" for row in ROWS}, OPTIONS, Limits()
    )
    with WorkFile(tmp_path / "work", {}) as work:
        assert ask(work, gone, 1) == first


def test_what_is_asked_begins_as_a_row_of_training_does(tmp_path):
    turns = read_turns(toy_models.save_base(tmp_path / "base"))
    (row,) = toy_models.rows(1)
    asked = rendering.repair_messages(
        row["messages"], f"```sql\n{BAD}```", BAD, "no such column", TEMPLATE
    )
    assert asked[:-2] == row["messages"][:-1]
    trained = [*asked, {"role": "assistant", "content": GOOD}]
    assert rendering.prompt_ids(turns, trained) == rendering.prompt_ids(turns, asked)
    assert rendering.answer_ids(turns, trained) == turns.answer_ids(GOOD)
    # What is asked first is where a repair begins, so an engine need not compute it again.
    first = rendering.prompt_ids(turns, row["messages"])
    assert rendering.prompt_ids(turns, asked)[: len(first)] == first


def test_what_a_model_or_a_database_said_cannot_open_a_turn():
    _, answer, turn = rendering.repair_messages(
        [{"role": "user", "content": "q"}], "<|im_end|>{error}", "{error}", "<|im_start|>", TEMPLATE
    )
    assert answer["content"] == "< |im_end|>{error}"
    assert turn["content"] == TEMPLATE.format(sql="{error}", error="< |im_start|>")


@pytest.mark.parametrize("template", ["{sql}", "", "{error} {schema}", "{error} {}"])
def test_a_template_needs_the_error_and_nothing_unknown(template):
    with pytest.raises(InputError, match=r"needs \{error\}"):
        rendering.check_repair_template(template)


def test_a_question_without_example_and_a_wrong_template_are_named(tmp_path):
    examples = tmp_path / "test.jsonl"
    write_jsonl(examples, [{"id": "q1", "db_id": "music"}])
    files = RepairFiles(
        tmp_path / "prompts.jsonl", examples, toy_models.write_database(tmp_path / "databases")
    )
    with pytest.raises(InputError, match=r"lacks 2 of the 3 questions .* first 'q2'"):
        read_repairs(files, ROWS, TEMPLATE, OPTIONS, Limits())
    with pytest.raises(InputError, match=r"needs \{error\}"):
        read_repairs(files, ROWS[:1], "{sql}", OPTIONS, Limits())
    read = read_repairs(files, ROWS[:1], TEMPLATE, OPTIONS, Limits())
    assert read.databases == {"q1": str(tmp_path / "databases/music/music.sqlite")}


def test_the_rounds_of_several_gpus_are_added_up():
    def facts(asked, seconds):
        sums = {"prompts": 1, "prompt_tokens": 2, "output_tokens": 3, "cut_off": 0}
        rounds = [{"failing": asked, "asked": asked, "seconds": seconds}]
        return {**sums, "peak_memory_mb": 1, "stages": {}, "repair": rounds}

    joined = shards.joined_facts([facts(2, 0.5), facts(3, 0.25)])
    assert joined["repair"] == [{"failing": 5, "asked": 5, "seconds": 0.5}]


PROMPTS = 9


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model that has learned to ask for names, and is asked about a table without."""
    return toy_models.learned_base(tmp_path_factory.mktemp("model"))


def options(folder, model, **more):
    folder.mkdir(exist_ok=True)
    rows = toy_models.rows(PROMPTS, with_answer=False)
    write_jsonl(folder / "examples.jsonl", [{"id": r["id"], "db_id": "music"} for r in rows])
    return {
        **toy_models.GREEDY,
        "model": model,
        "prompts": toy_models.write_rows(folder / "test.jsonl", PROMPTS, with_answer=False),
        "output": folder / "predictions.jsonl",
        "facts": folder / "generation.json",
        "max_new_tokens": 12,
        "batch_size": 4,
        "repair_rounds": 2,
        "repair_template": TEMPLATE,
        "examples": folder / "examples.jsonl",
        "databases": toy_models.write_database(folder / "databases", "id, age"),
        "quirks": "repaired",
        **more,
    }


SAMPLING = {"samples": 3, "temperature": 1.5, "include_greedy": True, "log_probabilities": True}


COMBINED = {**SAMPLING, "grammar": "schema"}


@pytest.fixture(scope="module", params=[{}, SAMPLING, COMBINED], ids=["greedy", "samples", "all"])
def generated(request, model, tmp_path_factory):
    """A folder in which answers were generated and repaired, and with which settings."""
    folder = tmp_path_factory.mktemp("generated") / "run"
    done = toy_models.run("generate_repaired.py", **options(folder, model, **request.param))
    assert done.returncode == 0, done.stdout
    return folder, request.param, done.stdout


def test_all_rounds_are_kept_and_counted(generated):
    folder, sampling, said = generated
    rows = toy_models.read_lines(folder / "predictions.jsonl")
    facts = json.loads((folder / "generation.json").read_text())
    kept = [answer for row in rows for answer in row.get("samples", [row])]
    assert len(kept) == PROMPTS * sampling.get("samples", 1)
    repaired = [answer for answer in kept if "rounds" in answer]
    assert repaired
    for answer in repaired:
        first, *_, last = answer["rounds"]
        assert first["error"]
        assert (last["sql"], last["text"]) == (answer["sql"], answer["text"])
    for row in rows:
        first = row.get("samples", [row])[0]
        assert row["unrepaired"] == first.get("rounds", [first])[0]["sql"]
    one, two = facts["repair"]
    assert one["failing"] >= one["asked"] > 0
    assert two["failing"] >= two["asked"]
    assert one["failing"] + one["too_long"] >= len(repaired)
    assert f"repair 1: {one['failing']} answers without a result" in said
    firsts = sum(
        answer["rounds"][0]["output_tokens"] if "rounds" in answer else answer["output_tokens"]
        for answer in kept
    )
    assert facts["output_tokens"] == firsts + one["output_tokens"] + two["output_tokens"]
    assert facts["prompts"] == PROMPTS
    assert facts["stages"].keys() >= {"execution", "generation"}
    assert facts["settings"]["repair"] == {"rounds": 2}
    assert sum(facts["stages"].values()) <= facts["seconds"] + 0.1


def test_a_first_answer_is_what_it_is_without_repairs(generated, model, tmp_path):
    folder, sampling, _ = generated
    plain = options(tmp_path / "plain", model, **sampling)
    # A grammar needs the names of the databases.
    files = () if "grammar" in sampling else ("examples", "databases")
    for name in ("repair_rounds", "repair_template", "quirks", *files):
        del plain[name]
    done = toy_models.run("generate.py", **plain)
    assert done.returncode == 0, done.stdout
    for row, own in zip(
        toy_models.read_lines(folder / "predictions.jsonl"),
        toy_models.read_lines(plain["output"]),
        strict=True,
    ):
        assert row["unrepaired"] == own["sql"]
        for answer, first in zip(row.get("samples", []), own.get("samples", []), strict=True):
            shown = answer.get("rounds", [answer])[0]
            assert {name: shown[name] for name in first} == first
        assert "rounds" not in own


@pytest.mark.slow
# Three batches of answers, what they did, the repairs of a round, what those did.
@pytest.mark.parametrize(
    "write",
    [pytest.param(3, marks=pytest.mark.long), 4, 5, pytest.param(6, marks=pytest.mark.long)],
)
def test_a_kill_among_repairs_changes_nothing(generated, model, tmp_path, write):
    folder, sampling, _ = generated
    asked = options(tmp_path / "run", model, **sampling)
    assert run_killed("generate_repaired.py", write, "before", **asked) == -9
    # The files of the same questions, at another place, are other ones: those of the first attempt are.
    done = toy_models.run("generate_repaired.py", **asked)
    assert done.returncode == 0, done.stdout
    assert "asked with other settings" not in done.stdout
    assert asked["output"].read_bytes() == (folder / "predictions.jsonl").read_bytes()
    assert json.loads(asked["facts"].read_text())["resumed"]["answers"] > 0


def test_a_repair_that_the_model_cannot_take_is_left_out_and_said(model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    config = json.loads((tmp_path / "model/config.json").read_text())
    # Room for the prompts, the longest of which has 147 tokens, and for their answers.
    config["max_position_embeddings"] = 160
    (tmp_path / "model/config.json").write_text(json.dumps(config))
    asked = options(tmp_path / "run", tmp_path / "model")
    done = toy_models.run("generate_repaired.py", **asked)
    assert done.returncode == 0, done.stdout
    facts = json.loads((tmp_path / "run/generation.json").read_text())
    one, _ = facts["repair"]
    assert (one["asked"], one["too_long"] > 0) == (0, True)
    assert f"{one['too_long']} left out as too long for the model" in done.stdout
    rows = toy_models.read_lines(tmp_path / "run/predictions.jsonl")
    assert not any("rounds" in row for row in rows)
