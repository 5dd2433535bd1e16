"""Questions that checkpoints are chosen by are none of the test's, nor are their databases."""

import json
import subprocess
import sys

import pytest

from conftest import ROOT
from sqladder.data.validation_check import ValidationQuestions, checked
from sqladder.errors import InputError


def rows(*questions, db_id="shop"):
    return [
        {"id": f"{db_id}{n}", "db_id": db_id, "question": text, "sql": "SELECT 1"}
        for n, text in enumerate(questions)
    ]


def test_parts_of_one_data_set_may_share_their_database():
    found = checked(
        [*rows("How many?"), *rows("Who?", db_id="zoo")], rows("How much?"), is_one_set=True
    )
    assert found == ValidationQuestions(questions=2, databases=2, of_the_test=1)


def test_another_data_set_may_not():
    with pytest.raises(InputError, match=r"1 of 1 databases .* first 'shop': name another"):
        checked(rows("How many?"), rows("How much?"), is_one_set=False)


@pytest.mark.parametrize("is_one_set", [True, False])
def test_a_question_of_the_test_is_named_whatever_its_case(is_one_set):
    with pytest.raises(InputError, match=r"1 of 2 questions .* 'HOW many, please\?' of database"):
        checked(rows("HOW many, please?", "Who?"), rows("how many please"), is_one_set=is_one_set)


def test_the_same_question_on_another_database_is_another():
    found = checked(rows("How many?", db_id="zoo"), rows("How many?"), is_one_set=False)
    assert found.of_the_test == 0


def test_no_question_at_all_is_refused():
    with pytest.raises(InputError, match="no question is left to choose checkpoints by"):
        checked([], rows("How many?"), is_one_set=True)


def test_the_program_writes_what_it_counted(tmp_path):
    for name, text in (("validation", "How many?"), ("test", "How much?")):
        lines = "".join(json.dumps(row) + "\n" for row in rows(text, db_id=name))
        (tmp_path / f"{name}.jsonl").write_text(lines)
    command = [sys.executable, ROOT / "workflow/scripts/check_validation.py"]
    for name in ("validation", "test"):
        command += [f"--{name}", tmp_path / f"{name}.jsonl"]
    subprocess.run([*command, "--output", tmp_path / "out.json"], check=True)
    assert json.loads((tmp_path / "out.json").read_text()) == {
        "questions": 1,
        "databases": 1,
        "of_the_test": 0,
    }
