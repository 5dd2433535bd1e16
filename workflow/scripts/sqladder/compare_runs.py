"""`sqladder compare`: what changed between two runs, and whether it is more than chance."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sqladder.errors import InputError
from sqladder.files import Row, by_id, read_jsonl

HELP = "which questions changed between two runs, and whether that is more than chance"
EPILOG = """A run is a folder with results/<variant>/verdicts.jsonl or <variant>/verdicts.jsonl. Variants are
paired by name, questions by id. p is McNemar's exact test, adjusted by Holm over all variants; below 0.05 the
change is more than chance. exit status: 0 compared; 1 an input is missing or malformed."""
ALPHA = 0.05


@dataclass(frozen=True)
class Change:
    """One variant's verdicts of the questions that both runs have, in the old run's order."""

    variant: str
    old: Mapping[str, Row]
    new: Mapping[str, Row]

    @cached_property
    def common(self) -> list[str]:
        """Ids of the questions that both runs scored."""
        return [key for key in self.old if key in self.new]

    @cached_property
    def fixed(self) -> list[str]:
        """Ids of the questions that only the new run has right."""
        return [key for key in self.common if _right(self.new[key]) and not _right(self.old[key])]

    @cached_property
    def broken(self) -> list[str]:
        """Ids of the questions that only the old run has right."""
        return [key for key in self.common if _right(self.old[key]) and not _right(self.new[key])]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EPILOG
    parser.add_argument("old", type=Path, help="folder of the run before")
    parser.add_argument("new", type=Path, help="folder of the run after")
    text = "changed questions to name of each variant (10)"
    parser.add_argument("--show", type=int, default=10, metavar="N", help=text)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and give the exit status.

    Raises:
        InputError: a folder has no verdicts, or the runs share no variant or no question.
    """
    old, new = read_run(args.old), read_run(args.new)
    shared = [name for name in old if name in new]
    if not shared:
        raise InputError(
            f"the runs share no variant: {args.old} has {', '.join(old)}; "
            f"{args.new} has {', '.join(new)}"
        )
    for source, own, other in ((args.old, old, new), (args.new, new, old)):
        alone = [name for name in own if name not in other]
        if alone:
            print(f"only in {source}: {', '.join(alone)}")
    changes = [Change(name, old[name], new[name]) for name in shared]
    for change, p in zip(changes, p_values(changes), strict=True):
        print("\n".join(described(change, p, args.show)))
    return 0


def read_run(folder: Path) -> dict[str, dict[str, Row]]:
    """Read a run's verdicts: variant -> id -> row, variants in order of name."""
    for base in (folder / "results", folder):
        paths = sorted(base.glob("*/verdicts.jsonl"))
        if paths:
            return {path.parent.name: by_id(read_jsonl(path), path) for path in paths}
    raise InputError(
        f"{folder} has no results/<variant>/verdicts.jsonl: name the folder of a finished run"
    )


def p_values(changes: list[Change]) -> list[float]:
    """McNemar's p of each variant's change, adjusted over all variants."""
    # Here, because the command line must start without numpy and scipy.
    try:
        from sqladder.statistics import Discordance, holm, mcnemar_p
    except ModuleNotFoundError as error:
        raise InputError(
            f"comparing needs the package {error.name}: install numpy and scipy"
        ) from error
    counts = [Discordance(len(change.fixed), len(change.broken)) for change in changes]
    return holm([mcnemar_p(count) for count in counts])


def described(change: Change, p: float, show: int) -> Iterator[str]:
    """One variant's change in lines of text.

    Raises:
        InputError: the runs share no question of this variant.
    """
    n = len(change.common)
    if not n:
        raise InputError(f"variant {change.variant!r} has no question in both runs: ids differ")
    before, after = (
        sum(_right(rows[key]) for key in change.common) for rows in (change.old, change.new)
    )
    found = "more than chance" if p < ALPHA else "no more than chance would do"
    yield (
        f"{change.variant}: {before / n:.3f} -> {after / n:.3f} of {n:,} questions, "
        f"{len(change.fixed)} fixed, {len(change.broken)} broken, p = {p:.2g}: {found}"
    )
    alone = len(change.old) + len(change.new) - 2 * n
    if alone:
        yield f"  {alone:,} questions are in one of the runs only and are left out"
    for name, keys in (("fixed", change.fixed), ("broken", change.broken)):
        for key in keys[:show]:
            before, after = change.old[key], change.new[key]
            verdicts = f"{before['verdict']} -> {after['verdict']}"
            yield f"  {name}  {key}  {before['db_id']}, {before['hardness']}: {verdicts}"
        if len(keys) > show:
            yield f"  {name}  and {len(keys) - show:,} more; --show {len(keys)} names them all"


def _right(row: Row) -> bool:
    return row["verdict"] == "correct"
