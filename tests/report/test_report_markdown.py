"""Every number in the report's tables, counted again here from the verdict rows."""

import csv
import dataclasses
import io
import itertools
import json
import re
from collections import Counter
from math import comb

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import report_runs as runs
from sqladder.report.comparison import compare
from sqladder.report.cost import device_seconds
from sqladder.report.csv_export import metrics_csv, pairs_csv, results_json
from sqladder.report.loading import load_run
from sqladder.report.run_record import run_record
from sqladder.report.sections.document import render
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.times import TIMES_BEGIN, TIMES_END
from sqladder.report.taxonomy import KINDS

NAMES = ("baseline", "lora_32r", "lora_128r", "full")
QUESTIONS = runs.question_rows(310, databases=5)


def make_rows():
    """Verdict rows of four variants with secondary metrics and several kinds of failure."""
    rng = np.random.default_rng(8)
    rows = {}
    for name, right in zip(NAMES, runs.random_marks(310, [0.3, 0.42, 0.45, 0.7], 4), strict=True):
        failures = rng.choice(["wrong_result", "sql_error", "no_sql"], 310, p=[0.6, 0.3, 0.1])
        kinds = [
            "correct" if mark else str(kind) for mark, kind in zip(right, failures, strict=True)
        ]
        plug = right | (rng.random(310) < 0.05)
        single = right | (rng.random(310) < 0.1)
        # Drawn last, so that what the other draws give stays as it is.
        rows[name] = kinds, plug, single
    exact = rng.random((len(rows), 310)) < 0.4
    return {
        name: runs.verdict_rows(QUESTIONS, kinds, plug=plug, single=single, exact=own)
        for own, (name, (kinds, plug, single)) in zip(exact, rows.items(), strict=True)
    }


ROWS = make_rows()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    gone = [{**QUESTIONS[0], "id": f"gone{n}", "db_id": "wta_1"} for n in range(7)]
    return runs.write_run(folder, QUESTIONS, ROWS, trained=NAMES, generated=NAMES, left_out=gone)


@pytest.fixture(scope="module")
def comparison(files):
    return compare(load_run(**files, baseline="baseline"))


@pytest.fixture(scope="module")
def report(comparison):
    return render(
        ReportInputs(comparison, runs.run_facts(), "A title", "charts", demonstration=True)
    )


def test_the_head_says_which_quirks_decided(tmp_path):
    texts = {}
    for quirks in ("official", "repaired"):
        files = runs.write_run(tmp_path / quirks, QUESTIONS, {"full": ROWS["full"]}, quirks=quirks)
        answers = files["predictions"][0]
        answers.write_text(answers.read_text().replace("'q0003'", "value"))
        inputs = ReportInputs(compare(load_run(**files)), runs.run_facts(), "A title", "charts")
        texts[quirks] = render(inputs).split("\n## ")[0]
    assert "(`scoring.quirks: repaired`)" in texts["repaired"]
    assert "(`scoring.quirks: official`)" in texts["official"]
    assert "which 1 of 310 answers have" in texts["official"]


def section(report, heading):
    """The text from a heading to the next one of any level."""
    start = report.index(f"\n{heading}\n") + len(heading) + 2
    return re.split(r"\n#+ ", report[start:])[0]


def tables(text):
    """All Markdown tables of a text, each as rows of cells without the rule line."""
    blocks = re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE)
    parsed = [
        [[cell.strip() for cell in line.strip("|").split(" | ")] for line in block.splitlines()]
        for block in blocks
    ]
    return [[row for row in table if not set("".join(row)) <= set("-: ")] for table in parsed]


def right(name, key=None, **chosen):
    """How many of a variant's chosen rows are right, and how many there are."""
    rows = [row for row in ROWS[name] if all(row[k] == v for k, v in chosen.items())]
    return sum(row[key] if key else row["verdict"] == "correct" for row in rows), len(rows)


