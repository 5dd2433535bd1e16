"""What ended a run, in one last line: Snakemake's own errors, failed jobs, and the config's."""

import logging

import pytest

from conftest import copy_project, run_snakemake
from sqladder.errors import InputError
from sqladder.experiment.run_errors import RunErrors, check_profile, meaning

# As Snakemake 9.27 writes them.
MISSING = """MissingInputException in rule score in file "score.smk", line 5:
Missing input files for rule score:
    output: results/full/verdicts.jsonl
    wildcards: replicate=full
    affected files:
        shop/gold.csv
        shop/other.csv"""
LOCKED = """LockException:
Error: Directory cannot be locked. Please make sure that no other Snakemake process is trying to create the same files \
in the following directory:
/home/me/shop
If you are sure that no other instances of snakemake are running on this directory, use --unlock argument."""
INCOMPLETE = """IncompleteFilesException:
The files below seem to be incomplete. mark them as complete with

    snakemake --cleanup-metadata <filenames>

Incomplete files:
results/full/model"""


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            MISSING,
            "the rule score needs shop/gold.csv and 1 more, which is not there and which no rule makes",
        ),
        (
            LOCKED,
            "another Snakemake works in /home/me/shop, or one was killed there: wait for it, or",
        ),
        (
            INCOMPLETE,
            "results/full/model was left half-made by a run that was killed: give the same command with",
        ),
        (
            "Error: cores have to be specified for local execution (use --cores N)",
            "say how many processors",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'x.yaml'",
            "there is no config file x.yaml",
        ),
        (
            "Workflow defines configfile config/config.yaml but it is not present",
            "there is no config/config.yaml",
        ),
        ("No Snakefile found, tried Snakefile", "this folder has no workflow"),
        (
            'WorkflowError in file "a.smk", line 3:\ntwo\nlines\n  File "a.smk", line 3, in <module>',
            "two lines",
        ),
        ("Exiting because a job execution failed. Look below", ""),
    ],
)
def test_an_error_of_snakemakes_is_one_line_with_what_to_do(message, line):
    told = meaning(message)
    assert "\n" not in told
    assert told.startswith(line) if line else told == ""


def record(event, **told):
    return logging.makeLogRecord({"event": event, "levelno": logging.ERROR, **told})


def test_failed_jobs_are_named_with_the_reason_in_their_logs(tmp_path):
    (tmp_path / "a.log").write_text("step 1\nerror: the disk is full.\nClosing\n")
    (tmp_path / "b.log").write_text("Traceback (most recent call last):\nValueError: b\x1b[1m\n")
    errors = RunErrors()
    for number, log in enumerate("ab"):
        job = {"jobid": number, "rule_name": "train_base", "log": [tmp_path / f"{log}.log"]}
        errors.filter(record("job_info", **job, wildcards={"replicate": log}))
        errors.filter(record("job_error", **job))
    errors.filter(record("error", msg="Exiting because a job execution failed."))
    assert errors.last_line() == (
        f"error: train base a failed: the disk is full (log: {tmp_path}/a.log); train base b failed: "
        f"ValueError: b\\x1b[1m (log: {tmp_path}/b.log). Mend that; the same command goes on where this one ended"
    )


def test_a_job_that_worked_when_it_was_tried_again_is_no_error():
    errors = RunErrors()
    errors.filter(record("job_error", jobid=1, rule_name="fetch"))
    assert errors.last_line().startswith("error: fetch failed. Mend")
    errors.filter(record("job_finished", job_id=1))
    assert errors.last_line() == ""


def test_a_profile_is_looked_for_where_snakemake_looks(tmp_path):
    (tmp_path / "profiles/mine").mkdir(parents=True)
    for words in (["-n"], ["--workflow-profile", "mine"], ["--workflow-profile=profiles/mine"]):
        check_profile(words, [tmp_path])
    with pytest.raises(InputError, match="there is no profile other"):
        check_profile(["--workflow-profile", "other", "-n"], [tmp_path])


def test_plain_snakemake_ends_with_the_line_too(tmp_path):
    project = copy_project(tmp_path / "project")
    planned = run_snakemake(project, "-n", "results/nothing.json")
    assert planned.stdout.splitlines()[-1].startswith(
        "error: nothing makes results/nothing.json: name"
    )
    (project / "workflow/scripts/build_demo_databases.py").write_text(
        "raise SystemExit('error: no luck')"
    )
    done = run_snakemake(project, "--cores", "1", "resources/datasets/demo/databases")
    assert done.stdout.splitlines()[-1] == (
        "error: build demo databases demo failed: no luck (log: logs/build_demo_databases/demo.log). "
        "Mend that; the same command goes on where this one ended"
    )
