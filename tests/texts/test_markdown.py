"""Text of models and databases that must not act as markup."""

import pytest

from sqladder.texts.markdown import code_block, escape, table


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("lora_32r", "lora_32r"),
        ("_a_", "\\_a\\_"),
        ("a|b", "a\\|b"),
        ("<img src=x onerror=alert(1)>", "\\<img src=x onerror=alert(1)\\>"),
        ("two\nlines", "two lines"),
        ("[x](javascript:1)", "\\[x\\](javascript:1)"),
        ("a & b", "a &amp; b"),
    ],
)
def test_foreign_text_in_tables_is_no_markup(text, escaped):
    assert escape(text) == escaped


def test_a_code_block_cannot_be_closed_by_its_text():
    hostile = "SELECT 1\n```\n<script>alert(1)</script>\n````"
    lines = code_block(hostile, "sql").splitlines()
    assert lines[0] == "`````sql"
    assert lines[-1] == "`````"
    assert lines[1:-1] == hostile.splitlines()


def test_long_text_is_cut_with_a_note():
    block = code_block("x" * 700, limit=600)
    assert "x" * 600 + "... (100 more characters)" in block


def test_a_table_has_one_rule_for_each_column():
    assert table(["a", "b", "c"], [["1", "2", "3"]], "lcr").splitlines() == [
        "| a | b | c |",
        "| --- | :-: | --: |",
        "| 1 | 2 | 3 |",
    ]
