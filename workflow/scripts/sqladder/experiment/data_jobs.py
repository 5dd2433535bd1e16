"""What the jobs of workflow/rules/data.smk get."""

from sqladder.experiment.reading import Config


def datasets_by_source(config: Config, source: str) -> list[str]:
    """Name the data sets that come from `source`, in the config's order."""
    return [name for name, entry in config["datasets"].items() if entry["source"] == source]
