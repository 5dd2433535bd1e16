"""Write a variant's answers in the form that BIRD's own evaluation reads: by the places of the questions.

Example: python write_bird_predictions.py --examples test.jsonl --predictions predictions.jsonl \
             --output predict_bird.json
"""

import argparse
from pathlib import Path

from sqladder.errors import run_main
from sqladder.files import join_by_id, read_jsonl, write_json
from sqladder.metric.record_files import BIRD_MARK


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", required=True, type=Path, help="the questions, in order")
    parser.add_argument("--predictions", required=True, type=Path, help="id and sql of each")
    parser.add_argument("--output", required=True, type=Path, help="JSON file to write")
    args = parser.parse_args()
    examples = read_jsonl(args.examples, {"id": str, "db_id": str})
    predictions = read_jsonl(args.predictions, {"id": str, "sql": str})
    pairs = join_by_id(examples, predictions, args.examples, args.predictions)
    answers = {
        str(place): f"{answer['sql']}{BIRD_MARK}{example['db_id']}"
        for place, (example, answer) in enumerate(pairs)
    }
    write_json(args.output, answers)


if __name__ == "__main__":
    run_main(main)
