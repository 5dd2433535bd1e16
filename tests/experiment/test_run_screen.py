"""What a run shows of itself: a line for each job on a terminal, nothing of them on a pipe, the ranking at the end."""

import io
import logging
import re

import pytest
from rich.console import Console

import report_runs as runs
from conftest import copy_project, run_snakemake
from sqladder.experiment.run_screen import RunningJob, RunScreen, last_screen, started_job
from sqladder.report.comparison import compare
from sqladder.report.loading import load_run
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs


def job_with_log(tmp_path, log, **more):
    (tmp_path / "job.log").write_text(log)
    return RunningJob("train full", tmp_path / "job.log", **{"usual": None, **more})


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "started\nstep 10/100  loss 0.5  1,000 tokens/s  0:03:00 left\n",
            "10 of 100  0:03:00 left",
        ),
        (
            "a\r 12%|#  | 2/8 [00:01<00:06,  1.0it/s]\r 25%|## | 3/8 [00:02<00:05]",
            "3 of 8  00:05 left",
        ),
        ("nothing that counts", None),
    ],
)
def test_a_line_says_what_a_job_does_how_far_it_is_and_how_long_it_will_take(tmp_path, log, told):
    line = job_with_log(tmp_path, log).line()
    assert re.fullmatch(rf"train full  {told}  0:00:0\d" if told else r"train full  0:00:0\d", line)


def test_the_time_of_the_last_run_stands_in_where_a_job_tells_none(tmp_path):
    (tmp_path / "b.tsv").write_text("s\th:m:s\n600.0\t0:10:00\n")
    told = {
        "rule_name": "write_report",
        "wildcards": {},
        "log": [],
        "benchmark": str(tmp_path / "b.tsv"),
    }
    assert re.fullmatch(
        r"write report  0:00:0\d  0:(10:00|09:5\d) left, as last time", started_job(told).line()
    )


def test_each_job_leaves_one_line_on_a_terminal():
    written = io.StringIO()
    screen = RunScreen(2, Console(file=written, force_terminal=True, width=100))
    try:
        for event in (
            {
                "event": "job_info",
                "jobid": 1,
                "rule_name": "train",
                "wildcards": {"replicate": "full"},
            },
            {
                "event": "job_info",
                "jobid": 2,
                "rule_name": "score",
                "wildcards": {"replicate": "\x1bx"},
            },
            {"event": "job_finished", "job_id": 1},
            {"event": "job_error", "jobid": 2},
        ):
            screen.emit(logging.makeLogRecord(event))
    finally:
        screen.close()
    lines = re.findall(r"\[\d/2\] \S.*", written.getvalue())
    assert re.match(r"\[1/2\] train full: done in 0:00:0\d", lines[0])
    assert re.match(r"\[1/2\] score \\x1bx: FAILED in 0:00:0\d", lines[1])
    assert len(lines) == 2


def test_the_last_screen_is_the_ranking_and_both_paths(tmp_path):
    questions = runs.question_rows(20)
    rows = {
        name: runs.verdict_rows(questions, [n < right for n in range(20)])
        for name, right in (("baseline", 3), ("full", 16))
    }
    files = runs.write_run(tmp_path, questions, rows, generated=list(rows))
    comparison = compare(load_run(**files, baseline="baseline"))
    report = tmp_path / "report.md"
    report.write_text(render(ReportInputs(comparison, runs.run_facts(), "Mine", "charts")))
    lines = last_screen(report).strip().splitlines()
    assert re.match(r"rank +variant +n +correct", lines[0])
    assert re.match(r"1 +full +20 +16 +0.800", lines[1])
    assert re.match(r"2 +baseline +20 +3 +0.150", lines[2])
    assert lines[-2:] == [f"report: {report}", f"page:   {tmp_path / 'report.html'}"]
    assert last_screen(tmp_path / "none.md") == ""


def test_a_pipe_gets_no_line_of_a_job_that_works_and_all_of_one_that_fails(tmp_path):
    project = copy_project(tmp_path / "project")
    quiet = ("--quiet", "host", "reason", "--", "resources/datasets/demo/test.jsonl")
    done = run_snakemake(project, "--cores", "1", *quiet)
    assert done.returncode == 0, done.stdout
    assert "demo_examples" not in done.stdout
    assert len(done.stdout.splitlines()) < 12
    (project / "resources/datasets/demo/test.jsonl").unlink()
    (project / "workflow/scripts/make_demo_examples.py").write_text(
        "raise SystemExit('error: no luck')"
    )
    done = run_snakemake(project, "--cores", "1", *quiet)
    assert done.returncode == 1
    assert "Error in rule make_demo_examples" in done.stdout
    assert "error: no luck" in done.stdout
