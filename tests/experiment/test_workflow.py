"""The workflow as a user meets it: plans, refusals, and one small run of every stage."""

import json
import os
import re
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, copy_project, run_snakemake
from sqladder.experiment import generation_jobs
from sqladder.experiment.config import RESERVED_NAMES

TINY = ["--configfile", "config/tiny.yaml", "--replace-workflow-config"]
TINY_REPLICATES = ("baseline", "lora_4r", "full/seed_1", "full/seed_2")
REPORT_RULES = {
    "collect_run_facts",
    "write_asking",
    "write_model_cards",
    "write_report",
}


def planned_jobs(output: str) -> Counter:
    """Read rule names and their numbers of jobs from what a dry run prints."""
    table = re.search(r"Job stats:\njob +count\n-+ +-+\n(.*?)\n\n", output, re.DOTALL)
    if table is None:
        return Counter()
    rows = (line.rsplit(maxsplit=1) for line in table[1].splitlines())
    return Counter({rule: int(count) for rule, count in rows if rule not in ("total", "all")})


def planned_replicates(output: str) -> dict[str, set[str]]:
    """Read which rules a dry run would run for which variant, or variant and seed, on the way to its metrics."""
    found: dict[str, set[str]] = {}
    for rule, block in re.findall(
        r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)+)", output, re.MULTILINE
    ):
        match = re.search(r"wildcards: replicate=([\w/.-]+)", block)
        if match and rule not in REPORT_RULES:
            found.setdefault(match[1], set()).add(rule)
    return found


@pytest.fixture
def project(tmp_path):
    return copy_project(tmp_path)


# The plan


def test_the_default_plan_has_every_stage_for_every_variant(project):
    done = run_snakemake(project, "-n")
    assert done.returncode == 0, done.stdout
    jobs = planned_jobs(done.stdout)
    assert {rule: jobs[rule] for rule in ("train_base", "train", "generate", "score")} == {
        "train_base": 1,
        "train": 4,
        # A fifth variant asks the model of another one.
        "generate": 5,
        "score": 5,
    }
    assert set(jobs) >= REPORT_RULES
    # The console names the files of an experiment, and none of the code.
    assert [line for line in done.stdout.splitlines() if "input:" in line and ".py" in line] == []
    assert not (project / "results").exists()


def test_one_variant_is_planned_alone_by_its_target(project):
    done = run_snakemake(project, "-n", "results/lora_32r/metrics.json")
    assert planned_replicates(done.stdout) == {"lora_32r": {"train", "generate", "score"}}
    assert not REPORT_RULES & set(planned_jobs(done.stdout))


