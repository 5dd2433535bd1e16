"""Put the report together as Markdown that reads on GitHub."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqladder.files import Row
from sqladder.report.charts.bars import text_bars
from sqladder.report.charts.captions import alt_text, drawn_pairs, with_cost, with_curve
from sqladder.report.comparison import Comparison
from sqladder.report.observations import observations
from sqladder.report.results import METRICS, Run, failure_kinds
from sqladder.report.sections import tables
from sqladder.report.sections.examples import failure_examples
from sqladder.statistics.intervals import DRAWS, FEW, SEED
from sqladder.texts.markdown import code_block, escape, folded, table
from sqladder.texts.numbers import UNKNOWN, listing, number, plural, seconds

Facts = Mapping[str, Any]

DEMONSTRATION = """> [!NOTE]
> **This is the demonstration of the workflow, not evidence about LoRA or full fine-tuning at
> large.** The variants trained here start from a toy model that this run made from nothing. Their
> numbers show that every stage works; they say nothing about real models."""

TIMES_BEGIN = "<!-- times: begin -->"
TIMES_END = "<!-- times: end -->"
"""Between these lines stands what differs from one run to the next: times, memory, dates."""


def render(
    comparison: Comparison,
    facts: Facts,
    title: str,
    charts: str,
    demonstration: bool,
    groups: str = "",
    published: str = "",
    rows: Sequence[Row] = (),
) -> str:
    """The whole report.

    Args:
        comparison: the compared run.
        facts: content of run.json.
        title: heading of the report.
        charts: the folder of the charts, relative to the report.
        demonstration: whether to open with the note that this run proves nothing about methods.
        groups: the sections on groups of questions that only some runs have.
        published: the section on a published table, of runs that have one to compare with.
        rows: first rows of gold and of wrong results, as execute_answers.py writes them.
    """
    sections = [
        _head(comparison.run, title, demonstration),
        _ranking(comparison),
        _seeds(comparison),
        _levels(comparison),
        _observations(comparison),
        _bars(comparison, charts),
        _pairs(comparison, charts),
        _databases(comparison, charts),
        groups,
        _features(comparison),
        _secondary(comparison.run),
        published,
        _failures(comparison, charts, rows),
        _wins(comparison),
        _losses(comparison, charts),
        _cost(comparison, facts, charts),
        _methods(comparison),
        _run_facts(comparison.run, facts),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(run: Run, title: str, demonstration: bool) -> str:
    lines = [f"# {escape(title)}"]
    if demonstration:
        lines.append(DEMONSTRATION)
    lines.append(
        f"{plural(len(run.variants), 'variant')}, {plural(run.n, 'question')}, "
        f"{plural(len(run.by_database), 'database')}. Accuracy is test-suite execution accuracy: "
        "an answer counts when its result equals the gold query's on every database file of the "
        "suite, with the values that the model wrote itself."
    )
    if run.left_out:
        lines.append(_left_out(run))
    return "\n\n".join(lines)


def _left_out(run: Run) -> str:
    total = len(run.left_out) + run.n
    missing = Counter(question["db_id"] for question in run.left_out)
    parts = [
        f"{'some' if name in run.by_database else 'all'} of {escape(name)} ({number(n)})"
        for name, n in sorted(missing.items())
    ]
    return (
        f"**Left out: {number(len(run.left_out))} of {number(total)} questions were not scored**, "
        f"from {plural(len(missing), 'database')}: {listing(parts)}. Every number "
        "below is about the other questions."
    )


def _ranking(comparison: Comparison) -> str:
    seeds = (
        "Variants with several seeds were trained, asked and scored once with each; their numbers are\n"
        "means over seeds. " * comparison.run.has_seeds
    )
    if len(comparison.ranking) == 1:
        return f"## Ranking\n\n{tables.ranking_table(comparison)}\n\n{seeds}".rstrip()
    shared = any("-" in comparison.rank(variant.name) for variant in comparison.ranking)
    note = (
        "A shared rank such as 1-2 says that the data do not tell which of these ranks the variant\n"
        "has. " * shared
    )
    return f"""## Ranking

{tables.ranking_table(comparison)}

