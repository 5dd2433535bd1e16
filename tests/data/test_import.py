"""The programs that import questions, rows and databases, as the rules call them."""

import io
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from contextlib import closing

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


def content_of_a_database(number):
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE t AS SELECT {number} AS n")
        return connection.serialize()


FILES = {
    "spider/database/a/a.sqlite": content_of_a_database(1),
    "spider/database/a/a_v1.sqlite": content_of_a_database(2),
    "spider/database/a/database_description/t.csv": b"3",
    "spider/database/a/schema.sql": b"4",
    "spider/database/b/b.sqlite": content_of_a_database(5),
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


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.parametrize("source", [as_folder, as_zip, as_tar])
def test_databases_are_laid_out_with_suites_and_descriptions(tmp_path, source):
    done = run("import_databases", "--source", source(tmp_path), "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "2 databases with 3 files" in done.stderr
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert found == LAID_OUT


@pytest.mark.parametrize("linked", ["t.csv", "", "a.sqlite"])
def test_a_link_to_a_file_elsewhere_is_refused_by_name_and_not_copied(tmp_path, linked):
    folder, secret = as_folder(tmp_path), tmp_path / "etc"
    secret.mkdir()
    for name in ("t.csv", "a.sqlite"):
        (secret / name).write_text("root:x:0:0")
    database = folder / "spider/database/a"
    member = (
        database / linked
        if linked.endswith("sqlite")
        else database / "database_description" / linked
    )
    shutil.rmtree(member) if member.is_dir() else member.unlink()
    member.symlink_to(secret / linked)
    done = import_from(folder, tmp_path)
    assert done.returncode == 1
    assert str(member) in done.stderr
    assert "Traceback" not in done.stderr
    copied = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert [path for path in copied if b"root:x" in path.read_bytes()] == []


def test_descriptions_of_a_linked_database_go_with_it(tmp_path):
    folder = as_folder(tmp_path)
    (folder / "spider/database/a").rename(tmp_path / "store")
    (folder / "spider/database/a").symlink_to(tmp_path / "store")
    assert import_from(folder, tmp_path).returncode == 0
    assert (tmp_path / "out/a/database_description/t.csv").read_bytes() == b"3"


def test_a_single_database_gets_the_name_of_its_file(tmp_path, database):
    done = run("import_databases", "--source", database, "--output", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert dump(tmp_path / "out/shop/shop.sqlite") == dump(database)


def test_a_single_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "x.sqlite").write_text("name,price\n")
    done = run("import_databases", "--source", tmp_path / "x.sqlite", "--output", tmp_path / "out")
    assert done.returncode == 1
    assert "neither a SQLite nor a DuckDB database" in done.stderr


def import_from(source, tmp_path):
    return run("import_databases", "--source", source, "--output", tmp_path / "out")


@pytest.mark.parametrize("single", [True, False])
def test_a_database_that_a_program_writes_is_taken_with_its_latest_rows(tmp_path, single):
    path = tmp_path / "in/shop/shop.sqlite"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE item AS SELECT 'lamp' AS name")
        writer.commit()
        done = import_from(path if single else tmp_path / "in", tmp_path)
        assert done.returncode == 0, done.stderr
        # The copy holds all by itself, and nobody has to close the original.
        copied = tmp_path / "out/shop"
        assert [file.name for file in copied.iterdir()] == ["shop.sqlite"]
        assert any("'lamp'" in line for line in dump(copied / "shop.sqlite"))
    assert [file.name for file in path.parent.iterdir()] == ["shop.sqlite"]


def test_a_database_at_rest_gets_no_files_beside_it(tmp_path, database):
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = sorted(tmp_path.iterdir())
    done = import_from(database, tmp_path)
    assert done.returncode == 0, done.stderr
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "out"])


def test_half_a_transaction_that_a_writer_left_is_no_database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "live.sqlite")) as writer:
        writer.execute("CREATE TABLE item (name)")
        writer.execute("PRAGMA cache_size=1")
        rows = [("x" * 1000,) for _ in range(1000)]
        writer.executemany("INSERT INTO item VALUES (?)", rows)
        writer.commit()
        writer.execute("UPDATE item SET name = name || 'y'")
        for end in ("", "-journal"):
            shutil.copyfile(tmp_path / f"live.sqlite{end}", tmp_path / f"left.sqlite{end}")
    done = import_from(tmp_path / "left.sqlite", tmp_path)
    assert done.returncode == 1
    assert "left.sqlite cannot be copied as a SQLite database" in done.stderr
    assert "open it once with sqlite3" in done.stderr
    assert not list((tmp_path / "out").rglob("*.sqlite"))


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


def test_what_a_data_set_forgives_is_each_questions_that_says_nothing_of_it(tmp_path):
    lines = [{"db_id": "a", "question": "?", "sql": ["select 1", "select 2"]}]
    lines += [{**lines[0], "sql": "select 3", "tolerance": 0.5, "optional": ["n"]}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    flags = ["--forgiven-tolerance=0.01", "--forgiven-any-order", "--forgiven-optional=2"]
    done = import_questions(tmp_path, text, *flags)
    assert done.returncode == 0, done.stderr
    first, second = rows(tmp_path / "kept.jsonl")
    assert (first["sql"], first["alternatives"]) == ("select 1", ["select 2"])
    forgiven = ("optional", "any_order", "tolerance")
    assert [first[name] for name in forgiven] == [[2], True, 0.01]
    assert [second[name] for name in forgiven] == [["n"], True, 0.5]
    assert "alternatives" not in second


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
