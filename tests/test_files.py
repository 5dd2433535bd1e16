import json
import os

import pytest

from sqladder.errors import InputError
from sqladder.files import (
    by_id,
    join_by_id,
    read_json,
    read_jsonl,
    write_json,
    write_jsonl,
    write_text,
)


def test_rows_written_are_the_rows_read(tmp_path):
    rows = [{"id": "a", "sql": "select 'é'"}, {"id": "b", "sql": ""}]
    write_jsonl(tmp_path / "deep" / "x.jsonl", rows)
    assert read_jsonl(tmp_path / "deep" / "x.jsonl") == rows


def test_equal_lines_of_several_files_are_read_once_and_a_bad_one_is_named_all_the_same(tmp_path):
    rows = [[{"id": "a"}, {"id": "b"}], [{"id": "b"}, {"id": "c"}]]
    known = {}
    paths = [tmp_path / f"{number}.jsonl" for number in range(2)]
    for path, content in zip(paths, rows, strict=True):
        write_jsonl(path, content)
    found = [read_jsonl(path, {"id": str}, known) for path in paths]
    assert found == rows
    assert found[0][1] is found[1][0]
    paths[0].write_text('{"id": "b"}\n{"id": 1}\n')
    with pytest.raises(InputError, match=r"0\.jsonl line 2: 'id' is 1"):
        read_jsonl(paths[0], {"id": str}, known)


def test_a_failed_writer_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "x.jsonl"
    write_text(path, "old\n")

    def failing():
        yield {"id": "a"}
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_jsonl(path, failing())
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("text", "message"),
    [('{"id": 1}\n{oops\n', "line 2 is not valid JSON"), ("[1]\n", "line 1 is not a JSON object")],
)
def test_a_bad_line_is_named(tmp_path, text, message):
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(InputError, match=message):
        read_jsonl(tmp_path / "x.jsonl")


@pytest.mark.parametrize("text", ['{"id": 1}{"id": 2}\n', '{"id": 1},\n', '{"id": 1\n"b": 2}\n'])
def test_a_line_that_is_more_or_less_than_one_object_is_refused(tmp_path, text):
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(InputError, match="line 1 is not valid JSON"):
        read_jsonl(tmp_path / "x.jsonl")


def test_blanks_around_rows_and_the_last_line_feed_do_not_matter(tmp_path):
    (tmp_path / "x.jsonl").write_text('\n  {"id": 1} \r\n\t\n{"id": "\\u00e9"}', newline="")
    assert read_jsonl(tmp_path / "x.jsonl", {"id": int | str}) == [{"id": 1}, {"id": "é"}]


@pytest.mark.parametrize("text", ['"\\ud83d"', '["\\udc00\\ud83d"]', '{"\\ud83d": 1}'])
def test_half_a_surrogate_pair_is_no_text(tmp_path, text):
    (tmp_path / "x.jsonl").write_text(f'{{"id": "a"}}\n{{"id": "b", "question": {text}}}\n')
    with pytest.raises(
        InputError, match=r"line 2 holds \\ud[8c]\w\w alone, half of a surrogate pair"
    ):
        read_jsonl(tmp_path / "x.jsonl")


def test_a_whole_surrogate_pair_is_a_character(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"id": "\\ud83d\\ude00"}\n')
    assert read_jsonl(tmp_path / "x.jsonl") == [{"id": "\N{GRINNING FACE}"}]


def test_the_name_of_a_file_that_is_no_text_can_be_written(tmp_path):
    name = os.fsdecode(b"caf\xe9.jsonl")
    write_json(tmp_path / "x.json", {"path": name})
    write_jsonl(tmp_path / "x.jsonl", [{"path": name}])
    for path in tmp_path.iterdir():
        assert json.loads(path.read_text()) == {"path": name}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "line 1 has no 'id'"),
        ({"id": "a", "n": "5"}, "line 1: 'n' is '5', but must be a number or null"),
        ({"id": ["a"], "n": 5}, r"line 1: 'id' is \['a'\], but must be a text"),
    ],
)
def test_a_field_that_is_missing_or_of_another_type_is_named(tmp_path, row, message):
    write_jsonl(tmp_path / "x.jsonl", [row])
    with pytest.raises(InputError, match=message):
        read_jsonl(tmp_path / "x.jsonl", {"id": str, "n": int | None})


def test_a_doubled_id_is_named():
    with pytest.raises(InputError, match="'a' occurs twice"):
        by_id([{"id": "a"}, {"id": "a"}], "x.jsonl")


def test_a_row_without_id_is_named():
    with pytest.raises(InputError, match="row 2 has no 'id'"):
        by_id([{"id": "a"}, {}], "x.jsonl")


def test_rows_join_by_id_whatever_their_order():
    left, right = [{"id": "a"}, {"id": "b"}], [{"id": "b", "x": 2}, {"id": "a", "x": 1}]
    assert [r["x"] for _, r in join_by_id(left, right, "left", "right")] == [1, 2]


@pytest.mark.parametrize(
    ("left", "right", "named"), [("ab", "a", "right lacks 1"), ("a", "ab", "left lacks 1")]
)
def test_an_id_missing_on_either_side_is_named(left, right, named):
    with pytest.raises(InputError, match=f"{named}.*'b'"):
        join_by_id([{"id": i} for i in left], [{"id": i} for i in right], "left", "right")


def test_a_page_holds_no_escape_sequences_and_a_json_file_its_values(tmp_path):
    text = "a\x1b[31mb\u202e"
    write_text(tmp_path / "page.md", text)
    assert (tmp_path / "page.md").read_text() == r"a\x1b[31mb\u202e"
    write_json(tmp_path / "value.json", text)
    assert read_json(tmp_path / "value.json") == text
