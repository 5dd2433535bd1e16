"""The slice of an entry that a job uses, so that a change of another setting does not plan the job anew."""

from collections.abc import Mapping
from typing import Any

from sqladder.settings.kinds import Kind, kind_of
from sqladder.settings.problems import settings_of


def sliced(kind: Any, values: Mapping[str, Any]) -> Any:
    """Return the settings of a kind, a model or a union of some, that values hold among others."""
    return settings_of(kind, kept(kind, values))


def kept(kind: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values whose keys a kind has, at every level."""
    return _kept(kind_of(kind), values)


def _kept(kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    if kind.discriminator:
        kind = kind_of(kind.tagged(values[kind.discriminator]))
    found = {}
    for key, kinds in kind.fields().items():
        if key in values:
            value = values[key]
            has_keys = bool(kinds[0].models) and isinstance(value, Mapping)
            found[key] = _kept(kinds[0], value) if has_keys else value
    return found
