"""Load the files of one run and check that they belong together.

Everything the report shows is counted from verdicts.jsonl. metrics.json is read for what verdicts
alone do not say (whole interactions) and must agree with them otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sqladder.data.corpus import read_answers, read_examples
from sqladder.errors import InputError
from sqladder.files import Fields, Row, by_id, read_jsonl, read_object
from sqladder.metric.question_groups import question_group
from sqladder.metric.showing import brief
from sqladder.report.failure_rows import failure_rows
from sqladder.report.metrics import LEVELS
from sqladder.report.results import OneSeed, Run, Variant
from sqladder.report.sampled_answers import read_samples
from sqladder.report.taxonomy import KINDS
from sqladder.statistics.replicates import METRICS_FIELDS, Replicate, replicate_of

# Of sums of shares.
_ROUNDING = 1e-5

SCORED_FIELDS: Fields = {
    "id": str,
    "db_id": str,
    "hardness": str,
    "verdict": str,
    "file": str | None,
    "reason": str,
    "expected": int | float | None,
    "found": int | str | None,
}


Files = Mapping[Replicate, Path]


class StageFiles(NamedTuple):
    """Content of metrics.json and the other files by variant and seed; some lack the last three."""

    metrics: Mapping[Replicate, Row]
    failures: Mapping[tuple[str, str], Row]
    predictions: Mapping[Replicate, Sequence[Row]]
    training: Files
    generation: Files
    samples: Files


def load_run(
    questions: Path,
    verdicts: Sequence[Path],
    metrics: Sequence[Path],
    predictions: Sequence[Path],
    failures: Path,
    databases: Path | None = None,
    training: Sequence[Path] = (),
    generation: Sequence[Path] = (),
    samples: Sequence[Path] = (),
    baseline: str | None = None,
    dialect: str = "sqlite",
) -> Run:
    """Read a run; a file belongs to the variant, and the seed, that its folder is named after.

    Args:
        questions: JSON Lines of every question that was to be asked; those without a verdict are
            reported as left out.
        verdicts: one verdicts.jsonl a variant and seed; their order is the order of the variants.
        metrics: one metrics.json a variant and seed.
        predictions: one predictions.jsonl a variant and seed.
        failures: JSON Lines with variant (or variant/seed_<seed>), id, kind and reason of every answer
            that is not right; written where the databases are given, and else read.
        databases: folder of <db_id>/<db_id>.sqlite, by whose schemas failures are sorted.
        training: train.json of the variants that were trained here.
        generation: generation.json of the variants whose SQL was generated here.
        samples: sample_verdicts.jsonl of the variants that choose among samples.
        baseline: variant that the others are compared with, the first one if absent.
        dialect: of the engine that judged, in which failures are sorted.

    Raises:
        InputError: no variant, a file is missing for a variant, variants answered different
            questions, a failure has no kind, metrics.json contradicts the verdicts, variants were
            scored with other quirks, samples are not those that were judged, or the baseline is unknown.
    """
    sources = _by_replicate(verdicts, "verdicts.jsonl")
    if not sources:
        raise InputError("no verdicts.jsonl was given: name at least one variant's")
    names = list(dict.fromkeys(replicate.variant for replicate in sources))
    if baseline is not None and baseline not in names:
        raise InputError(f"baseline {baseline!r} is no variant of this run: {', '.join(names)}")
    asked = by_id(read_examples(questions), questions)
    verdict_rows = _aligned_verdicts(sources)
    first_source, first = next(iter(sources.values())), next(iter(verdict_rows.values()))
    scored = [_question(asked, row, first_source, questions) for row in first]
    known = {question["id"] for question in scored}
    left_out = [row for key, row in asked.items() if key not in known]
    stated = _by_replicate(metrics, "metrics.json", sources)
    answered = _by_replicate(predictions, "predictions.jsonl", sources)
    answers = {key: _Predictions(rows, answered[key]) for key, rows in verdict_rows.items()}
    files = StageFiles(
        {replicate: read_object(path, METRICS_FIELDS) for replicate, path in stated.items()},
        failure_rows(failures, databases, scored, verdict_rows, answers, dialect),
        answers,
        _by_replicate(training, "train.json"),
        _by_replicate(generation, "generation.json"),
        _by_replicate(samples, "sample_verdicts.jsonl"),
    )
    found = [_one_seed(replicate, rows, files) for replicate, rows in verdict_rows.items()]
    variants = [Variant(name, [o for o in found if o.replicate.variant == name]) for name in names]
    run = Run(variants, scored, left_out, baseline or names[0], _quirks(files.metrics, stated))
    for own in found:
        _check_metrics(run, own, files.metrics[own.replicate], stated[own.replicate])
    return run


def _by_replicate(paths: Sequence[Path], kind: str, needed: Files | None = None) -> Files:
    files: dict[Replicate, Path] = {}
    for path in paths:
        key = replicate_of(path)
        if not path.exists():
            raise InputError(f"{path} does not exist: {kind} of variant {key.name!r} was asked for")
        if key in files:
            raise InputError(f"variant {key.name!r} has two {kind}: {files[key]} and {path}")
        files[key] = path
    missing = [key.name for key in needed or () if key not in files]
    if missing:
        raise InputError(f"no {kind} was given for variant {missing[0]!r}")
    return files


def _quirks(metrics: Mapping[Replicate, Row], paths: Files) -> str | None:
    """Which quirks of the official evaluator all verdicts were given with, where the files say so."""
    found = {
        key: row.get("facts", {}).get("settings", {}).get("quirks") for key, row in metrics.items()
    }
    first = next(iter(found))
    for key, quirks in found.items():
        if quirks != found[first]:
            raise InputError(
                f"{paths[key]} was scored with quirks {quirks}, but {paths[first]} with {found[first]}: score both "
                "the same way"
            )
    return found[first]


def _question(asked: Mapping[str, Row], verdict: Row, source: Path, questions: Path) -> Row:
    if verdict["id"] not in asked:
        raise InputError(f"{source}: question {brief(verdict['id'])} is not in {questions}")
    if verdict["hardness"] not in LEVELS:
        raise InputError(
            f"{source}: question {brief(verdict['id'])} has hardness {brief(verdict['hardness'])}, "
            f"which is none of {', '.join(LEVELS)}"
        )
    question = asked[verdict["id"]]
    # Verdicts that an earlier version wrote name no group.
    group = verdict.get("group") or question_group(
        verdict["db_id"], question["sql"], question.get("group", "")
    )
    scored = {key: verdict[key] for key in ("db_id", "hardness")}
    return {**question, **scored, "group": group}


def _aligned_verdicts(sources: Files) -> dict[Replicate, list[Row]]:
    """The verdicts of each variant and seed in the question order of the first one."""
    # Variants that are right on the same question have the same line there.
    known: dict[str, Row] = {}
    rows = {
        key: by_id(read_jsonl(path, SCORED_FIELDS, known), path) for key, path in sources.items()
    }
    first = next(iter(rows))
    if not rows[first]:
        raise InputError(f"{sources[first]} is empty: no question was scored")
    for other in rows:
        for here, there in ((first, other), (other, first)):
            missing = [key for key in rows[here] if key not in rows[there]]
            if missing:
                raise InputError(
                    f"{sources[there]} lacks {len(missing)} questions that {here.name!r} has a verdict "
                    f"for, first {brief(missing[0])}: score all variants on the same questions"
                )
    return {name: [own[key] for key in rows[first]] for name, own in rows.items()}


def _one_seed(replicate: Replicate, verdicts: list[Row], files: StageFiles) -> OneSeed:
    facts = files.metrics[replicate]
    marks = {"test_suite": np.array([row["verdict"] == "correct" for row in verdicts])}
    joint = {"test_suite": facts["accuracy"]["joint_all"]}
    for metric, levels in facts["secondary"].items():
        # Shares of a right answer stay shares.
        marks[metric] = np.array([row[metric] for row in verdicts])
        joint[metric] = levels["joint_all"]
    generation = read_object(files.generation[replicate]) if replicate in files.generation else {}
    predictions = files.predictions[replicate]
    sampled = files.samples.get(replicate)
    training = _training(replicate, generation, files.training)
    return OneSeed(
        replicate=replicate,
        marks=marks,
        judged=verdicts,
        failures=[_failure(replicate.name, row, files.failures) for row in verdicts],
        predictions=predictions,
        joint_all=joint,
        training=training,
        earlier=_earlier(replicate, training, files.training),
        generation=generation,
        scoring=facts.get("facts", {}),
        samples=read_samples(sampled, predictions, generation) if sampled else None,
    )


def _training(replicate: Replicate, generation: Row, trainings: Files) -> Row:
    """How the model was trained that was asked; with `model_of` where it is another variant's."""
    if replicate in trainings:
        return read_object(trainings[replicate])
    model = generation.get("model")
    owners = [path for key, path in trainings.items() if key.name == model]
    return {**read_object(owners[0]), "model_of": model} if owners else {}


