"""Loading a run: what belongs together is joined by id, what contradicts itself is refused."""

import json

import pytest

import report_runs as runs
from sqladder.errors import InputError
from sqladder.report.charts import cost_vs_accuracy, loss_curves
from sqladder.report.comparison import compare
from sqladder.report.cost import device_seconds
from sqladder.report.features import sql_features
from sqladder.report.loading import load_run
from sqladder.report.results import level_count
from sqladder.report.sections.costs import cost_sentence, training_table
from sqladder.report.sections.lines import lines_part
from sqladder.texts.numbers import seconds

QUESTIONS = runs.question_rows(40)
MARKS = {"baseline": [n % 2 == 0 for n in range(40)], "full": [n % 3 != 0 for n in range(40)]}


def test_variants_keep_the_order_given_and_are_named_after_their_folder(tmp_path):
    run = load_run(**runs.write_run(tmp_path, QUESTIONS, MARKS))
    assert [variant.name for variant in run.variants] == ["baseline", "full"]
    assert [int(variant.correct.sum()) for variant in run.variants] == [20, 26]


def test_verdicts_are_joined_by_id_not_by_position(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    before = [variant.correct.tolist() for variant in load_run(**files).variants]
    lines = files["verdicts"][1].read_text().splitlines()
    files["verdicts"][1].write_text("\n".join(reversed(lines)))
    assert [variant.correct.tolist() for variant in load_run(**files).variants] == before


def test_a_reused_model_was_trained_as_its_own_variant_was_and_is_drawn_once(tmp_path):
    names = ["full/seed_1", "full/seed_2", "votes/seed_1", "votes/seed_2"]
    files = runs.write_run(
        tmp_path,
        QUESTIONS,
        dict.fromkeys(names, MARKS["full"]),
        trained=names[:2],
        generated=names,
    )
    for path in files["generation"]:
        facts = json.loads(path.read_text())
        model = str(path.parent.relative_to(tmp_path / "results")).replace("votes", "full")
        runs.write_value(path, {**facts, "model": model})
    comparison = compare(load_run(**files))
    full, votes = comparison.run.variants
    for own, reused in zip(full.seeds, votes.seeds, strict=True):
        assert reused.training == {**own.training, "model_of": own.replicate.name}
    assert [own.replicate.name for own in loss_curves.with_curve(comparison)] == names[:2]
    times = [taken for _, taken in cost_vs_accuracy.with_cost(comparison)]
    assert times[0] == times[1]
    assert all(times[0])
    # Each training once: the reused model costs no second one.
    assert "full, seed 2) of all devices" in cost_sentence(comparison.run)
    assert "; generation 12.5 s each. [" in cost_sentence(comparison.run)
    assert "votes" not in cost_sentence(comparison.run).split("generation")[0]
    lines = training_table(comparison.run, {}).splitlines()
    assert [line.split("|")[2].strip() for line in lines[2:]] == [
        *("lora", "lora"),
        *("model of full/seed_1", "model of full/seed_2"),
    ]


def test_a_training_that_started_from_another_counts_and_draws_both(tmp_path):
    names = ["full", "second", "third"]
    files = runs.write_run(tmp_path, QUESTIONS, dict.fromkeys(names, MARKS["full"]), trained=names)
    own = []
    for path, start in zip(files["training"], [None, *names], strict=False):
        facts = json.loads(path.read_text()) | ({"start_from": start} if start else {})
        runs.write_value(path, facts)
        own.append(device_seconds(facts))
    comparison = compare(load_run(**files))
    lines = [sum(own[: place + 1]) for place in range(3)]
    assert [taken for _, taken in cost_vs_accuracy.with_cost(comparison)] == [[s] for s in lines]
    assert f"{seconds(lines[2])} (third)" in cost_sentence(comparison.run)
    drawn = lines_part(comparison.run).split("```")[1].splitlines()[1:]
    assert drawn == [
        "base model",
        f"└─ full: {seconds(own[0])}",
        f"   └─ second: {seconds(own[1])}, whole line {seconds(lines[1])}",
        f"      └─ third: {seconds(own[2])}, whole line {seconds(lines[2])}",
    ]
    files["training"] = files["training"][1:]
    with pytest.raises(InputError, match="'second' started from the model of 'full'"):
        load_run(**files)


def test_questions_without_a_verdict_are_left_out_and_known(tmp_path):
    extra = [{**row, "id": f"x{row['id']}", "db_id": "gone"} for row in QUESTIONS[:3]]
    run = load_run(**runs.write_run(tmp_path, QUESTIONS, MARKS, left_out=extra))
    assert run.n == 40
    assert [question["id"] for question in run.left_out] == ["xq0000", "xq0001", "xq0002"]


def test_a_question_that_only_one_variant_was_scored_on_is_refused(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    lines = files["verdicts"][1].read_text().splitlines()
    files["verdicts"][1].write_text("\n".join(lines[:-2]))
    with pytest.raises(InputError, match=r"full.*lacks 2 questions.*'q0038'"):
        load_run(**files)
    with pytest.raises(InputError, match=r"full.*lacks 2 questions.*'q0038'"):
        load_run(**{key: _turned(value) for key, value in files.items()})


def _turned(files):
    return files[::-1] if isinstance(files, list) else files


def test_metrics_that_contradict_the_verdicts_are_refused(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    facts = json.loads(files["metrics"][0].read_text())
    facts["accuracy"]["hard"]["correct"] += 1
    files["metrics"][0].write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"level hard counts .* score the variant again"):
        load_run(**files)


def test_secondary_metrics_that_contradict_the_verdicts_are_refused(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    facts = json.loads(files["metrics"][1].read_text())
    facts["secondary"]["plug_value"]["all"]["correct"] -= 1
    files["metrics"][1].write_text(json.dumps(facts))
    with pytest.raises(InputError, match="plug_value of level all"):
        load_run(**files)


def test_joint_all_comes_from_the_metrics_because_verdicts_know_no_interactions(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    facts = json.loads(files["metrics"][0].read_text())
    facts["accuracy"]["joint_all"] = {"n": 10, "correct": 3, "rate": 0.3}
    files["metrics"][0].write_text(json.dumps(facts))
    run = load_run(**files)
    assert level_count(run, run.variants[0], "joint_all").rate == 0.3
    assert level_count(run, run.variants[1], "joint_all").n == 40


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"baseline": "lora"}, r"baseline 'lora' is no variant of this run: baseline, full"),
        ({"verdicts": []}, "at least one variant"),
        ({"metrics": []}, r"no metrics.json was given for variant 'baseline'"),
        ({"predictions": []}, r"no predictions.jsonl was given for variant 'baseline'"),
    ],
)
def test_missing_inputs_are_named(tmp_path, change, message):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    with pytest.raises(InputError, match=message):
        load_run(**{**files, **change})


