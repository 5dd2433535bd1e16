"""Model cards: metadata that the Hub's own reader takes, numbers of the run, limits."""

import functools
import json

import pytest
from huggingface_hub import ModelCard
from scipy.stats import binomtest

import report_runs as runs
from sqladder.experiment.recipe import repositories
from sqladder.report.model_card import Repositories, model_card
from sqladder.report.provenance import license_of
from sqladder.statistics.replicates import Replicate


def config(**base):
    return {
        "seed": 42,
        "base_model": base or {"source": "toy"},
        "downloads": {
            "qwen": {"source": "huggingface", "repository": "Qwen/Qwen3-1.7B"},
            "rows": {"source": "huggingface", "repository": "someone/text-to-sql"},
        },
        "datasets": {"demo": {"source": "demo"}, "spider": {"source": "files"}},
        "train_on": "demo",
        "test_on": "spider",
        "context": "published",
        "training": {"learning_rate": 0.001, "epochs": 2},
        "variants": {
            "baseline": {"method": "none"},
            "lora_32r": {"method": "lora", "rank": 32, "target_modules": ["q_proj", "v_proj"]},
            "full": {"method": "full", "training": {"epochs": 3}, "seed": 7},
        },
    }


NOWHERE = Repositories(None, None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="module")
def cards(folder):
    """A function that gives the cards of two of three variants, written once for each base model."""
    questions = runs.question_rows(40)
    names = ("baseline", "lora_32r", "full")
    marks = runs.random_marks(40, [0.3, 0.5, 0.7], 4)
    variants = dict(zip(names, marks, strict=True))
    files = runs.write_run(folder, questions, variants, trained=names)

    @functools.cache
    def write(**base):
        facts = runs.write_value(folder / "run.json", runs.run_facts() | {"config": config(**base)})
        outputs = [folder / "results" / name / "model_card.md" for name in names[1:]]
        done = runs.call(
            "write_model_cards.py",
            *("--run-facts", facts, "--training", *files["training"]),
            *("--metrics", *files["metrics"], "--verdicts", *files["verdicts"]),
            *("--output", *outputs),
        )
        assert done.returncode == 0, done.stderr
        return {name: path.read_text() for name, path in zip(names[1:], outputs, strict=True)}

    return write


def test_a_card_says_what_became_of_the_rows(folder):
    lengths = {"rows": 90, "cutoff": 64, "over_cutoff": 30, "cut": 10, "dropped": 20}
    facts = {
        **runs.run_facts(),
        "config": config(),
        "training_rows": {"lengths": {"full": lengths}},
    }
    own, own_metrics = Replicate("full", None), runs.metrics_of("full", [])
    card = model_card(
        own, facts, {}, NOWHERE, runs.training_facts(), own_metrics, [], [own_metrics], False
    )
    data = card.split("## Data")[1]
    assert "Of 90 training rows, 30 are longer than 64 tokens: 20 dropped and 10 cut" in data


def test_the_hub_reads_the_results_and_tags(cards, folder):
    for name, text in cards().items():
        data = ModelCard(text).data
        metrics = json.loads((folder / "results" / name / "metrics.json").read_text())
        (result,) = data.eval_results
        assert result.metric_value == round(metrics["accuracy"]["all"]["rate"], 4)
        assert (result.dataset_name, data.model_name) == ("spider", name)
        assert (data.license, data.library_name) == ("unknown", "transformers")
        assert "text-to-sql" in data.tags


def test_every_level_has_its_interval(cards, folder):
    metrics = json.loads((folder / "results/full/metrics.json").read_text())["accuracy"]
    text = cards()["full"]
    for level in (*runs.LEVELS, "all"):
        n, correct = metrics[level]["n"], metrics[level]["correct"]
        low, high = binomtest(correct, n).proportion_ci(method="wilson")
        assert f"| {level} | {n} | {correct / n:.3f} | {low:.3f} to {high:.3f} |" in text


def test_the_intervals_are_of_this_model_and_these_databases(cards):
    text = " ".join(cards()["full"].split())
    assert "for further questions on the same databases" in text
    assert "the model in this folder: another seed of its training gives another" in text


def test_the_recipe_is_what_holds_for_the_variant(cards):
    texts = cards()
    assert "| `epochs` | 3 |" in texts["full"]
    assert "| `seed` | 7 |" in texts["full"]
    assert "| `target_modules` | q_proj, v_proj |" in texts["lora_32r"]
    assert "| `seed` | 42 |" in texts["lora_32r"]
    assert "| `learning_rate` | 0.001 |" in texts["lora_32r"]


def test_each_of_several_seeds_has_a_card_that_tells_the_spread(tmp_path):
    questions = runs.question_rows(40)
    names = [f"full/seed_{seed}" for seed in (7, 8)]
    marks = [[number < right for number in range(40)] for right in (20, 24)]
    files = runs.write_run(tmp_path, questions, dict(zip(names, marks, strict=True)), trained=names)
    written = config()
    written["variants"]["full"] = {"method": "full", "seeds": [7, 8]}
    facts = runs.write_value(tmp_path / "run.json", runs.run_facts() | {"config": written})
    outputs = [tmp_path / "results" / name / "model_card.md" for name in names]
    done = runs.call(
        "write_model_cards.py",
        *("--run-facts", facts, "--training", *files["training"]),
        *("--metrics", *files["metrics"], "--verdicts", *files["verdicts"]),
        *("--output", *outputs),
    )
    assert done.returncode == 0, done.stderr
    text = outputs[1].read_text()
    assert "# full, seed 8" in text
    assert "| `seed` | 8 |" in text
    assert "seeds` |" not in text
    assert "One of 2 seeds, with accuracies from 0.500 to 0.600" in text
    assert "(mean 0.550, standard deviation 0.071)" in text
    assert ModelCard(text).data.eval_results[0].metric_value == 0.6