def mcnemar(one, other):
    """The exact p, summed from binomial coefficients."""
    pairs = list(zip(ROWS[one], ROWS[other], strict=True))
    wins = sum(a["verdict"] == "correct" != b["verdict"] for a, b in pairs)
    losses = sum(b["verdict"] == "correct" != a["verdict"] for a, b in pairs)
    total = wins + losses
    tail = sum(comb(total, k) for k in range(min(wins, losses) + 1)) / 2**total
    return wins, losses, min(1.0, 2 * tail)


def holm_by_hand(values):
    """Holm's adjustment, written as its definition."""
    order = sorted(values, key=values.get)
    adjusted, largest = {}, 0.0
    for position, key in enumerate(order):
        largest = max(largest, min(1.0, values[key] * (len(values) - position)))
        adjusted[key] = largest
    return adjusted


def ranked():
    return sorted(NAMES, key=lambda name: -right(name)[0])


def pairs():
    order = ranked()
    return [(a, b) for i, a in enumerate(order) for b in order[i + 1 :]]


def shown_p(p):
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def signed(value):
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def test_the_ranking_holds_counts_intervals_gaps_and_tests(report):
    header, *rows = tables(section(report, "## Ranking"))[0]
    assert header[:6] == ["rank", "variant", "n", "correct", "accuracy", "95 % interval"]
    adjusted = holm_by_hand({pair: mcnemar(*pair)[2] for pair in pairs()})
    assert [row[1] for row in rows] == ranked()
    for row in rows:
        name = row[1]
        correct, n = right(name)
        low, high = stats.binomtest(correct, n).proportion_ci(method="wilson")
        assert row[2:6] == [
            str(n),
            str(correct),
            f"{correct / n:.3f}",
            f"{low:.3f} to {high:.3f}",
        ]
        better = sum(p < 0.05 for (_, second), p in adjusted.items() if second == name)
        worse = sum(p < 0.05 for (first, _), p in adjusted.items() if first == name)
        best, last = 1 + better, 4 - worse
        assert row[0] == (str(best) if best == last else f"{best}-{last}")
        if name == "baseline":
            assert row[6:] == ["(baseline)", "", ""]
            continue
        key = (name, "baseline") if (name, "baseline") in adjusted else ("baseline", name)
        assert row[6] == signed((correct - right("baseline")[0]) / n)
        assert row[8] == shown_p(adjusted[key])


def test_gaps_are_those_to_the_baseline_that_is_named_whichever_it_is(files):
    comparison = compare(load_run(**files, baseline=ranked()[1]))
    report = render(ReportInputs(comparison, runs.run_facts(), "T", "charts", False))
    header, *rows = tables(section(report, "## Ranking"))[0]
    assert header[6] == f"points to {ranked()[1]}"
    assert rows[1][6:] == ["(baseline)", "", ""]
    for row in rows[:1] + rows[2:]:
        assert row[6] == signed((right(row[1])[0] - right(ranked()[1])[0]) / 310)


def test_one_variant_has_a_rank_and_no_gap(tmp_path):
    files = runs.write_run(tmp_path, QUESTIONS[:40], {"full": [True] * 40})
    report = render(
        ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts", False)
    )
    assert "Best variant of each level" not in report
    ranking = section(report, "## Ranking")
    assert tables(ranking)[0][1:] == [["1", "full", "40", "40", "1.000", "0.912 to 1.000"]]
    assert "McNemar" not in ranking
    assert "Not known: no variant was trained or generated" in section(report, "## Cost")


def test_this_run_has_a_shared_rank_so_that_the_tests_see_one(report):
    ranks = [row[0] for row in tables(section(report, "## Ranking"))[0][1:]]
    assert ranks == ["1", "2-3", "2-3", "4"]


