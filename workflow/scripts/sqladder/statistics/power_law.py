"""How a share of wrong answers falls with the number of training rows: a power law, and what twice the rows bring.

The law is error = a * rows ** -b, a line in logarithms, which is fitted by least squares. A floor that the error never
goes below would be a third number, which a few sizes cannot tell; whether the law holds without one is tested by what
each size is off it. Source of the form: J. Hestness et al. (2017), "Deep learning scaling is predictable, empirically",
arXiv 1712.00409.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sqladder.statistics.groups import Groups
from sqladder.statistics.intervals import Interval

RESAMPLED = 2_000
SEED = 42
LEAST_SIZES = 3
"""A line through two points fits them whatever they are."""
LEAST_GROUPS = 20
"""With fewer groups of questions a bootstrap's intervals are clearly too narrow."""


@dataclass(frozen=True)
class PowerLaw:
    """Marks of models that were trained on several numbers of rows, and the law through them.

    Attributes:
        rows: numbers of training rows, rising, shape (sizes,).
        answers: true where an answer is right, shape (sizes, draws, n): each draw is a nested sample of its own.
        groups: of the n questions.
    """

    rows: Sequence[int]
    answers: NDArray[np.bool_]
    groups: Groups

    @property
    def errors(self) -> NDArray[np.float64]:
        """Share of wrong answers of each size."""
        return 1 - self.answers.mean(axis=(1, 2))

    @property
    def exponent(self) -> float:
        """The law's b: twice the rows leave 2 ** -b of the errors."""
        return float(-self._lines(self.errors[None])[0, 1])

    @property
    def exponent_interval(self) -> Interval:
        """Where 95 % of the exponents of resampled draws and groups of questions lie."""
        return _middle(-self._resampled_lines[:, 1], 0.05)

    def error_at(self, rows: float) -> float:
        """The law's share of wrong answers for a number of rows."""
        return float(_at(self._lines(self.errors[None]), rows)[0])

    @property
    def gain(self) -> float:
        """How much the accuracy would rise, by the law, from the most rows to twice as many."""
        most = self.rows[-1]
        return self.error_at(most) - self.error_at(2 * most)

    @property
    def gain_interval(self) -> Interval:
        """The 95 % interval of that."""
        lines, most = self._resampled_lines, self.rows[-1]
        return _middle(_at(lines, most) - _at(lines, 2 * most), 0.05)

    @property
    def objection(self) -> str | None:
        """Why the data do not carry a law, None where they do."""
        if len(self.rows) < LEAST_SIZES:
            return f"a law needs {LEAST_SIZES} different numbers of rows, and there are {len(self.rows)}"
        groups = len(self.groups.sizes)
        if groups < LEAST_GROUPS:
            return f"the questions are of {groups} groups, and fewer than {LEAST_GROUPS} tell too little"
        if not self.answers.any():
            return "no model answered a question rightly"
        if not (self._resampled > 0).all():
            return "at some number of rows hardly an answer is wrong, so the law has nothing to fall from"
        low, high = self.exponent_interval
        if low <= 0:
            return (
                f"it is not known that the errors fall with the rows (exponent {self.exponent:.2f}, 95 % interval "
                f"{low:.2f} to {high:.2f})"
            )
        off = np.log(self._resampled) - self._fitted(self._resampled_lines)
        # Each of several sizes may be off by chance.
        ends = [_middle(own, 0.05 / len(self.rows)) for own in off.T]
        for rows, interval in zip(self.rows, ends, strict=True):
            if not interval.holds_0:
                return f"the models of {rows:,} rows are off it by more than chance explains"
        return None

    @cached_property
    def _resampled(self) -> NDArray[np.float64]:
        """Errors of resampled draws and groups, the same ones at each size, shape (RESAMPLED, sizes)."""
        random = np.random.default_rng(SEED)
        _, draws, _ = self.answers.shape
        count = len(self.groups.sizes)
        wrong = np.array(
            [[self.groups.sums(~draw) for draw in size] for size in self.answers]
        )  # sizes, draws, groups
        by_draw = random.multinomial(draws, np.full(draws, 1 / draws), RESAMPLED) / draws
        by_group = random.multinomial(count, np.full(count, 1 / count), RESAMPLED)
        total = np.einsum("rd,sdg,rg->rs", by_draw, wrong, by_group, optimize=True)
        return total / (by_group @ self.groups.sizes)[:, None]

    @cached_property
    def _resampled_lines(self) -> NDArray[np.float64]:
        return self._lines(self._resampled)

    def _lines(self, errors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of a, and -b, of errors of shape (m, sizes); shape (m, 2)."""
        sizes = np.log(np.array(self.rows, dtype=float))
        least = 1 / (2 * self.answers.shape[1] * self.answers.shape[2])
        logs, centred = np.log(np.maximum(errors, least)), sizes - sizes.mean()
        slopes = logs @ centred / (centred @ centred)
        return np.stack([logs.mean(axis=1) - slopes * sizes.mean(), slopes], axis=1)

    def _fitted(self, lines: NDArray[np.float64]) -> NDArray[np.float64]:
        return lines[:, :1] + lines[:, 1:] * np.log(np.array(self.rows, dtype=float))


def _at(lines: NDArray[np.float64], rows: float) -> NDArray[np.float64]:
    return np.minimum(1.0, np.exp(lines[:, 0] + lines[:, 1] * np.log(rows)))


def _middle(values: NDArray[np.float64], alpha: float) -> Interval:
    low, high = np.quantile(values, [alpha / 2, 1 - alpha / 2])
    return Interval(float(low), float(high))
