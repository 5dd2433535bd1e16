"""Generation on several GPUs: how prompts are shared out, what comes back, and what a dying process leaves."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import toy_models
from sqladder.errors import InputError
from sqladder.files import write_jsonl
from sqladder.generation import shards

# Stands for generate.py where a test is about its processes: it answers each prompt with its device.
STAND_IN = """
import json, os, sys, time
options = dict(part[2:].split("=", 1) for part in sys.argv[1:])
rows = [json.loads(line) for line in open(options["prompts"])]
print("working on", len(rows), "prompts", flush=True)
if os.environ["CUDA_VISIBLE_DEVICES"] == options.get("fails-on"):
    sys.exit("error: out of something")
time.sleep(float(options.get("sleep", 0)))
device = os.environ["CUDA_VISIBLE_DEVICES"]
with open(options["output"], "w") as file:
    for row in rows:
        file.write(json.dumps({"id": row["id"], "sql": device}) + "\\n")
with open(options["facts"], "w") as file:
    json.dump({"prompts": len(rows)}, file)
"""


@pytest.fixture
def command(tmp_path):
    program = tmp_path / "stand_in.py"
    program.write_text(STAND_IN)
    return [sys.executable, str(program)]


def prompts(databases, questions):
    """Prompts of several databases, those of one not next to each other."""
    return [
        {
            "id": f"{database}-{question}",
            "messages": [{"role": "user", "content": f"schema {database} {question}"}],
        }
        for question in range(questions)
        for database in range(databases)
    ]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_shards_have_equal_parts_of_the_prompts_and_keep_databases_together(count):
    rows = prompts(databases=5, questions=8)
    parts = shards.split(rows, count)
    assert sorted(row["id"] for part in parts for row in part) == sorted(r["id"] for r in rows)
    assert len(parts) == count
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    for part in parts[1:]:
        # A database is cut at most where a shard begins.
        assert part == sorted(part, key=lambda row: row["messages"][0]["content"])
    cut = sum(len({row["id"].split("-")[0] for row in part}) for part in parts) - 5
    assert cut <= count - 1


def test_no_shard_is_empty_where_one_prompt_outweighs_all_others():
    rows = prompts(1, 4)
    rows[0]["messages"][0]["content"] += " and" * 1000
    assert [len(part) for part in shards.split(rows, 3)] == [1, 1, 2]
    assert len(shards.split(rows, 9)) == 4


def test_every_shard_has_its_device_and_predictions_come_in_the_order_of_the_prompts(
    command, tmp_path
):
    rows = prompts(3, 5)
    predictions, facts = shards.generate(command, rows, ["3", "5"], tmp_path / "work")
    assert [row["id"] for row in predictions] == [row["id"] for row in rows]
    assert {row["sql"] for row in predictions} == {"3", "5"}
    assert sum(fact["prompts"] for fact in facts) == len(rows)
    assert not (tmp_path / "work").exists()


def test_a_failing_shard_is_named_with_its_log_and_stops_the_others(command, tmp_path):
    started = time.monotonic()
    with pytest.raises(InputError) as raised:
        shards.generate(
            [*command, "--fails-on=5", "--sleep=60"], prompts(3, 5), ["3", "5"], tmp_path / "work"
        )
    assert time.monotonic() - started < 30
    message = str(raised.value)
    assert "shard 1 of 2 on GPU 5 ended with status 1" in message
    assert "error: out of something" in message
    assert str(tmp_path / "work/1.log") in message
    assert "working on" in (tmp_path / "work/1.log").read_text()


def test_a_killed_shard_is_told_from_one_that_gave_up(command, tmp_path):
    killer = tmp_path / "killer.py"
    killer.write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(InputError, match="shard 0 of 1 on GPU 3 ended by signal 9"):
        shards.generate([sys.executable, str(killer)], prompts(1, 1), ["3"], tmp_path / "work")


def test_shards_die_with_a_parent_that_is_killed(command, tmp_path):
    """The processes hold GPUs, which the next run needs."""
    write_jsonl(tmp_path / "rows.jsonl", prompts(2, 2))
    code = (
        "import sys; from sqladder.files import read_jsonl; from sqladder.generation import shards;"
        f"from pathlib import Path; rows = read_jsonl(Path({str(tmp_path / 'rows.jsonl')!r}));"
        f"shards.generate({[*command, '--sleep=100']!r}, rows, ['a', 'b'], Path({str(tmp_path)!r}) / 'work')"
    )
    path = os.pathsep.join(sys.path)
    parent = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path})
    marker = f"--prompts={tmp_path / 'work'}{os.sep}".encode()
    wait_for(lambda: len(processes_with(marker)) == 2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not processes_with(marker))


def processes_with(argument):
    """Ids of the running processes that have an argument beginning so."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                words = open(f"/proc/{entry.name}/cmdline", "rb").read().split(b"\0")  # noqa: SIM115, PTH123
            except OSError:
                continue
            found += [int(entry.name)] * any(word.startswith(argument) for word in words)
    return found


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [("4,5,6", ["4", "5"]), ("GPU-a, GPU-b", ["GPU-a", "GPU-b"]), ("", ["", ""])],
)
def test_devices_are_those_that_the_environment_leaves(monkeypatch, listed, expected):
    monkeypatch.setattr(shards, "installed_devices", lambda: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", listed)
    assert shards.devices_for(2) == expected


def test_a_machine_without_gpus_runs_both_processes_without(monkeypatch):
    monkeypatch.setattr(shards, "installed_devices", lambda: [])
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert shards.devices_for(2) == ["", ""]


def test_too_few_devices_are_refused(monkeypatch):
    monkeypatch.setattr(shards, "installed_devices", lambda: None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    with pytest.raises(InputError, match=r"2 GPUs are asked for, but this process may use 1 \(3\)"):
        shards.devices_for(2)


def test_two_processes_predict_what_one_does(tmp_path):
    model = toy_models.save_base(tmp_path / "model")
    prompts_file = toy_models.write_rows(tmp_path / "test.jsonl", 9, with_answer=False)
    made = {}
    for gpus in (1, 2):
        folder = tmp_path / str(gpus)
        done = toy_models.run(
            "generate.py",
            model=model,
            prompts=prompts_file,
            output=folder / "predictions.jsonl",
            facts=folder / "generation.json",
            gpus=gpus,
            **toy_models.GREEDY | {"max_new_tokens": 8},
        )
        assert done.returncode == 0, done.stdout
        made[gpus] = toy_models.read_lines(folder / "predictions.jsonl")
    assert made[1] == made[2]
    one, two = (json.loads((tmp_path / n / "generation.json").read_text()) for n in ("1", "2"))
    for name in ("prompts", "prompt_tokens", "output_tokens", "cut_off"):
        assert two[name] == one[name] == sum(shard[name] for shard in two["shards"])
    assert (one["gpus"], two["gpus"]) == (1, 2)
    assert two["stages"]["generation"] == max(s["stages"]["generation"] for s in two["shards"])
