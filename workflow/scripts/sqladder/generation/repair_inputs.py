"""What repairs are made with, read from the files and flags of a program."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sqladder.files import Row
from sqladder.generation.question_databases import database_names
from sqladder.generation.repair_rounds import Repairs
from sqladder.metric.limits import Limits
from sqladder.metric.scoring import suite_files
from sqladder.metric.suite import Options
from sqladder.prompts.rendering import check_repair_template


class RepairFiles(NamedTuple):
    """Where answers that fail come from.

    Attributes:
        prompts: the prompts, named in messages.
        examples: the questions with the names of their databases.
        databases: folder of <db_id>/<db_id>.sqlite.
    """

    prompts: Path
    examples: Path
    databases: Path


def read_repairs(
    files: RepairFiles, rows: Sequence[Row], template: str, options: Options, limits: Limits
) -> Repairs:
    """Find each question's database, the original file.

    Args:
        files: where questions and databases are.
        rows: the prompts.
        template: the turn that asks again.
        options: what the metric does to a text before it executes it.
        limits: what one execution may cost.

    Raises:
        InputError: the template is wrong, or a question or a database is missing.
    """
    names = database_names(rows, files.prompts, files.examples)
    originals = {name: suite_files(files.databases, name)[0] for name in set(names.values())}
    return Repairs(
        check_repair_template(template),
        {key: originals[name] for key, name in names.items()},
        options,
        limits,
    )
