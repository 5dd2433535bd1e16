"""`sqladder score`: score prediction files from the command line."""

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqladder.metric.gold_results import default_folder
from sqladder.metric.input_error import InputError
from sqladder.metric.limit_flags import (
    add_gold_results_flag,
    add_limit_flags,
    add_quirks_flag,
    limits_from_flags,
)
from sqladder.metric.normalise import QUIRKS, REPAIRS
from sqladder.metric.scoring import Scored, Scores, Task, score_files
from sqladder.metric.showing import brief, showable, shown
from sqladder.metric.suite import CORRECT, GOLD_ERROR, Judgement, Options
from sqladder.metric.summary import (
    BIRD,
    by_bird_level,
    by_level,
    by_part,
    by_turn,
    by_verdict,
    forgiving_of,
    on_original,
    value_read_as_1,
)
from sqladder.metric.table import bird_table, execution_right, facts_table, official_table

HELP = "execution accuracy on test suites, and exact set match"
GOLD_FAILED = 3
# The last is the others in words.
REASON_FIELDS = ("file", "reason", "expected", "found", "detail")
EPILOG = f"""exit status: 0 scored; 1 an input is missing or malformed; 2 wrong usage;
{GOLD_FAILED} scored, but some gold query failed (its question counts as not right)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options; names with underscores are those of the official script."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--gold", required=True, type=Path, help="query, tab, database; or JSON, JSON Lines, CSV"
    )
    parser.add_argument(
        "--pred",
        required=True,
        action="append",
        metavar="[NAME=]FILE",
        help="predicted queries; several files share the work on gold",
    )
    parser.add_argument(
        "--db",
        required=True,
        type=Path,
        help="folder of <db_id>/<db_id>.sqlite and suites, or of <db_id>.sqlite",
    )
    parser.add_argument("--etype", choices=("exec", "match", "all", "bird"), default="exec")
    parser.add_argument("--table", type=Path, help="Spider's tables.json, for match and all")
    parser.add_argument(
        "--plug_value", action="store_true", help="let gold's values replace the prediction's"
    )
    parser.add_argument("--keep_distinct", action="store_true", help="do not delete DISTINCT")
    add_quirks_flag(parser)
    parser.add_argument(
        "--repair",
        action="append",
        default=[],
        choices=(*REPAIRS, "all"),
        help="mend one quirk of the official evaluator, or all",
    )
    parser.add_argument("--verdicts", type=Path, help="write a JSON line for every pair")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    add_gold_results_flag(parser, default_folder())
    add_limit_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Score, print, and give the exit status.

    Raises:
        InputError: an input is missing or malformed.
    """
    arms = _arms(args.pred)
    task = _task(args)
    if args.verdicts:
        _check_writable(args.verdicts)
    with _progress() as progress:
        scores = score_files(args.gold, arms, task, progress)
    if args.verdicts:
        _write_verdicts(args.verdicts, scores, args.plug_value)
    if args.json:
        print(json.dumps({name: _summary(found, task) for name, found in scores.items()}, indent=2))
    else:
        for name, found in scores.items():
            if len(scores) > 1:
                print(showable(f"{name}:"))
            if args.etype == "bird":
                print(bird_table(found), end="")
            else:
                print(official_table(found, args.etype, args.plug_value), end="")
            print(showable(facts_table(found, task)), end="")
    return _report_gold_errors(scores)


def _arms(given: list[str]) -> dict[str, Path]:
    arms = {}
    for text in given:
        name, equals, path = text.partition("=")
        # The name of a file or folder may hold the sign too: lr=1e-4/predicted.sql.
        if not equals or "/" in name or Path(text).is_file():
            name, path = Path(text).name, text
        if name in arms:
            raise InputError(f"two prediction files are called {name!r}; write NAME={path}")
        arms[name] = Path(path)
    return arms