def test_gap_intervals_are_a_bootstraps_over_questions_for_all_six_pairs_together(report):
    rows = {row[1]: row for row in tables(section(report, "## Ranking"))[0][1:]}
    rng = np.random.default_rng(0)
    for name in NAMES[1:]:
        gap = [
            (a["verdict"] == "correct") - (b["verdict"] == "correct")
            for a, b in zip(ROWS[name], ROWS["baseline"], strict=True)
        ]
        draws = rng.choice(gap, size=(20_000, len(gap))).mean(axis=1)
        printed = [float(end.replace("−", "-")) / 100 for end in rows[name][7].split(" to ")]
        ends = np.percentile(draws, [2.5 / 6, 100 - 2.5 / 6])
        assert printed == pytest.approx(ends, abs=0.012)


@pytest.mark.parametrize(
    ("heading", "key"),
    [
        ("## Accuracy by level", None),
        ("### Oracle values (plug_value)", "plug_value"),
        ("### Single database", "single_database"),
        ("### Exact match", "exact_match"),
    ],
)
def test_the_published_table_of_each_metric(report, heading, key):
    header, questions, *rows = tables(section(report, heading))[0]
    # Of the secondary metrics the table above theirs has all questions.
    whole = ["All"] * (key is None)
    assert header == ["variant", "Easy", "Medium", "Hard", "Extra", *whole]
    sizes = [right("full", hardness=level)[1] for level in runs.LEVELS]
    assert questions == ["questions", *map(str, sizes), *(["310"] * len(whole))]
    assert [row[0] for row in rows] == list(NAMES)
    for name, *cells in rows:
        rates = [right(name, key, hardness=level) for level in runs.LEVELS]
        rates += [right(name, key)] * len(whole)
        assert cells == [f"{correct / n:.3f}" for correct, n in rates]


def test_conversations_have_a_column_where_they_have_several_questions(files, tmp_path):
    several = {**files, "metrics": []}
    for path in files["metrics"]:
        facts = json.loads(path.read_text())
        facts["accuracy"]["joint_all"] = {"n": 100, "correct": 25, "rate": 0.25}
        several["metrics"].append(runs.write_value(tmp_path / path.parent.name / path.name, facts))
    text = render(ReportInputs(compare(load_run(**several)), runs.run_facts(), "T", "charts"))
    header, questions, *rows = tables(section(text, "## Accuracy by level"))[0]
    assert (header[-1], questions[-1], {row[-1] for row in rows}) == ("Joint_All", "100", {"0.250"})
    explained = "Joint_All counts conversations in which every question is answered right"
    assert explained in " ".join(text.split())


def test_words_that_a_stranger_does_not_know_are_explained(report):
    text = " ".join(report.split())
    assert "Holm so that the chance of any false claim in it is at most 5 %" in text


def test_the_best_variant_of_each_level_and_who_may_be_as_good(report):
    rows = {row[0]: row for row in tables(section(report, "### Best variant of each level"))[0][1:]}
    values = {}
    for level in runs.LEVELS:
        chosen = [i for i, question in enumerate(QUESTIONS) if question["hardness"] == level]
        for one, other in pairs():
            wins = sum(_won(one, other, i) for i in chosen)
            losses = sum(_won(other, one, i) for i in chosen)
            values[level, one, other] = (
                stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
            )
    adjusted = holm_by_hand(values)
    for level in runs.LEVELS:
        counts = {name: right(name, hardness=level) for name in NAMES}
        top = max(counts, key=lambda name: counts[name][0])
        unclear = [
            name
            for name in NAMES
            if name != top and adjusted[(level, *sorted((top, name), key=ranked().index))] >= 0.05
        ]
        correct, n = counts[top]
        assert rows[level.title()][1:] == [
            str(n),
            top,
            f"{correct / n:.3f}",
            ", ".join(unclear) or "none",
        ]


def _won(one, other, position):
    return ROWS[one][position]["verdict"] == "correct" != ROWS[other][position]["verdict"]