def several_seeds(folder):
    """Write the default config with three seeds and one variant with two of its own; the arguments to use it."""
    config = yaml.safe_load((folder / "config/config.yaml").read_text())
    del config["seed"]
    config["seeds"] = [42, 43, 44]
    config["variants"]["full"]["seeds"] = [7, 8]
    (folder / "config/seeds.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return ["--configfile", "config/seeds.yaml", "--replace-workflow-config"]


def test_with_several_seeds_each_is_a_job_of_its_own_and_the_greedy_baseline_runs_once(project):
    done = run_snakemake(project, "-n", *several_seeds(project))
    assert done.returncode == 0, done.stdout
    seeded = {f"lora_{rank}r/seed_{seed}" for rank in (32, 128) for seed in (42, 43, 44)}
    planned = planned_replicates(done.stdout)
    # Who asks the model of another variant takes its seeds.
    reused = {planned.pop(f"full_schema/seed_{seed}") == {"generate", "score"} for seed in (7, 8)}
    assert reused == {True}
    assert set(planned) == {"baseline", *seeded, "full/seed_7", "full/seed_8"}
    assert all(rules == {"train", "generate", "score"} for rules in planned.values())
    assert planned_jobs(done.stdout)["average_seeds"] == 4


def test_a_variant_with_several_seeds_is_planned_alone_by_its_target(project):
    done = run_snakemake(project, "-n", *several_seeds(project), "results/full/metrics.json")
    assert set(planned_replicates(done.stdout)) == {"full/seed_7", "full/seed_8"}
    assert not REPORT_RULES & set(planned_jobs(done.stdout))


def test_one_seed_of_a_variant_is_planned_alone_by_its_target(project):
    target = "results/full/seed_8/metrics.json"
    done = run_snakemake(project, "-n", *several_seeds(project), target)
    assert planned_replicates(done.stdout) == {"full/seed_8": {"train", "generate", "score"}}
    assert "average_seeds" not in planned_jobs(done.stdout)


def test_each_seed_reaches_training_and_generation(project):
    done = run_snakemake(project, "-n", "-p", *several_seeds(project), "results/full/metrics.json")
    found = re.findall(r"--seed=(\d+) .*?\n\s+--output (\S+)", done.stdout, re.DOTALL)
    assert {(seed, path) for seed, path in found if "full" in path} == {
        (seed, f"results/full/seed_{seed}/{made}")
        for seed in ("7", "8")
        for made in ("model", "predictions.jsonl")
    }


def test_the_linter_has_no_complaint(project):
    done = run_snakemake(project, "--lint")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("pattern", "text", "parts"),
    [
        ("(?=    method: full)", "    rank: 8\n", ["variants.full.rank", "remove it"]),
        (
            "(?<=variants:\n)",
            "  x: {method: imported, predictions: nowhere.sql}\n",
            ["'nowhere.sql'"],
        ),
        (r"learning_rate: \S+", "learning_rate: 1e-4", ["'1e-4'", "write 1.0e-4"]),
        (
            "(?<=variants:\n)",
            "  a: {method: none}\n  a: {method: full}\n",
            ["'a' is used twice"],
        ),
    ],
)
def test_a_wrong_config_is_refused_before_any_job(project, pattern, text, parts):
    right = (project / "config/config.yaml").read_text()
    (project / "wrong.yaml").write_text(re.sub(pattern, text, right))
    done = run_snakemake(project, "--cores", "1", "--configfile", "wrong.yaml")
    assert done.returncode != 0
    assert [part for part in parts if part not in done.stdout] == []
    assert "Traceback" not in done.stdout
    assert not (project / "results").exists()


@pytest.mark.parametrize("option", ["--cores", "--jobs"])
def test_a_run_that_could_start_no_job_is_refused(project, option):
    done = run_snakemake(project, option, "0")
    assert done.returncode != 0
    assert (
        f"{option} 0 lets no job run: give at least 1" in done.stdout or "--cores 0" in done.stdout
    )


def test_a_config_of_ones_own_is_the_whole_experiment(project):
    text = (project / "config/config.yaml").read_text()
    kept = text.replace("  lora_128r:", "  mine:").replace("title:", "title: Mine {variant} {x  #")
    (project / "own.yaml").write_text(kept)
    done = run_snakemake(project, "-n", "--configfile", "own.yaml")
    assert done.returncode == 0, done.stdout
    names = {"baseline", "lora_32r", "mine", "full", "full_schema"}
    assert set(planned_replicates(done.stdout)) == names


def test_braces_in_a_text_of_the_config_are_text(project):
    config = yaml.safe_load((project / "config/config.yaml").read_text())
    config |= {
        "title": "a {b} c {wildcards.x} {params} {x",
        "downloads": {"web": {"source": "http", "url": "https://h/{x}/{0}", "file": "a.zip"}},
    }
    config["contexts"]["published"]["system"] = "Answer {so}, {wildcards.y}."
    (project / "own.yaml").write_text(yaml.safe_dump(config))
    arguments = ("-n", "-p", "--configfile", "own.yaml", "--replace-workflow-config")
    done = run_snakemake(project, *arguments, "results/report.md", "resources/downloads/web")
    assert done.returncode == 0, done.stdout
    assert "--title=a {b} c {wildcards.x} {params} {x" in done.stdout
    assert "--url=https://h/{x}/{0}" in done.stdout
    assert "Answer {so}, {wildcards.y}." in done.stdout


