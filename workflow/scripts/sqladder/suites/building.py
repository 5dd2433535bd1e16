"""Make the suites of all databases that a gold file names, and write them with their report."""

import logging
import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from sqladder.databases.engine import DIALECTS, kind_of
from sqladder.errors import LOG, InputError
from sqladder.files import write_json
from sqladder.metric.database_files import suite_files
from sqladder.metric.inputs import read_gold
from sqladder.native.native_suite import write_judged_on
from sqladder.suites.making import MadeSuite, make_suite
from sqladder.suites.native_fit import fit, in_sqlite
from sqladder.suites.strength import ALONE, facts_of, sentence_of, suite_report


def build(
    databases: Path, gold: Path, output: Path, files: int, seed: int, jobs: int, source: str = ""
) -> None:
    """Write OUTPUT/<db_id>/*.sqlite, the original a copy, with suite.json and suite.md; whole or not at all.

    Args:
        databases: a database file, or a folder of some; only read.
        gold: the gold queries.
        output: a folder that does not exist.
        files: of each suite, the original among them.
        seed: another one gives other contents.
        jobs: number of processes.
        source: the database of another engine, where answers are judged there; the one database is its copy.

    Raises:
        InputError: an input is missing or malformed.
    """
    # What sqlglot cannot read of a gold query has no neighbours, and the report says so.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
    golds = _golds_by_database(gold, databases)
    output.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as name,
        ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool,
    ):
        folder, suites, told = Path(name), list[MadeSuite](), dict[str, dict[str, Any]]()
        for db_id, (original, sqls) in golds.items():
            drawn = folder / "candidates"
            drawn.mkdir()
            written = _in_sqlite(sqls, source)
            suite = make_suite(original, list(written.values()), files, seed, drawn, pool)
            kept, facts = folder / "suites" / db_id, {}
            if source:
                suite, judged_on = fit(suite, original, written, source, pool)
                facts = {ALONE: len({*sqls} - {*judged_on})}
            _keep(suite, original, kept)
            if source:
                names = [_name(db_id, number) for number in range(len(suite.files))]
                write_judged_on(
                    kept, {sql: [names[at] for at in judged_on[sql]] for sql in judged_on}
                )
            shutil.rmtree(drawn)
            suites.append(suite)
            told[db_id] = {**facts_of(suite), **facts}
            LOG.info("%s: %s", db_id, sentence_of(told[db_id]))
        made = folder / "suites"
        write_json(made / "suite.json", told)
        (made / "suite.md").write_text(suite_report(suites), encoding="utf-8")
        made.rename(output)


def _golds_by_database(gold: Path, databases: Path) -> dict[str, tuple[Path, list[str]]]:
    """Original file and gold queries of each database that gold names."""
    found: dict[str, tuple[Path, list[str]]] = {}
    for item in read_gold(gold).items:
        if item.db_id not in found:
            found[item.db_id] = (_original(databases, item.db_id), [])
        found[item.db_id][1].extend(item.golds)
    return found


def _original(databases: Path, db_id: str) -> Path:
    if not databases.is_file():
        return Path(suite_files(databases, db_id)[0])
    if databases.stem != db_id:
        raise InputError(
            f"gold names the database {db_id!r}, and --db is the file {databases.name}; give the folder that holds both"
        )
    return databases


def _in_sqlite(sqls: list[str], source: str) -> dict[str, str]:
    """Gold queries as they are written -> in SQLite's dialect; those that cannot be written in it are left out."""
    if not source:
        return {sql: sql for sql in sqls}
    dialect = DIALECTS[kind_of(source)]
    return {sql: text for sql in sqls if (text := in_sqlite(sql, dialect))}


def _keep(suite: MadeSuite, original: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(original, folder / f"{suite.db_id}.sqlite")
    for number, content in enumerate(suite.files):
        content.rename(folder / f"{_name(suite.db_id, number)}.sqlite")


def _name(db_id: str, number: int) -> str:
    """The name of a content beside the original, by its position."""
    return f"{db_id}_{number + 1:02}"