def test_paired_differences(report):
    _, *rows = tables(section(report, "## Paired differences"))[0]
    raw = {pair: mcnemar(*pair) for pair in pairs()}
    adjusted = holm_by_hand({pair: p for pair, (_, _, p) in raw.items()})
    assert [row[0] for row in rows] == [f"{a} − {b}" for a, b in pairs()]
    for row, pair in zip(rows, pairs(), strict=True):
        wins, losses, p = raw[pair]
        assert row[1] == signed((wins - losses) / 310)
        assert row[4:7] == [f"{wins} : {losses}", shown_p(p), shown_p(adjusted[pair])]
        assert row[8] == ("yes" if adjusted[pair] < 0.05 else "no")
        detectable = float(row[7]) / 100
        share = (wins + losses) / 310
        critical = stats.norm.ppf(1 - 0.025 / 6) * share**0.5 + 310**-0.5
        needed = critical + stats.norm.ppf(0.8) * (share - detectable**2) ** 0.5
        assert detectable * 310**0.5 == pytest.approx(needed, abs=0.02)


def per_database(name):
    """Right answers on each of the five databases, of 62 questions each."""
    return np.array([right(name, db_id=f"db_{i}")[0] for i in range(5)])


def test_intervals_for_new_databases_come_from_whole_databases(report):
    rows = {row[0]: row for row in tables(section(report, "## Accuracy by database"))[0][1:]}
    for name in NAMES:
        rates = per_database(name) / 62
        share, error = rates.mean(), rates.std(ddof=1) / 5**0.5
        # Of databases of one size, the jackknife is the classical standard error.
        quantile = stats.t.ppf(0.975, 4)
        # Never taken for more questions than were asked.
        worth = min(310, share * (1 - share) / error**2) * (1.959964 / quantile) ** 2
        ends = proportion_confint(share * worth, worth, method="wilson")
        low, high = (float(end) for end in rows[name][3].split(" to "))
        same = [float(end) for end in rows[name][2].split(" to ")]
        # Never narrower than for further questions on the same databases.
        assert [low, high] == pytest.approx(
            [min(ends[0], same[0]), max(ends[1], same[1])], abs=6e-4
        )


def test_differences_on_new_databases_come_from_whole_databases(report):
    for row, (one, other) in zip(
        tables(section(report, "## Paired differences"))[0][1:], pairs(), strict=True
    ):
        gaps = (per_database(one) - per_database(other)) / 62
        reach = stats.t.ppf(1 - 0.025 / 6, 4) * gaps.std(ddof=1) / 5**0.5
        ends = 100 * (gaps.mean() - reach), 100 * (gaps.mean() + reach)
        same, new = (
            [float(end.replace("−", "-")) for end in row[column].split(" to ")] for column in (2, 3)
        )
        assert new == pytest.approx([min(ends[0], same[0]), max(ends[1], same[1])], abs=0.06)


def test_accuracy_by_database(report):
    header, *rows = tables(section(report, "## Accuracy by database"))[1]
    assert header == ["database", "n", *NAMES]
    for row in rows:
        counts = [right(name, db_id=row[0]) for name in NAMES]
        assert row[1:] == [str(counts[0][1]), *(f"{c / n:.3f}" for c, n in counts)]
    assert [row[0] for row in rows] == [f"db_{number}" for number in range(5)]


def test_accuracy_by_feature_shows_only_features_that_occur(report):
    _, *rows = tables(section(report, "## Accuracy by SQL feature"))[0]
    assert rows == [["group by", "310", *(f"{right(name)[0] / 310:.3f}" for name in NAMES)]]


def test_secondary_metrics_beside_the_headline_metric(report):
    header, *rows = tables(section(report, "## Secondary metrics"))[0]
    assert header[1:] == [
        "test suite, own values",
        "oracle values (plug_value)",
        "single database",
        "exact match",
    ]
    for name, *cells in rows:
        rates = [right(name, key)[0] for key in (None, *runs.SECONDARY)]
        assert cells == [f"{correct / 310:.3f}" for correct in rates]


