"""The workflow on a real SLURM: what a job is given, what it uses, and several nodes."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

import slurm_cluster
from conftest import ROOT, copy_project, run_snakemake

pytestmark = pytest.mark.slow

# Without accounting (slurmdbd) jobs are asked after by squeue, and a test has no minute to wait.
QUICK = ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
TINY = ["--configfile", "config/tiny.yaml", "--replace-workflow-config"]
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
    jobs = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in output.splitlines()]
    return {job["Comment"]: job for job in jobs if "Comment" in job}


def test_the_workflow_runs_through_the_profile_and_uses_what_slurm_assigns(slurm, tmp_path):
    project = copy_project(tmp_path / "project")
    (project / "config/tiny.yaml").write_text((ROOT / "tests/tiny/config.yaml").read_text())
    arguments = ["--workflow-profile", "profiles/slurm", *QUICK, *TINY, "results/full/metrics.json"]
    leases = tmp_path / "leases"
    done = run_snakemake(project, *arguments, **{**slurm, "SQLADDER_GPU_LEASES": str(leases)})
    assert done.returncode == 0, done.stdout

    for name in ("train_base", "train/full", "generate/full"):
        log = (project / f"logs/{name}.log").read_text()
        assert re.search(r"^lease_gpus: assigned GPUs: CUDA_VISIBLE_DEVICES=[01]$", log, re.M)
    assert not leases.exists()

    jobs = jobs_of_the_cluster(slurm)
    gpus = {comment for comment, job in jobs.items() if "gpu" in job.get("TresPerJob", "")}
    assert gpus == {"rule_train_base", "rule_train_wildcards_full", "rule_generate_wildcards_full"}
    assert "rule_score_wildcards_full" in jobs
    train = jobs["rule_train_wildcards_full"]
    assert (train["TresPerJob"], train["TimeLimit"]) == ("gres:gpu:1", "12:00:00")
    assert train["MinMemoryNode"] in ("64000M", "62.50G")


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


# One task a node, started by srun in the rule: the pattern for training on several nodes.
SEVERAL_NODES = """
NODES = {"small": 1, "large": 2}

def nodes(wildcards): return NODES[wildcards.size]
def gpus(wildcards): return 2 * NODES[wildcards.size]
# A resource that is None is not there.
def tasks(wildcards): return NODES[wildcards.size] if NODES[wildcards.size] > 1 else None
def mpi(wildcards): return "srun" if NODES[wildcards.size] > 1 else None

rule all:
    input: "small", "large"

rule train:
    output: "{size}"
    resources: nodes=nodes, gpu=gpus, tasks=tasks, mpi=mpi, tasks_per_gpu=0, runtime=5, mem="1GB"
    shell:
        '''
        n=$SLURM_JOB_NUM_NODES
        if [ "$n" -gt 1 ]; then start="srun --nodes=$n --ntasks=$n --ntasks-per-node=1"; fi
        ${{start:-}} bash show.sh >{output}
        '''
"""
SHOW_TASK = """
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
echo "$SLURM_NODEID of $SLURM_NNODES on $SLURMD_NODENAME, first $first, GPUs $CUDA_VISIBLE_DEVICES"
"""


def test_a_job_of_several_nodes_has_one_task_on_each_with_the_gpus_of_that_node(slurm, tmp_path):
    (tmp_path / "Snakefile").write_text(SEVERAL_NODES)
    (tmp_path / "show.sh").write_text(SHOW_TASK)
    done = run_snakemake(tmp_path, "--executor", "slurm", "--jobs", "2", *QUICK, **slurm)
    logs = "".join(path.read_text() for path in tmp_path.glob(".snakemake/slurm_logs/*/*/*.log"))
    assert done.returncode == 0, done.stdout + logs
    assert sorted((tmp_path / "large").read_text().splitlines()) == [
        "0 of 2 on n1, first n1, GPUs 0,1",
        "1 of 2 on n2, first n1, GPUs 0,1",
    ]
    small = (tmp_path / "small").read_text().splitlines()
    assert len(small) == 1
    assert re.fullmatch(r"0 of 1 on (n\d), first \1, GPUs 0,1", small[0])
