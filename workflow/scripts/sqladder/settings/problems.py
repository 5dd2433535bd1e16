"""What is wrong with given values, all of it at once: place, value and way out, one sentence each."""

import difflib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sqladder.errors import InputError
from sqladder.settings.kinds import Kind, Location, kind_of, walk

Place = Callable[[Location], str]

_RANGES = frozenset(
    {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "multiple_of"}
)
_NOT_A_MAPPING = frozenset({"model_type", "model_attributes_type", "dict_type"})


def dotted(location: Location) -> str:
    """A place in a config: "variants.full.rank"."""
    return ".".join(map(str, location)) or "config"


def problems(kind: Any, values: Any, place: Place = dotted) -> list[str]:
    """Say everything that is wrong with values of a kind: a Settings model, or a union of some.

    Args:
        kind: what they are to be.
        values: as YAML, JSON or flags gave them.
        place: how a place is written.
    """
    found = [
        f"{place(path)}: is empty; write a value, or remove the key" for path in _empty(values)
    ]
    if found:
        return found
    try:
        _adapter(kind).validate_python(values)
    except ValidationError as error:
        return list(dict.fromkeys(_explain_all(kind_of(kind), error.errors(), values, place)))
    return []


def settings_of(kind: Any, values: Any, place: Place = dotted) -> Any:
    """Return the settings of a kind that values mean.

    Raises:
        InputError: says everything that is wrong with them.
    """
    if found := problems(kind, values, place):
        raise InputError("; ".join(found))
    return _adapter(kind).validate_python(values)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _empty(values: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Find the keys without a value, which YAML reads as null and pydantic takes for an absent key."""
    if values is None:
        yield path
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(values, Mapping):
        parts = values.items()
    elif isinstance(values, list):
        parts = enumerate(values)
    for key, part in parts:
        yield from _empty(part, (*path, key))


@dataclass(frozen=True)
class _Error:
    """An error of pydantic's with what is declared at its place.

    Attributes:
        path: the place, as its writer knows it.
        kind: the declaration there; that of the parent for a key that is missing or unknown.
        parent: the mapping that the key stands in.
    """

    details: ErrorDetails
    path: Location
    kind: Kind
    parent: Any
    parent_kind: Kind


def _explain_all(
    kind: Kind, errors: Iterable[ErrorDetails], values: Any, place: Place
) -> Iterator[str]:
    located = [_located(kind, details, values) for details in errors]
    for error in located:
        kinds = {"missing": _missing, "extra_forbidden": _unknown, "invalid_key": _unknown}
        if explain := kinds.get(error.details["type"]):
            yield explain(error, located, place)
        else:
            yield _explain(error, place)


def _located(kind: Kind, details: ErrorDetails, values: Any) -> _Error:
    path: list[str | int] = []
    parent, parent_kind, here = values, kind, kind
    for step in walk(kind, details["loc"]):
        if path:
            parent = parent[path[-1]]
        parent_kind, here = here, step.kind
        path.append(step.key)
    return _Error(details, path, here, parent, parent_kind)


def _siblings(error: _Error, located: Iterable[_Error]) -> list[str]:
    """The keys of the same mapping that have the same error."""
    return [
        str(other.path[-1])
        for other in located
        if other.details["type"] == error.details["type"] and other.path[:-1] == error.path[:-1]
    ]


def _missing(error: _Error, located: Iterable[_Error], place: Place) -> str:
    return f"{place(error.path[:-1])}: lacks {', '.join(_siblings(error, located))}; add it"


def _unknown(error: _Error, located: Iterable[_Error], place: Place) -> str:
    key = str(error.path[-1])
    known = list(error.parent_kind.fields())
    if key in known:
        tag = error.parent_kind.discriminator or "kind"
        return f"{place(error.path)}: has no use with {tag} {error.parent[tag]}; remove it"
    model = error.parent_kind
    if tag_key := model.discriminator:
        model = kind_of(model.tagged(error.parent[tag_key]))
    known = list(model.fields())
    unknown = [name for name in _siblings(error, located) if name not in error.parent_kind.fields()]
    hint = _close_match(unknown[0], known)
    return (
        f"{place(error.path[:-1])}: unknown key {', '.join(map(repr, unknown))}{hint}; "
        f"known are {', '.join(known)}"
    )


def _explain(error: _Error, place: Place) -> str:
    details, kind, where = error.details, error.kind, place(error.path)
    value, context = details["input"], details.get("ctx", {})
    what = details["type"]
    if what == "misfit":
        return f"{place([*error.path, context['key']])}: {context['reason']}"
    if what in _RANGES:
        unit = kind.extra("unit")
        return (
            f"{where}: {value!r} is out of range: it has to be {kind.range}{unit and f' ({unit})'}"
        )
    if what in _NOT_A_MAPPING:
        return f"{where}: {value!r} is no mapping of keys to values"
    match what:
        case "union_tag_invalid":
            return _wrong_tag(error, place)
        case "union_tag_not_found":
            key = str(kind.discriminator)
            return f"{where}: lacks {key}; add it: {', '.join(_tags(kind))}"
        case "literal_error" | "enum":
            allowed = list(map(str, kind.choices))
            return (
                f"{where}: {value!r} is none of {', '.join(allowed)}{_close_match(value, allowed)}"
            )
        case "string_pattern_mismatch":
            return f"{where}: {value!r} {kind.extra('patternErrorMessage')}"
        case "int_type":
            return f"{where}: {_no_integer(value)}"
        case "float_type":
            return f"{where}: {value!r} is no number{_number_hint(value, float)}"
        case "finite_number":
            return f"{where}: {value!r} is no finite number; write {kind.range or 'another'}"
        case "string_type":
            return f"{where}: {value!r} is no text{_text_hint(value)}"
        case "bool_type":
            return f"{where}: {value!r} is neither true nor false"
        case "list_type":
            return f"{where}: {value!r} is no list; put it in brackets: [{value}]"
        case "too_short" | "string_too_short":
            return f"{where}: is empty; write one at least"
        case "string_too_long":
            return f"{where}: is longer than {context['max_length']:,} characters"
    return f"{where}: {details['msg']}"


def _tags(kind: Kind) -> list[str]:
    key = kind.discriminator or ""
    return [str(tag) for found in kind.fields()[key] for tag in found.choices]


def _wrong_tag(error: _Error, place: Place) -> str:
    key = str(error.kind.discriminator)
    tag, allowed = error.details["input"][key], _tags(error.kind)
    where = place([*error.path, key])
    return f"{where}: {tag!r} is none of {', '.join(allowed)}{_close_match(tag, allowed)}"


def _close_match(value: object, known: list[str]) -> str:
    close = difflib.get_close_matches(str(value), known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _no_integer(value: object) -> str:
    if isinstance(value, float) and math.isfinite(value):
        # As YAML may have been given it: 2.0e+07 is a decimal number to YAML, whatever its value.
        if value.is_integer():
            return f"{value!r} is a decimal number; write {int(value)}"
        return f"{value!r} is no whole number; write {math.floor(value)} or {math.ceil(value)}"
    return f"{value!r} is no whole number{_number_hint(value, int)}"


def _number_hint(value: object, wanted: type) -> str:
    """What to write where YAML has read a number as text: it wants a point and a sign in 1.0e-4."""
    if not isinstance(value, str):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    if not math.isfinite(number) or (wanted is int and not number.is_integer()):
        return ""
    return f"; YAML reads it as text, write {int(number) if wanted is int else _for_yaml(number)}"


def _for_yaml(number: float) -> str:
    """A number as YAML reads it: 1.0e-4."""
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    if not isinstance(exponent, int) or number == 0:
        return repr(number)
    rest = "".join(map(str, digits[1:])) or "0"
    return f"{'-' * sign}{digits[0]}.{rest}e{exponent + len(digits) - 1:+d}"


def _text_hint(value: object) -> str:
    if isinstance(value, dict | list):
        return ""
    if isinstance(value, str):
        return ": it holds half a surrogate pair"
    return "; put it in quotes"
