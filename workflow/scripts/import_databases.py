"""Lay out a folder or a tar archive of databases as <output>/<db_id>/*.sqlite.

Example: python import_databases.py --source databases.tar.xz --output resources/datasets/spider/databases
"""

import argparse
import logging
import shutil
import tarfile
import tempfile
from pathlib import Path

from sqladder.corpus import find_databases
from sqladder.errors import InputError, run_main


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a tar archive; a member that would leave the folder, or be no plain file, is an error."""
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise InputError(f"{archive} cannot be unpacked: {error}") from error


def lay_out(databases: dict[str, Path], output: Path) -> int:
    """Copy every database with its suite; returns how many files that are."""
    copied = 0
    for db_id, folder in databases.items():
        (output / db_id).mkdir(parents=True)
        for path in sorted(folder.glob("*.sqlite")):
            shutil.copyfile(path, output / db_id / path.name)
            copied += 1
    return copied


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--source", required=True, type=Path, help="folder or tar archive of databases"
    )
    parser.add_argument("--output", required=True, type=Path, help="folder to make")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.output.parent) as temporary:
        source = args.source
        if source.is_file():
            source = Path(temporary)
            unpack(args.source, source)
        databases = find_databases(source)
        files = lay_out(databases, args.output)
    logging.info("%d databases with %d files", len(databases), files)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    run_main(main)
