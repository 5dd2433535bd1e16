"""Fetch one download of the config: files of the Hugging Face hub, or one over HTTP, checked and unpacked.

Example: python fetch.py --url https://example.org/databases.zip --file databases.zip --sha256 SUM \
             --record config/checksums/databases.json --work-folder resources/fetching/databases \
             --output resources/downloads/databases
Example: python fetch.py --repository owner/name --revision main --files '*.parquet' ...
"""

import argparse
import shutil
from pathlib import Path
from typing import NamedTuple

from sqladder.downloads.archives import is_archive, unpack
from sqladder.downloads.checksums import check_files, read_record, write_record
from sqladder.downloads.fetching import fetch_url
from sqladder.downloads.hub import fetch_repository, matching
from sqladder.errors import LOG, InputError, run_main


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--url", help="of a file; an archive is unpacked")
    source.add_argument("--repository", help="of the Hugging Face hub, owner/name")
    parser.add_argument("--file", help="with --url: the name that the file gets")
    parser.add_argument("--sha256", help="with --url: what the file must have")
    parser.add_argument(
        "--type", choices=("dataset", "model"), default="dataset", help="with --repository"
    )
    parser.add_argument("--revision", help="with --repository: branch, tag or commit")
    parser.add_argument("--files", nargs="+", help="with --repository: names or patterns")
    parser.add_argument("--folder", type=Path, help="take the files from here, not from the net")
    parser.add_argument("--record", required=True, type=Path, help="checksums, read and written")
    parser.add_argument("--work-folder", required=True, type=Path, help="keeps unfinished files")
    parser.add_argument("--output", required=True, type=Path, help="folder to make")
    return parser.parse_args()


class Fetched(NamedTuple):
    """Files by their names in the source, their pinned checksums, and facts of the source for the record."""

    files: dict[str, Path]
    pinned: dict[str, str]
    facts: dict[str, str]


def fetch_file(args: argparse.Namespace) -> Fetched:
    """Get the file of a URL, or the one of that name in the local folder."""
    path = (args.folder or args.work_folder) / args.file
    if args.folder is None and not path.is_file():
        fetch_url(args.url, path)
    if not path.is_file():
        raise InputError(f"the folder {args.folder} holds no {args.file}")
    return Fetched({args.file: path}, {args.file: args.sha256} if args.sha256 else {}, {})


def fetch_hub_files(args: argparse.Namespace) -> Fetched:
    """Get the files of a data set at one commit: the recorded one, once there is a record."""
    record = read_record(args.record)
    if record.get("requested", args.revision) != args.revision:
        raise InputError(
            f"{args.record} records revision {record['requested']!r}, but the config asks for {args.revision!r}; "
            "remove that file to record the new one"
        )
    revision = record.get("commit", args.revision)
    facts = {"repository": args.repository, "requested": args.revision}
    if args.folder:
        here = [str(p.relative_to(args.folder)) for p in args.folder.rglob("*") if p.is_file()]
        names = matching(here, args.files, str(args.folder))
        return Fetched({name: args.folder / name for name in names}, {}, facts)
    commit, names = fetch_repository(
        args.repository, args.type, revision, args.files, args.work_folder
    )
    files = {name: args.work_folder / name for name in names}
    return Fetched(files, {}, {**facts, "commit": commit})


def lay_out(files: dict[str, Path], args: argparse.Namespace) -> None:
    """Put the files, or what is in the archive, into the output folder, which appears when all of it is there."""
    if args.output.is_dir():
        # Snakemake makes it before the job starts.
        args.output.rmdir()
    paths = list(files.values())
    if args.url and is_archive(paths[0]):
        unpack(paths[0], args.output)
        return
    partial = args.output.with_name(f".{args.output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, path in files.items():
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, partial / name)
    partial.rename(args.output)


def main() -> None:
    args = parse_arguments()
    fetched = fetch_file(args) if args.url else fetch_hub_files(args)
    try:
        entries = check_files(fetched.files, fetched.pinned, args.record)
        lay_out(fetched.files, args)
    except InputError:
        # What is wrong would be wrong again on a rerun; a local folder is not ours to remove.
        if not args.folder:
            shutil.rmtree(args.work_folder)
        raise
    write_record(args.record, entries, fetched.facts)
    shutil.rmtree(args.work_folder, ignore_errors=True)
    paths = [path for path in args.output.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in paths)
    LOG.info("%d files, %d bytes -> %s", len(paths), size, args.output)


if __name__ == "__main__":
    run_main(main)
