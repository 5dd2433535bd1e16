"""`sqladder compare`: what changed between two runs, and whether it is significant."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqladder.errors import InputError
from sqladder.files import Fields, Row, by_id, read_jsonl, read_object
from sqladder.metric.showing import VALUE, cut, showable, shown
from sqladder.statistics.replicates import replicate_of, single_seed_varies, training_behind

HELP = "which questions changed between two runs, and whether the difference is significant"
EPILOG = """A run is a folder with results/<variant>/verdicts.jsonl or <variant>/verdicts.jsonl, or with one in
seed_<seed>/ for each of several seeds. Variants are paired by name, questions by id. p is an exact
test by groups of questions (wordings of one query, a conversation), McNemar's where each question is one; with several
seeds a t-test over groups and seeds, in which a variant that one run trained once (train.json) is taken to vary as
much as the other run's seeds; how far seeds scatter is told by all variants of both runs, as in the report, where
three have several. It is adjusted by Holm over all variants and speaks of further questions on the same
databases; below 0.05 the change is significant, with one seed in both runs for the models of these runs: another seed
may turn it. exit status: 0 compared; 1 an input is missing or malformed."""
if TYPE_CHECKING:
    from sqladder.statistics.variant_marks import VariantMarks

ALPHA = 0.05

_FIELDS: Fields = {"id": str, "db_id": str, "hardness": str, "verdict": str}

Verdicts = Mapping[str, Row]
"""One seed's verdicts by question id."""


@dataclass(frozen=True)
class ScoredVariant:
    """One variant of a run.

    Attributes:
        seeds: the verdicts of each seed.
        trainings: the facts of the training behind each seed, empty where there was none.
        models: the training behind each seed; in two runs the same where one asks what the other has trained.
        quirks: whether the official evaluator's held in the scoring of each seed; "unknown" where no file says so.
    """

    seeds: Sequence[Verdicts]
    trainings: Sequence[Row]
    models: tuple[str, ...]
    quirks: Sequence[str]

    @property
    def varies(self) -> bool:
        """Whether it was trained with a single seed, where another would have given another model."""
        return single_seed_varies(self.trainings)


Runs = Mapping[str, Mapping[str, ScoredVariant]]
"""The variants of the runs "old" and "new"."""


class Tested(NamedTuple):
    """P of "nothing changed", adjusted over all variants, and what tells how far seeds scatter, "" with one seed."""

    p: float
    scatter: str


@dataclass(frozen=True)
class Change:
    """One variant's verdicts of the questions that both runs have, in the old run's order, seed by seed."""

    variant: str
    old: Sequence[Verdicts]
    new: Sequence[Verdicts]
    single_seed_varies: bool

    @property
    def of_models(self) -> bool:
        """Whether a difference is one of two models, of which another seed would have given others."""
        return self.single_seed_varies and len(self.old) == len(self.new) == 1

    @cached_property
    def common(self) -> list[str]:
        """Ids of the questions that every seed of both runs scored."""
        return [key for key in self.old[0] if all(key in own for own in (*self.old, *self.new))]

    @property
    def groups(self) -> list[str]:
        """The group of each common question; verdicts of earlier versions name none, then each is one of its own."""
        return [str(self.new[0][key].get("group", key)) for key in self.common]

    @cached_property
    def fixed(self) -> list[str]:
        """Ids of the questions that the new run has right, or right with more of its seeds."""
        return [key for key in self.common if _share(self.new, key) > _share(self.old, key)]

    @cached_property
    def broken(self) -> list[str]:
        """Ids of the questions that the old run has right, or right with more of its seeds."""
        return [key for key in self.common if _share(self.old, key) > _share(self.new, key)]


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
            print(showable(f"only in {source}: {', '.join(alone)}"))
    for name in shared:
        print("".join(_other_quirks(name, old[name], new[name])), end="")
    changes = [_change(name, old[name], new[name]) for name in shared]
    tested = tests({"old": old, "new": new}, changes)
    for change, found in zip(changes, tested, strict=True):
        print(*map(shown, described(change, found, args.show)), sep="\n")
    return 0


