"""The programs that import questions, rows and databases, as the rules call them."""

import io
import json
import sqlite3
import subprocess
import sys
import tarfile
import zipfile

import pytest

from conftest import ROOT


def run(name, *arguments):
    command = [sys.executable, ROOT / f"workflow/scripts/{name}.py", *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE item (name TEXT)")
    return path


FILES = {
    "spider/database/a/a.sqlite": b"1",
    "spider/database/a/a_v1.sqlite": b"2",
    "spider/database/a/database_description/t.csv": b"3",
    "spider/database/a/schema.sql": b"4",
    "spider/database/b/b.sqlite": b"5",
}
LAID_OUT = {"a/a.sqlite", "a/a_v1.sqlite", "a/database_description/t.csv", "b/b.sqlite"}


def as_folder(folder):
    for name, content in FILES.items():
        (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "in" / name).write_bytes(content)
    return folder / "in"


def as_zip(folder):
    with zipfile.ZipFile(folder / "in.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return folder / "in.zip"


def as_tar(folder):
    with tarfile.open(folder / "in.tar.xz", "w:xz") as archive:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return folder / "in.tar.xz"


@pytest.mark.parametrize("source", [as_folder, as_zip, as_tar])
def test_databases_are_laid_out_with_suites_and_descriptions(tmp_path, source):
    done = run("import_databases", "--source", source(tmp_path), "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "2 databases with 3 files" in done.stderr
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert found == LAID_OUT


def test_a_single_database_gets_the_name_of_its_file(tmp_path, database):
    done = run("import_databases", "--source", database, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/shop/shop.sqlite").read_bytes() == database.read_bytes()


def test_a_single_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x.sqlite").write_text("name,price\n")
    done = run("import_databases", "--source", tmp_path / "x.sqlite", "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "neither a SQLite nor a DuckDB database" in done.stderr


def import_questions(tmp_path, text, *arguments):
    (tmp_path / "q").write_text(text)
    for name in ("a", "b"):
        (tmp_path / "databases" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "databases" / name / f"{name}.sqlite").touch()
    return run(
        "import_questions",
        *("--questions", tmp_path / "q", "--databases", tmp_path / "databases"),
        *("--all", tmp_path / "all.jsonl", "--output", tmp_path / "kept.jsonl"),
        *("--left-out", tmp_path / "left_out.jsonl", *arguments),
    )


BIRD = [
    {"question_id": n, "db_id": db_id, "question": f"Q{n}?", "SQL": "SELECT 1", "evidence": "hint"}
    for n, db_id in enumerate("abc")
]


def test_bird_questions_are_paired_and_their_evidence_goes_with_them(tmp_path):
    done = import_questions(
        tmp_path, json.dumps(BIRD), "--format", "bird", "--allow-missing-databases"
    )
    assert done.returncode == 0, done.stderr
    assert "3 questions, 2 kept over 2 databases, 1 left out (c)" in done.stderr
    assert {row["evidence"] for row in rows(tmp_path / "kept.jsonl")} == {"hint"}
    assert [row["id"] for row in rows(tmp_path / "left_out.jsonl")] == ["2"]
    assert len(rows(tmp_path / "all.jsonl")) == 3


def test_a_question_that_names_no_database_is_refused_where_there_are_two(tmp_path):
    done = import_questions(tmp_path, '{"question": "Q", "sql": "SELECT 1"}')
    assert done.returncode == 1
    assert "names no database, and the data set has more than one" in done.stderr


def test_a_doubled_id_is_refused(tmp_path):
    line = '{"id": "x", "db_id": "a", "question": "Q", "sql": "SELECT 1"}\n'
    done = import_questions(tmp_path, line * 2)
    assert "id 'x' occurs twice" in done.stderr


def test_incomplete_rows_are_counted_when_they_may_be_dropped(tmp_path):
    text = '{"db_id": "a", "question": "Q", "sql": "SELECT 1"}\n{"db_id": "a", "question": "Q"}\n'
    assert import_questions(tmp_path, text).returncode == 1
    done = import_questions(tmp_path, text, "--incomplete-rows=drop")
    assert done.returncode == 0, done.stderr
    assert "1 rows left out, first row 2: 'sql' is None" in done.stderr


def import_rows(tmp_path, text):
    (tmp_path / "rows.jsonl").write_text(text)
    columns = ["--columns-question=prompt", "--columns-schema=context", "--columns-sql=answer"]
    return run(
        "import_rows",
        *("--rows", tmp_path / "rows.jsonl", *columns),
        *("--output", tmp_path / "out.jsonl"),
    )


def test_rows_bring_their_schemas(tmp_path):
    line = {"prompt": "Q?", "context": "CREATE TABLE t (a)", "answer": "SELECT a FROM t"}
    done = import_rows(tmp_path, json.dumps(line))
    assert done.returncode == 0, done.stderr
    (row,) = rows(tmp_path / "out.jsonl")
    assert row["schema"] == "CREATE TABLE t (a)"
    assert row["db_id"].startswith("schema_")


def test_a_row_without_schema_is_refused_and_nothing_is_written(tmp_path):
    line = {"prompt": "Q?", "context": " ", "answer": "SELECT 1", "db_id": "x"}
    done = import_rows(tmp_path, json.dumps(line))
    assert done.returncode == 1
    assert not (tmp_path / "out.jsonl").exists()
