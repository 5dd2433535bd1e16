"""What each stage's jobs get from a config: files and flags, said without a start of Snakemake."""

import copy

import pytest

from conftest import ROOT
from sqladder.experiment import (
    context_jobs,
    data_jobs,
    generation_jobs,
    report_jobs,
    training_jobs,
    variants,
)
from sqladder.experiment.flags import as_flags, named
from sqladder.experiment.reading import read_yaml

DEFAULT = read_yaml(ROOT / "config/config.yaml")


@pytest.fixture
def config():
    return copy.deepcopy(DEFAULT)


@pytest.fixture
def files_config(config):
    """Trained on rows that bring their schemas, tested on the validation part of a data set of files."""
    config["datasets"]["mine"] = {
        "source": "files",
        "questions": "resources/downloads/spider/q.csv",
        "gold_repairs": "repairs.jsonl",
        "format": "csv",
        "databases": "shop.sqlite",
        "gold_problems": {"failing": "drop", "empty": "keep", "slow": "stop"},
        "split": {"by": "question", "validation": 0.2, "test": 0.3},
    }
    config["datasets"]["rows"] = {
        "source": "files",
        "questions": "rows.parquet",
        "columns": {"question": "prompt", "schema": "context", "sql": "answer"},
        "incomplete_rows": "drop",
    }
    config |= {"train_on": "rows", "test_on": "mine", "test_split": "validation"}
    config["base_model"] = {"source": "folder", "path": "resources/downloads/qwen/model"}
    return config


def masked_examples(**entries):
    return {
        "method": "bm25",
        "by": "masked_question",
        "count": 4,
        "template": "reference_list",
        **entries,
    }


# Flags


def test_settings_become_flags_and_a_list_follows_its_name():
    flags = as_flags({"target_modules": ["q_proj", "v_proj"], "rank": 32, "temperature": 0})
    assert flags == ["--target-modules", "q_proj", "v_proj", "--rank=32", "--temperature=0"]


def test_files_that_a_job_lacks_are_not_named():
    assert named({"index": [], "databases": "d"}) == {"databases": "d"}


# Data


def test_the_parts_of_a_demonstration_are_files_of_their_own(config):
    assert data_jobs.examples_of(config, "train") == "resources/datasets/demo/train.jsonl"
    assert data_jobs.examples_of(config, "pretrain") == "resources/datasets/demo/pretrain.jsonl"
    assert data_jobs.imported_questions(config) == data_jobs.examples_of(config, "test")
    assert data_jobs.splits(config) == ["pretrain", "train", "test"]


def test_the_test_may_be_on_the_validation_part(files_config):
    assert data_jobs.examples_of(files_config, "test") == "resources/datasets/mine/validation.jsonl"
    assert data_jobs.asked_questions(files_config) == "resources/datasets/mine/validation.jsonl"
    assert data_jobs.splits(files_config) == ["train", "test"]


def test_rows_that_bring_their_schemas_have_one_file_and_no_databases(files_config):
    assert data_jobs.row_datasets(files_config) == ["rows"]
    assert data_jobs.paired_datasets(files_config) == ["mine"]
    assert data_jobs.examples_of(files_config, "train") == "resources/datasets/rows/examples.jsonl"
    assert data_jobs.databases_of(files_config, "train") == []
    flags = data_jobs.reading_flags(files_config, "rows")
    assert {"--columns-schema=context", "--incomplete-rows=drop"} <= set(flags)


def test_training_uses_what_decontamination_leaves_and_the_test_does_not(files_config):
    files_config["decontamination"] = {"drop": ["exact_question"], "mark": ["sql"]}
    assert data_jobs.examples_of(files_config, "train") == "resources/decontaminated/train.jsonl"
    assert data_jobs.imported_examples_of(files_config, "train").endswith("rows/examples.jsonl")
    assert data_jobs.examples_of(files_config, "test").endswith("mine/validation.jsonl")
    flags = data_jobs.decontamination_flags(files_config)
    cleaned = "--output=resources/decontaminated/train.jsonl"
    assert flags == ["--drop=exact_question", "--mark=sql", cleaned]


def test_copies_of_the_tests_questions_are_counted_in_any_case(files_config):
    assert data_jobs.decontamination_flags(files_config) == ["--drop", "--mark=exact_question"]
    # Nothing is dropped, so what is trained on does not depend on the test.
    assert data_jobs.examples_of(files_config, "train").endswith("rows/examples.jsonl")
    files_config["decontamination"] = {"drop": ["sql"], "mark": []}
    flags = data_jobs.decontamination_flags(files_config)
    assert flags[:2] == ["--drop=sql", "--mark=exact_question"]


