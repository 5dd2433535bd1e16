"""Make a checkpoint of any base with random weights, for measurements of speed where the real ones are not needed.

The folder given as --source has config.json, tokenizer_config.json, and tokenizer.json or
tokenizer.json.xz; its weights, if any, are not read.

Example: python benchmarks/random_base.py --source "$SQLADDER_QWEN3" --output /tmp/qwen3-1.7b
"""

import argparse
import json
import lzma
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow/scripts"))

from sqladder.demo.base_model import CHAT_TEMPLATE
from sqladder.files import read_json, write_json
from sqladder.models.folders import replacing_folder


def write_tokenizer(source: Path, target: Path) -> None:
    """Copy the tokenizer; one without a chat template gets Qwen3's form."""
    packed = source / "tokenizer.json.xz"
    text = lzma.decompress(packed.read_bytes()) if packed.is_file() else None
    (target / "tokenizer.json").write_bytes(text or (source / "tokenizer.json").read_bytes())
    settings = read_json(source / "tokenizer_config.json")
    write_json(target / "tokenizer_config.json", {"chat_template": CHAT_TEMPLATE} | settings)


def write_weights(source: Path, target: Path, seed: int, device: str) -> int:
    """Write the config, and bf16 weights as transformers initialises them; returns their number.

    The config keeps its own form, which every version reads; saved, it would get this version's.
    """
    settings = read_json(source / "config.json")
    # The published config's: without a version, transformers 5 warns of a faulty tokenizer.
    write_json(target / "config.json", {"transformers_version": "4.51.0"} | settings)
    config = AutoConfig.from_pretrained(source)
    torch.manual_seed(seed)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    weights = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    if config.tie_word_embeddings:
        del weights["lm_head.weight"]
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})
    return sum(value.numel() for value in weights.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", required=True, type=Path, help="config and tokenizer")
    parser.add_argument("--output", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    started = time.monotonic()
    with replacing_folder(args.output) as folder:
        write_tokenizer(args.source, folder)
        count = write_weights(args.source, folder, args.seed, args.device)
    seconds = round(time.monotonic() - started, 1)
    print(json.dumps({"output": str(args.output), "parameters": count, "seconds": seconds}))


if __name__ == "__main__":
    main()
