"""Which questions count as one: wordings of one gold query, a conversation, the data set's own groups."""

import json

from sqladder.data.formats import read_questions
from sqladder.metric.inputs import read_gold
from sqladder.metric.question_groups import question_group


def groups_of(path):
    return [question_group(item.db_id, item.gold, item.group) for item in read_gold(path).items]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_wordings_of_one_query_are_a_group_whatever_their_case_and_space(tmp_path):
    sqls = ["SELECT name FROM t", "select  Name\nfrom T", "SELECT age FROM t"]
    rows = [{"id": f"q{n}", "db_id": "db", "sql": sql} for n, sql in enumerate(sqls)]
    rows.append({"id": "q3", "db_id": "other", "sql": sqls[0]})
    one, same, apart, elsewhere = groups_of(write(tmp_path / "gold.jsonl", rows))
    assert one == same
    assert len({one, apart, elsewhere}) == 3


def test_questions_of_a_conversation_are_a_group(tmp_path):
    path = tmp_path / "gold.sql"
    path.write_text("SELECT 1\tdb\nSELECT 2\tdb\n\nSELECT 3\tdb\n\nSELECT 3\tdb\n")
    first, second, third, fourth = groups_of(path)
    assert first == second != third == fourth


def test_a_data_sets_own_groups_come_first(tmp_path):
    rows = [{"db_id": "db", "question": "How many?", "sql": f"SELECT {n}", "group": n // 2}
            for n in range(4)]  # fmt: skip
    read = list(read_questions(write(tmp_path / "questions.jsonl", rows), "jsonl"))
    assert [row["group"] for row in read] == ["0", "0", "1", "1"]
    assert groups_of(write(tmp_path / "examples.jsonl", read)) == ["0", "0", "1", "1"]
