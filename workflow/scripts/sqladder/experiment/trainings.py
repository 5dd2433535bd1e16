"""All trainings that a run makes: of its variants, of candidates, of points of curves, of rounds."""

from sqladder.experiment.curve_points import names_of_points, with_points
from sqladder.experiment.learning import earlier_trainings, with_rounds
from sqladder.experiment.reading import Config
from sqladder.experiment.reinforced import reinforced, with_rewards
from sqladder.experiment.sweeps import trained_by_a_job, with_candidates


def with_trainings(config: Config) -> Config:
    """The config with each training as a variant that is trained, by its name; for the jobs that train."""
    return with_rewards(with_rounds(with_points(with_candidates(config))))


def names_of_trainings(config: Config) -> list[str]:
    """Names of all that have a training on given rows, or a base to be linked, of their own."""
    own = [*trained_by_a_job(config), *names_of_points(config), *earlier_trainings(config)]
    others = reinforced(config)
    return [name for name in own if name not in others]