def test_verdict_kinds_add_up_to_all_questions(report):
    header, *rows = tables(section(report, "## What failed"))[0]
    assert header == ["variant", "correct", "wrong_result", "sql_error", "no_sql"]
    for name, *cells in rows:
        assert cells == [str(right(name, verdict=kind)[1]) for kind in header[1:]]
        assert sum(map(int, cells)) == 310


def test_three_failures_of_each_variant_are_real_ones(report):
    blocks = re.findall(r"<details><summary>(\w+)</summary>\n(.*?)</details>", report, re.DOTALL)
    blocks = [(name, text) for name, text in blocks if name in NAMES]
    assert [name for name, _ in blocks] == list(NAMES)
    for name, text in blocks:
        kinds = {row["id"]: KINDS[row["kind"]] for row in runs.failure_rows(name, ROWS[name])}
        pattern = (
            r"^\*\*([\w ]+)\*\* \(reason \d+; v1.sqlite: other values than gold\): .*\((q\d+),"
        )
        shown = re.findall(pattern, text, re.M)
        assert len({kind for kind, _ in shown}) == len(shown) == 3
        for kind, key in shown:
            assert kinds[key] == kind
            assert f"SELECT '{key}'" in text


def test_an_example_shows_the_first_difference_of_the_results(comparison):
    rows = [
        {"id": row["id"], "variant": "full", "file": "db|0.sqlite", "rows": shown}
        for place, row in enumerate(ROWS["full"])
        for shown in [
            [["=", "a", None], ["+", "b", None], ["-", "<i>", "2"], ["-", "d", "3"]],
            [["=", "a"], ["~", "c"]],
        ][place % 2 : place % 2 + 1]
    ]
    report = render(ReportInputs(comparison, runs.run_facts(), "T", "charts", False, rows=rows))
    (block,) = re.findall(r"<details><summary>full</summary>\n(.*?)</details>", report, re.DOTALL)
    found = re.findall(r"\((q\d+),.*?^first difference \((.*?)\): (.*?)$", block, re.M | re.S)
    assert len(found) == 3
    for key, file, told in found:
        assert file == "db\\|0.sqlite"
        assert told == (
            "at another place than gold's is (c)"
            if int(key[1:]) % 2
            else "only the answer gives (b, NULL); only gold gives (\\<i\\>, 2)"
        )
    assert "first difference" not in report.replace(block, "")


def test_kinds_of_failure_are_counted_and_add_up(report):
    header, *rows = tables(section(report, "### What went wrong"))[0]
    assert header[1:] == list(NAMES)
    for place, name in enumerate(NAMES, start=1):
        found = Counter(row["kind"] for row in runs.failure_rows(name, ROWS[name]))
        assert {row[0]: int(row[place]) for row in rows if row[place] != "0"} == {
            KINDS[kind]: n for kind, n in found.items()
        }
    order = list(KINDS.values())
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=order.index)


def test_who_wins_which_questions_is_counted_by_level(report):
    rows = {
        row[0]: row[1:] for row in tables(section(report, "## Who wins which questions"))[0][1:]
    }
    marks = {n: [row["verdict"] == "correct" for row in ROWS[n]] for n in NAMES}
    levels = [row["hardness"] for row in ROWS[NAMES[0]]]
    assert len(rows) == len(NAMES) * (len(NAMES) - 1)
    for pair, (n, *cells) in rows.items():
        winner, loser = pair.split(", not ")
        both = zip(marks[winner], marks[loser], levels, strict=True)
        won = Counter(level for one, other, level in both if one and not other)
        assert [int(cell) for cell in cells[:4]] == [won[level] for level in runs.LEVELS]
        assert int(n) == won.total()


def test_costs_come_from_the_stages_and_unknown_ones_are_dashes(report):
    training, generation = tables(section(report, "## Cost"))
    facts = {row[0]: row for row in training[1:]}
    assert facts["baseline"][1:] == ["none", "0", "0", "0", "0.0 s", "-", "0.0 s", *"----"]
    assert facts["lora_32r"][1:] == [
        "lora",
        "65,536",
        "40",
        "80,000",
        "90.0 s",
        "1",
        "90.0 s",
        "889",
        "812 MB",
        "4.0 MB",
        "cpu",
    ]
    told = ["transformers", "12.5 s", "24.8", f"{12.5 / 310:.4f} s", "6,200", "640 MB", "cpu"]
    assert generation[1] == ["baseline", *told]


