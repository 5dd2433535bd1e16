"""The workflow on a real SLURM: what a job is given, what it uses, and several nodes."""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

import slurm_cluster
from conftest import ROOT, copy_project, run_snakemake

pytestmark = pytest.mark.slow

# Without accounting (slurmdbd) jobs are asked after by squeue, and a test has no minute to wait.
QUICK = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
CONFIG = ["--configfile", "config/run.yaml", "--replace-workflow-config"]
SHOW = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))"


@pytest.fixture(scope="module")
def slurm():
    """A running cluster; SLURM and munge want short paths that pytest's temporary folders exceed."""
    folder = Path(tempfile.mkdtemp(prefix="slurm"))
    folder.chmod(0o755)
    try:
        with slurm_cluster.cluster(folder) as settings:
            yield settings
    finally:
        shutil.rmtree(folder)


def jobs_of_the_cluster(slurm):
    """Read what SLURM says about all jobs so far, by the comment that Snakemake gives them."""
    output = slurm_cluster.run(["scontrol", "--oneliner", "show", "jobs"], slurm).stdout
    jobs = [dict(re.findall(r"([\w/]+)=(\S+)", line)) for line in output.splitlines()]
    return {job["Comment"]: job for job in jobs if "Comment" in job}


def two_nodes_and_one(config):
    """Let one variant train on two nodes, one GPU each, and another on one."""
    variants = config["variants"]
    variants["full"]["parallelism"] = {"method": "ddp", "gpus": 1, "nodes": 2}
    config["variants"] = {name: variants[name] for name in ("full", "lora_4r")}


@pytest.fixture(scope="module")
def project(slurm, tmp_path_factory):
    """The tiny config with its data and base made here; training, generation and scores made by the cluster."""
    folder = copy_project(tmp_path_factory.mktemp("project"))
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    two_nodes_and_one(config)
    (folder / "config/run.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    targets = ["resources/base_model", "resources/prompts/published/train.1024.drop.jsonl"]
    done = run_snakemake(folder, *targets, "--cores", "2", *CONFIG)
    assert done.returncode == 0, done.stdout
    targets = [f"results/{variant}/metrics.json" for variant in ("full", "lora_4r")]
    arguments = [*targets, "--workflow-profile", "profiles/slurm", *QUICK, *CONFIG]
    environment = {**slurm, "SQLADDER_GPU_LEASES": str(folder / "leases")}
    done = run_snakemake(folder, *arguments, **environment)
    logs = [*folder.glob("logs/train/*.log"), *folder.glob(".snakemake/slurm_logs/*/*/*.log")]
    assert done.returncode == 0, done.stdout + "".join(path.read_text() for path in logs)
    return folder


def test_models_get_gpus_from_slurm_and_scores_get_none(slurm, project):
    jobs = jobs_of_the_cluster(slurm)
    gpus = {comment: job.get("TresPerJob") for comment, job in jobs.items()}
    assert gpus["rule_train_wildcards_full"] == "gres:gpu:2"
    assert gpus["rule_train_wildcards_lora_4r"] == "gres:gpu:1"
    assert gpus["rule_generate_wildcards_full"] == "gres:gpu:1"
    assert gpus["rule_score_wildcards_full"] is None
    train = jobs["rule_train_wildcards_lora_4r"]
    assert (train["TimeLimit"], train["NumNodes"], train["CPUs/Task"]) == ("12:00:00", "1", "8")


def test_the_gpus_that_slurm_assigns_are_used_as_they_are(project):
    for name in ("train/full", "train/lora_4r", "generate/full", "generate/lora_4r"):
        log = (project / f"logs/{name}.log").read_text()
        assert re.search(r"^lease_gpus: assigned GPUs: CUDA_VISIBLE_DEVICES=[01]$", log, re.M)
    assert "lease_gpus" not in (project / "logs/score/full.log").read_text()
    assert not (project / "leases").exists()


def test_a_training_on_two_nodes_has_a_process_on_each(slurm, project):
    job = jobs_of_the_cluster(slurm)["rule_train_wildcards_full"]
    assert (job["NumNodes"], job["NumTasks"]) == ("2", "2")
    two, one = (
        json.loads((project / f"results/{variant}/train.json").read_text())
        for variant in ("full", "lora_4r")
    )
    # Two processes take twice as many rows a step.
    assert (two["nodes"], one["nodes"]) == (2, 1)
    assert two["steps"] == -(-one["steps"] // 2)
    assert two["final_loss"] < two["loss_curve"][0][1]


def test_what_the_cluster_made_is_finished_for_the_machine_that_sent_it(project):
    # Jobs of a cluster compute their params themselves, the digest of their code among them.
    targets = [f"results/{variant}/metrics.json" for variant in ("full", "lora_4r")]
    done = run_snakemake(project, "-n", *targets, *CONFIG)
    assert "Nothing to be done" in done.stdout, done.stdout


def test_a_job_without_a_gpu_sees_none(slurm):
    done = slurm_cluster.run(["srun", sys.executable, "-c", SHOW], slurm)
    assert done.stdout.strip() in ("None", "", "NoDevFiles"), done.stderr


def test_inside_an_allocation_the_local_executor_leases_from_what_was_allocated(slurm, tmp_path):
    # Not a job of Snakemake's executor for SLURM: one allocation for a whole run, which its jobs share.
    lease = [sys.executable, str(ROOT / "workflow/scripts/lease_gpus.py"), "--count", "1", "--"]
    settings = {**slurm, "SQLADDER_GPU_LEASES": str(tmp_path / "leases")}
    command = ["srun", "--gpus=2", *lease, *lease, sys.executable, "-c", SHOW]
    done = slurm_cluster.run(command, settings)
    assert done.stdout.strip() == "0", done.stderr
    assert "leased GPU 0" in done.stderr
