"""Fetch one download of the config: files of the Hugging Face hub, or one over HTTP, checked and unpacked.

Example: python fetch.py --source http --url https://example.org/databases.zip --file databases.zip --sha256 SUM \
             --record config/checksums/databases.json --work-folder resources/fetching/databases \
             --output resources/downloads/databases
Example: python fetch.py --source huggingface --repository owner/name --revision main --files '*.parquet' ...
"""

import argparse
from pathlib import Path

from sqladder.downloads.download import download
from sqladder.downloads.settings import Download
from sqladder.errors import LOG, run_main
from sqladder.settings.program_flags import add_flags, from_flags


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--record", required=True, type=Path, help="checksums, read and written")
    parser.add_argument("--work-folder", required=True, type=Path, help="keeps unfinished files")
    parser.add_argument("--output", required=True, type=Path, help="folder to make")
    add_flags(parser, Download)
    return parser


def main() -> None:
    args = make_parser().parse_args()
    download(from_flags(args, Download), args.record, args.work_folder, args.output)
    paths = [path for path in args.output.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in paths)
    LOG.info("%d files, %d bytes -> %s", len(paths), size, args.output)


if __name__ == "__main__":
    run_main(main)
