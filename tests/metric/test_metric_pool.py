import sqlite3

import pytest

from sqladder.metric import pool
from sqladder.metric.limits import Limits
from sqladder.metric.suite import Options


@pytest.fixture
def file(tmp_path):
    with sqlite3.connect(tmp_path / "pets.sqlite") as connection:
        connection.executescript("create table pet(name); insert into pet values('a')")
    connection.close()
    return str(tmp_path / "pets.sqlite")


def question(file, *predictions):
    candidates = [(sql, False) for sql in predictions]
    return pool.Question([file], "select name from pet", candidates, [None] * len(candidates))


@pytest.mark.parametrize("program", ["import sys; sys.exit(7)", "not Python"])
def test_a_worker_that_cannot_start_is_an_error_and_no_verdict(monkeypatch, file, program):
    monkeypatch.setattr(pool, "_START", program)
    # More text than a pipe holds: the death is noticed in the middle of writing.
    with pytest.raises(pool.WorkerError, match="before it could start"):
        pool.run([question(file, "x" * 1_000_000)], Options(), Limits(), jobs=1)


def test_an_exception_of_our_own_code_is_an_error_and_no_verdict(monkeypatch, file):
    broken = pool._START.replace(
        "worker import main",
        "worker import main; import sqladder.metric.suite as s; s.normalise = None",
    )
    monkeypatch.setattr(pool, "_START", broken)
    with pytest.raises(pool.WorkerError, match="AttributeError"):
        pool.run([question(file, "select 1")], Options(), Limits(), jobs=1)


def test_texts_longer_than_a_pipe_holds_pass_both_ways(file):
    questions = [
        question(file, *[f"select {i} {'x' * 60_000}" for i in range(20)]) for _ in range(20)
    ]
    pool.run(questions, Options(), Limits(), jobs=2)
    verdicts = {judgement.verdict for found in questions for judgement in found.judgements}
    assert verdicts == {"wrong_result"}


def test_progress_counts_every_candidate_once(file):
    finished = []
    questions = [question(file, "select 1", "select 2") for _ in range(40)]
    pool.run(questions, Options(), Limits(), jobs=2, progress=finished.append)
    assert finished == [2] * 40


def test_no_question_needs_no_worker():
    pool.run([], Options(), Limits(), jobs=4)


def processes(workers):
    return [worker._process.pid for worker in workers._processes]


def test_a_pool_that_is_open_keeps_its_processes(file):
    first, second = question(file, "select 1"), question(file, "select name from pet")
    with pool.WorkerPool(Options(), Limits(), jobs=1) as workers:
        workers.judge([first])
        before = processes(workers)
        workers.judge([second])
        assert processes(workers) == before
    assert [found.judgement(0).verdict for found in (first, second)] == ["wrong_result", "correct"]
    assert processes(workers) == []


def test_a_pool_whose_caller_was_interrupted_says_nothing_of_that_call_later(file):
    def interrupt(judged):
        raise KeyboardInterrupt

    with pool.WorkerPool(Options(), Limits(), jobs=1) as workers:
        asked = [question(file, "select 1", "select 2") for _ in range(3)]
        with pytest.raises(KeyboardInterrupt):
            workers.judge(asked, interrupt)
        right = question(file, "select name from pet")
        workers.judge([right])
        assert right.judgement(0).verdict == "correct"
