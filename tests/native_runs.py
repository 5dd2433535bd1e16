"""A ranking of predictions made elsewhere, judged in the engine where the data live, with hostile ones among them."""

import json

import yaml

from conftest import ROOT, run_snakemake

DDL = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL, city VARCHAR(40));
CREATE TABLE purchase (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id),
  item VARCHAR(40), price DECIMAL(8, 2), bought DATE);
INSERT INTO customer VALUES (1, 'Ann', 'Oslo'), (2, 'Bo', 'Rome'), (3, 'Cy', 'Oslo'), (4, 'Di', NULL);
INSERT INTO purchase VALUES (1, 1, 'lamp', 30.00, '2024-01-05'), (2, 1, 'desk', 120.50, '2024-02-01'),
  (3, 2, 'lamp', 28.00, '2024-02-14'), (4, 3, 'chair', 55.00, '2024-03-03'), (5, 3, 'desk', 99.90, '2024-03-09');
"""

# Gold, and other ways to the same, in what all of these engines but SQLite understand.
PAIRS = [
    ("SELECT name FROM customer WHERE city = 'Oslo'", "SELECT name FROM customer WHERE id IN (3, 1)"),
    (
        "SELECT EXTRACT(MONTH FROM bought), count(*) FROM purchase GROUP BY EXTRACT(MONTH FROM bought)",
        "SELECT count(*), EXTRACT(MONTH FROM bought) FROM purchase GROUP BY EXTRACT(MONTH FROM bought)",
    ),
    ("SELECT concat(name, ' of ', city) FROM customer WHERE id = 1", "SELECT 'Ann of Oslo'"),
    ("SELECT avg(price) FROM purchase WHERE item = 'lamp'", "SELECT 29.0"),
    (
        "SELECT item FROM purchase ORDER BY price DESC LIMIT 2",
        "SELECT item FROM purchase WHERE price > 90 ORDER BY price DESC",
    ),
    ("SELECT max(bought) FROM purchase", "SELECT bought FROM purchase WHERE id = 5"),
]  # fmt: skip


def write_run(project, source, hostile, wrong, **changes):
    """Write questions, the predictions of two variants, and the config that ranks them.

    Args:
        project: a copy of the project.
        source: what the config names as databases.
        hostile: SQL -> the verdict that it gets.
        wrong: SQL -> the kind of failure that it is.
        changes: of the config's keys.
    """
    asked = [*PAIRS, *((PAIRS[0][0], sql) for sql in [*hostile, *wrong])]
    rows = [
        {"id": f"q{number}", "question": f"Question {number}?", "sql": gold}
        for number, (gold, _) in enumerate(asked)
    ]
    answers = {
        "gold": [{"id": row["id"], "sql": row["sql"]} for row in rows],
        "other": [{"id": f"q{number}", "sql": sql} for number, (_, sql) in enumerate(asked)],
    }
    (project / "shop.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, own in answers.items():
        (project / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in own))
    config = yaml.safe_load((ROOT / "tests/tiny/config.yaml").read_text())
    config["datasets"]["shop"] = {"source": "files", "questions": "shop.jsonl", "databases": source}
    config["test_on"] = "shop"
    config["scoring"] |= {"engine": "native", "timeout": 2}
    user = "{dialect}\n{schema}\n{question}"
    config["contexts"]["published"] |= {"system": "Write {dialect}.", "user": user}
    config["variants"] = {
        name: {"method": "imported", "predictions": f"{name}.jsonl"} for name in answers
    }
    config |= changes
    (project / "config/native.yaml").write_text(yaml.safe_dump(config, sort_keys=False))


def run(project, *targets, **environment):
    config = ["--configfile", "config/native.yaml", "--replace-workflow-config"]
    arguments = ["--cores", "2", "--show-failed-logs", *config, *targets]
    return run_snakemake(project, *arguments, **environment)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def check_ranking(project, name, hostile, wrong):
    """What a run has left: verdicts, kinds of failure, metrics, prompts, and what the report says."""
    results = project / "results"
    gold, other = (lines(results / f"{own}/verdicts.jsonl") for own in ("gold", "other"))
    assert [row["verdict"] for row in gold] == ["correct"] * len(gold)
    shape = ["id", "db_id", "group", "hardness", "verdict", "file", "reason", "expected", "found"]
    assert list(other[0]) == [*shape, "plug_value", "single_database", "exact_match"]
    right = len(PAIRS)
    assert [row["verdict"] for row in other[:right]] == ["correct"] * right
    attacks = other[right : right + len(hostile)]
    # Which limit a costly one meets first depends on the machine.
    wrong_verdicts = {
        sql: row["verdict"]
        for (sql, verdicts), row in zip(hostile.items(), attacks, strict=True)
        if row["verdict"] not in verdicts.split(" or ")
    }
    assert wrong_verdicts == {}
    assert all(row["reason"] for row in attacks)
    kinds = {row["id"]: row["kind"] for row in lines(results / "failures.jsonl")}
    failed = [kinds[row["id"]] for row in other[right + len(hostile) :]]
    assert dict(zip(wrong, failed, strict=True)) == wrong
    metrics = json.loads((results / "other/metrics.json").read_text())
    assert metrics["accuracy"]["all"]["correct"] == right
    assert metrics["facts"]["settings"]["engine"] == "native"
    assert name in metrics["facts"]["versions"]
    report = (results / "report.md").read_text()
    assert f"execution accuracy in {name} itself" in report
    assert "verdicts can depend on the load of the machine" in report
    assert "every database file of the suite" not in report
    first = lines(project / "resources/prompts/published/test.jsonl")[0]["messages"]
    assert first[0]["content"] == f"Write {name}."
    return first[1]["content"]
