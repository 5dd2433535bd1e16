"""Extraction of the SQL statement from a completion."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sqladder.generation.extraction import extract_sql

QUERY = "SELECT name FROM singer WHERE age > 20"


@pytest.mark.parametrize(
    "text",
    [
        QUERY,
        f"  {QUERY}\n",
        f"{QUERY};",
        f"{QUERY}; SELECT 2;",
        f"```sql\n{QUERY}\n```",
        f"```\n{QUERY};\n```\nThis lists the singers.",
        f"``` sqlite\n{QUERY}",
        f"Here is the query:\n\n```sql\n{QUERY}\n```",
        f"```text\nno query\n```\n```sql\n{QUERY}\n```",
        f"<think>\n\n</think>\n\n{QUERY}",
        f"<think>SELECT 1 is too simple</think>{QUERY}",
        f"</think>\n{QUERY}",
        f"The query is: {QUERY}",
        f"To select singers, use this.\n{QUERY}",
        f"You can use {QUERY};",
        f"{QUERY}\n\nThis query lists the singers.",
        f"{QUERY}\nThis query lists the singers.",
        f"{QUERY}\n```",
        f"{QUERY}\n\nSELECTED are all singers above 20",
    ],
)
def test_the_statement_is_found_whatever_surrounds_it(text):
    assert extract_sql(text) == QUERY


@pytest.mark.parametrize(
    "query",
    [
        "select a from t where b = 'x; y'",
        "SELECT a FROM t WHERE b = 'it''s; so'",
        'SELECT "a;b" FROM t',
        "SELECT [a;b], `c;d` FROM t",
        "SELECT a -- first; then\nFROM t",
        "SELECT a /* ; */ FROM t",
        "SELECT a FROM t WHERE b = 'one\n\nTwo lines of text.'",
        "SELECT a\nFROM t\n\nWHERE b = 1\n\nUNION\nSELECT c FROM u",
        "SELECT a,\n\n(SELECT 1)\nFROM t",
        "SELECT a FROM t WHERE b = '```'",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "with recursive x(n) as (select 1) select n from x",
    ],
)
def test_a_whole_statement_stays_whole(query):
    assert extract_sql(query) == query
    assert extract_sql(f"Answer:\n{query}") == query
    assert extract_sql(f"{query};\nSELECT 2") == query


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "I cannot answer this question.",
        "Please select the singers with an age above 20",
        "With the schema above, no answer is possible.",
        "<think>SELECT 1",
        "<think>\nSELECT 1\n</think>\n\n",
        "```sql\n```",
        ";",
    ],
)
def test_sql_is_never_invented(text):
    assert extract_sql(text) == ""


@pytest.mark.parametrize("statement", ["DROP TABLE t", "delete from t", "PRAGMA user_version = 1"])
def test_a_statement_that_is_no_query_is_kept_for_the_metric_to_refuse(statement):
    assert extract_sql(f"{statement};") == statement


@given(st.text(alphabet="SELECT selectwith;'\"`[]-/*\n.<think></think>:aA1()", max_size=60))
def test_the_result_is_a_piece_of_the_text(text):
    assert extract_sql(text) in text


def test_a_long_degenerate_completion_is_cut_in_reasonable_time():
    """An attempt of 100,000 characters must not make the expressions backtrack."""
    repeated = "SELECT a FROM t WHERE " + "('a' OR \n\n" * 10_000
    assert extract_sql(repeated).startswith("SELECT a FROM t")
    assert extract_sql("select '" + "''" * 50_000 + " x").startswith("select")


@pytest.mark.parametrize(
    "piece",
    ["SELECT [", "SELECT /*", "\n \n", "SELECT '", "a''b", 'a"" "', "`", "\n```sql\n", "\n A b. "],
)
@pytest.mark.parametrize("end", ["", "\nselect 2", "\nThis is prose."])
def test_the_time_grows_with_the_length_of_the_text(piece, end):
    started = time.process_time()
    extract_sql("SELECT 1" + piece * 20_000 + end)
    # Each takes some hundredths of a second; what looked through the rest of the text from each piece took 3 to 60 s.
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("SELECT a, [b;c] FROM t; x", "SELECT a, [b;c] FROM t"),
        ("SELECT 1\n\n\n\nFROM t; x", "SELECT 1\n\n\n\nFROM t"),
        # To SQLite, a comment that nothing closes goes to the end.
        ("SELECT 1 /* one; two", "SELECT 1 /* one; two"),
    ],
)
def test_brackets_blank_lines_and_comments_stay_whole(text, sql):
    assert extract_sql(text) == sql
