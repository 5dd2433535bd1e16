"""What survives `kill -9` of any process of a training: the training, and nothing of the killed run."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest

import toy_models
from conftest import ROOT
from fault_injection import workers_of
from sqladder.errors import InputError
from sqladder.processes import lifetime
from sqladder.processes.lifetime import (
    OWNER_VARIABLE,
    holding,
    is_gone,
    read_stat,
    run_to_end,
    this_process,
)

SECONDS = 300
SCRIPTS = ROOT / "workflow/scripts"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(SCRIPTS)}


def wait_for(condition, seconds=SECONDS, alive=None):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert alive is None or alive.poll() is None, "the program ended too early"
        assert time.monotonic() < deadline, f"waited {seconds} s in vain"
        time.sleep(0.01)
    return found


def python(text, *words, env=ENVIRONMENT, **options):
    """Start a Python program that finds the package."""
    command = [sys.executable, "-c", textwrap.dedent(text), *map(str, words)]
    return subprocess.Popen(command, env=env, text=True, **options)


def progress(work_folder):
    marks = work_folder.glob("run/checkpoint-*/sqladder_progress.json")
    return max((int(mark.parent.name.rpartition("-")[2]) for mark in marks), default=0)


# Lifetimes


def test_a_process_is_gone_when_it_ended_or_another_has_its_number():
    own = this_process()
    assert not is_gone(own)
    host, pid, started = own.split()
    assert is_gone(f"{host} {pid} {int(started) - 1}")
    assert not is_gone(f"elsewhere {pid} {int(started) - 1}")
    child = subprocess.Popen([sys.executable, "-c", ""])
    known = f"{host} {child.pid} {read_stat(child.pid).started}"
    wait_for(lambda: is_gone(known))  # a zombie, as we have not waited for it
    child.wait()
    assert is_gone(known)


LAUNCHER = """
    import os, sys
    from sqladder.processes.lifetime import run_to_end
    run_to_end([sys.executable, "-c", sys.argv[1]], dict(os.environ))
"""


def test_what_a_launcher_started_ends_with_it():
    worker = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    launcher = python(LAUNCHER, worker, stdout=subprocess.PIPE)
    pid = int(launcher.stdout.readline())
    assert read_stat(pid).state != "Z"
    launcher.kill()
    launcher.wait()
    wait_for(lambda: (stat := read_stat(pid)) is None or stat.state == "Z", 10)


@pytest.fixture
def workflow():
    """A process that stands where Snakemake's stands, and the environment of its jobs."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    host, started = this_process().split()[0], read_stat(process.pid).started
    yield process, ENVIRONMENT | {OWNER_VARIABLE: f"{host} {process.pid} {started}"}
    process.kill()
    process.wait()


