"""Settings of data sets: where questions and databases are, what is done with those that have a problem."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sqladder.settings.base import UNIQUE, FilledText, Seed, Settings, Share, Tokens, misfit

FormatName = Literal["jsonl", "csv", "parquet", "spider", "bird"]
Action = Literal["stop", "keep", "drop"]
OverCutoff = Literal["drop", "cut", "stop"]
Rule = Literal[
    "exact_question",
    "folded_question",
    "ngram_8",
    "ngram_13",
    "near_duplicate",
    "sql",
    "schema",
]


class Columns(Settings):
    """Names of the columns, where they differ from those of the format."""

    id: FilledText | None = Field(
        default=None, description="A name of each question; without it, its place in the file."
    )
    db_id: FilledText | None = Field(
        default=None, description="The question's database; not needed where there is only one."
    )
    question: FilledText | None = Field(default=None, description="The question.")
    sql: FilledText | None = Field(default=None, description="The gold SQL.")
    evidence: FilledText | None = Field(
        default=None, description="What the question takes for granted."
    )
    # `schema` is a name of pydantic's own.
    schema_text: FilledText | None = Field(
        default=None,
        alias="schema",
        description="The text of the schema, for training rows that have no database.",
    )


class GoldProblems(Settings):
    """What is done with gold SQL that has a problem."""

    failing: Action = Field(description="Gold that is refused or gives an error.")
    empty: Action = Field(description="Gold that gives no row on any file of its suite.")
    slow: Action = Field(description="Gold beyond the limits of the scoring.")


KEEP_ALL = GoldProblems(failing="keep", empty="keep", slow="keep")
DROP_FAILING = GoldProblems(failing="drop", empty="keep", slow="keep")
"""Of what is trained on: SQL that fails teaches to fail."""


class Shares(Settings):
    """How examples are parted into train, validation and test."""

    by: Literal["database", "question"] = Field(
        description="What stays whole; database is the harder test, question is for a single database."
    )
    validation: Share = Field(
        ge=0, lt=1, description="Share of the examples for choosing prompts and settings."
    )
    test: Share = Field(gt=0, lt=1, description="Share of the examples for the comparison.")

    @model_validator(mode="after")
    def _leave_some(self) -> Self:
        if self.validation + self.test >= 1:
            raise misfit(
                "test",
                f"validation {self.validation} and test {self.test} leave nothing for training; make them smaller",
            )
        return self


class SplitSettings(Shares):
    """How one data set is split."""

    seed: Seed = Field(description="Another seed gives another split.")


class Forgiven(Settings):
    """What all questions of a data set forgive that say nothing of it: each a metric beside the strict one."""

    optional: Annotated[list[FilledText], *UNIQUE] = Field(
        default=[],
        max_length=6,
        description="Columns of gold's result that may be there or not, by name or by place from 1.",
    )
    any_order: bool = Field(
        default=False, description="The order of rows does not matter, whatever gold orders by."
    )
    tolerance: Share = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="How far apart equal numbers may be, as a share of the larger one, or by themselves near zero.",
    )


class Reading(Settings):
    """How a file of questions is read."""

    format: FormatName = Field(
        default="jsonl",
        description="The form of questions; spider and bird are the JSON lists of these benchmarks.",
    )
    columns: Columns = Field(
        default=Columns(),
        description="Names of the columns, where they differ from those of the format.",
    )
    forgiven: Forgiven = Field(
        default=Forgiven(),
        description="What its questions forgive, as metrics of their own beside the strict one.",
    )
    incomplete_rows: Literal["stop", "drop"] = Field(
        default="stop", description="What is done with rows without question or SQL."
    )


class Pairing(Settings):
    """How questions find their databases."""

    allow_missing_databases: bool = Field(
        default=False,
        description="Leave out questions without a database, and say so in the report, instead of stopping.",
    )


class ImportSettings(Reading, Pairing):
    """How questions are read and find their databases."""


class Decontamination(Settings):
    """Rules that compare each row of train_on with the questions of test_on; docs/data.md describes them."""

    drop: Annotated[list[Rule], *UNIQUE] = Field(
        description="A row that meets one of these is dropped, from training and from few-shot examples."
    )
    mark: Annotated[list[Rule], *UNIQUE] = Field(
        description="A row that meets one of these is marked suspect, and so are the test's questions that it is like."
    )

    @model_validator(mode="after")
    def _once(self) -> Self:
        for rule in self.drop:
            if rule in self.mark:
                raise misfit("mark", f"{rule} drops rows already; name it once")
        return self


COUNT_COPIES = Decontamination(drop=[], mark=["exact_question"])
"""What is counted in any case: training rows with a question of the test."""


class Cutoff(Settings):
    """How long a training row may be."""

    cutoff_length: Tokens = Field(
        ge=16, description="Tokens that prompt and answer of a training row may have together."
    )


class Fitting(Cutoff):
    """What becomes of longer rows."""

    over_cutoff: OverCutoff = Field(
        description="What becomes of a longer row: dropped, or cut at the end of its schema; both are counted in "
        "results/lengths."
    )
    least_rows: Share = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Share of the training rows that must fit into cutoff_length, whole or cut; with fewer nothing "
        "is trained.",
    )
