"""How the processes of a training job are started, on one GPU or many, on one node or several."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqladder.errors import InputError
from sqladder.training.settings import Parallelism

SCRIPTS = Path(__file__).parents[2]
WORKER = SCRIPTS / "train_worker.py"

# Ports that programs may use and that the system does not give away by itself on Linux.
FIRST_PORT = 20000
PORTS = 10000

# Names the python of a program that asks the model beside its training, where vLLM has an environment of its own.
PYTHON_VARIABLE = "SQLADDER_VLLM_PYTHON"
DEVICES_VARIABLE = "CUDA_VISIBLE_DEVICES"
# From a job's launcher to its process: the GPUs of programs beside it.
BESIDE_VARIABLE = "SQLADDER_GPUS_BESIDE"


def python_beside() -> str:
    """The python that runs an engine beside a training: this one, or the one that the environment names.

    Raises:
        InputError: it names what cannot be run.
    """
    named = os.environ.get(PYTHON_VARIABLE, sys.executable)
    if not os.access(named, os.X_OK) or Path(named).is_dir():
        raise InputError(
            f"{PYTHON_VARIABLE}={named} is no program that can be run: give the path of a python, or leave it out"
        )
    return named


def worker_command(plan: Parallelism, job: Path, program: Path = WORKER) -> list[str]:
    """The command line that starts all processes of a training job.

    Args:
        plan: how the job is spread.
        job: the file that says what to train.
        program: that each process runs.

    Raises:
        InputError: several nodes, and no SLURM allocation that says which.
    """
    worker = [str(program), str(job)]
    if plan.method == "single":
        return [sys.executable, *worker]
    launcher = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={plan.gpus}"]
    if plan.nodes == 1:
        # A port of its own for each job: two on one machine do not meet. By their machine's own name
        # its processes would not either, where a resolver does not know it or is slow to say so.
        return [*launcher, "--standalone", "--local-addr=localhost", *worker]
    # srun starts one launcher on each node of the allocation; these meet on the first.
    srun = ["srun", f"--nodes={plan.nodes}", "--ntasks-per-node=1", "--kill-on-bad-exit=1"]
    # srun does not take over the job's own number, and one core would be left for all processes.
    if cpus := os.environ.get("SLURM_CPUS_PER_TASK"):
        srun.append(f"--cpus-per-task={cpus}")
    meeting = [
        f"--nnodes={plan.nodes}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={slurm_rendezvous()}",
        f"--rdzv-id={os.environ['SLURM_JOB_ID']}",
    ]
    return [*srun, *launcher, *meeting, *worker]


def slurm_rendezvous() -> str:
    """Host and port where the launchers of a SLURM job's nodes meet: its first node."""
    missing = [name for name in ("SLURM_JOB_ID", "SLURM_JOB_NODELIST") if name not in os.environ]
    if missing:
        raise InputError(
            f"parallelism: several nodes need a SLURM allocation, and {missing[0]} is not set; run "
            "with profiles/slurm, or set nodes: 1"
        )
    command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    hosts = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    # Jobs that share a node must not meet: their numbers differ.
    port = FIRST_PORT + int(os.environ["SLURM_JOB_ID"]) % PORTS
    return f"{hosts[0]}:{port}"


def worker_environment(plan: Parallelism, work_folder: Path) -> dict[str, str]:
    """The environment of a training job's processes."""
    environment = dict(os.environ)
    # Segments that grow leave less memory unused between micro-batches of different sizes.
    environment.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")
    # DeepSpeed's compiled operators: in the home folder a killed compilation would leave a lock on
    # which every later run waits.
    environment.setdefault("TORCH_EXTENSIONS_DIR", str(work_folder / "extensions"))
    # Bars of loading and saving; a training's own progress is shown in any case.
    environment.setdefault("TQDM_DISABLE", "1")
    if plan.method == "megatron":
        environment["USE_MCA"] = "1"
    return environment


def devices_apart(beside: int) -> dict[str, str]:
    """What parts the GPUs of a training of one process from those of programs beside it; nothing without GPUs.

    Args:
        beside: GPUs of the programs.

    Raises:
        InputError: the environment leaves fewer GPUs than both need.
    """
    listed = os.environ.get(DEVICES_VARIABLE)
    if not beside or not listed:
        return {}
    own, *others = listed.split(",")
    if len(others) < beside:
        raise InputError(
            f"drawing_gpus: {beside} and the GPU that trains are {beside + 1}, and {DEVICES_VARIABLE}={listed} leaves "
            f"{len(others) + 1}; give fewer, or more GPUs"
        )
    return {DEVICES_VARIABLE: own, BESIDE_VARIABLE: ",".join(others[:beside])}


def devices_beside() -> list[str]:
    """The GPUs of programs beside this training, each as CUDA names it; none where they share the training's."""
    return list(filter(None, os.environ.get(BESIDE_VARIABLE, "").split(",")))


def deepspeed_config(method: str) -> dict[str, Any]:
    """DeepSpeed's configuration for ZeRO (Rajbhandari et al., 2020, arXiv:1910.02054).

    "auto" takes the value of the Trainer's arguments, so that each is said once.
    """
    stage = {"zero2": 2, "zero3": 3}[method]
    zero: dict[str, Any] = {
        "stage": stage,
        "overlap_comm": True,
        "contiguous_gradients": True,
        "reduce_bucket_size": "auto",
    }
    if stage == 3:
        zero |= {
            "stage3_prefetch_bucket_size": "auto",
            "stage3_param_persistence_threshold": "auto",
            # A checkpoint that transformers loads, instead of one part for each process.
            "stage3_gather_16bit_weights_on_model_save": True,
        }
    return {
        "zero_optimization": zero,
        "bf16": {"enabled": "auto"},
        "gradient_clipping": "auto",
        "train_batch_size": "auto",
        "train_micro_batch_size_per_gpu": "auto",
        "gradient_accumulation_steps": "auto",
        # The Trainer's AdamW, which needs no compiler, instead of DeepSpeed's own.
        "zero_allow_untested_optimizer": True,
    }
