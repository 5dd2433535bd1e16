"""Snakemake, with one last line on what ended it; the errors before it reads the workflow are among them.

Example: python -m sqladder.starting.watched_snakemake --snakefile Snakefile --cores 2
"""

import argparse
import sys
from typing import NoReturn

from sqladder.experiment.run_errors import given, meaning, watch


def _refuse(parser: argparse.ArgumentParser, message: str) -> NoReturn:
    """End with what is wrong with the command line, without the two hundred lines of its usage."""
    sys.stderr.write(f"error: {meaning(message)}; snakemake --help lists the options\n")
    sys.exit(2)


def main() -> None:
    """Run Snakemake on this process's arguments."""
    import snakemake.cli
    from snakemake.logging import logger

    watch(logger)
    profile = given(sys.argv, "--profile")
    # Snakemake says where it looked, and ends without its log.
    if profile and profile != "none" and not snakemake.cli.get_profile_dir(profile):
        raise SystemExit(f"error: {meaning(f'profile directory given ({profile})')}")
    # Of all parsers in this process, which are Snakemake's.
    argparse.ArgumentParser.error = _refuse  # type: ignore[method-assign, assignment]
    sys.argv[0] = "snakemake"
    snakemake.cli.main(sys.argv[1:])


if __name__ == "__main__":
    main()
