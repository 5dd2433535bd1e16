"""Marks of several variants on the same questions, of which any two are compared in one way wherever that is told.

How far seeds scatter is told by the seeds of all variants (`seed_scatter`), not only by those of the two, so whoever
compares two variants of a run hands over all of them: the ranking, sentences about failures, `sqladder compare`.
"""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property

from sqladder.statistics.groups import Groups
from sqladder.statistics.paired_difference import PairedDifference
from sqladder.statistics.seed_scatter import Scatter, SeedScatter, seed_scatter
from sqladder.statistics.seeds import Answers


@dataclass(frozen=True)
class VariantMarks:
    """What each variant has right of the same n questions, or has failed at in one way.

    Attributes:
        answers: marks of each variant, shape (its seeds, n).
        models: of each variant, the training behind each of its seeds.
        trained_once: variants of which another seed would have given another model.
    """

    answers: Mapping[str, Answers]
    models: Mapping[str, tuple[Hashable, ...]]
    trained_once: Collection[str]

    @cached_property
    def scatter(self) -> SeedScatter:
        """How far the seeds of all these variants scatter."""
        return seed_scatter(list(self.answers.values()), list(self.models.values()))

    def ask_the_same(self, first: str, second: str) -> bool:
        """Whether two variants ask the same trainings, of several seeds, and so are compared seed by seed."""
        return len(self.answers[first]) > 1 and self.models[first] == self.models[second]

    def scatter_of(self, first: str, second: str) -> Scatter | None:
        """How far the seeds of all variants say that these two scatter; None where their own tell it alone."""
        same = self.ask_the_same(first, second)
        return self.scatter.ways if same else self.scatter.trainings

    @property
    def standing_out(self) -> list[str]:
        """Variants whose seeds scatter so much more than those of the others that these tell nothing of them."""
        trainings = self.scatter.trainings
        return [
            name
            for name, rows in self.answers.items()
            if trainings is not None and trainings.stands_out(rows)
        ]

    def difference(self, first: str, second: str, groups: Groups) -> PairedDifference:
        """The first variant's marks less the second's.

        Args:
            first: name of a variant.
            second: name of the other.
            groups: of the n questions.
        """
        return PairedDifference.of(
            self.answers[first],
            self.answers[second],
            groups,
            same_models=self.ask_the_same(first, second),
            single_seed_varies=not {first, second}.isdisjoint(self.trained_once),
            scatter=self.scatter_of(first, second),
        )
