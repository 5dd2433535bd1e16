"""Choose the few-shot examples of each question from a pool that hides the question itself.

Example: python retrieve_examples.py --questions resources/datasets/demo/test.jsonl
    --pool resources/datasets/demo/train.jsonl --method bm25 --by question --count 4
    --output resources/retrieval/few_shot/test.jsonl
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import Row, by_id, read_jsonl, write_jsonl
from sqladder.retrieval import keys, search
from sqladder.retrieval.example_pool import POOL_FIELDS, Found, Pool

METHODS = ("random", "bm25", "embedding", "embedding_rerank")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", required=True, type=Path, help="JSON Lines")
    parser.add_argument("--pool", required=True, type=Path, help="examples, JSON Lines")
    parser.add_argument("--databases", type=Path, help="of the questions, for masked_question")
    parser.add_argument("--pool-databases", type=Path, help="of the pool, for masked_question")
    parser.add_argument("--method", required=True, choices=METHODS)
    parser.add_argument("--by", choices=keys.KEYS, default="question")
    parser.add_argument("--count", required=True, type=int, help="examples a prompt")
    parser.add_argument("--seed", type=int, default=0, help="random only")
    parser.add_argument("--index", type=Path, help="embedding: folder of index_examples.py")
    parser.add_argument("--embedding-model", help="embedding: that of the index")
    parser.add_argument("--embedding-instruction", default="", help="before each question")
    parser.add_argument(
        "--rerank-model", help="embedding_rerank: a causal model that says yes or no"
    )
    parser.add_argument("--rerank-instruction", help="embedding_rerank: what makes an example fit")
    parser.add_argument("--candidates", type=int, help="embedding_rerank: examples to score again")
    parser.add_argument("--output", required=True, type=Path, help="JSON Lines: id, examples")
    return parser.parse_args()


def texts(args: argparse.Namespace) -> tuple[search.Text, search.Text]:
    """The functions that write a question and an example for the comparison."""
    of_queries = keys.Masker(args.databases) if args.databases else None
    of_pool = keys.Masker(args.pool_databases) if args.pool_databases else None
    return keys.query_text(args.by, of_queries), keys.example_text(args.by, of_pool)


def choose(pool: Pool, queries: Sequence[Row], args: argparse.Namespace) -> Iterator[list[Found]]:
    """Run the method."""
    if args.method == "random":
        return search.random_examples(pool, queries, args.count, args.seed)
    asked, shown = texts(args)
    if args.method == "bm25":
        return search.bm25_examples(pool, queries, args.count, asked, shown)
    # Imported here: BM25 and random need neither torch nor Milvus.
    from sqladder.retrieval.embedding import Embedder, embedding_examples, read_facts

    facts = read_facts(args.index)
    if (facts.model, facts.by) != (args.embedding_model, args.by):
        raise InputError(
            f"index {args.index} was made by {facts.model} of each {facts.by}, but "
            f"{args.embedding_model} and {args.by} are asked for: build it again"
        )
    embedder = Embedder(args.embedding_model, args.embedding_instruction)
    count = args.candidates if args.method == "embedding_rerank" else args.count
    found = embedding_examples(args.index, pool, queries, count, embedder, asked)
    if args.method == "embedding":
        return found
    from sqladder.retrieval.rerank import Reranker, reranked

    reranker = Reranker(args.rerank_model, args.rerank_instruction)
    return reranked(found, pool, queries, args.count, reranker, asked, shown)


def main() -> None:
    args = parse_arguments()
    pool = Pool(list(by_id(read_jsonl(args.pool, POOL_FIELDS), args.pool).values()))
    questions = read_jsonl(args.questions, {"id": str, "question": str})
    queries = list(by_id(questions, args.questions).values())
    if not len(pool):
        raise InputError(f"{args.pool} holds no example to choose from")
    found = list(tqdm(choose(pool, queries, args), total=len(queries), unit="question"))
    rows = [
        {"id": query["id"], "examples": pool.rows(hits)}
        for query, hits in zip(queries, found, strict=True)
    ]
    write_jsonl(args.output, rows)
    same = sum(bool(pool.hidden_from(query)) for query in queries)
    best = [hits[0].score for hits in found if hits] or [0.0]
    LOG.info(
        f"{len(rows)} questions, pool of {len(pool)}; {same} questions stand in the pool and were "
        f"hidden from themselves; highest score a question: mean {statistics.mean(best):.3f}, "
        f"max {max(best):.3f}; {sum(len(hits) < args.count for hits in found)} got fewer than "
        f"{args.count} examples"
    )


if __name__ == "__main__":
    run_main(main)
