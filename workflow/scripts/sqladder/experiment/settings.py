"""The whole config as one model, composed of the settings that each package declares.

The config has no default for what makes a result; a key that may be absent says its default, which stands once, in the
model of the package that uses it. Jobs get flags for what differs from a default only (settings/program_flags.py), so a
config that leaves a key out plans the same jobs as one that writes its default, and a new setting re-runs nothing.
"""

from dataclasses import fields
from typing import Annotated, Any, Literal, Self

from pydantic import Field, create_model, model_validator

from sqladder.data.settings import Decontamination, Fitting, GoldProblems, ImportSettings, Shares
from sqladder.demo.settings import DemoDatabases, ToyModel
from sqladder.downloads.settings import Download
from sqladder.experiment.learning_settings import PreferencePairs, Rejection, Reward
from sqladder.experiment.sweep_settings import FullSweep, LoraSweep
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import Choice, Decoding, Repair
from sqladder.metric.limits import Limits
from sqladder.models.quantizations import Quantization
from sqladder.models.turns import TemplateName
from sqladder.prompts.settings import Context
from sqladder.settings.base import UNIQUE, FilledText, Name, Seed, Settings, Text, misfit
from sqladder.settings.parts import PartOf
from sqladder.suites.settings import SuiteSettings
from sqladder.training.settings import FineTuning, LoraSettings, Parallelism
from sqladder.training.trackers import TrackerName


class TrainingEntry(FineTuning, Fitting):
    """Settings of fine-tuning, for every variant that does not override them."""


class DecodingEntry(Decoding):
    """Settings of generation, for every variant that does not override them."""

    gpus: int = Field(
        default=1, ge=1, description="GPUs that share the prompts, each with an engine of its own."
    )
    repair: Repair | None = Field(default=None, description=Repair.__doc__)
    choose: Choice = Field(
        default="first",
        description="Which of several samples is the answer: the first; the likeliest, by the mean log-probability of "
        "its tokens; or a vote: they are executed on the question's database, and the result that most of them give "
        "wins.",
    )


class ToyBase(ToyModel):
    """A Qwen3 network trained from nothing."""

    source: Literal["toy"] = Field(description="Trained from nothing.")
    pretrain_on: Text = Field(description="The demo data set that it is trained on.")
    context: Text = Field(description="The context of its training prompts.")


class FolderBase(Settings):
    """A Hugging Face checkpoint on disk."""

    source: Literal["folder"] = Field(description="A Hugging Face checkpoint on disk.")
    path: FilledText = Field(
        description="The checkpoint; resources/downloads/<name> is a download."
    )
    template: TemplateName | None = Field(
        default=None,
        description="How a conversation is written, for a checkpoint that brings no chat template: chatml, or plain, "
        "which is prompt, answer, end of text.",
    )


class DemoDataset(DemoDatabases):
    """A data set that is built from resources/demo."""

    source: Literal["demo"] = Field(description="Built from resources/demo.")


class FileDataset(ImportSettings):
    """A data set from files of yours."""

    source: Literal["files"] = Field(description="Files of yours.")
    questions: FilledText = Field(
        description="The questions with their gold SQL; here and below, resources/downloads/<name>/... is in a "
        "download."
    )
    databases: FilledText | None = Field(
        default=None,
        description="Folder, zip or tar archive with <db_id>/<db_id>.sqlite and the other files of its suite, or with "
        "<db_id>.sqlite; or one SQLite or DuckDB file; or the URL of a database of a PostgreSQL, MySQL or MariaDB "
        "server, without password.",
    )
    suite: SuiteSettings | None = Field(default=None, description=SuiteSettings.__doc__)
    license: FilledText | None = Field(
        default=None,
        description="License of the questions and databases, such as cc-by-sa-4.0, for the model cards.",
    )
    gold: FilledText | None = Field(
        default=None,
        description="Gold SQL in the official format, in the order of the questions, instead of theirs.",
    )
    gold_repairs: FilledText | None = Field(
        default=None,
        description="JSON Lines of id and sql, queries held to be right; gold that gives another result is disputed, "
        "and the report scores with and without it.",
    )
    gold_problems: GoldProblems | None = Field(
        default=None,
        description="What is done with gold SQL that has a problem; all is kept if absent, and listed either way.",
    )
    split: Shares | None = Field(
        default=None,
        description="Parts the examples into train, validation and test; without it, all of them are for whatever the "
        "set is used for.",
    )


# In the config these have to be written: they decide about verdicts.
_REQUIRED_LIMITS = ("max_vm_steps", "timeout", "memory_mb")


class _Judging(Settings):
    engine: Literal["sqlite", "native"] = Field(
        default="sqlite",
        description="Where gold and answers are executed: in SQLite, on a copy where the data live elsewhere; or "
        "native, in the DuckDB, PostgreSQL, MySQL or MariaDB that `databases` names, in its dialect.",
    )
    quirks: Literal["official", "repaired"] | None = Field(
        default=None,
        description="Whether the quirks of the official evaluator hold, such as reading the word value in an answer "
        "as 1; official for Spider (format spider, without columns) and repaired for other data sets if absent.",
    )


