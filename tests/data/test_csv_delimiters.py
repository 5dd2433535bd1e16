"""What parts the columns of a CSV file is told by its header, and said once."""

import pytest

from sqladder.data.csv_files import csv_rows


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs"), (",", None)])
def test_the_mark_is_found_and_one_that_is_no_comma_is_said_once(tmp_path, caplog, mark, name):
    caplog.set_level("INFO")
    path = tmp_path / "pairs.csv"
    path.write_text(f"question{mark}sql\nHow many?{mark}SELECT 1\n")
    for _ in range(2):
        assert list(csv_rows(path)) == [{"question": "How many?", "sql": "SELECT 1"}]
    said = [f"{path} parts its columns by {name}"] if name else []
    assert caplog.messages == said
