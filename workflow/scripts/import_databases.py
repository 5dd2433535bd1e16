"""Lay out databases as <output>/<db_id>/*.sqlite: a folder or archive of them, or a single one.

A single database is a SQLite file, a DuckDB file or the URL of a database of a PostgreSQL, MySQL or MariaDB server;
all but the first are copied into SQLite. With --native, where answers are executed in that engine, its schema is kept
beside the copy.

Example: python import_databases.py --source databases.tar.xz --output resources/datasets/spider/databases
"""

import argparse
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

from sqladder.data.database_folders import find_databases
from sqladder.databases.engine import SQLITE, kind_of, name_of, open_engine
from sqladder.databases.export import export_to_sqlite
from sqladder.databases.shown import shown_path, write_shown
from sqladder.databases.snapshot import copy_sqlite
from sqladder.databases.urls import is_url
from sqladder.downloads.archives import is_archive, unpack
from sqladder.errors import LOG, InputError, run_main
from sqladder.metric.limits import Limits
from sqladder.prompts.descriptions import BIRD_FOLDER


def lay_out(source: Path, output: Path) -> int:
    """Copy every database of a folder with its suite and descriptions; returns how many database files that are."""
    databases = find_databases(source)
    for db_id, suite in databases.items():
        (output / db_id).mkdir(parents=True)
        for path in suite:
            copy_sqlite(path, output / db_id / f"{path.stem}.sqlite")
        described = suite[0].parent / BIRD_FOLDER
        # In a flat folder it would be of all databases.
        if suite[0].parent.name == db_id and described.is_dir():
            copy_descriptions(described, source, output / db_id / BIRD_FOLDER)
    return sum(map(len, databases.values()))


def copy_descriptions(folder: Path, source: Path, target: Path) -> None:
    """Copy BIRD's descriptions of a database; they end up in prompts, so that no link may lead to another file.

    Raises:
        InputError: names what is no plain file, or leads out of the databases' folder.
    """
    target.mkdir()
    homes = [folder.parent.resolve(), source.resolve()]
    for path in sorted(folder.glob("*.csv")):
        real = path.resolve()
        if not real.is_file() or not any(real.is_relative_to(home) for home in homes):
            raise InputError(
                f"{path} leads to {real}, which is no file of {source}: put the description itself there, or remove it"
            )
        shutil.copyfile(path, target / path.name)


def import_single(source: str, output: Path, native: bool = False) -> None:
    """Copy the only database, whichever engine holds it, under the name of its file.

    Args:
        source: the database.
        output: the folder of databases.
        native: answers are going to be executed in its engine, so it may do nothing but read.
    """
    kind, name = kind_of(source), name_of(source)
    target = output / name / f"{name}.sqlite"
    target.parent.mkdir(parents=True)
    if kind == SQLITE:
        copy_sqlite(Path(source), target)
        return
    with closing(open_engine(source, Limits())) as engine:
        if native:
            engine.refuse_writers()
        counts = export_to_sqlite(engine, target)
        if native:
            write_shown(shown_path(target.parent), engine.shown())
    LOG.info("%d tables with %d rows copied into SQLite", len(counts), sum(counts.values()))


def import_many(source: Path, output: Path) -> int:
    """Copy the databases of a folder or an archive; returns how many files that are."""
    if source.is_dir():
        return lay_out(source, output)
    with tempfile.TemporaryDirectory(dir=output.parent) as temporary:
        folder = Path(temporary) / "unpacked"
        unpack(source, folder)
        return lay_out(folder, output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source", required=True, help="folder, zip or tar archive, database file, server's URL"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder to make")
    parser.add_argument(
        "--native", action="store_true", help="answers are executed in the engine of the database"
    )
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    path = Path(args.source)
    if not is_url(args.source) and (path.is_dir() or is_archive(path)):
        files = import_many(path, args.output)
    else:
        import_single(args.source, args.output, args.native)
        files = 1
    databases = sum(folder.is_dir() for folder in args.output.iterdir())
    LOG.info("%d databases with %d files", databases, files)


if __name__ == "__main__":
    run_main(main)