def test_a_launcher_ends_when_its_workflow_was_killed(workflow):
    process, environment = workflow
    text = """
        import os, sys
        from sqladder.errors import run_main
        from sqladder.processes.lifetime import run_to_end
        worker = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
        run_main(lambda: run_to_end([sys.executable, "-c", worker], dict(os.environ)))
    """
    launcher = python(text, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pid = int(launcher.stdout.readline())
    process.kill()
    process.wait()
    _, said = launcher.communicate(timeout=30)
    assert launcher.returncode == 1
    assert f"Snakemake (process {process.pid}) was killed" in said
    wait_for(lambda: (stat := read_stat(pid)) is None or stat.state == "Z", 10)


@pytest.mark.parametrize("work", ["time.sleep(600)", "while True: pass"])
def test_a_program_that_works_by_itself_ends_when_its_workflow_was_killed(workflow, work):
    process, environment = workflow
    text = f"""
        import time
        from sqladder.processes.lifetime import end_with_workflow
        end_with_workflow()
        print("at work", flush=True)
        {work}
    """
    program = python(text, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert program.stdout.readline() == "at work\n"
    process.kill()
    process.wait()
    _, said = program.communicate(timeout=30)
    assert program.returncode == 1
    assert f"Snakemake (process {process.pid}) was killed" in said


def test_a_job_of_a_killed_workflow_that_comes_late_starts_nothing(monkeypatch, tmp_path):
    host, pid, started = this_process().split()
    monkeypatch.setenv(OWNER_VARIABLE, f"{host} {pid} {int(started) - 1}")
    with pytest.raises(InputError, match="was killed"):
        run_to_end(["touch", str(tmp_path / "started")], dict(os.environ))
    assert not (tmp_path / "started").exists()


def test_a_worker_without_its_launcher_ends_at_once():
    text = "from sqladder.processes.lifetime import end_with_launcher; end_with_launcher({})"
    orphan = python(text.format(2**22 + 1), stderr=subprocess.PIPE)
    assert "has ended" in orphan.communicate(timeout=60)[1]
    assert orphan.returncode == 1
    child = python(text.format(os.getpid()))
    assert child.wait(timeout=60) == 0


def test_the_exit_status_of_the_command_comes_back(monkeypatch):
    monkeypatch.delenv(OWNER_VARIABLE, raising=False)
    assert run_to_end([sys.executable, "-c", "raise SystemExit(7)"], dict(os.environ)) == 7


def test_the_training_of_a_base_model_ends_when_its_workflow_was_killed(workflow, tmp_path):
    process, environment = workflow
    options = toy_models.base_options(tmp_path, epochs=5000, save_steps=10)
    command = toy_models.command("train_base.py", **options)
    training = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    wait_for(lambda: progress(options["work_folder"]), alive=training)
    process.kill()
    process.wait()
    said, _ = training.communicate(timeout=30)
    assert training.returncode == 1
    assert f"Snakemake (process {process.pid}) was killed" in said
    assert not options["output"].exists()
    with holding(options["work_folder"]):  # at once: its lock went with it
        assert progress(options["work_folder"])


def test_a_generation_and_its_tokenizer_end_when_their_workflow_was_killed(workflow, tmp_path):
    process, environment = workflow
    command = toy_models.command(
        "generate.py",
        model=toy_models.save_base(tmp_path / "model"),
        prompts=toy_models.write_rows(tmp_path / "test.jsonl", 300, with_answer=False),
        output=tmp_path / "predictions.jsonl",
        facts=tmp_path / "generation.json",
        **toy_models.GREEDY | {"max_new_tokens": 200, "batch_size": 1},
    )
    generation = subprocess.Popen(
        command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    (tokenizer,) = wait_for(psutil.Process(generation.pid).children, alive=generation)
    process.kill()
    process.wait()
    said, _ = generation.communicate(timeout=30)
    assert generation.returncode == 1
    assert f"Snakemake (process {process.pid}) was killed" in said
    assert not (tmp_path / "predictions.jsonl").exists()
    wait_for(lambda: (stat := read_stat(tokenizer.pid)) is None or stat.state == "Z", 10)


# One at a time in a work folder

HOLDER = """
    import sys, time
    from pathlib import Path
    from sqladder.processes.lifetime import holding
    with holding(Path(sys.argv[1])):
        print("held", flush=True)
        time.sleep(float(sys.argv[2]))
"""


def test_a_second_training_waits_for_the_first_to_end_and_says_so(tmp_path, caplog):
    first = python(HOLDER, tmp_path / "work", 2, stdout=subprocess.PIPE)
    assert first.stdout.readline() == "held\n"
    with holding(tmp_path / "work"):
        assert first.wait() == 0
    said = f"waiting for process {first.pid}, which trains in {tmp_path / 'work'}"
    assert caplog.messages == [said]


def test_a_first_training_that_does_not_end_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(lifetime, "SECONDS_TO_LEAVE", 1)
    first = python(HOLDER, tmp_path / "work", 600, stdout=subprocess.PIPE)
    first.stdout.readline()
    with pytest.raises(InputError, match=rf"process {first.pid} on .*kill {first.pid}"):
        holding(tmp_path / "work").__enter__()
    first.kill()
    first.wait()
    with holding(tmp_path / "work"):
        pass


# Training


def family(launcher, work_folder):
    """Processes of a training: its launcher, torchrun if there is one, and the ranks."""
    all_workers = workers_of(work_folder)
    agents = [p for p in all_workers if "torch.distributed.run" in p.cmdline()]
    ranks = [p for p in all_workers if p not in agents]
    return {
        "launcher": [launcher],
        "agent": agents,
        "rank": ranks[-1:],
        "all": [launcher, *agents, *ranks],
    }


def train_through_kills(options, victims):
    """Kill a process of each kind in turn, each time after a new checkpoint, then let the run end."""
    work = options["work_folder"]
    for victim in victims:
        before = progress(work)
        with (work.parent / f"{victim}.log").open("w") as log:
            run = subprocess.Popen(
                toy_models.command("train.py", **options),
                env=ENVIRONMENT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_for(lambda: progress(work) > before, alive=run)  # noqa: B023
        for process in family(run, work)[victim]:
            os.kill(process.pid, signal.SIGKILL)
        assert run.wait(timeout=120) != 0
        wait_for(lambda: not workers_of(work), 30)
        assert not options["output"].exists()
    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    assert "going on from step" in done.stdout


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return toy_models.save_base(tmp_path_factory.mktemp("base") / "base")


def losses(options):
    return [loss for _, loss in json.loads(options["facts"].read_text())["loss_curve"]]


def compared(base, folder, **changes):
    """Options of two equal trainings in folders of their own."""
    both = []
    for name in ("whole", "killed"):
        (folder / name).mkdir()
        both.append(toy_models.train_options(folder / name, base, method="full", **changes))
    return both


def assert_same_end(whole, killed):
    assert losses(killed) == losses(whole)
    weights = [options["output"] / "model.safetensors" for options in (whole, killed)]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spread", "victims"),
    [
        pytest.param({}, ["rank", "launcher"], marks=pytest.mark.long),
        (
            {"parallelism_method": "ddp", "parallelism_gpus": 2, "batch_size": 2},
            ["rank", "agent", "launcher", "all"],
        ),
    ],
    ids=["single", "ddp"],
)
def test_a_training_ends_alike_whichever_process_was_killed(base, tmp_path, spread, victims):
    whole, killed = compared(base, tmp_path, epochs=30, save_steps=7, **spread)
    done = toy_models.run("train.py", **whole)
    assert done.returncode == 0, done.stdout
    train_through_kills(killed, victims)
    assert_same_end(whole, killed)


@pytest.fixture(scope="module")
def losses_alone(base, tmp_path_factory):
    """What ten epochs of one process give."""
    folder = tmp_path_factory.mktemp("alone")
    options = toy_models.train_options(folder, base, method="full", epochs=10)
    done = toy_models.run("train.py", **options)
    assert done.returncode == 0, done.stdout
    return losses(options)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("method", ["zero2", "zero3"])
def test_a_training_with_zero_ends_alike_after_a_kill(
    base, losses_alone, tmp_path, extensions, monkeypatch, method
):
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", extensions)
    monkeypatch.setitem(ENVIRONMENT, "TORCH_EXTENSIONS_DIR", extensions)
    spread = {"parallelism_method": method, "parallelism_gpus": 2, "batch_size": 2}
    whole, killed = compared(base, tmp_path, epochs=10, save_steps=7, **spread)
    done = toy_models.run("train.py", **whole)
    assert done.returncode == 0, done.stdout
    train_through_kills(killed, ["rank"])
    assert_same_end(whole, killed)
    facts = json.loads(whole["facts"].read_text())
    assert facts["settings"]["parallelism"]["method"] == method
    assert facts["trainable_parameters"] == facts["total_parameters"]
    assert losses(whole) == pytest.approx(losses_alone, rel=1e-3)