def test_the_base_model_is_named_where_the_config_tells_it(cards):
    toy = cards()["full"]
    assert ModelCard(toy).data.base_model is None
    assert "a toy model trained from nothing" in toy
    known = cards(source="folder", path="resources/downloads/qwen")["full"]
    assert ModelCard(known).data.base_model == "Qwen/Qwen3-1.7B"
    local = cards(source="folder", path="models/base")["full"]
    assert ModelCard(local).data.base_model is None
    assert "from `models/base`" in local


@pytest.mark.parametrize("path", ["", "models/base", "resources/downloads/other"])
def test_a_base_model_without_a_repository_has_none(path):
    assert repositories(config(source="folder", path=path)) == NOWHERE


def test_training_questions_of_the_hub_are_named():
    known = config(source="folder", path="resources/downloads/qwen")
    known["datasets"]["demo"] = {"source": "files", "questions": "resources/downloads/rows/a.json"}
    assert repositories(known) == ("Qwen/Qwen3-1.7B", "someone/text-to-sql")
    facts = {**runs.run_facts(), "config": known}
    data = ModelCard(card_of(facts, repositories(known))).data
    assert (data.base_model, data.datasets) == ("Qwen/Qwen3-1.7B", ["someone/text-to-sql"])


def card_of(facts, named=NOWHERE, **training):
    verdicts = runs.verdict_rows(runs.question_rows(40), [n < 10 for n in range(40)])
    metrics = runs.metrics_of("full", verdicts)
    return model_card(
        Replicate("full", None),
        facts,
        {},
        named,
        {**runs.training_facts(), **training},
        metrics,
        verdicts,
        [metrics],
        False,
    )


def test_what_drew_the_answers_is_no_start_of_the_training():
    facts = {**runs.run_facts(), "config": config()}
    started = card_of(facts, start_from="first")
    assert "by way of the model of the variant `first`, where this training started" in started
    learned = card_of(facts, start_from="first", learning={"method": "rejection"})
    assert "beside gold that the model of the variant `first` drew" in learned
    assert "where this training started" not in learned


def test_licenses_are_those_that_are_named():
    facts = {**runs.run_facts(), "config": config()}
    unknown = card_of(facts)
    assert ModelCard(unknown).data.license == "unknown"
    assert "named by no card of its folder; that of *demo* is not named in the config" in unknown
    facts["config"]["datasets"]["demo"]["license"] = "cc-by-sa-4.0"
    known = card_of({**facts, "base_license": "apache-2.0"})
    assert ModelCard(known).data.license == "apache-2.0"
    assert (
        "is apache-2.0, says its own card; that of *demo* is cc-by-sa-4.0, says the config" in known
    )


def test_the_hub_shows_the_interval_in_words():
    (result,) = ModelCard(card_of({**runs.run_facts(), "config": config()})).data.eval_results
    low, high = binomtest(10, 40).proportion_ci(method="wilson")
    expected = f"test-suite execution accuracy, 95 % interval {low:.3f} to {high:.3f}"
    assert (result.metric_name, result.metric_value) == (expected, 0.25)


def test_a_card_says_how_to_ask_and_how_to_load():
    card = card_of({**runs.run_facts(), "config": config()})
    assert "sqladder ask results/full --database" in card
    assert 'from_pretrained("results/full/model")' in card


@pytest.mark.parametrize(
    ("text", "license"),
    [
        ("---\nlicense: apache-2.0\n---\n# A model", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: gemma\n---\n", "gemma"),
        ("---\nlicense: other\n---\n", None),
        ("---\nlicense: [mit]\n---\n", None),
        ("---\n: {\n---\n", None),
        ("---\n- mit\n---\n", None),
        ("# A model\n---\nlicense: mit\n---\n", None),
        ("", None),
    ],
)
def test_the_license_of_a_base_is_read_from_its_card(tmp_path, text, license):
    assert license_of(tmp_path) is None
    (tmp_path / "README.md").write_text(text)
    assert license_of(tmp_path) == license


def test_the_picture_of_the_loss_lies_beside_the_card(tmp_path):
    files = runs.write_run(
        tmp_path,
        runs.question_rows(20),
        {"full": runs.random_marks(20, [0.5], 4)[0]},
        trained=("full",),
    )
    facts = runs.write_value(tmp_path / "run.json", runs.run_facts() | {"config": config()})
    folder = tmp_path / "results/full"
    done = runs.call(
        "write_model_cards.py",
        *("--run-facts", facts, "--training", *files["training"]),
        *("--metrics", *files["metrics"], "--verdicts", *files["verdicts"]),
        *("--output", folder / "model_card.md"),
        *("--losses", folder / "loss.svg"),
    )
    assert done.returncode == 0, done.stderr
    assert "![Training loss over steps](loss.svg)" in (folder / "model_card.md").read_text()
    curve = json.loads((folder / "train.json").read_text())["loss_curve"]
    picture = (folder / "loss.svg").read_text()
    assert f"to {curve[-1][1]:.3f} over {curve[-1][0]:,} steps." in picture
    assert "full; strong line" in picture
