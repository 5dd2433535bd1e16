"""Judge every sample of a variant's answers on the test suite of its database: which of them are right.

Example: python score_samples.py --examples test.jsonl --predictions predictions.jsonl \
    --databases databases --output sample_verdicts.jsonl
"""

from collections.abc import Sequence

from sqladder.data.rejudging import judge_from_flags
from sqladder.errors import LOG, run_main
from sqladder.files import Fields, Row, write_jsonl

SAMPLES_FIELDS: Fields = {"id": str, "samples": list}


def samples(rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """The first sample of each question, the second, and so on."""
    drawn = [[sample["sql"] for sample in row["samples"]] for row in rows]
    return {str(place): sqls for place, sqls in enumerate(zip(*drawn, strict=True))}


def main() -> None:
    judged = judge_from_flags(__doc__.splitlines()[0], SAMPLES_FIELDS, samples)
    rows = zip(judged.ids, judged.correct, strict=True)
    write_jsonl(judged.output, ({"id": key, "correct": own} for key, own in rows))
    some = sum(map(any, judged.correct))
    drawn = len(judged.correct[0])
    LOG.info(f"{some} of {len(judged.ids)} questions have a right one among {drawn} samples")


if __name__ == "__main__":
    run_main(main)
