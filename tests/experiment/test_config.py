import copy
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from safetensors.numpy import save_file

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.experiment.config import check
from sqladder.experiment.config_schema import config_schema
from sqladder.experiment.generation_jobs import engine
from sqladder.experiment.paths import input_path
from sqladder.experiment.reading import read_yaml
from sqladder.experiment.training_jobs import base_model, base_template, given_base
from sqladder.experiment.variants import (
    first_seed,
    generated,
    model_source,
    quantized_source,
    replicates,
    seeds_of,
    setting,
    variants_by_method,
    with_model,
)
from sqladder.statistics.replicates import replicate_of

SCHEMA_FILE = ROOT / "workflow/schemas/config.schema.yaml"
SCHEMA = read_yaml(SCHEMA_FILE)
DEFAULT = read_yaml(ROOT / "config/config.yaml")


@pytest.fixture
def config():
    return copy.deepcopy(DEFAULT)


@pytest.fixture(autouse=True)
def spider_named(monkeypatch, tmp_path):
    """The Spider config names files by an environment variable; their existence is not the point here."""
    for name in (
        "dev.jsonl",
        "databases.tar.xz",
        "parity/lora_32r.gold.sql",
        "parity/lora_32r.pred.sql",
        "train.jsonl",
        "database/a.sqlite",
        "train.json",
        "train_databases/a.sqlite",
        "mini_dev_sqlite.json",
        "dev_databases/a.sqlite",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv("SQLADDER_SPIDER", str(tmp_path))
    monkeypatch.setenv("SQLADDER_SPIDER_TRAIN", str(tmp_path))
    monkeypatch.setenv("SQLADDER_BIRD", str(tmp_path))
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SQLADDER_BASE", str(tmp_path))
    (tmp_path / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_every_shipped_config_passes(path):
    check(read_yaml(path))


def test_the_schema_file_is_current():
    assert (ROOT / "workflow/schemas/config.schema.yaml").read_text() == config_schema()
    assert max(map(len, config_schema().splitlines())) <= 120


def test_every_config_names_the_schema_for_editors():
    for path in [*(ROOT / "config").glob("*.yaml"), ROOT / "tests/tiny/config.yaml"]:
        first = path.read_text().splitlines()[0]
        assert first.startswith("# yaml-language-server: $schema="), path
        assert (path.parent / first.partition("=")[2]).resolve() == SCHEMA_FILE


def properties(schema, path=""):
    """Yield every property of the schema with its description, its own or that of what it refers to."""
    for key, value in schema.get("properties", {}).items():
        target = SCHEMA["$defs"].get(value.get("$ref", "").split("/")[-1], {})
        yield f"{path}.{key}", value.get("description") or target.get("description")


def test_every_key_of_the_schema_is_described():
    found = [*properties(SCHEMA)]
    for name, definition in SCHEMA["$defs"].items():
        found += properties(definition, name)
    assert len(found) > 50
    assert [path for path, description in found if not description] == []


def objects(schema):
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


def test_the_schema_is_closed_at_every_level():
    found = list(objects(SCHEMA))
    assert len(found) > 20
    assert [each for each in found if each.get("additionalProperties") is not False] == []


def test_an_editor_is_told_what_the_check_is(config):
    """The schema refuses what is wrong with one value, and takes every config that is shipped."""
    schema = Draft202012Validator(SCHEMA)
    for path in (ROOT / "config").glob("*.yaml"):
        assert list(schema.iter_errors(read_yaml(path))) == []
    for spoil in (remove_rank, misspell_rank, give_full_a_rank, number_as_text):
        wrong = copy.deepcopy(config)
        spoil(wrong)
        assert list(schema.iter_errors(wrong)), spoil.__name__


def test_every_key_of_the_default_config_is_commented():
    lines = (ROOT / "config/config.yaml").read_text().splitlines()
    top = [i for i, line in enumerate(lines) if line and line[0].isalpha()]
    commented = [
        lines[i] for i in top if lines[i - 1].startswith("#") or lines[i - 1].startswith("train_on")
    ]
    assert [lines[i] for i in top] == commented


def remove_rank(c):
    del c["variants"]["lora_32r"]["rank"]


def misspell_rank(c):
    c["variants"]["lora_32r"]["rnak"] = 32


def give_full_a_rank(c):
    c["variants"]["full"]["rank"] = 32


def unknown_method(c):
    c["variants"]["full"]["method"] = "ful"


def unknown_module(c):
    c["variants"]["lora_32r"]["target_modules"] = ["q_prj"]


def number_as_text(c):
    c["variants"]["full"]["training"] = {"learning_rate": "1e-4"}


def name_with_slash(c):
    c["variants"]["a/b"] = {"method": "none"}


def published_row_of_nobody(c):
    table = str(ROOT / "config/published/qwen3-1p7b.yaml")
    c["published"] = {"table": table, "rows": {"nobody": "baseline", "full": "qwen3_full"}}


def missing_published_table(c):
    c["published"] = {"table": "nowhere.yaml", "rows": {"full": "full"}}


def name_of_a_seeds_folder(c):
    c["variants"]["seed_42"] = {"method": "none"}


def seed_beside_seeds(c):
    c["seeds"] = [1, 2]


def variants_seed_beside_seeds(c):
    c["variants"]["full"].update(seed=1, seeds=[1, 2])


def seeds_without_effect(c):
    c["variants"]["baseline"]["seeds"] = [1, 2]


def name_of_a_folder(c):
    c["variants"]["charts"] = {"method": "none"}


def names_that_differ_in_case(c):
    c["variants"]["Full"] = {"method": "full"}


def samples_without_temperature(c):
    c["variants"]["full"]["decoding"] = {"samples": 4}


def choice_without_samples(c):
    c["variants"]["full"]["decoding"] = {"choose": "vote", "temperature": 0.8}


def repair_without_a_template(c):
    c["decoding"]["repair"] = {"rounds": 1}


def repair_without_rounds(c):
    c["decoding"]["repair"] = {"rounds": -1}


def repair_template_without_error(c):
    c["contexts"]["published"]["repair_turn"] = "Write {sql} again."


def reuse_of_nothing(c):
    c["variants"]["votes"] = {"method": "reuse", "model_of": "fulll"}


def reuse_in_a_circle(c):
    c["variants"]["a"] = {"method": "reuse", "model_of": "b"}
    c["variants"]["b"] = {"method": "reuse", "model_of": "a"}


def reuse_of_imported(c):
    c["variants"]["theirs"] = {"method": "imported", "predictions": "README.md"}
    c["variants"]["votes"] = {"method": "reuse", "model_of": "theirs"}


def reuse_with_training(c):
    c["variants"]["votes"] = {"method": "reuse", "model_of": "full", "training": {"epochs": 1}}


FILES = {
    "source": "files",
    "format": "spider",
    "questions": "$SQLADDER_SPIDER/dev.jsonl",
    "databases": "$SQLADDER_SPIDER/databases.tar.xz",
}
SERVED = {"method": "served", "url": "http://localhost:8000/v1", "model": "qwen"}


def served(**changes):
    """A spoiler that adds a served variant with some keys changed; None takes a key away."""

    def spoil(c):
        entry = {**SERVED, **changes}
        c["variants"]["api"] = {key: value for key, value in entry.items() if value is not None}

    return spoil


def decoded(**changes):
    """A spoiler that lets a trained variant's answers be generated with other settings."""

    def spoil(c):
        c["variants"]["full"]["decoding"] = changes

    return spoil


def served_with_the_experiments_penalty(c):
    served()(c)
    c["decoding"]["repetition_penalty"] = 1.1


def reuse_of_served(c):
    served()(c)
    c["variants"]["votes"] = {"method": "reuse", "model_of": "api"}


def quantized(**changes):
    """A spoiler that adds a quantized variant with some keys changed, and one that is made of it."""

    def spoil(c):
        served()(c)
        entry = {"method": "quantized", "model_of": "full", "quantize": "q8_0", **changes}
        c["variants"]["small"] = entry

    return spoil


def quantized_twice(c):
    quantized()(c)
    c["variants"]["again"] = {"method": "reuse", "model_of": "small"}
    c["variants"]["smaller"] = {"method": "quantized", "model_of": "again", "quantize": "nf4"}


def chosen(**others):
    """A spoiler that has one variant choose its checkpoint, and changes keys of the config."""

    def spoil(c):
        c["variants"]["full"]["training"] = {"choose": "validation", **others.pop("training", {})}
        c.update(others)

    return spoil


def chosen_with(**training):
    """A spoiler that gives one variant settings of its training."""

    def spoil(c):
        c["variants"]["full"]["training"] = training

    return spoil


def chosen_by_the_training_rows(c):
    c["datasets"]["mine"] = {**FILES, "questions": "README.md"}
    chosen(train_on="mine")(c)


def chosen_by_the_test(c):
    c["datasets"]["mine"] = dict(FILES)
    chosen(test_on="mine", validate_on="mine")(c)


def chosen_by_a_copy_of_the_test(c):
    c["datasets"]["mine"] = dict(FILES)
    c["datasets"]["copy"] = dict(FILES)
    chosen(test_on="mine", validate_on="copy")(c)


def chosen_without_databases(c):
    columns = {"question": "q", "sql": "s", "schema": "t"}
    rows = {"source": "files", "questions": "README.md", "columns": columns}
    c["datasets"]["rows"] = rows
    chosen(validate_on="rows")(c)


def chosen_natively(c):
    chosen()(c)
    c["scoring"]["engine"] = "native"


def chosen_under_megatron(c):
    chosen()(c)
    c["variants"]["full"]["parallelism"] = {"method": "megatron", "gpus": 2, "tensor": 2}


def missing_predictions(c):
    c["variants"]["theirs"] = {"method": "imported", "predictions": "nowhere.sql"}


def unset_variable(c):
    c["variants"]["theirs"] = {"method": "imported", "predictions": "$NOT_SET_ANYWHERE/p.sql"}


def imported_with_training(c):
    c["variants"]["theirs"] = {
        "method": "imported",
        "predictions": "README.md",
        "training": {"epochs": 1},
    }


def trained_baseline(c):
    c["variants"]["baseline"]["training"] = {"epochs": 1}


def unknown_context(c):
    c["variants"]["full"]["context"] = "prose"


def unknown_dataset(c):
    c["test_on"] = "spider"


def toy_without_demo(c):
    c["base_model"]["pretrain_on"] = "spider"


def missing_base(c):
    c["base_model"] = {"source": "folder", "path": "models/none"}


def missing_top_key(c):
    del c["seed"]


def no_variant(c):
    c["variants"] = {}


@pytest.mark.parametrize(
    ("spoil", "parts"),
    [
        (remove_rank, ["variants.lora_32r", "lacks rank", "add it"]),
        (misspell_rank, ["variants.lora_32r", "'rnak'", "did you mean rank?"]),
        (give_full_a_rank, ["variants.full.rank", "no use with method full", "remove it"]),
        (
            unknown_method,
            [
                "variants.full.method",
                "'ful'",
                "none, lora, full, rejection, dpo, grpo, reuse, quantized, served",
            ],
        ),
        (unknown_module, ["lora_32r.target_modules", "'q_prj'", "did you mean q_proj?"]),
        (number_as_text, ["full.training.learning_rate", "'1e-4'", "write 1.0e-4"]),
        (name_with_slash, ["variants", "'a/b'", "unfit for a path"]),
        (name_of_a_folder, ["variants.charts", "choose another name"]),
        (names_that_differ_in_case, ["variants.Full", "full", "case only", "rename"]),
        (samples_without_temperature, ["variants.full", "samples is 4", "temperature above 0"]),
        (choice_without_samples, ["variants.full: decoding.choose", "samples is 1", "samples: 8"]),
        (
            repair_without_a_template,
            [
                "variants.full: decoding.repair",
                "'published' has no text",
                "contexts.published.repair_turn",
            ],
        ),
        (repair_without_rounds, ["decoding.repair.rounds: -1", "at least 0"]),
        (repair_template_without_error, ["contexts.published.repair_turn", "it needs {error}"]),
        (
            chosen_with(checkpoints={"per_epoch": 2}),
            ["variants.full: training.checkpoints", "give choose: validation"],
        ),
        (
            chosen_with(stop_early={"patience": 2}),
            ["variants.full: training.stop_early", "give choose: validation"],
        ),
        (
            chosen_with(keep_checkpoints=True),
            ["variants.full: training.keep_checkpoints", "give choose: validation"],
        ),
        (chosen_with(choose="best"), ["full.training.choose", "'best'", "last, validation"]),
        (
            chosen(training={"stop_early": {"patience": 0}}),
            ["full.training.stop_early.patience: 0", "at least 1"],
        ),
        (
            chosen(training={"checkpoints": {}}),
            ["full.training.checkpoints", "lacks per_epoch"],
        ),
        (
            chosen_natively,
            ["training.choose", "scoring.engine is native", "give full choose: last"],
        ),
        (chosen_under_megatron, ["variants.full", "Megatron's checkpoints", "choose last"]),
        (chosen(validate_on="nowhere"), ["validate_on: there is no data set 'nowhere'"]),
        (lambda c: c.update(validate_on="demo"), ["validate_on: no variant chooses", "remove it"]),
        (
            chosen(test_split="validation"),
            ["training.choose", "what variants are compared on", "give test_split: test"],
        ),
        (
            chosen_by_the_training_rows,
            ["train_on, 'mine', has no validation split", "datasets.mine.split.validation"],
        ),
        (chosen_by_the_test, ["validate_on: 'mine' has no validation split", "full could choose"]),
        (chosen_by_a_copy_of_the_test, ["validate_on: 'copy'", "those of the test, 'mine'"]),
        (chosen_without_databases, ["validate_on: 'rows' has no databases", "name another"]),
        (reuse_of_nothing, ["variants.votes.model_of", "'fulll'", "the config has baseline"]),
        (reuse_in_a_circle, ["variants.a.model_of", "a -> b -> a", "name one that does"]),
        (reuse_of_imported, ["variants.votes.model_of", "'theirs' has no model", "name a variant"]),
        (reuse_with_training, ["variants.votes.training", "remove it"]),
        (reuse_of_served, ["variants.votes.model_of", "'api' has no model here", "method: served"]),
        (quantized(quantize="q2_k"), ["variants.small.quantize", "'q2_k'", "q4_k_m"]),
        (quantized(model_of="fulll"), ["variants.small.model_of", "'fulll'", "has baseline"]),
        (quantized(model_of="small"), ["variants.small.model_of", "small -> small"]),
        (quantized(model_of="api"), ["variants.small.model_of", "'api' has no model here"]),
        (quantized(seed=1), ["variants.small.seed", "remove it"]),
        (
            quantized(decoding={"engine": "vllm"}),
            ["variants.small.decoding.engine", "quantize: q8_0 says what answers", "remove it"],
        ),
        (quantized_twice, ["variants.smaller.model_of", "'again' is quantized itself"]),
        (served(url=None), ["variants.api", "url"]),
        (served(model=None), ["variants.api", "model"]),
        (served(url="localhost"), ["variants.api.url", "'localhost'", "http://localhost:8000/v1"]),
        (served(url="https://a:b@c.org/v1"), ["variants.api.url", "key_variable"]),
        (served(key_variable="NOT_SET_1"), ["variants.api.key_variable", "NOT_SET_1", "set it to"]),
        (served(key_variable="sk-1 2"), ["variants.api.key_variable", "no name of an environment"]),
        (served(concurrency=0), ["variants.api.concurrency", "0"]),
        (served(price={"input": 1.0}), ["variants.api.price", "output"]),
        (served(leave_out=["top_k"]), ["variants.api.leave_out", "'top_k'"]),
        (served(context="prose"), ["variants.api.context", "'prose'"]),
        (served(training={"epochs": 1}), ["variants.api.training", "remove it"]),
        (served(model_of="full"), ["variants.api.model_of", "remove it"]),
        (served(seeds=[1, 2]), ["variants.api.seeds", "remove it"]),
        (
            served(decoding={"grammar": "schema"}),
            [
                "variants.api: decoding.grammar",
                "is schema",
                "variants.api.decoding.grammar: none",
                "variants.api.structured_outputs: true",
            ],
        ),
        (served(structured_outputs="yes"), ["variants.api.structured_outputs", "'yes'"]),
        (
            served_with_the_experiments_penalty,
            [
                "decoding.repetition_penalty",
                "is 1.1",
                "variants.api.decoding.repetition_penalty: 1",
            ],
        ),
        (
            served(decoding={"repair": {"rounds": 1}}),
            ["variants.api: decoding.repair", "contexts.published.repair_turn"],
        ),
        (decoded(grammar="schemas"), ["variants.full.decoding.grammar", "'schemas'", "schema"]),
        (decoded(choose="best"), ["variants.full.decoding.choose", "'best'", "vote"]),
        (decoded(include_greedy=True), ["variants.full: decoding.include_greedy", "samples is 1"]),
        (served(decoding={"engine": "vllm"}), ["variants.api.decoding.engine", "remove it"]),
        (missing_predictions, ["variants.theirs.predictions", "'nowhere.sql'"]),
        (unset_variable, ["variants.theirs.predictions", "NOT_SET_ANYWHERE", "set it"]),
        (imported_with_training, ["variants.theirs.training", "remove it"]),
        (trained_baseline, ["variants.baseline.training", "remove it"]),
        (unknown_context, ["variants.full.context", "'prose'", "the config has published"]),
        (unknown_dataset, ["test_on", "'spider'", "the config has demo"]),
        (toy_without_demo, ["base_model.pretrain_on", "'spider'"]),
        (missing_base, ["base_model.path", "'models/none'"]),
        (missing_top_key, ["lacks seed"]),
        (
            published_row_of_nobody,
            ["published.rows.nobody", "no row 'qwen3_full'; it has baseline, "],
        ),
        (missing_published_table, ["published.table", "'nowhere.yaml'"]),
        (name_of_a_seeds_folder, ["variants.seed_42", "choose another name"]),
        (seed_beside_seeds, ["config: names both seed and seeds"]),
        (variants_seed_beside_seeds, ["variants.full: names both seed and seeds"]),
        (seeds_without_effect, ["variants.baseline.seeds", "remove it"]),
        (no_variant, ["variants"]),
    ],
)
def test_a_wrong_entry_is_refused_naming_key_value_and_way_out(config, spoil, parts):
    spoil(config)
    with pytest.raises(InputError) as error:
        check(config)
    assert [part for part in parts if part not in str(error.value)] == []


def test_a_variant_may_take_its_last_checkpoint_where_others_choose(config):
    config["training"] |= {"choose": "validation", "checkpoints": {"per_epoch": 2}}
    config["variants"]["full"]["training"] = {"choose": "last"}
    check(config)
    assert "checkpoints" not in setting(config, "full", "training")
    assert setting(config, "lora_32r", "training")["checkpoints"] == {"per_epoch": 2}
    config["variants"]["full"]["training"]["checkpoints"] = {"per_epoch": 1}
    with pytest.raises(InputError, match="give choose: validation"):
        check(config)


def test_all_wrong_entries_are_named_at_once(config):
    misspell_rank(config)
    unknown_method(config)
    with pytest.raises(InputError) as error:
        check(config)
    assert "rnak" in str(error.value)
    assert "'ful'" in str(error.value)


def test_a_name_used_twice_is_refused_with_both_lines(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "variants:\n  a: {method: none}\n  b: {}\n  a: {method: full}\n"
    )
    with pytest.raises(InputError, match="'a' is used twice, in lines 2 and 4"):
        read_yaml(tmp_path / "c.yaml")


def test_entries_may_be_merged_from_others(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "a: &a {rank: 4, alpha: 8}\nb: &b\n  <<: *a\n  rank: 16\nc: {<<: [*b, *a], alpha: 1}\n"
    )
    assert read_yaml(tmp_path / "c.yaml") == {
        "a": {"rank": 4, "alpha": 8},
        "b": {"rank": 16, "alpha": 8},
        "c": {"rank": 16, "alpha": 1},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n  x: 3\n", "'x' is used twice, in lines 4 and 5"),
        (
            "a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n",
            "'<<' is used twice, in lines 3 and 4; merge both",
        ),
    ],
)
def test_a_merge_hides_no_name_used_twice(tmp_path, text, words):
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_yaml(tmp_path / "c.yaml")


def test_text_that_is_no_yaml_is_refused(tmp_path):
    (tmp_path / "c.yaml").write_text("a: [1\n")
    with pytest.raises(InputError, match="not valid YAML"):
        read_yaml(tmp_path / "c.yaml")


def test_a_variant_overrides_only_what_it_names(config):
    config["variants"]["full"]["training"] = {"epochs": 9}
    merged = setting(config, "full", "training")
    assert merged["epochs"] == 9
    assert merged["batch_size"] == config["training"]["batch_size"]
    assert setting(config, "lora_32r", "training") == config["training"]


def test_a_variant_has_a_seed_of_its_own_even_when_it_is_zero(config):
    config["variants"]["full"]["seed"] = 0
    assert seeds_of(config, "full") == [0]
    assert seeds_of(config, "baseline") == [config["seed"]]


def test_one_seed_needs_no_folder_of_its_own(config):
    before = list(replicates(config))
    assert before == list(config["variants"])
    config["seeds"] = [config.pop("seed")]
    assert list(replicates(config)) == before


def test_each_of_several_seeds_has_a_folder_and_greedy_answers_without_training_have_one(config):
    del config["seed"]
    config["seeds"] = [42, 43]
    config["variants"] = {name: config["variants"][name] for name in ("baseline", "full")}
    config["variants"]["other"] = {"method": "full", "seed": 5}
    names = list(replicates(config))
    assert names == ["baseline", "full/seed_42", "full/seed_43", "other"]
    assert first_seed(config) == 42
    config["decoding"]["temperature"] = 0.2
    assert list(replicates(config))[:2] == [
        "baseline/seed_42",
        "baseline/seed_43",
    ]


def test_a_reused_model_brings_its_seeds(config):
    del config["seed"]
    config["seeds"] = [42, 43]
    sampled = {"temperature": 0.8}
    config["variants"] = {
        "baseline": {"method": "none"},
        "full": {"method": "full", "seeds": [7, 8]},
        "votes": {"method": "reuse", "model_of": "full"},
        "more": {"method": "reuse", "model_of": "votes", "decoding": sampled},
        "drawn": {"method": "reuse", "model_of": "baseline", "decoding": sampled},
        "seeded": {"method": "none", "decoding": sampled},
        "greedy": {"method": "reuse", "model_of": "seeded"},
        "small": {"method": "quantized", "model_of": "votes", "quantize": "q8_0"},
        "small_again": {"method": "reuse", "model_of": "small"},
    }
    sources = {own: model_source(config, own) for own in generated(config)}
    assert sources == {
        "baseline": "baseline",
        "full/seed_7": "full/seed_7",
        "full/seed_8": "full/seed_8",
        "votes/seed_7": "full/seed_7",
        "votes/seed_8": "full/seed_8",
        "more/seed_7": "full/seed_7",
        "more/seed_8": "full/seed_8",
        "drawn/seed_42": "baseline",
        "drawn/seed_43": "baseline",
        "seeded/seed_42": "seeded/seed_42",
        "seeded/seed_43": "seeded/seed_43",
        "greedy": "seeded/seed_42",
        "small/seed_7": "small/seed_7",
        "small/seed_8": "small/seed_8",
        "small_again/seed_7": "small/seed_7",
        "small_again/seed_8": "small/seed_8",
    }
    assert quantized_source(config, "small/seed_8") == "full/seed_8"
    engines = {own: engine(config, own) for own in ("full/seed_7", "small_again/seed_7")}
    assert engines == {"full/seed_7": "transformers", "small_again/seed_7": "llama_cpp"}
    assert set(sources.values()) == set(with_model(config))


@pytest.mark.parametrize("name", ["full", "full/seed_42"])
def test_the_folder_of_a_replicate_tells_variant_and_seed(name):
    assert replicate_of(Path("results") / name / "metrics.json").name == name


def test_variants_keep_the_order_of_the_config(config):
    assert variants_by_method(config, frozenset({"none", "full"})) == ["baseline", "full"]


def test_a_path_may_name_an_environment_variable(monkeypatch):
    monkeypatch.setenv("SOME_FOLDER", "/data")
    assert input_path("$SOME_FOLDER/dev.jsonl") == "/data/dev.jsonl"


@pytest.fixture
def on_llama(config, tmp_path):
    """The default experiment on a base of another family, from a folder on this disk."""
    folder = tmp_path / "llama"
    folder.mkdir()
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    layers = ("self_attn.qkv_proj", "mlp.down_proj")
    weights = {f"model.layers.0.{name}.weight": np.zeros((2, 3), "float32") for name in layers}
    save_file(weights, folder / "model.safetensors")
    config["base_model"] = {"source": "folder", "path": str(folder)}
    for name in ("lora_32r", "lora_128r"):
        config["variants"][name]["target_modules"] = "all-linear"
    return config


def test_names_of_layers_are_those_of_the_base_model(on_llama):
    check(on_llama)
    on_llama["variants"]["lora_32r"]["target_modules"] = ["qkv_proj"]
    check(on_llama)
    on_llama["variants"]["lora_32r"]["target_modules"] = ["q_proj"]
    message = (
        r"lora_32r.target_modules: 'q_proj' is no linear layer.*did you mean qkv_proj.*down_proj"
    )
    with pytest.raises(InputError, match=message):
        check(on_llama)
    on_llama["variants"]["lora_32r"]["target_modules"] = ["all-linear", "down_proj"]
    with pytest.raises(InputError, match=r"target_modules: all-linear is each of them"):
        check(on_llama)


def test_a_base_has_one_chat_template(on_llama):
    on_llama["base_model"]["template"] = "chatml"
    with pytest.raises(InputError, match=r"base_model.template: .*of its own; remove it"):
        check(on_llama)
    (Path(on_llama["base_model"]["path"]) / "tokenizer_config.json").write_text("{}")
    check(on_llama)
    del on_llama["base_model"]["template"]
    with pytest.raises(InputError, match=r"no chat template.*add template: chatml or plain"):
        check(on_llama)


def test_a_base_that_writes_no_text_is_refused_in_the_plan(on_llama):
    path = Path(on_llama["base_model"]["path"]) / "config.json"
    path.write_text('{"architectures": ["LlamaForSequenceClassification"]}')
    with pytest.raises(InputError, match=r"base_model.path: .*which writes no text"):
        check(on_llama)


def test_a_base_that_gets_a_template_is_made_before_all_that_reads_it(on_llama):
    assert base_model(on_llama) == on_llama["base_model"]["path"]
    on_llama["base_model"]["template"] = "plain"
    assert base_model(on_llama) == "resources/base_with_template"
    assert (given_base(on_llama), base_template(on_llama)) == (
        on_llama["base_model"]["path"],
        "plain",
    )


def test_a_baseline_is_any_variant_and_no_other_name(config):
    config["baseline"] = "lora_128r"
    check(config)
    config["baseline"] = "nobody"
    with pytest.raises(InputError, match="baseline: there is no variant 'nobody'"):
        check(config)
