"""GPUs as the workflow's rules use them: who leases, who never does, and what runs meanwhile."""

import ast
import json
import re
import subprocess
import sys
import time

import psutil
import pytest
import yaml

import fake_gpus
from conftest import ROOT, copy_project, run_snakemake
from sqladder.experiment.code_digests import reached_files

SCRIPTS = ROOT / "workflow/scripts"
TINY = ["--configfile", "config/tiny.yaml", "--replace-workflow-config"]
GPU_RULES = {
    "train_base",
    "train",
    "reinforce",
    "generate",
    "index_examples",
    "retrieve_examples",
}
LEASE = 'python "$SQLADDER_SCRIPTS"/lease_gpus.py --count {resources.gpu} -- '
# Packages that put something on a GPU as soon as they are told to load a model.
GPU_PACKAGES = {"torch", "vllm", "deepspeed", "llamafactory", "sentence_transformers", "accelerate"}


def rules_of_all_stages():
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for name, body in re.findall(
            r"^rule (\w+):\n((?:(?: .*)?\n)+)", path.read_text(), re.MULTILINE
        ):
            yield pytest.param(name, body, id=name)


def imported_packages(program):
    files = [path for path in reached_files(program) if path.suffix == ".py"]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.split(".")[0] for name in names}


# Who leases


@pytest.mark.parametrize(("name", "body"), list(rules_of_all_stages()))
def test_a_rule_that_asks_for_gpus_leases_them_and_no_other_rule_does(name, body):
    asks = re.search(r"^    resources:\n(?:        .*\n)*?        gpu=", body, re.MULTILINE)
    assert bool(asks) == (name in GPU_RULES)
    assert (LEASE in body) == (name in GPU_RULES)
    assert body.count("lease_gpus") == int(name in GPU_RULES)


@pytest.mark.parametrize(
    ("name", "body"), [each for each in rules_of_all_stages() if each.id not in GPU_RULES]
)
def test_a_program_without_a_lease_cannot_use_a_gpu(name, body):
    program = f'python "$SQLADDER_SCRIPTS"/{name}.py'
    sees_none = body.count(program) == body.count(f"CUDA_VISIBLE_DEVICES= {program}") == 1
    assert sees_none or imported_packages(SCRIPTS / f"{name}.py") & GPU_PACKAGES == set()


@pytest.mark.parametrize("name", sorted(GPU_RULES))
def test_an_edit_of_the_lease_retrains_nothing(name):
    lease = SCRIPTS / "sqladder/processes/gpu_lease.py"
    assert {lease, SCRIPTS / "lease_gpus.py"} & set(reached_files(SCRIPTS / f"{name}.py")) == set()


def tiny_project(target):
    folder = copy_project(target)
    (folder / "config/tiny.yaml").write_text((ROOT / "tests/tiny/config.yaml").read_text())
    return folder


@pytest.fixture
def project(tmp_path):
    return tiny_project(tmp_path / "project")