def _other_quirks(name: str, old: ScoredVariant, new: ScoredVariant) -> Iterator[str]:
    """Yield the line that says that the runs were scored in different ways."""
    before, after = (" and ".join(sorted(set(own.quirks))) for own in (old, new))
    if before != after:
        yield (
            f"{name}: scored with other quirks of the official evaluator, {before} -> {after}: some of what changed "
            "may be the scoring; score both runs the same way (scoring.quirks)\n"
        )


def _change(variant: str, old: ScoredVariant, new: ScoredVariant) -> Change:
    return Change(variant, old.seeds, new.seeds, old.varies or new.varies)


def read_run(folder: Path) -> dict[str, ScoredVariant]:
    """Read a run's verdicts; variants and seeds in order of name.

    Raises:
        InputError: there are none, or a variant has those of one seed beside those of several.
    """
    for base in (folder / "results", folder):
        paths = sorted([*base.glob("*/verdicts.jsonl"), *base.glob("*/seed_*/verdicts.jsonl")])
        if paths:
            return _by_variant(base, paths)
    raise InputError(
        f"{folder} has no results/<variant>/verdicts.jsonl: name the folder of a finished run"
    )


def _by_variant(base: Path, paths: Sequence[Path]) -> dict[str, ScoredVariant]:
    trainings = {replicate_of(path).name: _facts(path, "train.json") for path in paths}
    owners = {
        name: training["model_of"] for name, training in trainings.items() if "model_of" in training
    }
    found: dict[str, list[tuple[Verdicts, Row, str, str]]] = {}
    kinds: dict[str, bool] = {}
    for path in paths:
        replicate = replicate_of(path)
        variant, seed = replicate
        if kinds.setdefault(variant, seed is None) != (seed is None):
            raise InputError(
                f"variant {variant!r} has verdicts of one seed and of several, of which some are left "
                f"from another run: delete those, {path} or the ones beside it"
            )
        asked = _facts(path, "generation.json").get("model")
        model = training_behind(replicate.name, asked, owners)
        training = trainings.get(model, {})
        verdicts = by_id(read_jsonl(path, _FIELDS), path)
        found.setdefault(variant, []).append(
            (verdicts, training, _told_apart(model, training, base), _quirks(path))
        )
    return {name: ScoredVariant(*zip(*seeds, strict=True)) for name, seeds in sorted(found.items())}


def _facts(verdicts: Path, name: str) -> Row:
    """What a file beside the verdicts says, nothing where there is none."""
    path = verdicts.with_name(name)
    return read_object(path) if path.exists() else {}


def _told_apart(model: str, training: Row, base: Path) -> str:
    """A name of a training that no other has, and that a copy of its run has too: no two take as long to the digit."""
    if "seconds" in training:
        return f"{model} {json.dumps(training, sort_keys=True)}"
    return f"{model} in {base.resolve()}"


def _quirks(verdicts: Path) -> str:
    """Which quirks of the official evaluator held, by the metrics.json beside the verdicts."""
    facts = _facts(verdicts, "metrics.json").get("facts", {})
    return facts.get("settings", {}).get("quirks", "unknown")


def tests(runs: Runs, changes: Sequence[Change]) -> list[Tested]:
    """Each change's p, told by the seeds of all variants of both runs."""
    # Here, because the command line must start without numpy and scipy.
    try:
        from sqladder.statistics.groups import Groups
        from sqladder.statistics.ranks import holm
    except ModuleNotFoundError as error:
        raise InputError(
            f"comparing needs the package {error.name}: install numpy and scipy"
        ) from error
    known: dict[tuple[str, ...], VariantMarks] = {}
    alone, told = [], []
    for change in changes:
        questions = tuple(change.common)
        if questions not in known:
            known[questions] = _marks(runs, questions)
        names = _key("new", change.variant), _key("old", change.variant)
        alone.append(known[questions].difference(*names, Groups.of(change.groups)).p)
        told.append(_scatter(known[questions], *names))
    return [Tested(*found) for found in zip(holm(alone), told, strict=True)]


def _key(run: str, variant: str) -> str:
    return f"{run} {variant}"