def test_time_counts_once_for_each_device_of_each_node():
    assert device_seconds({"seconds": 90.0, "gpus": 4, "nodes": 2}) == 720.0
    assert device_seconds({"seconds": 90.0}) == 90.0  # as before several devices were known
    assert device_seconds({}) is None


def test_left_out_questions_are_named_on_top(report):
    top = report[: report.index("## Ranking")]
    assert (
        "**Left out: 7 of 317 questions were not scored**, from 1 database: all of wta_1 (7)."
        in top
    )


def test_the_demonstration_says_so_on_top_and_other_runs_do_not(comparison, report):
    assert "> **This is the demonstration" in report[: report.index("## Ranking")]
    other = render(
        ReportInputs(comparison, runs.run_facts(), "A title", "charts", demonstration=False)
    )
    assert "demonstration" not in other


def test_the_ranking_is_the_first_section(report):
    assert report.startswith("# A title\n")
    assert re.findall(r"^## (.*)", report, re.M)[:3] == [
        "Ranking",
        "Accuracy by level",
        "Observations",
    ]


def test_links_inside_of_the_report_lead_somewhere(report):
    anchors = {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)", report, re.M)
    }
    links = set(re.findall(r"\]\(#([\w-]+)\)", report))
    assert links
    assert links <= anchors


def test_run_facts_are_printed(report):
    text = report[report.index("\n## Run\n") :]
    assert "Commit: 0123456789abcdef0123456789abcdef01234567" in text
    for line in (
        "| `seed` | 42 |",
        "| numpy | 2.4.6 | report |",
        "| torch | 2.13.0 | training, generation |",
        "| sqlite | 3.45.1 | scoring |",
        f"`{'ab' * 32}`",
        f"| qwen3 | a/b | main | {'c' * 40} |",
        '"method": "none"',
    ):
        assert line in text
    assert "| train | lora_32r | 90.0 s | 95.0 s | 812 MB |" in text
    # Not all jobs of a run: what the sum leaves out is said.
    assert "These jobs together: 90.0 s. Jobs that prepare data and prompts" in text


def test_uncommitted_changes_and_a_missing_repository_are_said(comparison):
    changed = render(
        ReportInputs(comparison, {**runs.run_facts(), "modified": True}, "T", "charts", False)
    )
    assert "with uncommitted changes" in changed
    bare = render(
        ReportInputs(comparison, {**runs.run_facts(), "commit": None}, "T", "charts", False)
    )
    assert "Commit: unknown (no git repository)" in bare


def test_times_stand_only_between_their_marks(comparison, report):
    facts = runs.run_facts()
    facts["written"] = "2031-05-05 05:05 UTC"
    facts["times"][0]["seconds"] = 777.0
    facts["hardware"]["cores"] = 96
    slower = [
        dataclasses.replace(
            variant,
            seeds=[
                dataclasses.replace(
                    own,
                    training={**own.training, "seconds": 999.0, "peak_memory_mb": 1.5},
                    generation={**own.generation, "seconds": 888.0},
                )
                for own in variant.seeds
            ],
        )
        for variant in comparison.run.variants
    ]
    again = compare(dataclasses.replace(comparison.run, variants=slower))
    later = render(ReportInputs(again, facts, "A title", "charts", demonstration=True))
    for text in ("2031-05-05", "12.9 min", "96 cores", "16.6 min", "1.5 MB", "14.8 min"):
        assert text in later
    assert without_times(later) == without_times(report)


def without_times(report):
    return re.sub(f"{TIMES_BEGIN}.*?{TIMES_END}", "", report, flags=re.DOTALL)