def test_gold_that_fails_is_not_trained_on_unless_the_config_says_so(files_config):
    del files_config["datasets"]["mine"]["gold_problems"]
    kept = ["--failing=keep", "--empty=keep", "--slow=keep"]
    dropped = ["--failing=drop", "--empty=keep", "--slow=keep"]
    # The test is asked whole.
    assert data_jobs.gold_flags(files_config, "mine")[:3] == kept
    files_config["train_on"] = "mine"
    assert data_jobs.gold_flags(files_config, "mine")[:3] == dropped
    # Without a split only few-shot examples are from it, and every question is asked.
    del files_config["datasets"]["mine"]["split"]
    assert data_jobs.gold_flags(files_config, "mine")[:3] == kept


def test_the_strictest_of_variants_that_share_rows_says_how_many_must_stay(config):
    flags = training_jobs.fitting_flags(config, "published", "1024", "drop")
    assert flags == ["--cutoff-length=1024", "--over-cutoff=drop"]
    config["training"]["least_rows"] = 0.2
    config["variants"]["full"]["training"] = {"least_rows": 0.9}
    assert training_jobs.fitting_flags(config, "published", "1024", "drop")[2:] == [
        "--least-rows=0.9"
    ]


def test_a_run_knows_what_became_of_its_training_rows(files_config):
    flags = report_jobs.training_row_flags(files_config)
    assert flags[:2] == ["--decontamination=results/decontamination.json", "--gold-not-executed"]
    lengths = "results/lengths/published.1024.drop.json"
    assert flags[-3:] == ["--lengths", "full", lengths]
    assert report_jobs.row_lengths(files_config) == [lengths]
    files_config["train_on"] = "mine"
    flags = report_jobs.training_row_flags(files_config)
    assert "--gold-checks=resources/datasets/mine/gold.jsonl" in flags
    assert "--gold-examples=resources/datasets/mine/examples.jsonl" in flags
    files_config["variants"] = {"baseline": {"method": "none"}}
    assert report_jobs.training_row_flags(files_config) == []


def test_a_file_in_a_download_needs_the_download_and_is_read_where_it_lies(files_config):
    needed = data_jobs.dataset_file(files_config, "mine", "questions")
    assert needed == "resources/downloads/spider"
    path = data_jobs.dataset_path(files_config, "mine", "questions")
    assert path == "resources/downloads/spider/q.csv"
    assert data_jobs.dataset_file(files_config, "mine", "gold") == []
    assert training_jobs.base_model(files_config) == "resources/downloads/qwen"


def test_gold_is_checked_under_the_limits_of_scoring(files_config):
    flags = data_jobs.gold_flags(files_config, "mine")
    assert flags[:3] == ["--failing=drop", "--empty=keep", "--slow=stop"]
    assert f"--max-vm-steps={files_config['scoring']['max_vm_steps']}" in flags
    assert "--repairs=repairs.jsonl" in flags
    assert not any(flag.startswith("--original") for flag in flags)
    files_config["datasets"]["mine"]["databases"] = "postgresql://server/shop"
    assert "--original=postgresql://server/shop" in data_jobs.gold_flags(files_config, "mine")


@pytest.mark.parametrize(
    ("entries", "quirks"),
    [
        ({"format": "csv"}, "repaired"),
        ({"format": "bird"}, "repaired"),
        ({"format": "spider"}, "official"),
        # BIRD's own files, read by their places.
        ({"format": "spider", "columns": {"sql": "SQL"}}, "repaired"),
    ],
)
def test_the_quirks_of_the_official_evaluator_belong_to_spider(files_config, entries, quirks):
    files_config["datasets"]["mine"] |= entries
    assert f"--quirks={quirks}" in data_jobs.scoring_flags(files_config, "mine")
    files_config["datasets"]["other"] = files_config["datasets"]["mine"]
    for written in ("official", "repaired"):
        files_config["scoring"]["quirks"] = written
        assert f"--quirks={written}" in data_jobs.scoring_flags(files_config, "mine")
        assert f"--quirks={written}" in data_jobs.gold_flags(files_config, "mine")
        # What is trained on is nothing that is scored: the choice makes no training anew.
        assert f"--quirks={quirks}" in data_jobs.gold_flags(files_config, "other")


def test_a_download_may_come_from_a_local_folder(config, monkeypatch):
    monkeypatch.setenv("MIRROR", "/mirror")
    hub = {"source": "huggingface", "repository": "a/b", "revision": "main", "files": ["*.json"]}
    config["downloads"] = {"far": hub, "near": {**hub, "folder": "$MIRROR/b"}}
    assert data_jobs.local_download(config, "far") == []
    assert data_jobs.local_download(config, "near") == "/mirror/b"
    flags = ["--source=huggingface", "--repository=a/b", "--revision=main", "--files=*.json"]
    assert sorted(data_jobs.download_flags(config, "far")) == sorted(flags)
    near = data_jobs.download_flags(config, "near")
    assert sorted(near) == sorted([*flags, "--folder=/mirror/b"])