# The limits of the scoring, as the metric declares them for itself, which needs no pydantic.
Scoring: type[Settings] = create_model(
    "Scoring",
    __base__=_Judging,
    __doc__="Limits of one execution of one statement, and which verdicts the official evaluator's quirks decide.",
    **{
        limit.name: (
            limit.type,
            Field(
                ge=limit.metadata["least"],
                le=limit.metadata["most"],
                description=limit.metadata["help"],
                json_schema_extra={"unit": limit.metadata["unit"]},
            ),
        )
        for limit in fields(Limits)
        if limit.name in _REQUIRED_LIMITS
    },  # type: ignore[call-overload]
)


class Published(Settings):
    """A published table that the report sets beside this run's own figures."""

    table: FilledText = Field(
        description="A YAML file with source, metric, questions and rows, as in config/published."
    )
    rows: dict[Name, Text] = Field(
        min_length=1,
        description="For each variant that reruns a published one, the name of its row in the table.",
    )


Seeds = Annotated[list[Seed], *UNIQUE, Field(min_length=1)]


class _Asked(Settings):
    decoding: Annotated[dict[str, Any], PartOf(DecodingEntry)] | None = Field(
        default=None, description="Settings of generation that differ from the experiment's."
    )
    context: Text | None = Field(default=None, description="A context other than the experiment's.")


class _Generated(_Asked):
    seed: Seed | None = Field(default=None, description="A seed other than the experiment's.")
    seeds: Seeds | None = Field(default=None, description="Seeds other than the experiment's.")


class LearningCurveEntry(Settings):
    """The same recipe on nested samples of its rows, measured on validation questions."""

    rows: Annotated[list[Annotated[float, Field(gt=0, le=1)]], *UNIQUE, Field(min_length=1)] = (
        Field(
            description="Shares of the training rows, such as [0.1, 0.3, 1.0]; all rows are always among them, as the "
            "variant's own training."
        )
    )

    @model_validator(mode="after")
    def _a_share_below_all(self) -> Self:
        if min(self.rows) == 1:
            raise misfit(
                "rows",
                "all rows are the variant itself; name a share below 1, such as [0.1, 0.3, 1.0]",
            )
        # Folders are named so.
        written = [f"{share:g}" for share in {*self.rows, 1.0}]
        if twice := {own for own in written if written.count(own) > 1}:
            raise misfit(
                "rows",
                f"several shares are {min(twice)} with six digits, which are all that count; leave all but one out",
            )
        return self


class _Learned(_Generated):
    training: Annotated[dict[str, Any], PartOf(TrainingEntry)] | None = Field(
        default=None, description="Settings of fine-tuning that differ from the experiment's."
    )
    parallelism: Parallelism | None = Field(
        default=None, description="How the training is spread over GPUs; replaces the experiment's."
    )


class _Trained(_Learned):
    learning_curve: LearningCurveEntry | None = Field(
        default=None, description=LearningCurveEntry.__doc__
    )
    start_from: Text | None = Field(
        default=None,
        description="A trained variant, from whose model with the same seed the training starts; the base if absent.",
    )


class UntrainedVariant(_Generated):
    """The base itself."""

    method: Literal["none"] = Field(description="The base itself.")


class LoraVariant(_Trained, LoraSettings):
    """Adapters, merged into the base."""

    method: Literal["lora"] = Field(description="Adapters, merged into the base.")
    sweep: LoraSweep | None = Field(default=None, description=LoraSweep.__doc__)  # type: ignore[valid-type]


class FullVariant(_Trained):
    """All parameters trained."""

    method: Literal["full"] = Field(description="All parameters trained.")
    sweep: FullSweep | None = Field(default=None, description=FullSweep.__doc__)  # type: ignore[valid-type]


class RejectionVariant(Rejection, _Learned):
    """The base, trained on gold and on right answers that another variant's model drew."""

    method: Literal["rejection"] = Field(
        description="The base, trained on gold and on right answers that another variant's model drew."
    )


class DpoVariant(PreferencePairs, _Learned):
    """Another variant's model, trained to prefer right answers to wrong ones that it drew."""

    method: Literal["dpo"] = Field(
        description="Another variant's model, trained to prefer right answers to wrong ones that it drew."
    )


class GrpoVariant(Reward, _Learned):
    """Another variant's model, trained by what its own answers give when they are executed."""

    method: Literal["grpo"] = Field(
        description="Another variant's model, trained by what its own answers give when they are executed."
    )


class ReuseVariant(_Asked):
    """Another variant's model, asked in another way."""

    method: Literal["reuse"] = Field(description="Another variant's model, asked in another way.")
    model_of: Text = Field(description="The variant whose model, with each of its seeds, is asked.")


