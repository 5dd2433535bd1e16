"""`sqladder run`: Snakemake with the workflow that comes with the package; all other words are Snakemake's own."""

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sqladder.errors import InputError
from sqladder.starting.project_files import project_folder

HELP = "run the workflow: `snakemake` with this package's rules, as in sqladder run --cores 4"
CONFIG = Path("config/config.yaml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `--help` shows; the words themselves are Snakemake's to read."""
    parser.add_argument("words", nargs="*", help="options and targets of snakemake")


def run(args: argparse.Namespace) -> int:
    """Become Snakemake.

    Raises:
        InputError: Snakemake is not installed, or there is no config or no such profile.
    """
    command, environment = snakemake_command(args.words, Path.cwd())
    sys.stdout.flush()
    os.execve(command[0], command, environment)


def snakemake_command(words: Sequence[str], folder: Path) -> tuple[list[str], dict[str, str]]:
    """The command line, and the environment in which the rules' `python` is this one.

    Args:
        words: options and targets.
        folder: where it will run.

    Raises:
        InputError: Snakemake is not installed, or there is no config or no such profile.
    """
    project = project_folder()
    if importlib.util.find_spec("snakemake") is None:
        lock = project / "requirements/workflow.lock"
        raise InputError(
            "the workflow's packages are not installed in this environment; two lines install them: "
            f"pip install --constraint {lock} torch; pip install --no-deps --requirement {lock}"
        )
    # It needs the workflow's packages.
    from sqladder.experiment.run_errors import check_profile

    check_profile(words, (folder, project))
    names_config = any(
        word.partition("=")[0] in ("--configfile", "--configfiles") for word in words
    )
    if not names_config and not (folder / CONFIG).is_file() and not _asks_only(words):
        raise InputError(
            f"there is no {CONFIG} in {folder}: sqladder init writes one, or name yours: --configfile my.yaml"
        )
    start = [sys.executable, "-m", "sqladder.starting.watched_snakemake"]
    place = ["--snakefile", str(project / "Snakefile")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return [*start, *place, *words], {**os.environ, "PATH": path}


def _asks_only(words: Sequence[str]) -> bool:
    return bool({"-h", "--help", "--version", "-v"} & set(words))
