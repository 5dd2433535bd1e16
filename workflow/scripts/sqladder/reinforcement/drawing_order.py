"""Which questions are answered at which step: known before the first, so that a killed training goes on alike."""

import torch

from sqladder.errors import InputError


def question_order(questions: int, at_once: int, drawings: int, seed: int) -> list[int]:
    """Places of the questions of all drawings, one drawing after the other.

    Each pass over the questions has an order of its own; what is left of a pass and fills no drawing is left out.

    Args:
        questions: how many there are.
        at_once: questions of one drawing.
        drawings: how often is drawn.
        seed: of the orders.

    Raises:
        InputError: there are not enough questions for one drawing.
    """
    a_pass = questions // at_once
    if not a_pass:
        raise InputError(
            f"a step answers {at_once} questions (batch_size x gradient_accumulation / samples), and there are only "
            f"{questions}; give a smaller batch_size or gradient_accumulation, or more samples"
        )
    generator = torch.Generator().manual_seed(seed)
    order: list[int] = []
    while len(order) < drawings * at_once:
        order += torch.randperm(questions, generator=generator)[: a_pass * at_once].tolist()
    return order[: drawings * at_once]


def planned_drawings(questions: int, at_once: int, epochs: float, most: int | None) -> int:
    """How often is drawn in a training: as the epochs ask for, but not more often than `most`, and once at least."""
    drawings = max(1, round(epochs * (questions // at_once)))
    return drawings if most is None else min(drawings, most)