def _earlier(replicate: Replicate, training: Row, trainings: Files) -> dict[str, Row]:
    """The trainings that one started from, and those that they started from, the first one first."""
    known = {key.name: path for key, path in trainings.items()}
    found: dict[str, Row] = {}
    while start := training.get("start_from"):
        if start not in known:
            raise InputError(
                f"the training of {replicate.name!r} started from the model of {start!r}, whose train.json was not "
                "given: name it too"
            )
        training = read_object(known.pop(start))
        found = {start: training, **found}
    return found


def _failure(name: str, verdict: Row, failures: Mapping[tuple[str, str], Row]) -> Row | None:
    if verdict["verdict"] == "correct":
        return None
    row = failures.get((name, verdict["id"]))
    if row is None or row["kind"] not in KINDS:
        raise InputError(
            f"failure of variant {name!r} at question {brief(verdict['id'])} has no known kind: sort "
            "the failures of these verdicts again"
        )
    return row


class _Predictions(Sequence[Row]):
    """Each question's prediction, read when one is looked at: of many variants only the answers of a few are shown."""

    def __init__(self, verdicts: Sequence[Row], path: Path) -> None:
        self._verdicts, self._path = verdicts, path

    @cached_property
    def _answers(self) -> list[Row]:
        keys = [row["id"] for row in self._verdicts]
        answers = read_answers(self._path, keys)
        return [answers[key] for key in keys]

    def __len__(self) -> int:
        return len(self._verdicts)

    def __getitem__(self, place: Any) -> Any:
        return self._answers[place]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._answers)


def _check_metrics(run: Run, own: OneSeed, facts: Row, path: Path) -> None:
    stated = {"test_suite": facts["accuracy"], **facts["secondary"]}
    for metric, levels in stated.items():
        for level in (*LEVELS, "all"):
            there, chosen = levels[level], run.select(level)
            n, correct = int(chosen.sum()), round(float(own.marks[metric][chosen].sum()), 6)
            if n != there["n"] or abs(correct - there["correct"]) > _ROUNDING:
                raise InputError(
                    f"{path}: {metric} of level {level} counts {there['correct']} of {there['n']}, "
                    f"but verdicts.jsonl {correct:g} of {n}: score the variant again"
                )