def _marks(runs: Runs, questions: Sequence[str]) -> "VariantMarks":
    """Marks of the variants of both runs that answer all of these questions with each of their seeds."""
    import numpy as np

    from sqladder.statistics.variant_marks import VariantMarks

    scored = {
        _key(run, name): own
        for run, variants in runs.items()
        for name, own in variants.items()
        if all(key in rows for rows in own.seeds for key in questions)
    }
    return VariantMarks(
        {
            name: np.array([[is_right(rows[key]) for key in questions] for rows in own.seeds])
            for name, own in scored.items()
        },
        {name: own.models for name, own in scored.items()},
        {name for name, own in scored.items() if own.varies},
    )


def _scatter(marks: "VariantMarks", new: str, old: str) -> str:
    """What tells how far seeds scatter; "" where there is one seed in both runs."""
    if max(len(marks.answers[name]) for name in (new, old)) == 1:
        return ""
    if marks.ask_the_same(new, old):
        return "both runs asked the same trainings, which are compared seed by seed"
    if marks.scatter_of(new, old):
        alone = " and ".join(name for name in (old, new) if name in marks.standing_out)
        left = (
            f"; those of {alone} scatter more (F-test) and are left to themselves" if alone else ""
        )
        return f"how far seeds scatter is told by those of all variants of both runs{left}"
    return "how far seeds scatter is told by these seeds alone, as fewer than three trainings have several"


def described(change: Change, tested: Tested, show: int) -> Iterator[str]:
    """One variant's change in lines of text.

    Raises:
        InputError: the runs share no question of this variant.
    """
    n = len(change.common)
    if not n:
        raise InputError(f"variant {change.variant!r} has no question in both runs: ids differ")
    before, after = (
        sum(_share(rows, key) for key in change.common) for rows in (change.old, change.new)
    )
    p = tested.p
    found = "significant" if p < ALPHA else "not significant"
    if p < ALPHA and change.of_models:
        found += " for the models of these runs, trained with one seed; another seed may turn it"
    yield (
        f"{change.variant}: {before / n:.3f} -> {after / n:.3f} of {n:,} questions{_seeds(change)}, "
        f"{len(change.fixed)} fixed, {len(change.broken)} broken, p = {p:.2g} for further questions on the same "
        f"databases: {found}"
    )
    if tested.scatter:
        yield f"  {tested.scatter}"
    if any("group" not in change.new[0][key] for key in change.common):
        yield "  these verdicts name no groups of questions, so p takes each for independent: score the new run again"
    alone = len({key for own in (*change.old, *change.new) for key in own}) - n
    if alone:
        yield f"  {alone:,} questions are in one of the runs only and are left out"
    for keys, where in ((change.fixed, "old"), (change.broken, "new")):
        failing = [key for key in keys if _gold_fails(getattr(change, where), key)]
        if failing:
            yield (
                f"  {len(failing):,} of these changes are no matter of the models: gold failed on them in the {where} "
                f"run, {cut(failing[0], VALUE)} first, by which they count as not right; mend its gold or databases "
                "and score again"
            )
    for name, keys in (("fixed", change.fixed), ("broken", change.broken)):
        for key in keys[:show]:
            row = change.old[0][key]
            verdicts = f"{_told(change.old, key)} -> {_told(change.new, key)}"
            yield f"  {name}  {cut(key, VALUE)}  {row['db_id']}, {row['hardness']}: {verdicts}"
        if len(keys) > show:
            yield f"  {name}  and {len(keys) - show:,} more; --show {len(keys)} names them all"


def is_right(row: Row) -> bool:
    """Whether an answer is right, by its row of verdicts."""
    return row["verdict"] == "correct"


def _gold_fails(seeds: Sequence[Verdicts], key: str) -> bool:
    return any(own[key]["verdict"] == "gold_error" for own in seeds)


def _share(seeds: Sequence[Verdicts], key: str) -> float:
    """Share of the seeds that answer a question right."""
    return sum(is_right(own[key]) for own in seeds) / len(seeds)


def _told(seeds: Sequence[Verdicts], key: str) -> str:
    if len(seeds) == 1:
        return seeds[0][key]["verdict"]
    return f"{sum(is_right(own[key]) for own in seeds)} of {len(seeds)} seeds right"


def _seeds(change: Change) -> str:
    numbers = len(change.old), len(change.new)
    return "" if max(numbers) == 1 else f" ({numbers[0]} and {numbers[1]} seeds)"
