"""Verdicts and levels equal to the official evaluator's, on real predictions; skips without them."""

import json
from pathlib import Path

import pytest

from sqladder.metric.difficulty import hardness
from sqladder.metric.inputs import Gold, Item
from sqladder.metric.scoring import Task, score
from sqladder.metric.suite import Options

GOLD_OF = {"lora_32r": "lora_32r", "tse_1": "tse", "tse_3": "tse"}


def lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text().splitlines() if line.strip()]


def official(folder: Path, arm: str) -> dict[int, dict]:
    rows = map(json.loads, (folder / f"{arm}.verdicts.jsonl").read_text().splitlines())
    return {row["idx"]: row for row in rows}


def gold_and_predictions(spider: Path, arm: str) -> tuple[Gold, list[str], dict[int, dict]]:
    """This arm's questions whose database is there, and the official verdicts by question."""
    folder = spider / "parity"
    verdicts = official(folder, arm)
    gold = lines(folder / f"{GOLD_OF[arm]}.gold.sql")
    predictions = lines(folder / f"{arm}.pred.sql")
    items = [
        Item(i, *reversed(gold[i].split("\t")), session=n, turn=0) for n, i in enumerate(verdicts)
    ]
    answers = [predictions[item.id].split("\t")[0] for item in items]
    return Gold(items, len(items)), answers, verdicts


def scored(spider: Path, databases: Path, arm: str, kept: Path):
    """Rows with the official verdicts; with gold results of an earlier run they are the same."""
    gold, answers, verdicts = gold_and_predictions(spider, arm)
    options = Options(plug_value="exec_plug" in verdicts[0])
    task = Task(databases, options, jobs=2, gold_results=kept)
    first, again = (score(gold, {arm: answers}, task)[arm] for _ in range(2))
    assert again.known_gold > 5_000 > first.known_gold == 0
    assert first.rows == again.rows
    return [(row, verdicts[row.item.id]) for row in again.rows]


@pytest.mark.parametrize(("arm", "right"), [("lora_32r", 468), ("tse_1", 323), ("tse_3", 276)])
def test_verdicts_are_the_official_ones(spider, spider_databases, tmp_path, arm, right):
    rows = scored(spider, spider_databases, arm, tmp_path)
    fair = [(row, verdict) for row, verdict in rows if not verdict["timeout"]]
    assert [row.item.id for row, verdict in fair if row.correct != verdict["exec_noplug"]] == []
    assert sum(row.correct for row, _ in rows) == right
    assert [row.item.id for row, verdict in rows if row.hardness != verdict["hardness"]] == []
    plugged = [(row, verdict) for row, verdict in fair if "exec_plug" in verdict]
    assert [r.item.id for r, v in plugged if r.judgement.plug_value != v["exec_plug"]] == []
    assert sum(row.judgement.plug_value for row, _ in plugged) == (487 if arm == "lora_32r" else 0)


def test_hardness_of_all_dev_questions_is_spiders(spider):
    rows = [json.loads(line) for line in (spider / "dev.jsonl").read_text().splitlines()]
    assert len(rows) == 1034
    assert [row["id"] for row in rows if hardness(row["sql"]) != row["hardness"]] == []
