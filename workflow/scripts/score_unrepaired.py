"""Judge what a variant would have answered if nothing that failed had been asked again.

Example: python score_unrepaired.py --examples test.jsonl --predictions predictions.jsonl \
    --databases databases --output unrepaired_verdicts.jsonl
"""

from sqladder.data.rejudging import judge_from_flags
from sqladder.errors import LOG, run_main
from sqladder.files import Fields, write_jsonl

REPAIRED_FIELDS: Fields = {"id": str, "unrepaired": str}


def main() -> None:
    judged = judge_from_flags(
        __doc__.splitlines()[0],
        REPAIRED_FIELDS,
        lambda rows: {"unrepaired": [row["unrepaired"] for row in rows]},
    )
    marks = [own for (own,) in judged.correct]
    rows = zip(judged.ids, marks, strict=True)
    write_jsonl(judged.output, ({"id": key, "correct": own} for key, own in rows))
    LOG.info(f"{sum(marks)} of {len(marks)} first answers are right")


if __name__ == "__main__":
    run_main(main)
