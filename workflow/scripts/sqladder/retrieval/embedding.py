"""Embeddings of questions by sentence-transformers, kept and searched in Milvus.

A file path gives Milvus Lite, which needs no server; a URI such as http://host:19530 gives a server.
The rest is the same code.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from sqladder.errors import InputError
from sqladder.files import Row, read_json, write_json
from sqladder.models.turns import neutralise
from sqladder.retrieval.example_pool import Found, Pool

FACTS, LITE_FILE = "index.json", "milvus.db"
CHUNK = 1024


class Embedder:
    """A sentence-transformers model that turns texts into unit vectors."""

    def __init__(self, model: str, instruction: str = "", batch_size: int = 32) -> None:
        """Load a model.

        Args:
            model: its folder.
            instruction: the task, put before each query in the form of Qwen3-Embedding's model
                card; documents get none. "" leaves queries as they are.
            batch_size: texts at once.
        """
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(model, local_files_only=True)
        self._prompt = query_prompt(instruction)
        self._batch_size = batch_size
        # The model's own statement may be missing.
        self.dimension = len(self.documents(["a text"])[0])

    def documents(self, texts: Sequence[str]) -> Any:
        """Embed examples of the pool; the array's shape is (texts, dimension)."""
        return self._encode(texts, "")

    def queries(self, texts: Sequence[str]) -> Any:
        """Embed questions with the instruction before them; shape (texts, dimension)."""
        return self._encode(texts, self._prompt)

    def _encode(self, texts: Sequence[str], prompt: str) -> Any:
        return self._model.encode(
            [neutralise(text) for text in texts],
            prompt=prompt or None,
            batch_size=self._batch_size,
            normalize_embeddings=True,
            show_progress_bar=False,
        )


def query_prompt(instruction: str) -> str:
    """Write the instruction as huggingface.co/Qwen/Qwen3-Embedding-0.6B asks for it."""
    return f"Instruct: {instruction}\nQuery:" if instruction else ""


class IndexFacts(NamedTuple):
    """What an index was made of; another pool, key or model makes another index."""

    model: str
    by: str
    examples: int
    texts_sha256: str
    collection: str
    uri: str | None


def build_index(folder: Path, texts: Sequence[str], embedder: Embedder, facts: IndexFacts) -> None:
    """Embed the pool's texts and store them; an interrupted build of the same facts goes on.

    Args:
        folder: gets index.json at the end and, without a server, the Milvus Lite file.
        texts: one text an example, in the pool's order.
        embedder: the model.
        facts: what the index is made of.
    """
    folder.mkdir(parents=True, exist_ok=True)
    started = folder / "started.json"
    with _connection(folder, facts) as client:
        known = started.is_file() and read_json(started) == list(facts)
        done = _rows_stored(client, facts.collection) if known else 0
        if not known or not done:
            _create_collection(client, facts.collection, embedder.dimension)
            write_json(started, facts)
        for start in tqdm(range(done, len(texts), CHUNK), desc="embedding", unit="chunk"):
            vectors = embedder.documents(texts[start : start + CHUNK])
            rows = [{"position": start + i, "vector": vector} for i, vector in enumerate(vectors)]
            # Whole chunks are counted after a kill; one that was there in part is written over.
            client.upsert(facts.collection, rows)
        client.flush(facts.collection)
    write_json(folder / FACTS, facts._asdict())


def digest(texts: Sequence[str]) -> str:
    """Name a list of texts by its SHA-256."""
    return hashlib.sha256(json.dumps(list(texts)).encode()).hexdigest()


def read_facts(folder: Path) -> IndexFacts:
    """Read what a finished index was made of."""
    return IndexFacts(**read_json(folder / FACTS))


def embedding_examples(
    folder: Path,
    pool: Pool,
    queries: Sequence[Row],
    count: int,
    embedder: Embedder,
    text_of_query: Callable[[Row], str],
) -> Iterator[list[Found]]:
    """Choose the examples whose embeddings have the highest cosine with the question's."""
    facts = read_facts(folder)
    if facts.examples != len(pool):
        raise InputError(
            f"index {folder} holds {facts.examples} examples, the pool {len(pool)}: build it again"
        )
    with _connection(folder, facts) as client:
        client.load_collection(facts.collection)
        for start in tqdm(range(0, len(queries), CHUNK), desc="searching", unit="chunk"):
            part = queries[start : start + CHUNK]
            hidden = [pool.hidden_from(query) for query in part]
            hits = client.search(
                facts.collection,
                data=list(embedder.queries([text_of_query(query) for query in part])),
                limit=min(len(pool), count + max(map(len, hidden))),
                search_params={"metric_type": "COSINE"},
            )
            for found, unseen in zip(hits, hidden, strict=True):
                shown = [Found(hit["position"], hit["distance"]) for hit in found]
                yield [hit for hit in shown if hit.position not in unseen][:count]


@contextmanager
def _connection(folder: Path, facts: IndexFacts) -> Iterator[Any]:
    """Connect to the store; on leaving, Milvus Lite's own server in this process ends with its file closed."""
    from pymilvus import MilvusClient
    from pymilvus.exceptions import MilvusException

    uri = os.path.expandvars(facts.uri or str(folder / LITE_FILE))
    try:
        client = MilvusClient(uri)
    except MilvusException as error:
        raise InputError(f"Milvus does not answer at {facts.uri or uri}: {error}") from error
    try:
        yield client
    finally:
        client.close()
        if not facts.uri:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(uri)


def _create_collection(client: Any, name: str, dimension: int) -> None:
    from pymilvus import DataType

    if client.has_collection(name):
        client.drop_collection(name)
    schema = client.create_schema(auto_id=False)
    schema.add_field("position", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    parameters = client.prepare_index_params()
    # FLAT is exact: at a few hundred thousand examples an approximate index would save milliseconds.
    parameters.add_index("vector", index_type="FLAT", metric_type="COSINE")
    client.create_collection(name, schema=schema, index_params=parameters)


def _rows_stored(client: Any, name: str) -> int:
    if not client.has_collection(name):
        return 0
    client.load_collection(name)
    answer = client.query(name, filter="", output_fields=["count(*)"])
    return answer[0]["count(*)"] // CHUNK * CHUNK