# Contexts


def test_only_prompts_for_training_have_answers(config):
    folder = "--databases=resources/datasets/demo/databases"
    asked = context_jobs.prompt_flags(config, "published", "test")
    assert asked[-1] == folder
    assert context_jobs.prompt_flags(config, "published", "train") == [*asked, "--with-answer"]


def test_databases_are_needed_for_a_search_by_masked_questions_only(config):
    config["contexts"]["masked"] = {"examples": masked_examples()}
    config["contexts"]["plain"] = {"examples": masked_examples(by="question")}
    folder = "resources/datasets/demo/databases"
    assert context_jobs.masking_databases(config, "masked", "test") == folder
    assert context_jobs.masking_databases(config, "plain", "test") == []
    flags = context_jobs.retrieval_flags(config, "masked", "test")
    assert flags[-2:] == [f"--databases={folder}", f"--pool-databases={folder}"]
    assert context_jobs.contexts_with_examples(config) == ["masked", "plain"]
    assert context_jobs.prompt_references(config, "published", "test") == []


def test_a_search_by_embedding_has_an_index_and_a_gpu(config):
    embedding = {"model": "Qwen/E", "instruction": "Find", "uri": "index.db"}
    entry = masked_examples(method="embedding", by="sql", embedding=embedding)
    config["contexts"]["near"] = {"examples": entry}
    index = context_jobs.examples_index(config, "near")
    assert context_jobs.embedded_contexts(config) == ["near"]
    assert f"--index={index}" in context_jobs.retrieval_flags(config, "near", "test")
    assert context_jobs.retrieval_gpus(config, "near") == 1
    assert context_jobs.retrieval_gpus(config, "published") == 0
    assert context_jobs.index_flags(config, "near") == [
        "--by=sql",
        "--embedding-model=Qwen/E",
        "--embedding-uri=index.db",
        "--collection=sqladder_near",
    ]


# Training and generation


def test_the_untrained_baseline_gets_its_method_and_nothing_else(config):
    assert training_jobs.training_flags(config, "baseline") == ["--method=none"]
    assert training_jobs.training_prompts(config, "baseline") == []
    config["parallelism"] = {"method": "megatron", "gpus": 2, "tensor": 2}
    assert training_jobs.training_gpus(config, "baseline") == 0
    assert training_jobs.training_environment(config, "baseline") == "../envs/train.yaml"


def test_a_replicate_is_trained_with_its_own_settings_and_the_seed_of_its_folder(config):
    config["variants"]["lora_32r"] |= {"training": {"epochs": 9}, "seeds": [1, 2]}
    flags = training_jobs.training_flags(config, "lora_32r/seed_2")
    assert {"--method=lora", "--rank=32", "--epochs=9.0", "--seed=2"} <= set(flags)
    assert f"--batch-size={config['training']['batch_size']}" in flags
    assert not any(flag.startswith("--parallelism") for flag in flags)
    assert "--data=resources/prompts/published/train.1024.drop.jsonl" in flags
    assert not any(flag.startswith(("--over-cutoff", "--seeds", "--training")) for flag in flags)


def test_a_default_that_is_written_changes_no_job(files_config):
    """So that a new setting with a default re-runs nothing that is finished."""
    before = [
        training_jobs.training_flags(files_config, "full"),
        generation_jobs.decoding_flags(files_config, "full"),
        data_jobs.reading_flags(files_config, "rows"),
        data_jobs.import_flags(files_config, "mine"),
    ]
    files_config["training"] |= {"save_steps": 50, "warmup": 0.03, "kernels": "plain"}
    files_config["parallelism"] = {"method": "single", "gpus": 1}
    files_config["decoding"]["samples"] = 1
    files_config["datasets"]["mine"] |= {"allow_missing_databases": False}
    files_config["datasets"]["rows"] |= {"format": "jsonl"}
    assert before == [
        training_jobs.training_flags(files_config, "full"),
        generation_jobs.decoding_flags(files_config, "full"),
        data_jobs.reading_flags(files_config, "rows"),
        data_jobs.import_flags(files_config, "mine"),
    ]


def test_a_draw_at_random_has_a_seed_and_a_search_has_none(config):
    drawn = {"method": "random", "count": 4, "template": "reference_list"}
    config["contexts"] |= {"drawn": {"examples": drawn}, "found": {"examples": masked_examples()}}
    assert "--seed=42" in context_jobs.retrieval_flags(config, "drawn", "test")
    assert "--seed=42" not in context_jobs.retrieval_flags(config, "found", "test")


