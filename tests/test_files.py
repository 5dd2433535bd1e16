import pytest

from sqladder.errors import InputError
from sqladder.files import by_id, join_by_id, read_jsonl, write_jsonl, write_text


def test_rows_written_are_the_rows_read(tmp_path):
    rows = [{"id": "a", "sql": "select 'é'"}, {"id": "b", "sql": ""}]
    write_jsonl(tmp_path / "deep" / "x.jsonl", rows)
    assert read_jsonl(tmp_path / "deep" / "x.jsonl") == rows


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
