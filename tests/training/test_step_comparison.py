"""Two computations of one step: rounding passes, another computation does not."""

import pytest

torch = pytest.importorskip("torch")

from sqladder.training.step_comparison import (  # noqa: E402
    ROUNDING,
    ROUNDING_BFLOAT16,
    Step,
    difference,
)

NUMBERS = 50_000


def gradients(seed):
    draw = torch.Generator().manual_seed(seed)
    return {name: torch.randn(NUMBERS, generator=draw) for name in ("a", "b")}


def step(noise=0.0, factor=1.0, loss=2.0):
    noises = gradients(2)
    return Step(loss, {name: factor * g + noise * noises[name] for name, g in gradients(1).items()})


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.15])
def test_rounding_of_bfloat16_has_no_direction_and_passes(noise):
    assert difference(step(noise), step(), ROUNDING_BFLOAT16) is None


@pytest.mark.parametrize("factor", [0.5, 0.95, 1.05, 2.0])
@pytest.mark.parametrize("noise", [0.0, 0.08])
def test_a_factor_that_is_left_out_is_told_from_rounding_however_near_it_is_to_one(factor, noise):
    assert "gradients" in difference(step(noise, factor), step(), ROUNDING_BFLOAT16)


def test_more_noise_than_rounding_another_loss_and_missing_gradients_are_told():
    assert "differ by" in difference(step(0.3), step(), ROUNDING_BFLOAT16)
    assert "loss" in difference(step(loss=2.1), step(), ROUNDING_BFLOAT16)
    lacking = Step(2.0, {"a": step().gradients["a"]})
    assert "of some weights" in difference(lacking, step(), ROUNDING_BFLOAT16)
    assert "loss" in difference(step(loss=float("nan")), step(), ROUNDING_BFLOAT16)


def test_in_float32_nothing_but_the_last_digits_may_differ():
    assert difference(step(1e-4), step(), ROUNDING) is None
    assert difference(step(5e-3), step(), ROUNDING) is not None
