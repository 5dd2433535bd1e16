"""All trainings that a run makes: of its variants, of candidates, of points of curves, of rounds."""

from sqladder.experiment.curve_points import names_of_points, with_points
from sqladder.experiment.learning import earlier_trainings, with_rounds
from sqladder.experiment.reading import Config
from sqladder.experiment.sweeps import trained_by_a_job, with_candidates


def with_trainings(config: Config) -> Config:
    """The config with each training as a variant that is trained, by its name; for the jobs that train."""
    return with_rounds(with_points(with_candidates(config)))


def names_of_trainings(config: Config) -> list[str]:
    """Names of all that have a training, or a base to be linked, of their own."""
    return [*trained_by_a_job(config), *names_of_points(config), *earlier_trainings(config)]
