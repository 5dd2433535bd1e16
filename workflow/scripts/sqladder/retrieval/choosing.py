"""The examples of each question, by whichever method."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import Row
from sqladder.retrieval import keys, search
from sqladder.retrieval.example_pool import Found, Pool
from sqladder.retrieval.settings import (
    Bm25Choice,
    EmbeddingChoice,
    Key,
    RandomDraw,
    RerankChoice,
)


@dataclass(frozen=True)
class ChoiceFiles:
    """What a method reads beside questions and pool.

    Attributes:
        databases: of the questions, where they are compared by their masked text.
        pool_databases: of the pool, likewise.
        index: of the pool's embeddings, where questions are embedded.
    """

    databases: Path | None = None
    pool_databases: Path | None = None
    index: Path | None = None


def choose(
    settings: RandomDraw | Bm25Choice | EmbeddingChoice | RerankChoice,
    pool: Pool,
    queries: Sequence[Row],
    files: ChoiceFiles,
) -> Iterator[list[Found]]:
    """Yield the examples of each question, the best first.

    Raises:
        InputError: the index is missing, or was made of something else.
    """
    if isinstance(settings, RandomDraw):
        return search.random_examples(pool, queries, settings.count, settings.seed)
    asked, shown = _texts(settings.by, files)
    if isinstance(settings, Bm25Choice):
        return search.bm25_examples(pool, queries, settings.count, asked, shown)
    # Imported here: BM25 and random need neither torch nor Milvus.
    from sqladder.retrieval.embedding import Embedder, embedding_examples

    index = _checked_index(settings.embedding.model, settings.by, files.index)
    embedder = Embedder(settings.embedding.model, settings.embedding.instruction)
    if isinstance(settings, EmbeddingChoice):
        return embedding_examples(index, pool, queries, settings.count, embedder, asked)
    from sqladder.retrieval.rerank import Reranker, reranked

    candidates = settings.rerank.candidates
    found = embedding_examples(index, pool, queries, candidates, embedder, asked)
    reranker = Reranker(settings.rerank.model, settings.rerank.instruction)
    return reranked(found, pool, queries, settings.count, reranker, asked, shown)


def _texts(by: Key, files: ChoiceFiles) -> tuple[search.Text, search.Text]:
    """The functions that write a question and an example for the comparison."""
    of_queries = keys.Masker(files.databases) if files.databases else None
    of_pool = keys.Masker(files.pool_databases) if files.pool_databases else None
    return keys.query_text(by, of_queries), keys.example_text(by, of_pool)


def _checked_index(model: str, by: Key, index: Path | None) -> Path:
    from sqladder.retrieval.embedding import read_facts

    if index is None:
        raise InputError("--index is missing; a search by embeddings needs the pool's")
    facts = read_facts(index)
    if (facts.model, facts.by) != (model, by):
        raise InputError(
            f"index {index} was made by {facts.model} of each {facts.by}, but {model} and {by} are "
            "asked for: build it again"
        )
    return index