def test_hostile_predictions_stay_text(tmp_path):
    questions = runs.question_rows(8)
    files = runs.write_run(tmp_path, questions, {"full": [False] * 8})
    evil = "```\n</details><script>alert(1)</script>\n| a |\n# Heading"
    answers = [{"id": q["id"], "sql": evil, "text": evil} for q in questions]
    runs.write_lines(files["predictions"][0], answers)
    report = render(
        ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts", False)
    )
    fences = re.findall(r"^(`{3,})(\w*)\n(.*?)\n\1$", report, re.M | re.S)
    assert sum(text == evil for _, _, text in fences) == 3
    outside = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", report, flags=re.M | re.S)
    assert "script" not in outside


def test_long_tables_are_folded_and_short_ones_are_not(report, tmp_path):
    questions = runs.question_rows(93, databases=31)
    files = runs.write_run(tmp_path, questions, {"a": [True] * 93})
    long = render(ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts", False))
    assert "<details><summary>All databases (31 rows)</summary>\n\n| database |" in long
    assert "All databases" not in report


def test_a_level_without_questions_is_a_dash_and_has_no_best(tmp_path):
    questions = runs.question_rows(60, levels=("easy", "hard"))
    files = runs.write_run(tmp_path, questions, {"a": [True] * 60, "b": [False] * 60})
    report = render(
        ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts", False)
    )
    rows = {row[0]: row for row in tables(section(report, "## Accuracy by level"))[0]}
    assert rows["a"][1:] == ["1.000", "-", "1.000", "-", "1.000"]
    best = {row[0]: row for row in tables(section(report, "### Best variant of each level"))[0]}
    assert best["Medium"][1:] == ["0", "no questions", "-", "-"]


def test_a_tie_for_the_best_of_a_level_is_called_one(tmp_path):
    questions = runs.question_rows(64)
    marks = [number % 2 == 0 for number in range(64)]
    files = runs.write_run(tmp_path, questions, {"a": marks, "b": marks})
    report = render(
        ReportInputs(compare(load_run(**files)), runs.run_facts(), "T", "charts", False)
    )
    rows = tables(section(report, "### Best variant of each level"))[0][1:]
    assert {row[2] for row in rows} == {"a and b (tie)"}


def test_the_csv_has_every_metric_and_level(comparison):
    lines = metrics_csv(comparison).splitlines()
    assert lines[0].startswith("variant,level,n,correct,rate,low,high,metric,seed,sd,stderr,")
    assert len(lines) == 1 + 4 * 4 * 6
    for name, (metric, key) in itertools.product(
        NAMES, (("test_suite", None), *((key, key) for key in runs.SECONDARY))
    ):
        for level in runs.LEVELS:
            correct, n = right(name, key, hardness=level)
            low, high = stats.binomtest(correct, n).proportion_ci(method="wilson")
            numbers = f"{n},{correct},{correct / n:.6f},{low:.6f},{high:.6f}"
            error = (correct / n * (1 - correct / n) / n) ** 0.5
            assert f"{name},{level},{numbers},{metric},,,{error:.6f},," in lines


def test_the_pairs_for_machines_are_those_of_the_report(comparison, report):
    rows = list(csv.DictReader(io.StringIO(pairs_csv(comparison))))
    assert [row["level"] for row in rows].count("all") == 6
    printed = tables(section(report, "## Paired differences"))[0][1:]
    for row, cells in zip(rows, printed, strict=False):
        assert cells[0] == f"{row['first']} − {row['second']}"
        ends = [signed(float(row[end])) for end in ("low", "high")]
        assert cells[2] == " to ".join(ends)
        assert cells[6] == shown_p(float(row["p_holm"]))
        assert (cells[8], row["comparisons"]) == (row["significant"], "6")


def test_ranks_stand_in_the_csv_where_they_are_claimed(comparison):
    rows = list(csv.DictReader(io.StringIO(metrics_csv(comparison))))
    ranks = {
        row["variant"]: (row["best_rank"], row["worst_rank"]) for row in rows if row["best_rank"]
    }
    assert ranks == {name: tuple(map(str, own)) for name, own in comparison.ranks.items()}


def test_the_record_of_the_run_has_its_facts_ranking_and_pairs(comparison, report):
    record = json.loads(json.dumps(run_record(runs.run_facts(), comparison)))
    assert record["commit"] == runs.run_facts()["commit"]
    printed = tables(section(report, "## Ranking"))[0][1:]
    for own, cells in zip(record["ranking"], printed, strict=True):
        assert cells[1:4] == [own["variant"], str(own["n"]), str(own["correct"])]
        assert cells[4:6] == [f"{own['accuracy']:.3f}", shown_share(own["interval"])]
        assert cells[0].split("-")[0] == str(own["best_rank"])
        assert cells[0].split("-")[-1] == str(own["worst_rank"])
    rows = list(csv.DictReader(io.StringIO(pairs_csv(comparison))))
    for row, own in zip(rows, record["pairs"], strict=True):
        assert {*own} == {*row, "of_models"}
        assert (own["level"], own["first"], own["second"]) == tuple(row.values())[:3]
        for name in ("difference", "stderr", "low", "high", "p", "p_holm"):
            assert own[name] == pytest.approx(float(row[name]), rel=1e-5, abs=1e-9)
        assert (own["p_holm_baseline"] is not None) == (
            own["level"] != "all" and "baseline" in (own["first"], own["second"])
        )


def test_of_many_variants_the_record_has_the_pairs_of_those_that_are_drawn(tmp_path):
    questions = runs.question_rows(40)
    marks = {f"v{number:02}": [n % 20 < number for n in range(40)] for number in range(14)}
    comparison = compare(load_run(**runs.write_run(tmp_path, questions, marks)))
    record = run_record(runs.run_facts(), comparison)
    assert len(record["pairs_of"]) == 12
    assert len(record["pairs"]) == 12 * 11 / 2 * 5
    assert len(record["ranking"]) == 14


def shown_share(interval):
    return " to ".join(f"{end:.3f}" for end in interval)


def test_results_have_the_shape_of_lm_evaluation_harness(comparison):
    found = results_json(comparison.run)
    correct, n = right("full")
    own = found["results"]["full"]
    assert own["test_suite"] == correct / n
    assert own["test_suite_stderr"] == pytest.approx((correct / n * (1 - correct / n) / n) ** 0.5)
    assert found["n-samples"]["full_easy"]["effective"] == right("full", hardness="easy")[1]


def test_the_csv_leaves_a_rate_without_questions_empty(tmp_path):
    questions = runs.question_rows(20, levels=("easy",))
    run = load_run(**runs.write_run(tmp_path, questions, {"a": [True] * 20}))
    assert (
        "a,extra,0,0,,0.000000,1.000000,test_suite,,,,," in metrics_csv(compare(run)).splitlines()
    )


def test_spider_verdicts_give_the_known_counts(spider, tmp_path):
    files = runs.parity_run(spider, tmp_path)
    comparison = compare(load_run(**files, baseline="lora_32r"))
    report = render(ReportInputs(comparison, runs.run_facts(), "Spider", "charts", False))
    rows = {row[1]: row for row in tables(section(report, "## Ranking"))[0][1:]}
    assert [rows[name][2:4] for name in ("lora_32r", "tse_1", "tse_3")] == [
        ["972", "468"],
        ["972", "323"],
        ["972", "276"],
    ]
    assert (
        "Left out: 62 of 1,034 questions were not scored**, from 1 database: all of wta_1 (62)"
        in report
    )
    header, *rows = tables(section(report, "## Secondary metrics"))[0]
    plug = dict(zip(header, rows[0], strict=True))
    assert plug["oracle values (plug_value)"] == f"{487 / 972:.3f}"
    assert json.dumps(comparison.run.n) == "972"
