"""What a grammar takes: seconds to compile it for a database, and to decide at each token which may follow.

Example: python grammar_cost.py --model /tmp/qwen3 --width 151936 --grammar schema --examples /path/to/dev.jsonl
    --databases /path/to/database
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import xgrammar
from transformers import AutoTokenizer

from sqladder.files import read_jsonl
from sqladder.generation.grammars import tables_of
from sqladder.generation.sql_grammar import any_names, own_names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, type=Path, help="a folder with its tokenizer")
    parser.add_argument("--width", required=True, type=int, help="tokens that the network knows")
    parser.add_argument("--grammar", required=True, choices=("sql", "schema"))
    parser.add_argument("--examples", required=True, type=Path, help="db_id, sql")
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    args = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    started = time.process_time()
    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer, vocab_size=args.width)
    print(f"{time.process_time() - started:.2f} s for the tokens")
    compiler = xgrammar.GrammarCompiler(info, max_threads=1)
    mask = xgrammar.allocate_token_bitmask(1, args.width)
    grammars: dict[str, str] = {}
    reading, compiling, deciding = [], [], []
    for row in read_jsonl(args.examples, {"db_id": str, "sql": str}):
        if not (args.databases / row["db_id"]).is_dir():
            continue
        if row["db_id"] not in grammars:
            tables = tables_of(args.databases, row["db_id"])
            text = own_names(tables) if args.grammar == "schema" else any_names()
            grammars[row["db_id"]] = text
            compiling.append(_seconds(compiler.compile_grammar, text))
        text = grammars[row["db_id"]]
        reading.append(_seconds(xgrammar.Grammar.from_ebnf, text))
        matcher = xgrammar.GrammarMatcher(compiler.compile_grammar(text))
        for token in tokenizer.encode(row["sql"]):
            deciding.append(_seconds(matcher.fill_next_token_bitmask, mask))
            if not matcher.accept_token(token):
                break
    print(f"{len(reading)} answers of {len(deciding)} tokens on {len(grammars)} databases")
    print(
        f"compiling {sum(compiling):.2f} s, {median(compiling):.3f} a database (median), {max(compiling):.3f} at most"
    )
    print(
        f"reading each answer's grammar {sum(reading):.2f} s, {median(reading) * 1e3:.2f} ms each"
    )
    print(f"deciding {sum(deciding):.2f} s, {sum(deciding) / len(deciding) * 1e6:.0f} us a token")


def _seconds(work: Callable[..., Any], *arguments: object) -> float:
    """The processor time of a call."""
    started = time.process_time()
    work(*arguments)
    return time.process_time() - started


if __name__ == "__main__":
    main()
