"""Writes the JSON Schema of the config, which editors read: `make schema`, after a change of a declaration."""

from pathlib import Path

from sqladder.experiment.settings import Experiment
from sqladder.files import write_text
from sqladder.settings.json_schema import schema_text

SCHEMA = Path(__file__).parents[3] / "schemas" / "config.schema.yaml"
_HEAD = "# Written from the declarations of the settings by `make schema`, for editors; the check needs no file.\n"


def config_schema() -> str:
    """The text of the schema file, as the declarations are now."""
    return _HEAD + schema_text(Experiment)


if __name__ == "__main__":
    write_text(SCHEMA, config_schema())
