"""The heading, what the run holds, and what it leaves out."""

from collections import Counter
from collections.abc import Mapping

from sqladder.report.charts import ranking_chart
from sqladder.report.charts.drawing import without_font
from sqladder.report.comparison import Comparison
from sqladder.report.results import Run
from sqladder.report.sections.answer import answer, findable
from sqladder.report.sections.costs import cost_sentence
from sqladder.report.sections.doubtful_gold import ranked_otherwise
from sqladder.report.sections.report_inputs import ReportInputs
from sqladder.report.sections.times import timed
from sqladder.report.sections.wording import some
from sqladder.report.training_rows import said, said_of_lengths
from sqladder.texts.markdown import escape
from sqladder.texts.numbers import listing, number, plural

DEMONSTRATION = """> [!NOTE]
> **This is the demonstration of the workflow, not evidence about LoRA or full fine-tuning at
> large.** Its toy model, made from nothing, shows that every stage works."""


def section(inputs: ReportInputs) -> str:
    """The section in Markdown."""
    run = inputs.comparison.run
    lines = [f"# {escape(inputs.title)}"]
    if inputs.demonstration:
        lines.append(DEMONSTRATION)
    lines += [
        f"{_question(run)} {answer(inputs.comparison)}",
        inputs.chart(ranking_chart.CHART),
        findable(inputs.comparison),
        timed([cost_sentence(run)]),
        unseen_in_pictures(inputs.comparison),
    ]
    lines.append(_accuracy(inputs))
    if run.left_out:
        lines.append(_left_out(run))
    lines.append(ranked_otherwise(inputs))
    rows = inputs.facts.get("training_rows", {})
    lines += [*said(rows), *said_of_lengths(rows)]
    return "\n\n".join(line for line in lines if line)


def _accuracy(inputs: ReportInputs) -> str:
    """What counts as right, and where it was executed."""
    settings = inputs.comparison.run.replicates[0].scoring.get("settings", {})
    if settings.get("engine") == "native":
        made = inputs.facts.get("suite") if settings.get("suite") else None
        return (
            f"Accuracy is execution accuracy in {settings['database_system']} itself (`scoring.engine: native`): an "
            "answer counts when its result equals the gold query's there"
            + (" and on every content of the suite that is loaded beside the data" if made else "")
            + ", with the values that the model wrote itself. "
            f"A query is ended after {settings['timeout']:g} s of wall time, so **verdicts can depend on the load of "
            "the machine** and of the server, and on what is written to the data meanwhile."
            + _made_suite(made)
            + _on_original_alone(made, inputs.comparison.run)
        )
    return (
        "Accuracy is test-suite execution accuracy: "
        "an answer counts when its result equals the gold query's on every database file of the "
        "suite, with the values that the model wrote itself."
        + _made_suite(inputs.facts.get("suite"))
        + _quirks(inputs.comparison.run)
    )


def _question(run: Run) -> str:
    """What the run asks."""
    asked = f"{plural(run.n, 'question')} on {plural(len(run.by_database), 'database')}"
    if len(run.variants) == 1:
        return f"How well does {escape(run.variants[0].name)} answer {asked}?"
    return f"Which of {plural(len(run.variants), 'variant')} answers {asked} best?"


def unseen_in_pictures(comparison: Comparison) -> str:
    """Names that the PNG pictures show as empty boxes, as no font here has their letters; "" where all are shown."""
    run = comparison.run
    names = [*(variant.name for variant in run.variants), *run.by_database]
    lacking = without_font(names)
    if not lacking:
        return ""
    return (
        f"No font of this machine has all letters of {some([escape(name) for name in lacking])}: the "
        "PNG files show boxes in their place; the SVG files, and this report with them, show the names in the reader's "
        "own font."
    )


def _made_suite(strength: Mapping[str, int] | None) -> str:
    """How strong the suites are that were made for the run; nothing is known of others."""
    if strength is None:
        return ""
    told, alone = (
        f"{number(strength[name])} of {number(strength['neighbours'])}"
        for name in ("told_apart", "told_apart_by_original")
    )
    return (
        f" The suites were made from the gold queries, up to {plural(strength['files'], 'file')} a database: they tell "
        f"{told} queries that differ from a gold query in one thing from it, the databases alone {alone}."
    )


def _on_original_alone(strength: Mapping[str, int] | None, run: Run) -> str:
    """What a suite that is loaded into another engine does not judge."""
    if strength is None:
        return ""
    key = "judged_on_original_alone"
    answers = sum(own.scoring.get("settings", {}).get(key, 0) for own in run.replicates)
    told = ""
    if golds := strength.get(key, 0):
        told += (
            f" Answers to {number(golds)} of the gold queries are judged on the data alone, since no content tells "
            "without chance what is right."
        )
    if answers:
        told += f" So are {plural(answers, 'answer')} that name the schema of the data, which no content can replace."
    return told


def _quirks(run: Run) -> str:
    """Whether the official evaluator's quirks decide about answers, and about how many the best known of them does."""
    if run.quirks is None:
        return ""
    if run.quirks == "repaired":
        return " The official evaluator's quirks are repaired (`scoring.quirks: repaired`)."
    concerned = sum("value" in row["sql"] for own in run.replicates for row in own.predictions)
    return (
        " The official evaluator's quirks hold (`scoring.quirks: official`): the word `value` in an answer is read "
        f"as 1, which {number(concerned)} of {number(run.n * len(run.replicates))} answers have."
    )


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
