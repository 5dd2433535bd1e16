"""Draw answers of a model that is trained beside this program, one batch for each line of standard input.

Started by reinforce_worker.py: each line is JSON with the folder of the present weights, a seed and prompts as token
ids; the answer is a line with tokens, finish reason, log-probability and end token of each answer to each prompt.
Example: python draw_for_training.py --model results/full/model --longest 1200 --answers 512 --engine vllm
    --max-new-tokens 160 --batch-size 512 --temperature 1 --top-p 1 --repetition-penalty 1 --samples 16 --seed 42
"""

import argparse
import json
import os
import sys
from pathlib import Path

from sqladder.errors import run_main
from sqladder.generation import tokens
from sqladder.generation.answering import load_engine
from sqladder.generation.contract import Finished, Load
from sqladder.generation.settings import DecodingSettings
from sqladder.processes.answer_pipe import answers_alone
from sqladder.processes.imports import leave_out_sklearn, uncollected
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--model", required=True, type=Path, help="what the training starts from")
    parser.add_argument("--longest", required=True, type=int, help="tokens of prompt and answer")
    parser.add_argument("--answers", required=True, type=int, help="answers of a batch, at most")
    text = "the engine has its GPU alone; without it it shares the training's"
    parser.add_argument("--alone", action="store_true", help=text)
    add_flags(parser, DecodingSettings)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    decoding = from_flags(args, DecodingSettings)
    answers = answers_alone()
    leave_out_sklearn()
    with uncollected():
        module = load_engine(decoding.engine, None)
    load = Load(args.longest, args.answers, beside_training=not args.alone)
    engine = module.start(args.model, load, decoding, tokens.end_tokens(args.model))
    answers.write("ready\n")
    for line in sys.stdin:
        asked = json.loads(line)
        engine.reload(args.model, Path(asked["checkpoint"]))
        found: Finished = {}
        own = decoding.model_copy(update={"seed": asked["seed"]})
        for finished in engine.answer(asked["prompts"], own):
            found |= finished
        answers.write(f"{json.dumps([found[place] for place in sorted(found)])}\n")
    # All is said: to take vLLM apart would take seconds and give the GPU back no sooner.
    os._exit(0)


if __name__ == "__main__":
    run_main(main)