{seeds}{note}Differences are paired: both variants answered the same questions. p is {_test(comparison.run)},
adjusted by Holm over all pairs of variants; intervals are not adjusted. See [Methods](#methods)."""


def _test(run: Run) -> str:
    return "that of a test over questions and seeds" if run.has_seeds else "McNemar's exact test"


def _seeds(comparison: Comparison) -> str:
    """How far training itself scatters: a section of runs with several seeds."""
    if not comparison.run.has_seeds:
        return ""
    return f"""## Seeds

{tables.seed_table(comparison)}

Accuracy over all questions. SD is the standard deviation between seeds: how far another training of the
same variant may land from this one. A variant with one seed answers the same with every seed, was made
elsewhere, or was trained once. One that was trained once is taken to scatter as much as the variant with
several seeds that it is compared with; between two that were, only the questions are known to be uncertain."""


def _levels(comparison: Comparison) -> str:
    return f"""## Accuracy by level

{tables.level_table(comparison.run)}

Easy to Extra are the hardness of the gold query. Joint_All counts conversations in which every question
is answered right; each question is one of its own here, so it equals All.

### Ranking by All

{tables.ranking_list(comparison)}

### Best variant of each level

{tables.best_table(comparison)}"""


def _observations(comparison: Comparison) -> str:
    lines = "\n".join(f"- {sentence}" for sentence in observations(comparison))
    return f"""## Observations

Facts about the numbers of this run. A difference is named only where its test supports it at 5 %;
p-values are adjusted by Holm within each kind of observation.

{lines}"""


def _chart(comparison: Comparison, charts: str, name: str) -> str:
    alt = escape(alt_text(comparison, name))
    return f"![{alt}]({charts}/{name}.svg)"


def _bars(comparison: Comparison, charts: str) -> str:
    return f"""## Charts

{_chart(comparison, charts, "accuracy_by_level")}

{code_block(text_bars(comparison.run), "text")}"""


def _pairs(comparison: Comparison, charts: str) -> str:
    if not comparison.pairs:
        return ""
    return f"""## Paired differences

{_chart(comparison, charts, "paired_differences")}

{folded("All pairs", len(comparison.pairs), tables.pair_table(comparison))}

Detectable points: the smallest true difference that a single test at 5 % would find with a chance of
80 %, given how often this pair disagrees. "New databases" resamples whole databases: it answers for
questions on databases that are not in this test, and is too narrow with few of them."""


def _databases(comparison: Comparison, charts: str) -> str:
    run = comparison.run
    by_database = tables.group_table(run, run.by_database, "database")
    return f"""## Accuracy by database

{_chart(comparison, charts, "accuracy_by_database")}

{tables.database_interval_table(run)}

{folded("All databases", len(run.by_database), by_database)}"""


def _features(comparison: Comparison) -> str:
    run = comparison.run
    present = {name: chosen for name, chosen in run.by_feature.items() if chosen.any()}
    if not present:
        return ""
    return f"""## Accuracy by SQL feature

A question counts under every feature that its gold query has.

{tables.group_table(run, present, "feature of the gold query")}"""


def _secondary(run: Run) -> str:
    metrics = [metric for metric in METRICS if metric in run.variants[0].marks]
    if len(metrics) < 2:
        return ""
    blocks = [
        f"### {METRICS[metric].capitalize()}\n\n{tables.level_table(run, metric)}"
        for metric in metrics
        if metric != "test_suite"
    ]
    return "\n\n".join(
        [
            f"""## Secondary metrics

They are not used to rank. *Oracle values*: the gold query's values are put in the place of the model's
own, so wrong values are forgiven. *Single database*: one database file instead of the suite, so answers
that are right by accident pass. *Exact match*: nothing is executed; the query must have the gold query's
clauses, values left aside, so right answers that are written otherwise fail (Spider's exact set match;
gold outside its grammar matches nothing).

{tables.metric_table(run)}""",
            *blocks,
        ]
    )


def _failures(comparison: Comparison, charts: str, rows: Sequence[Row]) -> str:
    run = comparison.run
    if not failure_kinds(run):
        return f"## What failed\n\n{tables.verdict_table(run)}"
    seeds = "; counts are means over seeds" if run.has_seeds else ""
    first = ", of its first seed where it has several" if run.has_seeds else ""
    return f"""## What failed

{tables.verdict_table(run)}

### What went wrong

{_chart(comparison, charts, "errors")}

{tables.failure_table(run)}

A failure counts once{seeds}. An error is sorted by SQLite's message; a wrong result by the first part in
which the query differs from gold, in the order of the table. Gold is one of many right queries, so
that part need not be the cause.

Three failures of each variant{first}:

{failure_examples(run, rows)}"""


def _wins(comparison: Comparison) -> str:
    pairs, which = drawn_pairs(comparison)
    if not pairs:
        return ""
    means = ", as means over the pairs of their seeds" if comparison.run.has_seeds else ""
    return f"""## Who wins which questions

Questions that only one of two variants answers right, {escape(which)}{means}:

{folded("All of them", 2 * len(pairs), tables.wins_table(pairs, comparison.run))}"""


def _losses(comparison: Comparison, charts: str) -> str:
    if not with_curve(comparison):
        return ""
    return f"""## Training loss

{_chart(comparison, charts, "loss_curves")}"""


def _cost(comparison: Comparison, facts: Facts, charts: str) -> str:
    chart = _chart(comparison, charts, "cost_vs_accuracy") if with_cost(comparison) else ""
    if not any(own.training or own.generation for own in comparison.run.replicates):
        return "## Cost\n\nNot known: no variant was trained or generated in this run."
    parts = [
        "## Cost",
        TIMES_BEGIN,
        tables.training_table(comparison.run, facts["disk_bytes"]),
        tables.generation_table(comparison.run),
        f'"{UNKNOWN}": not known, or the variant does not have it.',
        chart,
        TIMES_END,
    ]
    return "\n\n".join(part for part in parts if part)


def _methods(comparison: Comparison) -> str:
    lines = _SEVERAL_SEEDS if comparison.run.has_seeds else _ONE_SEED
    return f"""## Methods

1. Accuracy: share of questions whose answer is right; levels are Spider's hardness levels.
{lines["estimates"]}
6. All {len(comparison.pairs)} pairs over all questions are one family, adjusted by Holm so that the chance of any false
   claim in it is at most 5 %; the pairs of the four levels are another. Told apart: adjusted p below 0.05.
7. Rank: 1 + variants shown to be better, up to all variants less those shown to be worse.
8. "Best" is said only of a variant that is told apart from every other.
9. {lines["detectable"]}
10. {lines["seeds"]}"""


_BOOTSTRAP = f"percentile bootstrap{{}}, {DRAWS:,} resamples, seed {SEED}"
_FEW = f"with fewer than {FEW} disagreements the interval of McNemar's exact test (Fay and Lumbard 2021)"

_ONE_SEED = {
    "estimates": f"""2. Interval of an accuracy: Wilson's, 95 %, over questions.
3. "New databases": {_BOOTSTRAP.format(" over whole databases")}.
4. Differences are paired by question; {_BOOTSTRAP.format("")};
   {_FEW}.
5. Test of a difference: McNemar's exact test, two-sided.""",
    "detectable": "Detectable difference: Connor's formula for McNemar's test, 5 %, power 80 %.",
    "seeds": "One run of each variant: the spread between training seeds is not measured.",
}

_SEVERAL_SEEDS = {
    "estimates": f"""2. Interval of an accuracy: Wilson's, 95 %, for the number of questions that questions and seeds
   together are worth (Korn and Graubard 1998).
3. "New databases": variance of a bootstrap over whole databases, {DRAWS:,} resamples, seed {SEED}, plus
   that between seeds; Student's t.
4. Differences are paired by question: each question's share of right seeds of the one variant less the
   other's. Variance: between questions plus between seeds of both variants (Owen 2007), Student's t with
   Satterthwaite's degrees of freedom.
5. Test of a difference: the same, with the variance between questions that no difference gives, as in
   McNemar's test. Two variants with one seed each: McNemar's exact test and percentile bootstrap;
   {_FEW}.""",
    "detectable": """Detectable difference at 5 % and power 80 %: from the variance of the interval (Bloom 1995); two
   variants with one seed each: Connor's formula for McNemar's test.""",
    "seeds": "Counts are means over seeds, which are taken as a sample of all seeds, as are the questions.",
}


def _run_facts(run: Run, facts: Facts) -> str:
    commit = facts["commit"] or "unknown (no git repository)"
    changed = " with uncommitted changes" if facts["modified"] else ""
    seeds = [[f"`{key}`", str(value)] for key, value in facts["seeds"].items()]
    data = [[escape(path), f"`{checksum}`"] for path, checksum in facts["data"].items()]
    config = json.dumps(facts["config"], ensure_ascii=False, indent=2)
    return f"""## Run

Commit: {commit}{changed}

{table(["seed", "value"], seeds, "lr")}

{_versions(run, facts["versions"])}

{table(["data", "SHA-256"], data, "ll")}

<details><summary>Config</summary>

{code_block(config, "json")}

</details>

{TIMES_BEGIN}

### Times

{_hardware(facts)}

{_times(facts["times"])}

{TIMES_END}"""


def _versions(run: Run, of_report: Mapping[str, str]) -> str:
    """Each package's versions and the stages that used them: stages may have environments."""
    used = {"report": [of_report]}
    used["training"] = [own.training.get("versions", {}) for own in run.replicates]
    used["generation"] = [own.generation.get("versions", {}) for own in run.replicates]
    stages: dict[tuple[str, str], list[str]] = {}
    for stage, environments in used.items():
        for item in {pair for versions in environments for pair in versions.items()}:
            stages.setdefault(item, []).append(stage)
    rows = [
        [escape(package), escape(version), ", ".join(names)]
        for (package, version), names in sorted(stages.items())
    ]
    return table(["package", "version", "stage"], rows, "lll")


def _hardware(facts: Facts) -> str:
    machine = facts["hardware"]
    return (
        f"Written {facts['written']} on {escape(machine['processor'])}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB of memory, {escape(machine['system'])}."
    )


def _times(times: Sequence[Facts]) -> str:
    total = sum(job["seconds"] for job in times)
    if not times:
        return "No times were recorded."
    return f"{tables.time_table(times)}\n\nAll jobs together: {seconds(total)}."
