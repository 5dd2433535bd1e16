"""Answers beside those that a variant is scored by, judged on the same test suites."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from sqladder.files import Fields, Row, join_by_id, read_jsonl
from sqladder.metric.inputs import read_gold
from sqladder.metric.limit_flags import (
    add_gold_results_flag,
    add_limit_flags,
    add_quirks_flag,
    limits_from_flags,
)
from sqladder.metric.normalise import QUIRKS
from sqladder.metric.scoring import Task, score
from sqladder.metric.suite import Options
from sqladder.native.native_scoring import NativeTask, score_natively
from sqladder.native.native_suite import suite_in


class Judged(NamedTuple):
    """Which answers are right.

    Attributes:
        output: the file that says so.
        ids: of the questions, in the order of the examples.
        correct: for each question a mark of each of its answers.
    """

    output: Path
    ids: list[str | int]
    correct: list[list[bool]]


def judge_from_flags(
    description: str,
    fields: Fields,
    answers: Callable[[Sequence[Row]], Mapping[str, Sequence[str]]],
) -> Judged:
    """Judge what a program's flags name.

    Args:
        description: of the program.
        fields: what the rows of predictions have to have.
        answers: by name one answer to each question, from the rows of predictions in the order of the questions.
    """
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--examples", required=True, type=Path, help="questions with gold SQL")
    parser.add_argument("--predictions", required=True, type=Path, help=" and ".join(fields))
    parser.add_argument("--databases", required=True, type=Path, help="<db_id>/<db_id>.sqlite")
    parser.add_argument("--output", required=True, type=Path, help="JSON Lines: id, correct")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="worker processes")
    parser.add_argument("--source", help="the database of another engine, to judge there")
    add_gold_results_flag(parser, None)
    add_quirks_flag(parser)
    add_limit_flags(parser)
    args = parser.parse_args()
    gold = read_gold(args.examples)
    paired = join_by_id(
        [{"id": item.id} for item in gold.items],
        read_jsonl(args.predictions, fields),
        args.examples,
        args.predictions,
    )
    arms = {name: list(texts) for name, texts in answers([row for _, row in paired]).items()}
    limits = limits_from_flags(args)
    with tqdm(desc="score", unit="query", disable=None) as bar:
        # Equal answers are judged once, so how many there are is known in there only.
        def move(finished: int, total: int) -> None:
            bar.update(finished - bar.n)

        if args.source:
            suite = suite_in(args.databases, args.source)
            there = NativeTask(args.source, limits, args.jobs, suite=suite)
            scores = score_natively(gold, arms, there, move)
        else:
            options, kept = Options(repairs=QUIRKS[args.quirks]), args.gold_results
            task = Task(args.databases, options, limits, args.jobs, gold_results=kept)
            scores = score(gold, arms, task, move)
    marks = ([row.correct for row in found.rows] for found in scores.values())
    ids = [item.id for item in gold.items]
    return Judged(args.output, ids, [list(own) for own in zip(*marks, strict=True)])