def test_braces_in_a_path_are_refused_with_the_way_out(project):
    config = yaml.safe_load((project / "config/config.yaml").read_text())
    config["base_model"] = {"source": "folder", "path": "{wildcards.x}/model", "template": "chatml"}
    (project / "{wildcards.x}/model").mkdir(parents=True)
    (project / "own.yaml").write_text(yaml.safe_dump(config))
    done = run_snakemake(project, "-n", "--configfile", "own.yaml")
    assert "base_model.path: '{wildcards.x}/model' has a brace" in done.stdout
    assert "rename it, or link to it" in done.stdout


def test_merged_entries_reach_the_plan(project):
    text = (project / "config/config.yaml").read_text()
    text = text.replace("  full:\n    method: full", "  full: &full\n    method: full")
    (project / "config/config.yaml").write_text(text + "  again: {<<: *full, seed: 7}\n")
    done = run_snakemake(project, "-n", "results/again/metrics.json")
    assert planned_replicates(done.stdout) == {"again": {"train", "generate", "score"}}, done.stdout


def test_an_unset_environment_variable_is_named(project):
    arguments = ["-n", "--configfile", "config/spider-local.yaml", "--replace-workflow-config"]
    done = run_snakemake(project, *arguments, SQLADDER_SPIDER="")
    assert done.returncode != 0
    assert "SQLADDER_SPIDER" in done.stdout


# How rules are written


def rules_of_all_stages():
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for name, body in re.findall(
            r"^(?:rule|checkpoint) (\w+):\n((?:(?: .*)?\n)+)", path.read_text(), re.MULTILINE
        ):
            yield pytest.param(name, body, id=name)


# Rules whose program hangs on the variant.
SEVERAL_PROGRAMS = {"generate", "generate_served"}
# The function that tells the digests of the code, where that hangs on the variant.
CODE_BY_VARIANT = {
    "generate": "generation_jobs.generating_code",
    "generate_served": "generation_jobs.serving_code",
    "train": "training_jobs.training_code, TRAININGS",
    "reinforce": "reinforced.reward_code, TRAININGS",
}


@pytest.mark.parametrize(("name", "body"), list(rules_of_all_stages()))
def test_a_rule_has_log_environment_and_the_program_of_its_name(name, body):
    assert "    log:\n" in body
    assert "    conda:\n" in body
    program = "{params.program}" if name in SEVERAL_PROGRAMS else f"{name}.py"
    assert f'python "$SQLADDER_SCRIPTS"/{program} \\\n' in body


@pytest.mark.parametrize(("name", "body"), list(rules_of_all_stages()))
def test_a_rule_names_no_variant(name, body):
    variants = yaml.safe_load((ROOT / "config/config.yaml").read_text())["variants"]
    assert [variant for variant in variants if re.search(rf"['\"/]{variant}['\"/]", body)] == []


def test_no_params_function_takes_input():
    # Snakemake does not compare params that were computed from `input`: a changed setting would re-run nothing.
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        assert re.findall(r"def \w+\(wildcards, input", path.read_text()) == [], path


@pytest.mark.parametrize(("name", "body"), list(rules_of_all_stages()))
def test_a_rule_runs_again_for_its_code_and_not_for_its_files(name, body):
    code = f'CODE["{name}.py"]'
    if name in CODE_BY_VARIANT:
        code = f"by_wildcards({CODE_BY_VARIANT[name]}, code=CODE)"
    assert f"        code={code},\n" in body
    assert "SQLADDER_SCRIPTS" not in body.split("    output:")[0]


# One small run


