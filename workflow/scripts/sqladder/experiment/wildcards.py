"""Names and functions of the config as Snakemake's rules take them: patterns of wildcards, input functions."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from sqladder.experiment.reading import Config


def any_of(names: Iterable[str]) -> str:
    """The pattern that matches one of the names, or nothing where there is none."""
    return "|".join(names) or "(?!)"


def input_function(
    function: Callable[..., Any], config: Config, **given: Any
) -> Callable[[Any], Any]:
    """The input function that calls a function of the config with the wildcards that its arguments are named after.

    Also for params, resources and conda. It takes no `input`: Snakemake does not compare params that were computed from
    it, and a changed setting would train nothing.

    Args:
        function: its first argument is `config`.
        config: the experiment's, or that with all trainings.
        given: arguments that are the same for all jobs of a rule.
    """
    arguments = inspect.signature(function).parameters
    wanted = [name for name in arguments if name not in {"config", *given}]

    def value(wildcards: Any) -> Any:
        return function(config, **given, **{name: getattr(wildcards, name) for name in wanted})

    return value
