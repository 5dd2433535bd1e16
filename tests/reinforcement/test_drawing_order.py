"""Which questions are answered at which step of a training by reward."""

import pytest

from sqladder.errors import InputError
from sqladder.reinforcement.drawing_order import planned_drawings, question_order


def test_each_pass_asks_each_question_once_and_in_another_order():
    order = question_order(6, 2, 6, seed=1)
    first, second = order[:6], order[6:]
    assert sorted(first) == sorted(second) == list(range(6))
    assert first != second
    # A training that goes on asks the same ones, and so does one with more steps.
    assert question_order(6, 2, 9, seed=1)[:12] == order
    assert question_order(6, 2, 6, seed=2) != order


def test_what_fills_no_step_is_left_out_and_no_question_is_asked_twice_in_one():
    order = question_order(7, 3, 4, seed=1)
    steps = [order[begin : begin + 3] for begin in range(0, 12, 3)]
    assert all(len(set(step)) == 3 for step in steps)


def test_too_few_questions_for_a_step_are_refused_with_the_way_out():
    with pytest.raises(InputError, match=r"answers 8 questions.*only 7; give a smaller batch_size"):
        question_order(7, 8, 1, seed=1)


@pytest.mark.parametrize(
    ("epochs", "most", "drawings"), [(1, None, 12), (2.5, None, 30), (2.5, 7, 7), (0.01, None, 1)]
)
def test_a_training_is_as_long_as_its_epochs_or_its_steps(epochs, most, drawings):
    assert planned_drawings(100, 8, epochs, most) == drawings