@pytest.fixture(scope="module")
def tiny_run(tmp_path_factory):
    """A finished run of the tiny config, with two seeds of one variant, in a folder of its own."""
    folder = copy_project(tmp_path_factory.mktemp("tiny"))
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["variants"]["full"]["seeds"] = [1, 2]
    (folder / "config/tiny.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    done = run_snakemake(folder, "--cores", "2", *TINY, "results/report.md")
    assert done.returncode == 0, done.stdout
    return folder


def plan_with(folder, change):
    """Plan a finished run again with a changed config."""
    config = yaml.safe_load((folder / "config/tiny.yaml").read_text())
    change(config)
    (folder / "config/changed.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    arguments = ["--configfile", "config/changed.yaml", "--replace-workflow-config"]
    return run_snakemake(folder, "-n", *arguments, "results/report.md").stdout


# As much of conda as a plan with environments asks for.
CONDA = """#!/bin/sh
case "$1" in
  --version) echo conda 24.7.1 ;;
  info) echo '{"conda_version": "24.7.1", "conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
  *) echo '{"get": {"channel_priority": "strict"}}' ;;
esac
"""


@pytest.mark.parametrize(
    ("engine", "parallelism", "environments"),
    [
        ("transformers", {"method": "single"}, {"train", "generate"}),
        ("vllm", {"method": "zero2", "gpus": 2}, {"train", "vllm"}),
        # The base model is trained in the other environment.
        ("vllm", {"method": "megatron", "gpus": 2, "tensor": 2}, {"train", "megatron", "vllm"}),
    ],
)
def test_engine_and_parallelism_decide_the_environments(project, engine, parallelism, environments):
    programs = project / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "conda").write_text(CONDA)
    (programs / "conda").chmod(0o755)
    config = yaml.safe_load((project / "config/config.yaml").read_text())
    config["decoding"]["engine"] = engine
    config["variants"]["full"]["parallelism"] = parallelism
    (project / "config/engine.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    path = os.pathsep.join([str(Path(sys.executable).parent), str(programs), os.environ["PATH"]])
    done = run_snakemake(
        project,
        *("-n", "--configfile", "config/engine.yaml", "--replace-workflow-config"),
        *("results/full/predictions.jsonl", "--software-deployment-method", "conda"),
        PATH=path,
    )
    needed = set(re.findall(r"Conda environment workflow/envs/(\w+)\.yaml", done.stdout))
    assert needed == {"data", *environments}, done.stdout


def test_a_run_leaves_every_file_of_the_contract(tiny_run):
    for replicate in TINY_REPLICATES:
        folder = tiny_run / "results" / replicate
        assert (folder / "model/config.json").is_file()
        test = (tiny_run / "resources/datasets/demo/test.jsonl").read_text().splitlines()
        ids = [json.loads(line)["id"] for line in test]
        for name in ("predictions.jsonl", "verdicts.jsonl"):
            assert [json.loads(line)["id"] for line in (folder / name).open()] == ids
    assert "baseline" in (tiny_run / "results/report.md").read_text()


def test_metrics_count_the_verdicts(tiny_run):
    for replicate in TINY_REPLICATES:
        folder = tiny_run / "results" / replicate
        verdicts = [json.loads(line)["verdict"] for line in (folder / "verdicts.jsonl").open()]
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["n"] == len(verdicts)
        assert metrics["accuracy"]["all"]["correct"] == verdicts.count("correct")


def test_snakemakes_own_report_has_every_chart_with_its_caption(tiny_run):
    done = run_snakemake(tiny_run, *TINY, "--report", "results/snakemake-report.html")
    assert done.returncode == 0, done.stdout
    page = (tiny_run / "results/snakemake-report.html").read_text()
    charts = set((tiny_run / "results/charts").glob("*.svg"))
    # The same for a phone, which the page shows.
    for chart in charts - set((tiny_run / "results/charts").glob("*_narrow.svg")):
        assert chart.name in page
        assert f"{chart.stem}.rst" in {p.name for p in (ROOT / "workflow/report").glob("*.rst")}


def test_a_second_run_has_nothing_to_do(tiny_run):
    done = run_snakemake(tiny_run, "--cores", "2", *TINY, "results/report.md")
    assert "Nothing to be done" in done.stdout, done.stdout


def test_a_changed_training_setting_reruns_that_variant_and_the_report_only(tiny_run):
    output = plan_with(
        tiny_run, lambda c: c["variants"]["lora_4r"].update(training={"epochs": 0.04})
    )
    assert planned_replicates(output) == {"lora_4r": {"train", "generate", "score"}}
    assert set(planned_jobs(output)) <= {"train", "generate", "score"} | REPORT_RULES
    assert planned_jobs(output)["write_report"] == 1


def test_a_changed_decoding_setting_trains_nothing(tiny_run):
    output = plan_with(tiny_run, lambda c: c["decoding"].update(max_new_tokens=9))
    assert set(planned_jobs(output)) - REPORT_RULES == {"generate", "score", "average_seeds"}


def test_more_gpus_generate_nothing_anew(tiny_run):
    output = plan_with(tiny_run, lambda c: c["decoding"].update(gpus=2))
    assert set(planned_jobs(output)) <= REPORT_RULES


def test_trackers_are_told_of_finished_trainings_and_train_nothing(tiny_run):
    output = plan_with(tiny_run, lambda c: c.update(trackers=["tensorboard"]))
    assert planned_jobs(output)["track"] == len(TINY_REPLICATES)
    assert set(planned_jobs(output)) - REPORT_RULES == {"track"}


def test_a_changed_prompt_text_renders_again(tiny_run):
    output = plan_with(
        tiny_run, lambda c: c["contexts"]["published"].update(system="Answer in SQL.")
    )
    assert planned_jobs(output)["render_prompts"] == 3


def test_one_more_seed_runs_alone(tiny_run):
    output = plan_with(tiny_run, lambda c: c["variants"]["full"].update(seeds=[1, 2, 3]))
    assert planned_replicates(output) == {"full/seed_3": {"train", "generate", "score"}}
    assert planned_jobs(output)["average_seeds"] == 1


def test_the_report_and_the_means_tell_of_the_seeds(tiny_run):
    report = (tiny_run / "results/report.md").read_text()
    metrics = json.loads((tiny_run / "results/full/metrics.json").read_text())
    assert metrics["seeds"] == [1, 2]
    assert f"| full | 2 | {metrics['accuracy']['all']['rate']:.3f} |" in report
    assert (tiny_run / "results/full/seed_2/model_card.md").is_file()


def test_a_new_variant_runs_alone(tiny_run):
    output = plan_with(
        tiny_run, lambda c: c["variants"].update(again={"method": "full", "seed": 7})
    )
    assert planned_replicates(output) == {"again": {"train", "generate", "score"}}


def test_a_vote_on_a_trained_model_trains_nothing(tiny_run):
    drawn = {"samples": 3, "temperature": 0.8, "choose": "vote"}
    votes = {"method": "reuse", "model_of": "full", "decoding": drawn}
    output = plan_with(tiny_run, lambda c: c["variants"].update(votes=votes))
    chosen = {"generate_samples", "choose_answers", "score", "score_samples"}
    assert planned_replicates(output) == {"votes/seed_1": chosen, "votes/seed_2": chosen}


def test_a_choice_of_checkpoints_trains_anew_and_reads_nothing_of_the_test(tiny_run):
    choice = {"choose": "validation", "checkpoints": {"per_epoch": 100}}
    output = plan_with(tiny_run, lambda c: c["variants"]["lora_4r"].update(training=choice))
    assert planned_replicates(output) == {"lora_4r": {"train", "generate", "score"}}
    jobs = planned_jobs(output)
    # Of the validation split alone; the other prompts are there.
    assert (jobs["render_prompts"], jobs["check_validation"]) == (1, 1)
    asked = read_before(output, "results/lora_4r/model")
    assert "resources/prompts/published/validation.jsonl" in asked
    assert "resources/datasets/demo/validation.jsonl" in asked
    assert not [path for path in asked if re.search(r"test|results/validation", path)]


def test_candidates_of_a_sweep_are_trained_and_chosen_before_the_test_is_read(tiny_run):
    def search(config):
        config["training"].update(choose="validation", checkpoints={"per_epoch": 100})
        config["variants"]["full"]["sweep"] = {"learning_rate": [1.0e-3, 1.0e-2]}

    output = plan_with(tiny_run, search)
    planned = planned_replicates(output)
    tried = [name for name in planned if name.startswith("full/candidates/")]
    assert len(tried) == 2
    # No candidate meets the test, and one of them is the first seed's model.
    assert [planned[name] for name in tried] == [{"train"}, {"train"}]
    assert planned["full/seed_1"] == {"choose_candidate", "generate", "score"}
    assert planned["full/seed_2"] == {"train", "generate", "score"}
    for model in ("results/full/seed_1/model", "results/full/seed_2/model"):
        read = read_before(output, model)
        assert {f"results/{name}/train.json" for name in tried} <= read
        assert "resources/prompts/published/validation.jsonl" in read
        assert not [path for path in read if re.search(r"test|results/validation", path)]


def test_rungs_of_a_halved_sweep_are_planned_before_the_test_is_read(tiny_run):
    def search(config):
        config["training"].update(choose="validation", checkpoints={"per_epoch": 100})
        sweep = {"learning_rate": [1.0e-3, 1.0e-2, 2.0e-2, 3.0e-2], "halving": {"factor": 2}}
        config["variants"]["full"]["sweep"] = sweep

    output = plan_with(tiny_run, search)
    jobs = planned_jobs(output)
    # Further trainings are those of the second seed and of the other variant.
    assert {rule: jobs[rule] for rule in ("train_rung", "choose_rung", "train")} == {
        "train_rung": 8,
        "choose_rung": 2,
        "train": 4 + 2,
    }
    read = read_before(output, "results/full/seed_1/model")
    assert {f"results/full/candidates/rung_{number}.json" for number in (1, 2)} <= read
    assert not [path for path in read if re.search(r"test|results/validation", path)]


def test_questions_of_the_test_are_written_in_a_context_once_it_has_been_chosen(tiny_run):
    def search(config):
        config["training"].update(choose="validation", checkpoints={"per_epoch": 100})
        config["contexts"]["bare"] = {
            "schema": "compact",
            "system": "",
            "user": "{schema}\n{question}",
        }
        config["variants"]["full"]["sweep"] = {"context": ["published", "bare"]}

    output = plan_with(tiny_run, search)
    planned = planned_replicates(output)
    assert {"choose_candidate"} < planned["full/seed_1"]
    read = read_before(output, "results/full/seed_1/model")
    for context in ("published", "bare"):
        assert f"resources/prompts/{context}/validation.jsonl" in read
    assert not [path for path in read if re.search(r"test|results/validation", path)]
    # Neither is there a job that writes them, nor does one that asks know where they will be.
    assert "resources/prompts/bare/test.jsonl" not in output
    for replicate in ("full/seed_1", "full/seed_2"):
        asked = re.search(
            rf"rule generate:\n    input: (.*)\n    output: results/{replicate}/", output
        )
        assert asked[1] == f"results/{replicate}/model, <TBD>"


def test_points_of_a_learning_curve_are_trained_and_gathered_without_the_test(tiny_run):
    def measure(config):
        config["training"].update(choose="validation", checkpoints={"per_epoch": 100})
        config["variants"]["full"]["learning_curve"] = {"rows": [0.1, 0.3]}

    output = plan_with(tiny_run, measure)
    planned = planned_replicates(output)
    points = [f"full/learning_curve/{share}/seed_{seed}" for share in (0.1, 0.3) for seed in (1, 2)]
    # No point is asked or scored; the variant itself has all rows.
    assert [planned[name] for name in points] == [{"train"}] * 4
    assert planned["full/seed_1"] == {"train", "generate", "score"}
    assert planned_jobs(output)["gather_learning_curve"] == 1
    read = read_before(output, "results/full/learning_curve.json")
    models = [*points, "full/seed_1", "full/seed_2"]
    assert {f"results/{name}/train.json" for name in models} <= read
    assert "resources/prompts/published/validation.jsonl" in read
    assert not [path for path in read if re.search(r"test|results/validation", path)]
    assert {f"results/benchmarks/train/{name}.tsv" for name in points} <= read_before(
        output, "results/facts.json"
    )


def read_before(output: str, wanted: str) -> set[str]:
    """All files that a plan's jobs for one file read, and theirs, as far as those are made anew."""
    blocks = re.findall(
        r"^(?:local)?(?:rule|checkpoint) \w+:\n((?:    .*\n)+)", output, re.MULTILINE
    )
    made = {}
    for block in blocks:
        files = {
            key: re.search(rf"^    {key}: (.*)$", block, re.MULTILINE)
            for key in ("input", "output")
        }
        read, written = (found[1].split(", ") if found else [] for found in files.values())
        made |= dict.fromkeys(written, read)
    found, pending = set(), [wanted]
    while pending:
        new = set(made.get(pending.pop(), [])) - found
        found |= new
        pending += new
    return found


def test_a_server_needs_no_model_and_price_and_concurrency_ask_nothing_anew(tiny_run):
    config = yaml.safe_load((tiny_run / "config/tiny.yaml").read_text())
    config["variants"]["api"] = {
        "method": "served",
        "url": "http://localhost:9/v1",
        "model": "m",
        "concurrency": 4,
        "price": {"input": 0.1, "output": 0.4},
    }
    output = plan_with(tiny_run, lambda c: c.update(config))
    assert planned_replicates(output) == {"api": {"generate_served", "score"}}
    assert "requests=4" in output
    flags = generation_jobs.served_flags(config, "api")
    del config["variants"]["api"]["price"]
    config["variants"]["api"]["concurrency"] = 8
    config["decoding"]["batch_size"] = 3
    assert generation_jobs.served_flags(config, "api") == flags
    config["variants"]["api"]["model"] = "n"
    assert generation_jobs.served_flags(config, "api") != flags


def test_a_server_is_asked_again_and_held_to_a_grammar_on_the_databases(tiny_run):
    def change(config):
        config["contexts"][config["context"]]["repair_turn"] = "{error}: write it again."
        server = {"method": "served", "url": "http://localhost:9/v1", "model": "m"}
        repaired = {"decoding": {"repair": {"rounds": 1}}}
        held = {"decoding": {"grammar": "schema"}, "structured_outputs": True}
        config["variants"] |= {"again": server | repaired, "held": server | held}

    output = plan_with(tiny_run, change)
    assert planned_replicates(output) == {
        "again": {"generate_served", "score", "score_unrepaired"},
        "held": {"generate_served", "score"},
    }
    blocks = re.findall(r"(?:    .*\n)+", output)
    for name in ("again", "held"):
        (block,) = [b for b in blocks if f"logs/generate_served/{name}.log" in b]
        assert "databases" in block.split("output:")[0]


def test_repairs_train_nothing_and_render_nothing(tiny_run):
    def change(config):
        context = config["context"]
        config["contexts"][context]["repair_turn"] = "{error}: write it again."
        asked = {"repair": {"rounds": 1}}
        config["variants"]["mended"] = {"method": "reuse", "model_of": "full", "decoding": asked}

    output = plan_with(tiny_run, change)
    jobs = {"generate", "score", "score_unrepaired"}
    assert planned_replicates(output) == {"mended/seed_1": jobs, "mended/seed_2": jobs}
    assert "rule render_prompts" not in output


def test_a_quantized_variant_is_made_of_each_seeds_model_and_trains_nothing(tiny_run):
    def change(config):
        small = {"method": "quantized", "model_of": "full", "quantize": "q8_0"}
        config["variants"]["small"] = small

    jobs = {"quantize", "generate", "score"}
    planned = planned_replicates(plan_with(tiny_run, change))
    assert planned == {"small/seed_1": jobs, "small/seed_2": jobs}


@contextmanager
def edited(*changes):
    """Replace text in files, and put it back: triples of path, old and new."""
    before = {path: path.read_text() for path, _, _ in changes}
    try:
        for path, old, new in changes:
            text = path.read_text()
            assert old in text
            path.write_text(text.replace(old, new, 1))
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def plan_after(folder, *changes):
    """Plan a finished run again with changed code."""
    scripts = folder / "workflow/scripts"
    with edited(*((scripts / name, old, new) for name, old, new in changes)):
        return run_snakemake(folder, "-n", *TINY, "results/report.md").stdout


def test_comments_docstrings_and_times_of_code_rerun_nothing(tiny_run):
    for path in (tiny_run / "workflow/scripts").rglob("*.py"):
        path.touch()
    output = plan_after(
        tiny_run,
        ("sqladder/errors.py", '"""How a program', '"""Said otherwise: how a program'),
        ("sqladder/metric/scoring.py", "\nimport ", "\n# A comment.\nimport "),
        ("train.py", '"""Fine-tune', '"""Train'),
        ("score.py", "\nimport ", "\n\n# A comment.\nimport "),
    )
    assert "Nothing to be done" in output, output


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("sqladder/report/charts/drawing.py", "\nimport ", "\nEDITED = 1\nimport "),
        ("sqladder/report/page/page.css", "{", "{ "),
        ("write_report.py", "\nimport ", "\nEDITED = 1\nimport "),
    ],
)
def test_edited_code_of_the_report_makes_nothing_but_the_report(tiny_run, file, old, new):
    planned = planned_jobs(plan_after(tiny_run, (file, old, new)))
    assert planned["write_report"] == 1
    assert set(planned) <= REPORT_RULES