def _task(args: argparse.Namespace) -> Task:
    # BIRD compares texts as they stand.
    is_bird = args.etype == "bird"
    whole = is_bird or "all" in args.repair
    repairs = QUIRKS["repaired"] if whole else frozenset(args.repair) | QUIRKS[args.quirks]
    options = Options(args.plug_value, args.keep_distinct or is_bird, repairs, is_bird)
    limits = limits_from_flags(args)
    etype, kept = args.etype, args.gold_results
    return Task(args.db, options, limits, args.jobs, etype, args.table, gold_results=kept)


@contextmanager
def _progress() -> Iterator[Any]:
    """A progress bar on standard error if that is a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda judged, total: None
        return
    # Only here: most calls have no terminal, and the import takes longer than the start.
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), auto_refresh=False, transient=True) as bar:
        bar_task = bar.add_task("queries")

        def advance(judged: int, total: int) -> None:
            bar.update(bar_task, completed=judged, total=total, refresh=True)

        yield advance


def _check_writable(path: Path) -> None:
    # Before anything is scored, whose verdicts would be lost.
    existed = path.exists()
    try:
        path.open("a").close()
    except OSError as error:
        raise InputError(
            f"--verdicts {path} cannot be written: {error.strerror}; nothing was scored"
        ) from error
    if not existed:
        path.unlink()


def _write_verdicts(path: Path, scores: dict[str, Scores], plug_value: bool) -> None:
    lines = []
    for name, found in scores.items():
        arm = {"arm": name} if len(scores) > 1 else {}
        lines += [
            json.dumps({**arm, "index": index, **_row(row, plug_value)}, ensure_ascii=False)
            for index, row in enumerate(found.rows)
        ]
    # Half a surrogate pair, which JSON can hold and UTF-8 cannot, may stand in a detail.
    path.write_text("".join(line + "\n" for line in lines), "utf-8", errors="backslashreplace")


def _row(row: Scored, plug_value: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": row.item.id,
        "db_id": row.item.db_id,
        "hardness": row.hardness,
    }
    if row.judgement:
        right = plug_value and row.plugged
        judgement = Judgement(CORRECT) if right else row.judgement
        found["verdict"] = judgement.verdict
        found |= {key: getattr(judgement, key) for key in REASON_FIELDS}
        found |= row.executed.forgiven
        found |= row.judgement.bird._asdict() if row.judgement.bird else {}
    if row.match:
        found["exact"] = row.match.exact
        found["differs"] = [name for name, part in row.match.parts.items() if not part.whole]
    return found


def _summary(scores: Scores, task: Task) -> dict[str, Any]:
    options = asdict(task.options) | {"repairs": sorted(task.options.repairs)}
    # The etype says so.
    del options["bird"]
    found: dict[str, Any] = {
        "n": len(scores.rows),
        "database_files": scores.database_files,
        "files": scores.files,
        "options": {"etype": task.etype, **options},
        "limits": asdict(task.limits),
        "sqlite": sqlite3.sqlite_version,
    }
    if task.etype != "match":
        right = execution_right(task.options.plug_value)
        found["gold_results_known"] = scores.known_gold
        found["execution"] = by_level(scores, right)
        found["execution_by_turn"] = by_turn(scores, right)
        found["by_verdict"] = by_verdict(scores, task.options.plug_value)
        found["original_database"] = by_level(scores, on_original)
        found["forgiving"] = {
            name: by_level(scores, right) for name, right in forgiving_of(scores).items()
        }
        found["value_read_as_1"] = value_read_as_1(scores, task.options)
    if task.etype == "bird":
        found["bird"] = {name: by_bird_level(scores, right) for name, right in BIRD.items()}
    if task.etype in ("match", "all"):
        found["exact_match"] = by_level(scores, lambda row: row.matched)
        found["partial_match"] = by_part(scores)
    return found


def _report_gold_errors(scores: dict[str, Scores]) -> int:
    status = 0
    for name, found in scores.items():
        failed = [row for row in found.rows if row.judgement and row.executed.verdict == GOLD_ERROR]
        if failed:
            first = failed[0]
            told = (
                f"{name}: gold failed on {len(failed)} of {len(found.rows)} questions, first "
                f"{brief(first.item.id)} ({first.executed.detail}); they count as not right"
            )
            print(shown(told), file=sys.stderr)
            status = GOLD_FAILED
    return status
