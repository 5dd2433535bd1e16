"""Give a base model that brings no chat template the one that the config names.

Example: python add_template.py --model /path/to/checkpoint --template plain --output resources/base_with_template
"""

import argparse
from pathlib import Path
from typing import get_args

from sqladder.errors import LOG, run_main
from sqladder.files import write_text
from sqladder.models.folders import check_model_folder, link_files, replacing_folder
from sqladder.models.turns import TEMPLATE_FILE, TemplateName, chosen_template, read_turns
from sqladder.processes.imports import leave_out_sklearn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--model", required=True, type=Path, help="Hugging Face folder")
    parser.add_argument("--template", required=True, choices=get_args(TemplateName))
    parser.add_argument("--output", required=True, type=Path, help="the same with the template")
    args = parser.parse_args()
    check_model_folder(args.model, "base model")
    leave_out_sklearn()
    from transformers import AutoTokenizer

    template = chosen_template(AutoTokenizer.from_pretrained(args.model), args.template, args.model)
    with replacing_folder(args.output) as folder:
        link_files(args.model, folder)
        write_text(folder / TEMPLATE_FILE, template)
        turns = read_turns(folder)
    LOG.info("%s: an answer ends with %r", args.output, turns.end_of_turn)


if __name__ == "__main__":
    run_main(main)
