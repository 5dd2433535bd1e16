"""Make the suites of all databases that a gold file names, and write them with their report."""

import logging
import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sqladder.errors import LOG, InputError
from sqladder.files import write_json
from sqladder.metric.database_files import suite_files
from sqladder.metric.inputs import read_gold
from sqladder.suites.making import MadeSuite, make_suite
from sqladder.suites.strength import facts_of, sentence_of, suite_report


def build(databases: Path, gold: Path, output: Path, files: int, seed: int, jobs: int) -> None:
    """Write OUTPUT/<db_id>/*.sqlite, the original a copy, with suite.json and suite.md; whole or not at all.

    Args:
        databases: a database file, or a folder of some; only read.
        gold: the gold queries.
        output: a folder that does not exist.
        files: of each suite, the original among them.
        seed: another one gives other contents.
        jobs: number of processes.

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
        folder, suites = Path(name), []
        for db_id, (original, sqls) in golds.items():
            drawn = folder / "candidates"
            drawn.mkdir()
            suite = make_suite(original, sqls, files, seed, drawn, pool)
            _keep(suite, original, folder / "suites" / db_id)
            shutil.rmtree(drawn)
            suites.append(suite)
            LOG.info("%s: %s", db_id, sentence_of(facts_of(suite)))
        made = folder / "suites"
        write_json(made / "suite.json", {own.db_id: facts_of(own) for own in suites})
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


def _keep(suite: MadeSuite, original: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(original, folder / f"{suite.db_id}.sqlite")
    for number, content in enumerate(suite.files, start=1):
        content.rename(folder / f"{suite.db_id}_{number:02}.sqlite")
