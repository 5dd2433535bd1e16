"""What a declaration says about the value at a place: its models, its keys, its range."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from sqladder.settings.base import Settings
from sqladder.settings.parts import PartOf

Location = Sequence[str | int]


@dataclass(frozen=True)
class Kind:
    """The declaration of one value.

    Attributes:
        type: a Settings model, a union of models, dict[K, V], list[V], Literal or a plain type; never Optional.
        infos: range, help and what else is said of it: by its field, and by the type that the field names.
    """

    type: Any
    infos: tuple[FieldInfo, ...] = ()

    @property
    def models(self) -> tuple[type[Settings], ...]:
        """The models that the value may be of; none for a plain value."""
        found = get_args(self.type) if _is_union(self.type) else (self.type,)
        models = [kind for kind in found if isinstance(kind, type)]
        return tuple(kind for kind in models if issubclass(kind, Settings))

    @property
    def discriminator(self) -> str | None:
        """The key whose value tells which model of a union is meant."""
        found = [info.discriminator for info in self.infos]
        return next((key for key in found if isinstance(key, str)), None)

    @property
    def help(self) -> str:
        """What the value means."""
        return next((info.description for info in self.infos if info.description), "")

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a Literal."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def item(self) -> "Kind":
        """The declaration of an entry of a list or a mapping."""
        return kind_of(get_args(self.type)[-1])

    @property
    def key(self) -> "Kind":
        """The declaration of a key of a mapping."""
        return kind_of(get_args(self.type)[0])

    @property
    def range(self) -> str:
        """The values that are allowed, as in "at least 1 and below 8"; "" if all are."""
        bounds = [_bound(limit) for info in self.infos for limit in info.metadata]
        return " and ".join(dict.fromkeys(filter(None, bounds)))

    def extra(self, key: str) -> str:
        """What a field says beside pydantic's own keys: "unit", "patternErrorMessage"; "" if nothing."""
        extras = [info.json_schema_extra for info in self.infos]
        found = [str(extra[key]) for extra in extras if isinstance(extra, dict) and key in extra]
        return found[0] if found else ""

    def fields(self) -> dict[str, list["Kind"]]:
        """Each key of the models, in their order, with its declaration in each that has it."""
        found: dict[str, list[Kind]] = {}
        for model in self.models:
            for key, _, info in keys(model):
                found.setdefault(key, []).append(kind_of(info.annotation, info))
        return found

    def tagged(self, tag: object) -> type[Settings]:
        """The model of a union that a discriminator's value means.

        Raises:
            LookupError: no model has it.
        """
        for model in self.models:
            key = self.discriminator or ""
            if tag in get_args(model.model_fields[key].annotation):
                return model
        raise LookupError(tag)


def keys(model: type[Settings]) -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield each key of a model with the attribute that holds it, `schema` being a name of pydantic's own."""
    for attribute, info in model.model_fields.items():
        yield info.alias or attribute, attribute, info


def kind_of(annotation: Any, *infos: FieldInfo) -> Kind:
    """The declaration that an annotation is, with the field that it belongs to."""
    if get_origin(annotation) is Annotated:
        inner = FieldInfo.from_annotation(annotation)
        parts = [note.model for note in inner.metadata if isinstance(note, PartOf)]
        return kind_of(parts[0] if parts else inner.annotation, *infos, inner)
    if _is_union(annotation):
        options = [option for option in get_args(annotation) if option is not type(None)]
        if len(options) == 1:
            return kind_of(options[0], *infos)
    return Kind(annotation, infos)


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)


def _bound(limit: object) -> str:
    match limit:
        case annotated_types.Ge(ge=value):
            return f"at least {value:,}" if isinstance(value, int) else f"at least {value}"
        case annotated_types.Gt(gt=value):
            return f"above {value}"
        case annotated_types.Le(le=value):
            return f"at most {value}"
        case annotated_types.Lt(lt=value):
            return f"below {value}"
        case annotated_types.MultipleOf(multiple_of=value):
            return f"a multiple of {value}"
    return ""


@dataclass(frozen=True)
class Waypoint:
    """A place on the way of an error's location: the key as its writer wrote it, and what is declared there."""

    key: str | int
    kind: Kind


def walk(kind: Kind, location: Location) -> Iterator[Waypoint]:
    """Follow a location of pydantic's through the declarations; the tags of unions are no keys of the config."""
    left = list(location)
    while left:
        if len(kind.models) > 1:
            kind = Kind(kind.tagged(left.pop(0)))
            continue
        key = left.pop(0)
        if kind.models:
            kind = kind.fields().get(str(key), [Kind(Any)])[0]
        elif get_origin(kind.type) in (list, dict):
            if left == ["[key]"]:
                kind, left = kind.key, []
            else:
                kind = kind.item
        else:
            kind = Kind(Any)
        yield Waypoint(key, kind)
