"""Settings as the flags of a program."""

from collections.abc import Mapping


def as_flags(settings: Mapping[str, object]) -> list[str]:
    """Settings as flags: {"rank": 32} gives --rank=32; the values of a list follow the name."""
    flags: list[str] = []
    for key, value in settings.items():
        name = f"--{key.replace('_', '-')}"
        flags += [name, *map(str, value)] if isinstance(value, list) else [f"{name}={value}"]
    return flags


def named(files: Mapping[str, str | list[str]]) -> dict[str, str | list[str]]:
    """Those of the files that a job has; a missing one is the empty list, as Snakemake takes it."""
    return {name: path for name, path in files.items() if path}
