"""Make a variant's model smaller: as a GGUF file by llama.cpp, or by bitsandbytes.

Example: python quantize.py --model results/full/model --training results/full/train.json --quantize q8_0
    --output results/full_q8/model --facts results/full_q8/train.json
"""

import argparse
from pathlib import Path
from typing import get_args

from sqladder.errors import LOG, run_main
from sqladder.files import read_object, write_json
from sqladder.models.folders import check_model_folder
from sqladder.models.quantizations import Quantization
from sqladder.models.quantizing import quantize
from sqladder.statistics.replicates import replicate_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--training", required=True, type=Path, help="its train.json")
    parser.add_argument("--quantize", required=True, choices=get_args(Quantization))
    parser.add_argument("--output", required=True, type=Path, help="folder of the smaller model")
    parser.add_argument("--facts", required=True, type=Path, help="train.json of the smaller model")
    args = parser.parse_args()
    check_model_folder(args.model, "model")
    training = read_object(args.training)
    facts = quantize(args.model, args.quantize, args.output)
    # Its training is the other's, and counted there.
    owner = {"model_of": replicate_of(args.model).name}
    write_json(args.facts, {**training, **owner, "quantized": facts})
    LOG.info(
        f"{args.output}: {facts['bytes'] / 1e6:.1f} MB of weights instead of {facts['bytes_before'] / 1e6:.1f}"
    )


if __name__ == "__main__":
    run_main(main)
