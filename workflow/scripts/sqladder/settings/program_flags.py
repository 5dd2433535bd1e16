"""Settings as the flags of a program, and flags as settings: the same declaration on both sides.

A key's flag is its name, `--max-new-tokens`; a key inside a key has both, `--parallelism-method`. A list takes its
values behind its flag or by the flag repeated. A setting that is at its default has no flag: a config that leaves a key
out and one that writes the default plan the same job, and a new setting with a default plans no finished job anew.
"""

import argparse
from collections.abc import Iterator
from typing import Any, get_origin

from sqladder.settings.base import Settings
from sqladder.settings.kinds import Kind, Location, keys, kind_of
from sqladder.settings.problems import settings_of


def flag(location: Location) -> str:
    """The flag of a key: "--parallelism-method"."""
    return "--" + "-".join(map(str, location)).replace("_", "-") if location else "flags"


def add_flags(parser: argparse.ArgumentParser, kind: Any, title: str = "settings") -> None:
    """Declare the flags of a Settings model, or of a union of models, as a group of the parser."""
    group = parser.add_argument_group(title)
    for location, kinds in _leaves(kind_of(kind)):
        group.add_argument(
            flag(location),
            dest=_destination(location),
            default=argparse.SUPPRESS,
            help=_help(kinds[0]).replace("%", "%%"),
            **_form(kinds),
        )


def from_flags(args: argparse.Namespace, kind: Any) -> Any:
    """Return the settings that the flags of `add_flags(parser, kind)` mean.

    Raises:
        InputError: names each flag that is missing, or has a value that it cannot have, and the way out.
    """
    values: dict[str, Any] = {}
    for location, kinds in _leaves(kind_of(kind)):
        name = _destination(location)
        if not hasattr(args, name):
            continue
        inner = values
        for key in location[:-1]:
            inner = inner.setdefault(key, {})
        inner[location[-1]] = {} if kinds[0].models else getattr(args, name)
    return settings_of(kind, values, flag)


def to_flags(settings: Settings) -> list[str]:
    """Write settings as flags: those that differ from their default."""
    return list(_written(settings, ()))


def _written(settings: Settings, above: tuple[str, ...]) -> Iterator[str]:
    for name, attribute, info in keys(type(settings)):
        value = getattr(settings, attribute)
        if not info.is_required() and value == info.get_default(call_default_factory=True):
            continue
        written = flag((*above, name))
        if isinstance(value, Settings):
            if _is_switch(kind_of(type(value))):
                yield written
            yield from _written(value, (*above, name))
        elif isinstance(value, bool):
            yield written if value else flag(("no", *above, name))
        elif isinstance(value, list):
            yield from [f"{written}={item}" for item in value] or [written]
        else:
            yield f"{written}={value}"


def _leaves(
    kind: Kind, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], list[Kind]]]:
    """Yield the place of each flag with the declarations that it serves, one for each model of a union."""
    for name, kinds in kind.fields().items():
        place = (*above, name)
        if not kinds[0].models:
            yield place, kinds
            continue
        if _is_switch(kinds[0]):
            yield place, kinds
        yield from _leaves(kinds[0], place)


def _is_switch(kind: Kind) -> bool:
    """Whether all keys of a model may be absent, so that it needs a flag of its own to be there."""
    return not any(
        info.is_required() for model in kind.models for info in model.model_fields.values()
    )


def _destination(location: Location) -> str:
    return ".".join(map(str, location))


def _form(kinds: list[Kind]) -> dict[str, Any]:
    """What argparse has to know of a flag's values."""
    first = kinds[0]
    if first.models:
        return {"action": "store_true"}
    if first.type is bool:
        return {"action": argparse.BooleanOptionalAction}
    if get_origin(first.type) is list:
        return {"nargs": "*", "action": "extend", **_value([first.item])}
    return _value(kinds)


def _value(kinds: list[Kind]) -> dict[str, Any]:
    choices = list(dict.fromkeys(choice for kind in kinds for choice in kind.choices))
    if choices:
        # Not as argparse's choices: the declaration refuses another value, with the nearest of these.
        return {"metavar": f"{{{','.join(choices)}}}"}
    names = {int: "N", float: "X", str: "TEXT"}
    return {"type": _READERS.get(kinds[0].type, str), "metavar": names[kinds[0].type]}


def _read_number(text: str) -> float | str:
    """Return the number that a text is, else the text, which the declaration then refuses."""
    try:
        return float(text)
    except ValueError:
        return text


def _read_integer(text: str) -> float | str:
    try:
        return int(text)
    except ValueError:
        return _read_number(text)


_READERS = {int: _read_integer, float: _read_number}


def _help(kind: Kind) -> str:
    info = kind.infos[0]
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    notes = [kind.extra("unit"), kind.range, "" if default is None else f"default {default}"]
    noted = "; ".join(filter(None, notes))
    return f"{kind.help}{noted and f' ({noted})'}"