def test_the_run_knows_its_quirks_and_variants_share_them(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS, quirks="official")
    assert load_run(**files).quirks == "official"
    metrics = files["metrics"][1]
    metrics.write_text(metrics.read_text().replace('"official"', '"repaired"'))
    with pytest.raises(InputError, match=r"was scored with quirks repaired, but .* with official"):
        load_run(**files)


def test_a_file_that_does_not_exist_is_named_with_its_variant(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    gone = tmp_path / "results" / "full" / "train.json"
    with pytest.raises(
        InputError, match=r"train.json does not exist: train.json of variant 'full'"
    ):
        load_run(**{**files, "training": [gone]})


def test_verdicts_without_a_question_are_refused(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, {"full": MARKS["full"]})
    files["verdicts"][0].write_text("")
    with pytest.raises(InputError, match="is empty: no question was scored"):
        load_run(**files)


def test_two_files_of_one_variant_are_refused(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    with pytest.raises(InputError, match=r"'full' has two verdicts.jsonl"):
        load_run(**{**files, "verdicts": [*files["verdicts"], files["verdicts"][1]]})


def test_a_verdict_of_an_unknown_question_is_refused(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    lines = files["questions"].read_text().splitlines()
    files["questions"].write_text("\n".join(lines[1:]))
    with pytest.raises(InputError, match=r"question 'q0000' is not in .*questions.jsonl"):
        load_run(**files)


def test_an_unknown_hardness_is_refused(tmp_path):
    questions = [{**row, "hardness": "brutal"} for row in QUESTIONS]
    with pytest.raises(InputError, match=r"hardness 'brutal', which is none of easy"):
        load_run(**runs.write_run(tmp_path, questions, {"a": [True] * 40}))


def test_predictions_are_read_when_they_are_looked_at(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    files["predictions"][0].write_text("no JSON")
    run = load_run(**files)
    assert run.variants[0].failure_counts
    with pytest.raises(InputError, match="line 1 is not valid JSON"):
        run.variants[0].seeds[0].predictions[0]


def test_a_missing_prediction_is_named(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS, MARKS)
    lines = files["predictions"][0].read_text().splitlines()
    files["predictions"][0].write_text("\n".join(lines[1:]))
    with pytest.raises(InputError, match=r"lacks the prediction of question 'q0000'"):
        list(load_run(**files).replicates[0].predictions)


@pytest.mark.parametrize(
    ("sql", "features"),
    [
        ("SELECT a FROM t", set()),
        ("SELECT a FROM t JOIN u ON t.x = u.x", {"join"}),
        ("SELECT a FROM t AS t1, u AS t2 WHERE t1.x = t2.x", {"join"}),
        ("select a from t where x in ( select x from u )", {"nested query"}),
        ("SELECT a, count(*) FROM t GROUP  BY a", {"group by"}),
        ("SELECT a FROM t EXCEPT SELECT a FROM u", {"set operation"}),
        ("SELECT a FROM t ORDER BY b DESC LIMIT 1", {"order by or limit"}),
        ("SELECT a FROM t WHERE b = 'join the (select) union'", set()),
        ("SELECT a FROM t WHERE b = \"it's limit\" AND c = 'o''er union'", set()),
        ("SELECT a, b FROM t WHERE joined = 1 AND unions = 2", set()),
    ],
)
def test_features_are_found_outside_of_quotes(sql, features):
    assert sql_features(sql) == features


def test_a_failure_without_a_known_kind_is_refused(tmp_path):
    files = runs.write_run(tmp_path, runs.question_rows(4), {"one": [True, False, True, True]})
    files["failures"].write_text("")
    with pytest.raises(InputError, match="'one' at question 'q0001' has no known kind"):
        load_run(**files)