def test_edited_code_of_scoring_scores_again_and_trains_nothing(tiny_run):
    # The module runs in processes that are started with a text of code.
    edit = ("sqladder/metric/worker.py", "\nimport ", "\nEDITED = 1\nimport ")
    planned = planned_jobs(plan_after(tiny_run, edit))
    assert planned["score"] == 4
    assert set(planned) - REPORT_RULES == {"score", "average_seeds"}


def test_edited_code_of_the_trained_process_trains_again_and_renders_nothing(tiny_run):
    edit = ("train_worker.py", "\nfrom ", "\nEDITED = 1\nfrom ")
    planned = planned_jobs(plan_after(tiny_run, edit))
    assert planned["train"] == 4
    assert set(planned) - REPORT_RULES == {"train", "generate", "score", "average_seeds"}


def test_edited_code_that_every_program_uses_reruns_every_job(tiny_run):
    edit = ("sqladder/errors.py", "\nimport ", "\nEDITED = 1\nimport ")
    planned = planned_jobs(plan_after(tiny_run, edit))
    everything = run_snakemake(tiny_run, "-n", "--forceall", *TINY, "results/report.md").stdout
    assert planned == planned_jobs(everything)


def test_an_edited_question_renders_and_scores_again(tiny_run):
    path = tiny_run / "resources/datasets/demo/test.jsonl"
    text = path.read_text()
    try:
        path.write_text(text.replace('"question": "', '"question": "Please: ', 1))
        output = run_snakemake(tiny_run, "-n", *TINY, "results/report.md").stdout
    finally:
        path.write_text(text)
    assert planned_jobs(output)["render_prompts"] == 1
    assert planned_jobs(output)["train"] == 0


def test_a_variant_cannot_take_the_name_of_a_folder_that_rules_write():
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert set(re.findall(r'"results/([a-z_]+)/', text)) == RESERVED_NAMES
