"""What a first config says about splits and training: read off the size of the data, the model and the machine.

Rules of thumb, to begin with; docs/recipes.md has what was measured.
"""

import math
from dataclasses import dataclass

from sqladder.starting.found_data import FoundDatabases, FoundQuestions
from sqladder.starting.found_machine import FoundBase

# Questions in each of so many databases make a test on databases that training never saw.
DATABASES_TO_SPLIT = 10
# Optimizer steps that move a model of this size; with fewer it hardly learns the form of an answer.
STEPS = 200
MOST_EPOCHS, FEWEST_EPOCHS = 20, 3
SMALL, LARGE = 20 * 10**6, 4 * 10**9
# Tokens of a packed row.
PACKED = 4096
# Rows of training below which a packed batch would be most of the data.
ROWS_TO_PACK = 500
# Characters of DDL in a token, less than usual, and what stands around the schema.
_CHARACTERS, _AROUND = 2.5, 512
_LENGTHS = (1024, 2048, 4096, 8192)


@dataclass(frozen=True)
class ChosenSplit:
    """How questions are parted, and how many come where, about.

    Attributes:
        by: database or question.
        validation: share of the questions.
        test: share of the questions.
        counts: of training, validation and test.
    """

    by: str
    validation: float
    test: float
    counts: tuple[int, int, int]


@dataclass(frozen=True)
class ChosenTraining:
    """Settings of fine-tuning.

    Attributes:
        epochs: passes over the training rows.
        batch_size: rows of a step.
        gradient_accumulation: micro-steps of a step.
        packing_length: tokens of a packed row; 0 packs nothing.
        kernels: fused on a GPU, else plain.
        gradient_checkpointing: for models that fill the memory.
        cutoff_length: tokens of prompt and answer.
        learning_rate: of adapters.
        full_learning_rate: of all parameters; None where they do not fit into one GPU.
        rank: of adapters.
    """

    epochs: int
    batch_size: int
    gradient_accumulation: int
    packing_length: int
    kernels: str
    gradient_checkpointing: bool
    cutoff_length: int
    learning_rate: str
    full_learning_rate: str | None
    rank: int


def choose_split(questions: FoundQuestions) -> ChosenSplit:
    """Part by database where there are enough of them, else by question; a test needs more of few questions."""
    by = "database" if len(questions.by_database) >= DATABASES_TO_SPLIT else "question"
    validation, test = (0.1, 0.2) if questions.different >= 1000 else (0.2, 0.3)
    parts = round(validation * questions.count), round(test * questions.count)
    return ChosenSplit(by, validation, test, (questions.count - sum(parts), *parts))


def choose_training(
    base: FoundBase, databases: FoundDatabases, rows: int, gpus: int
) -> ChosenTraining:
    """Choose batch, packing and epochs.

    Args:
        base: what is trained.
        databases: whose schemas stand in each prompt.
        rows: of training.
        gpus: that a run may use.
    """
    is_toy, is_large = base.parameters < SMALL, base.parameters > LARGE
    packs = gpus > 0 and rows >= ROWS_TO_PACK
    batch, accumulation = 16, 1
    if not is_toy:
        batch, accumulation = (2, 8) if is_large or not gpus else (8, 2)
    if packs:
        accumulation = 1
    if rows < 20 * batch * accumulation:
        # Too few steps otherwise.
        batch, accumulation = (4, 1) if batch > 4 else (batch, 2)
    steps_an_epoch = max(1.0, rows / (batch * accumulation))
    if is_toy:
        rates: tuple[str, str | None] = ("1.0e-3", "1.0e-3")
    elif base.parameters < 5 * 10**8:
        rates = ("1.0e-3", "3.0e-4")
    else:
        rates = ("2.0e-4", None if is_large else "1.0e-5")
    return ChosenTraining(
        epochs=min(MOST_EPOCHS, max(FEWEST_EPOCHS, math.ceil(STEPS / steps_an_epoch))),
        batch_size=batch,
        gradient_accumulation=accumulation,
        packing_length=PACKED if packs else 0,
        kernels="fused" if gpus else "plain",
        gradient_checkpointing=is_large,
        cutoff_length=_cutoff(databases.schema_length),
        learning_rate=rates[0],
        full_learning_rate=rates[1],
        rank=32,
    )


def _cutoff(schema_length: int | None) -> int:
    needed = 0 if schema_length is None else schema_length / _CHARACTERS + _AROUND
    return next((length for length in _LENGTHS if length >= needed), _LENGTHS[-1])