def test_gpus_of_several_nodes_are_counted_together_and_have_a_task_each(config):
    config["variants"]["full"]["parallelism"] = {"method": "zero3", "gpus": 4, "nodes": 2}
    assert training_jobs.training_gpus(config, "full") == 8
    assert training_jobs.training_tasks(config, "full") == 2
    assert training_jobs.training_starter(config, "full") == "srun"
    assert training_jobs.training_gpus(config, "lora_32r") == 1
    assert training_jobs.training_tasks(config, "lora_32r") is None
    assert training_jobs.training_starter(config, "lora_32r") is None


def test_a_toy_base_is_made_here_with_its_own_settings(config):
    assert training_jobs.base_model(config) == "resources/base_model"
    flags = training_jobs.toy_base_flags(config)
    assert "--seed=42" in flags
    assert f"--layers={config['base_model']['layers']}" in flags
    assert not any(flag.startswith(("--source", "--context", "--pretrain")) for flag in flags)


def test_how_many_gpus_share_the_prompts_changes_no_flag(config):
    before = generation_jobs.decoding_flags(config, "full")
    config["decoding"]["gpus"] = 4
    assert generation_jobs.decoding_flags(config, "full") == before
    assert generation_jobs.generation_gpus(config, "full") == 4
    assert "--seed=42" in before


def test_the_engine_decides_the_environment_of_generation(config):
    config["variants"]["full"]["decoding"] = {"engine": "vllm"}
    assert generation_jobs.generation_environment(config, "full") == "../envs/vllm.yaml"
    assert generation_jobs.generation_environment(config, "baseline") == "../envs/generate.yaml"


# The report


def test_an_imported_variant_leaves_verdicts_and_neither_model_nor_generation(config):
    config["variants"]["theirs"] = {"method": "imported", "predictions": "theirs.sql"}
    found = report_jobs.results_of_all_variants(config)
    assert "results/theirs/verdicts.jsonl" in found["verdicts"]
    assert len(found["predictions"]) == len(found["metrics"]) == 6
    assert (len(found["training"]), len(found["generation"])) == (4, 5)
    assert report_jobs.files_that_made_the_run(config)[-2:] == [
        "resources/base_model",
        "theirs.sql",
    ]
    measured = report_jobs.benchmarks_of_the_run(config)
    assert "results/benchmarks/score/theirs.tsv" in measured
    assert "results/benchmarks/train/theirs.tsv" not in measured
    made = ["baseline", "lora_32r", "lora_128r", "full", "full_schema"]
    assert variants.generated(config) == made


def test_a_run_of_imported_predictions_is_no_demonstration_and_reads_no_training_data(config):
    config["variants"] = {"theirs": {"method": "imported", "predictions": "theirs.sql"}}
    named = [f"--title={config['title']}", "--baseline=theirs"]
    assert report_jobs.report_flags(config) == named
    assert len(report_jobs.files_that_made_the_run(config)) == 3
    assert report_jobs.benchmarks_of_the_run(config) == ["results/benchmarks/score/theirs.tsv"]


def test_only_answers_that_need_the_databases_depend_on_the_code_for_them(config):
    server = {"method": "served", "url": "http://localhost:9/v1", "model": "m"}
    config["contexts"]["published"]["repair_turn"] = "{error}"
    decodings = {"free": {}, "held": {"grammar": "schema"}, "again": {"repair": {"rounds": 2}}}
    for name, decoding in decodings.items():
        config["variants"][name] = server | {"decoding": decoding, "structured_outputs": True}
    programs = [generation_jobs.serving_program(config, name) for name in decodings]
    assert programs == ["generate_served.py", *["generate_served_on_databases.py"] * 2]
    free, held, again = (generation_jobs.served_flags(config, name) for name in decodings)
    assert not [flag for flag in free if "repair" in flag or "database" in flag]
    assert {"--grammar=schema", "--repair-rounds=0", "--structured-outputs"} <= {*held}
    assert "--databases=resources/datasets/demo/databases" in held
    assert {"--repair-rounds=2", "--repair-template={error}"} <= {*again}
    assert [flag for flag in again if flag.startswith("--max-vm-steps")]


def test_the_report_compares_with_what_the_config_names(files_config):
    flags = report_jobs.report_flags(DEFAULT)
    marks = "--marks=resources/decontaminated/test_marks.jsonl"
    assert flags[-3:] == ["--baseline=baseline", marks, "--demonstration"]
    files_config["published"] = {"table": "table.yaml", "rows": {"full": "full_8b"}}
    files_config["decontamination"] = {"drop": [], "mark": ["sql"]}
    flags = report_jobs.report_flags(files_config)
    assert "--marks=resources/decontaminated/test_marks.jsonl" in flags
    assert "--gold-checks=resources/datasets/mine/gold.jsonl" in flags
    assert flags[-4:] == ["--published=table.yaml", "--published-row", "full", "full_8b"]