def planned_gpus(output):
    """Read the GPUs of each planned job: {(rule, wildcards): gpus}."""
    blocks = re.findall(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", output, re.MULTILINE)
    gpus = {}
    for rule, block in blocks:
        wildcards = re.search(r"wildcards: (.*)", block)
        found = re.search(r"resources: .*\bgpu=(\d+)", block)
        gpus[rule, wildcards[1] if wildcards else ""] = int(found[1]) if found else 0
    return gpus


@pytest.fixture(scope="module")
def gpus(tmp_path_factory):
    """GPUs of each job that the tiny config plans."""
    folder = tiny_project(tmp_path_factory.mktemp("planned"))
    return planned_gpus(run_snakemake(folder, "-n", *TINY).stdout)


def test_the_plan_gives_gpus_to_models_only_and_none_to_the_untrained_baseline(gpus):
    assert {job: count for job, count in gpus.items() if count} == {
        ("train_base", ""): 1,
        ("train", "replicate=lora_4r"): 1,
        ("train", "replicate=full"): 1,
        ("generate", "replicate=baseline"): 1,
        ("generate", "replicate=lora_4r"): 1,
        ("generate", "replicate=full"): 1,
    }
    assert gpus["train", "replicate=baseline"] == 0
    assert gpus["score", "replicate=full"] == 0


def test_a_job_that_needs_more_gpus_than_the_run_may_use_is_refused(project):
    # Snakemake would run it with fewer.
    done = run_snakemake(project, "-n", *TINY, "--resources", "gpu=0")
    assert done.returncode != 0
    assert "needs 1 GPUs, but this run may use 0" in done.stdout
    assert "--resources gpu=1" in done.stdout


def several_nodes(project):
    """Let one variant of the tiny config train on two nodes of four GPUs."""
    config = yaml.safe_load((project / "config/tiny.yaml").read_text())
    config["variants"]["full"]["parallelism"] = {"method": "ddp", "gpus": 4, "nodes": 2}
    (project / "config/tiny.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def test_a_training_on_several_nodes_asks_for_the_gpus_of_all_and_one_task_each(project):
    several_nodes(project)
    target = "results/full/model"
    plan = run_snakemake(project, "-n", target, *TINY, "--resources", "gpu=8").stdout
    [block] = re.findall(r"rule train:\n((?:    .*\n)+)", plan)
    resources = re.search(r"resources: (.*)", block)[1].split(", ")
    assert {"gpu=8", "nodes=2", "tasks=2", "mpi=srun"} <= set(resources)


def test_a_training_on_one_node_has_no_resource_of_several(project):
    # The resource mpi alone, whatever its value, changes how a job of the cluster is started.
    plan = run_snakemake(project, "-n", "results/lora_4r/model", *TINY).stdout
    [block] = re.findall(r"rule train:\n((?:    .*\n)+)", plan)
    assert re.search(r"resources: .*gpu=1.*nodes=1", block)
    assert "tasks=" not in block
    assert "mpi=" not in block


def test_a_training_on_more_gpus_than_the_run_may_use_is_refused(project):
    several_nodes(project)
    done = run_snakemake(project, "-n", *TINY)
    assert "needs 8 GPUs, but this run may use 4" in done.stdout


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "profiles").iterdir()))
def test_a_profile_plans_the_same_jobs_with_the_same_gpus(project, gpus, name):
    plan = run_snakemake(project, "-n", *TINY, "--workflow-profile", f"profiles/{name}")
    assert plan.returncode == 0, plan.stdout
    assert planned_gpus(plan.stdout) == gpus


RULES = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "profiles").iterdir()))
def test_a_profile_says_what_every_run_needs(name):
    settings = yaml.safe_load((ROOT / f"profiles/{name}/profile.yaml").read_text())
    # The workflow has a lock of its own, and a limit is what makes Snakemake count GPUs; a cluster counts its own.
    assert settings["nolock"]
    assert settings["rerun-incomplete"]
    assert ("gpu" in settings.get("resources", {})) != (settings.get("executor") == "slurm")
    rules = set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)", RULES, re.MULTILINE))
    for key in ("set-threads", "set-resources"):
        assert set(settings.get(key, {})) <= rules


def rules_with_a_gpu():
    """Names of the rules whose jobs lease a GPU by a model's size, from their text; a rule made of one is one."""
    begins = r"^(?:use rule (\w+) as|rule) (\w+)(?: with)?:\n(.*?)(?=^\S|\Z)"
    parts = re.findall(begins, RULES, re.MULTILINE | re.DOTALL)
    own = {name for _, name, body in parts if "within_gpu_limit" in body}
    return own | {name for made_of, name, _ in parts if made_of in own}


@pytest.mark.parametrize("name", ["gpu", "slurm"])
def test_a_profile_for_gpus_gives_threads_and_memory_to_each_rule_that_loads_a_model(name):
    settings = yaml.safe_load((ROOT / f"profiles/{name}/profile.yaml").read_text())
    loading = rules_with_a_gpu()
    assert {"train", "reinforce", "generate", "generate_samples", "draw_answers"} <= loading
    for key in ("set-threads", "set-resources"):
        assert loading <= set(settings[key])


