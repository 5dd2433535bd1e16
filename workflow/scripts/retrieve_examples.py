"""Choose the few-shot examples of each question from a pool that hides the question itself.

Example: python retrieve_examples.py --questions resources/datasets/demo/test.jsonl
    --pool resources/datasets/demo/train.jsonl --method bm25 --by question --count 4
    --output resources/retrieval/few_shot/test.jsonl
"""

import argparse
import statistics
from pathlib import Path

from tqdm import tqdm

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import by_id, read_jsonl, write_jsonl
from sqladder.retrieval.choosing import ChoiceFiles, choose
from sqladder.retrieval.example_pool import POOL_FIELDS, Pool
from sqladder.retrieval.settings import Choice
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--questions", required=True, type=Path, help="JSON Lines")
    parser.add_argument("--pool", required=True, type=Path, help="examples, JSON Lines")
    parser.add_argument("--databases", type=Path, help="of the questions, for masked_question")
    parser.add_argument("--pool-databases", type=Path, help="of the pool, for masked_question")
    parser.add_argument("--index", type=Path, help="embedding: folder of index_examples.py")
    parser.add_argument("--output", required=True, type=Path, help="JSON Lines: id, examples")
    add_flags(parser, Choice)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, Choice)
    pool = Pool(list(by_id(read_jsonl(args.pool, POOL_FIELDS), args.pool).values()))
    questions = read_jsonl(args.questions, {"id": str, "question": str})
    queries = list(by_id(questions, args.questions).values())
    if not len(pool):
        raise InputError(f"{args.pool} holds no example to choose from")
    chosen = choose(
        settings, pool, queries, ChoiceFiles(args.databases, args.pool_databases, args.index)
    )
    found = list(tqdm(chosen, total=len(queries), unit="question"))
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
        f"max {max(best):.3f}; {sum(len(hits) < settings.count for hits in found)} got fewer than "
        f"{settings.count} examples"
    )


if __name__ == "__main__":
    run_main(main)
