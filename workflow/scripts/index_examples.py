"""Embed the examples that prompts may show, and store them in Milvus; a build that was killed goes on.

Example: python index_examples.py --pool resources/datasets/spider/examples.jsonl --by question
    --embedding-model resources/downloads/embedder --collection rag --work resources/retrieval/rag/building
    --output resources/retrieval/rag/index
"""

import argparse
import time
from pathlib import Path

from sqladder.errors import LOG, InputError, run_main
from sqladder.files import read_jsonl
from sqladder.retrieval.embedding import Embedder, IndexFacts, build_index, digest
from sqladder.retrieval.example_pool import POOL_FIELDS
from sqladder.retrieval.keys import Masker, example_text
from sqladder.retrieval.settings import IndexSettings
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--pool", required=True, type=Path, help="examples, JSON Lines")
    parser.add_argument("--pool-databases", type=Path, help="their databases, for masked_question")
    parser.add_argument("--collection", required=True, help="name in the store")
    parser.add_argument("--work", required=True, type=Path, help="folder that outlives a kill")
    parser.add_argument("--output", required=True, type=Path, help="folder to make")
    add_flags(parser, IndexSettings)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    settings = from_flags(args, IndexSettings)
    model, uri = settings.embedding.model, settings.embedding.uri
    if args.output.exists():
        raise InputError(f"{args.output} is there already; remove it to build the index again")
    start = time.monotonic()
    masker = Masker(args.pool_databases) if args.pool_databases else None
    write = example_text(settings.by, masker)
    texts = [write(example) for example in read_jsonl(args.pool, POOL_FIELDS)]
    facts = IndexFacts(
        model, settings.by, len(texts), digest(texts), args.collection.replace("-", "_"), uri
    )
    build_index(args.work, texts, Embedder(model), facts)
    args.work.rename(args.output)
    LOG.info(f"{len(texts)} examples embedded in {time.monotonic() - start:.1f} s -> {args.output}")


if __name__ == "__main__":
    run_main(main)
