"""What a variant was asked with: results/<variant>/asking.json, from which it can be asked again."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from sqladder.errors import InputError
from sqladder.files import read_object
from sqladder.generation.served_settings import Server
from sqladder.generation.settings import Choice, RepairedDecoding, ServedDecoding
from sqladder.metric.limits import Limits
from sqladder.prompts.settings import ContextSettings
from sqladder.retrieval.settings import Bm25Choice, EmbeddingChoice, RandomDraw, RerankChoice
from sqladder.settings.base import FilledText, Settings, Text
from sqladder.settings.problems import dotted, settings_of

FILE = "asking.json"


class FewShot(Settings):
    """Where the few-shot examples of a question come from; paths are those of the run, from its root."""

    choice: RandomDraw | Bm25Choice | EmbeddingChoice | RerankChoice = Field(
        discriminator="method", description="How examples are chosen."
    )
    pool: FilledText = Field(description="The examples, JSON Lines.")
    pool_databases: FilledText | None = Field(
        default=None, description="Their databases, where questions are compared by their mask."
    )
    index: FilledText | None = Field(default=None, description="The index of their embeddings.")


class _Asking(Settings):
    variant: FilledText = Field(description="The variant, with its seed where it has several.")
    root: Text = Field(description="The folder of the run, seen from this file's.")
    context: ContextSettings = Field(description="How a prompt is rendered.")
    few_shot: FewShot | None = Field(default=None, description=FewShot.__doc__)
    repair_turn: FilledText | None = Field(
        default=None, description="The turn that asks again what fails."
    )
    choose: Choice = Field(default="first", description="Which of several samples is the answer.")
    quirks: Literal["official", "repaired"] = Field(
        description="Whether votes and repairs read answers with the official evaluator's quirks."
    )
    limits: dict[str, Any] = Field(description="What one execution may cost (metric/limits.py).")

    def own_limits(self) -> Limits:
        """What one execution may cost.

        Raises:
            InputError: a limit is unknown, or out of its range.
        """
        try:
            return Limits(**self.limits)
        except TypeError as error:
            raise InputError(f"{FILE} of {self.variant}: limits {self.limits}: {error}") from error


class ModelAsking(_Asking):
    """A variant whose answers a model here gives."""

    asks: Literal["model"] = Field(description="Who answers.")
    model: FilledText = Field(description="The model's folder, seen from this file's.")
    decoding: RepairedDecoding = Field(description="How answers are generated.")


class ServerAsking(_Asking):
    """A variant whose answers a server gives."""

    asks: Literal["server"] = Field(description="Who answers.")
    server: Server = Field(description="The server.")
    decoding: ServedDecoding = Field(description="How it is asked.")


Asking = ModelAsking | ServerAsking
AnyAsking = Annotated[Asking, Field(discriminator="asks")]


def read_asking(folder: Path) -> Asking:
    """What the variant of a result folder was asked with.

    Raises:
        InputError: the folder is none of a variant, or was made without the file; the message says the way out.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: name that of a variant, such as results/full")
    if not (folder / FILE).is_file():
        raise InputError(_without_file(folder))
    path = folder / FILE
    asking: Asking = settings_of(
        AnyAsking, read_object(path), lambda place: f"{path}: {dotted(place)}"
    )
    return asking


def _without_file(folder: Path) -> str:
    below = sorted(str(path.parent) for path in folder.glob(f"*/{FILE}"))
    if below:
        return f"{folder} is no variant, but holds some: name one of {', '.join(below)}"
    if (folder / "predictions.jsonl").is_file():
        return (
            f"{folder} has no {FILE}, which says how its variant was asked: `snakemake --cores 1 {folder / FILE}` in "
            "the folder of the run writes it, for variants that were generated there; predictions made elsewhere "
            "have no model to ask"
        )
    return f"{folder} is no variant of a run: name a folder with its {FILE}, such as results/full"
