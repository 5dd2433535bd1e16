"""The points of learning curves (`learning_curve:`): trainings of the DAG on shares of a variant's rows.

A point is a variant of its own in every respect but one: it is judged by the validation questions alone, and never
asked a question of the test. Its folder, results/<variant>/learning_curve/<share>/seed_<seed>, says what it is, so that
a curve that gets one share more finds the others where they were. All rows are the variant's own training.
"""

from typing import NamedTuple

from sqladder.experiment.reading import Config
from sqladder.experiment.variants import own_seed, replicates, seeds_of, variants_by_method
from sqladder.training.settings import TRAINED

FOLDER = "learning_curve"


class CurvePoint(NamedTuple):
    """A training on a share of a variant's rows.

    Attributes:
        variant: whose recipe it is.
        share: of the rows, below 1.
        seed: of the sample and of the training.
    """

    variant: str
    share: float
    seed: int

    @property
    def name(self) -> str:
        """Its path below results/, as a replicate has one."""
        return f"{self.variant}/{FOLDER}/{self.share:g}/seed_{self.seed}"


def with_curve(config: Config) -> list[str]:
    """The variants that have a learning curve."""
    trained = variants_by_method(config, TRAINED)
    return [name for name in trained if "learning_curve" in config["variants"][name]]


def points_of(config: Config, variant: str) -> list[CurvePoint]:
    """The trainings that a variant's curve needs besides its own, the smallest share first."""
    shares = sorted(config["variants"][variant]["learning_curve"]["rows"])
    return [
        CurvePoint(variant, share, seed)
        for share in shares
        if share < 1
        for seed in seeds_of(config, variant)
    ]


def all_points(config: Config) -> list[CurvePoint]:
    """The points of all curves."""
    return [own for variant in with_curve(config) for own in points_of(config, variant)]


def names_of_points(config: Config) -> list[str]:
    """Names of the trainings of all points."""
    return [own.name for own in all_points(config)]


def with_points(config: Config) -> Config:
    """The config with each point as a variant, by its name; for the jobs that train."""
    added = {own.name: _entry(config, own) for own in all_points(config)}
    return {**config, "variants": {**config["variants"], **added}} if added else config


def curve_facts(config: Config, variant: str) -> list[str]:
    """The train.json of each model of a variant's curve."""
    return [f"results/{name}/train.json" for _, _, name in _models(config, variant)]


def curve_flags(config: Config, variant: str) -> list[str]:
    """The models of a variant's curve: share of the rows, seed, and train.json of each."""
    flags = []
    for share, seed, name in _models(config, variant):
        flags += ["--model", f"{share:g}", str(seed), f"results/{name}/train.json"]
    return flags


def _models(config: Config, variant: str) -> list[tuple[float, int, str]]:
    own = [
        (1.0, own_seed(config, name), name)
        for name, replicate in replicates(config).items()
        if replicate.variant == variant
    ]
    return [(p.share, p.seed, p.name) for p in points_of(config, variant)] + own


def _entry(config: Config, own: CurvePoint) -> Config:
    """A point's entry of the config."""
    variant = config["variants"][own.variant]
    kept = {key: value for key, value in variant.items() if key not in ("learning_curve", "seeds")}
    return {**kept, "share_of_rows": own.share, "seed": own.seed}
