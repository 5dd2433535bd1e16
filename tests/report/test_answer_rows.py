"""What score.py kept of results, read for the report."""

from report_runs import write_lines
from sqladder.report.answer_rows import answer_rows


def kept(folder, **rows):
    lines = [{"id": key, "gold": gold, "answer": answer} for key, (gold, answer) in rows.items()]
    return write_lines(folder / "rows.jsonl", lines)


def test_gold_comes_once_and_each_wrong_result_with_its_variant_and_seed(tmp_path):
    gold, wrong = {"file": "a.sqlite", "n": 1}, {"file": "b.sqlite", "n": 2}
    one = kept(tmp_path / "one", q1=(None, None), q2=(gold, wrong))
    two = kept(tmp_path / "two/seed_7", q1=(gold, wrong), q2=(gold, None))
    found = {
        (row["id"], row["variant"]): (row["file"], row["n"]) for row in answer_rows([one, two])
    }
    assert found == {
        ("q1", ""): ("a.sqlite", 1),
        ("q2", ""): ("a.sqlite", 1),
        ("q2", "one"): ("b.sqlite", 2),
        ("q1", "two/seed_7"): ("b.sqlite", 2),
    }