class QuantizedVariant(_Asked):
    """Another variant's model with smaller numbers, as it may be deployed."""

    method: Literal["quantized"] = Field(
        description="Another variant's model with smaller numbers, as it may be deployed."
    )
    model_of: Text = Field(
        description="The variant whose model, with each of its seeds, is made smaller."
    )
    quantize: Quantization = Field(
        description="What becomes of its numbers: q8_0 or q4_k_m, a GGUF file that llama.cpp asks on the CPU; int8 or "
        "nf4, by bitsandbytes, asked by transformers."
    )


class Price(Settings):
    """What a server takes for a million tokens, in any one currency."""

    input: float = Field(ge=0, description="For a million tokens of prompts.")
    output: float = Field(ge=0, description="For a million tokens of answers.")


class ServedVariant(_Generated, Server):
    """A model behind a server that answers as OpenAI's API does."""

    method: Literal["served"] = Field(
        description="A model behind a server that answers as OpenAI's API does."
    )
    concurrency: int = Field(
        default=8, ge=1, le=1000, description="Requests that are under way at a time, at most."
    )
    price: Price | None = Field(default=None, description=Price.__doc__)


class ImportedVariant(Settings):
    """Predictions made elsewhere."""

    method: Literal["imported"] = Field(description="Predictions made elsewhere.")
    predictions: FilledText = Field(
        description="A .sql file in the official format, in the order of the questions, or .jsonl joined by id."
    )


BaseModel = Annotated[ToyBase | FolderBase, Field(discriminator="source")]
Dataset = Annotated[DemoDataset | FileDataset, Field(discriminator="source")]
Variant = Annotated[
    UntrainedVariant
    | LoraVariant
    | FullVariant
    | RejectionVariant
    | DpoVariant
    | GrpoVariant
    | ReuseVariant
    | QuantizedVariant
    | ServedVariant
    | ImportedVariant,
    Field(discriminator="method"),
]


class Experiment(Settings):
    """One experiment: what is compared, on what, and how."""

    title: FilledText = Field(
        description="What the experiment is, in a few words; the heading of the report."
    )
    seed: Seed | None = Field(
        default=None,
        description="Seed of data, initial weights and sampling; the short form of seeds with one entry.",
    )
    seeds: Seeds | None = Field(
        default=None,
        description="Instead of seed: each variant is trained, asked and scored once with each; data and base model "
        "take the first.",
    )
    base_model: BaseModel = Field(description="The model that every variant starts from.")
    downloads: dict[Name, Download] = Field(
        default={},
        description="Files of the internet, by name; each is unpacked into resources/downloads/<name>, where data sets "
        "find it.",
    )
    datasets: dict[Name, Dataset] = Field(
        min_length=1, description="Sets of questions with their databases, by name."
    )
    train_on: Text | None = Field(
        default=None, description="The data set that variants are fine-tuned on."
    )
    train_mix: dict[Name, Annotated[float, Field(gt=0, le=100)]] | None = Field(
        default=None,
        min_length=1,
        description="Instead of train_on, several data sets, each with how often its rows are seen in one pass: 1 is "
        "each once, 4 each four times, 0.3 a sample of 30 % of them.",
    )
    test_on: Text = Field(description="The data set that variants are compared on.")
    validate_on: Text | None = Field(
        default=None,
        description="The data set whose questions choose among a training's checkpoints; without it the validation "
        "split of train_on.",
    )
    decontamination: Decontamination | None = Field(
        default=None, description=Decontamination.__doc__
    )
    test_split: Literal["test", "validation"] = Field(
        default="test",
        description="The part of test_on that variants are compared on; validation is for choosing prompts and "
        "settings.",
    )
    contexts: dict[Name, Context] = Field(
        min_length=1,
        description="Ways of writing a question and its database into a prompt, by name.",
    )
    context: Text = Field(description="The context of every variant that names no other.")
    training: TrainingEntry = Field(description=TrainingEntry.__doc__)
    parallelism: Parallelism = Field(
        default=Parallelism(method="single"),
        description="How trainings are spread over GPUs, for every variant that names no other.",
    )
    decoding: DecodingEntry = Field(description=DecodingEntry.__doc__)
    scoring: Scoring = Field(description=Scoring.__doc__)  # type: ignore[valid-type]
    published: Published | None = Field(default=None, description=Published.__doc__)
    trackers: Annotated[list[TrackerName], *UNIQUE] = Field(
        default=[],
        description="Where trainings and scores are shown besides: tensorboard, mlflow, wandb, trackio; without a "
        "network unless their own environment variables say otherwise.",
    )
    baseline: Text | None = Field(
        default=None,
        description="The variant that the report compares the others with, of any method; the first if absent.",
    )
    variants: dict[Name, Variant] = Field(
        min_length=1, description="What is compared, by name, in the order of tables and charts."
    )

    @model_validator(mode="before")
    @classmethod
    def _one_set_to_train_on(cls, value: Any) -> Any:
        named = value.get("train_on") if isinstance(value, dict) else None
        if isinstance(named, list):
            each = ", ".join(f"{name}: 1.0" for name in named)
            raise misfit(
                "train_on",
                f"{named} is a list, but one data set is named here; several are trained on together by "
                f"train_mix: {{{each}}} instead",
            )
        return value