COMMANDS = re.findall(
    r"^((?:\w+=\S* )?snakemake .*?)(?:  +#.*)?$", (ROOT / "docs/gpus.md").read_text(), re.MULTILINE
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_docs_can_be_planned(project, command):
    settings, arguments = command.split("snakemake ", 1)
    environment = dict([settings.strip().split("=", 1)]) if settings else {}
    done = run_snakemake(project, *arguments.split(), "-n", **environment)
    assert done.returncode == 0, done.stdout


# What runs meanwhile


OVERLAP = """
rule all:
    input: expand("scored/{variant}", variant=["a", "b"])

rule train:
    output: "trained/{variant}"
    log: "logs/{variant}.log"
    resources: gpu=1
    shell:
        '''
        python LEASE --count {resources.gpu} -- python train.py {wildcards.variant} >{log} 2>&1
        '''

rule score:
    input: "trained/{variant}"
    output: "scored/{variant}"
    shell: "touch {output}"
"""
# Whichever variant trains first ends only when the other one waits for the GPU, where both are started. The second one
# ends only when the first has been scored: a run in which scoring waits for training fails here.
OVERLAP_TRAIN = """
import sys, time
from pathlib import Path
name = sys.argv[1]
Path("order.txt").open("a").write(name)
order = Path("order.txt").read_text()
other = Path("logs", {"a": "b.log", "b": "a.log"}[name])
def may_end():
    if name != order[0]:
        return Path("scored", order[0]).exists()
    return LIMIT == 1 or other.exists() and "waiting for 1 of the GPUs" in other.read_text()
deadline = time.monotonic() + 60
while not may_end():
    assert time.monotonic() < deadline, "nothing else happened while this variant trained"
    time.sleep(0.05)
Path("trained").mkdir(exist_ok=True)
Path("trained", name).touch()
"""


@pytest.mark.parametrize("limit", [1, 2])
def test_one_variant_is_scored_while_the_next_one_trains(tmp_path, limit):
    # With the limit above the number of GPUs both trainings are started, and one of them waits for the lease.
    text = OVERLAP.replace("LEASE", str(SCRIPTS / "lease_gpus.py"))
    (tmp_path / "Snakefile").write_text(text)
    (tmp_path / "train.py").write_text(OVERLAP_TRAIN.replace("LIMIT", str(limit)))
    programs = fake_gpus.install(tmp_path / "bin", fake_gpus.row(0))
    environment = fake_gpus.environment(programs, tmp_path / "leases")
    arguments = ["--cores", "3", "--resources", f"gpu={limit}"]
    done = run_snakemake(tmp_path, *arguments, **environment)
    assert done.returncode == 0, done.stdout
    logs = "".join(path.read_text() for path in (tmp_path / "logs").glob("*.log"))
    assert logs.count("leased GPU 0") == 2
    assert logs.count("waiting for 1 of the GPUs 0") == limit - 1


HOLD = "import time; print('started', flush=True); time.sleep(600)"


@pytest.mark.slow
def test_a_run_waits_for_the_gpus_of_another_and_does_its_other_work_meanwhile(project, tmp_path):
    programs = fake_gpus.install(tmp_path / "bin", fake_gpus.row(0), fake_gpus.row(1))
    environment = fake_gpus.environment(programs, tmp_path / "leases")
    lease = [sys.executable, str(SCRIPTS / "lease_gpus.py"), "--count", "2", "--"]
    holder = subprocess.Popen(
        [*lease, sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "started\n"
    command = [sys.executable, "-m", "snakemake", "--cores", "4", *TINY]
    command += ["--workflow-profile", "profiles/gpu", "results/report.md"]
    log = (tmp_path / "run.log").open("w")
    run = subprocess.Popen(command, cwd=project, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 120
        prompts = [project / f"resources/prompts/published/{s}.jsonl" for s in ("train", "test")]
        waiting = project / "logs/train_base.log"
        while not (
            all(path.exists() for path in prompts)
            and waiting.exists()
            and f"is held by process {holder.pid}" in waiting.read_text()
        ):
            assert time.monotonic() < deadline, (tmp_path / "run.log").read_text()
            assert run.poll() is None, (tmp_path / "run.log").read_text()
            time.sleep(0.1)
        holder.kill()
        assert run.wait(timeout=600) == 0, (tmp_path / "run.log").read_text()
    finally:
        holder.kill()
        holder.communicate()
        if run.poll() is None:
            for member in [*psutil.Process(run.pid).children(recursive=True), run]:
                member.kill()
            run.wait()
        log.close()
    leases = {
        path.relative_to(project / "logs"): re.findall(r"leased GPU (\S+?)[ ,]", path.read_text())
        for path in (project / "logs").rglob("*.log")
        if "lease_gpus" in path.read_text()
    }
    assert {str(path) for path, devices in leases.items() if devices} == {
        "train_base.log",
        "train/lora_4r.log",
        "train/full.log",
        "generate/baseline.log",
        "generate/lora_4r.log",
        "generate/full.log",
    }
    assert {device for devices in leases.values() for device in devices} <= {"0", "1"}
    facts = json.loads((project / "results/full/metrics.json").read_text())
    assert facts["n"] > 0
