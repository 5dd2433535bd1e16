"""The model that all settings derive from: closed, strict and unchangeable.

Values are taken as they are: no integer from a text, a bool or a decimal number, since what YAML reads otherwise than
its writer meant has to be said. Range, unit and help stand with the field; flags, messages and the JSON Schema show
them.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError


class Settings(BaseModel):
    """Some settings; an unknown key is an error, and numbers are finite.

    A field with the default None (`x: str | None = None`) may be absent; it cannot be given as None.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, serialize_by_alias=True
    )

    def given(self) -> dict[str, Any]:
        """The settings that differ from their defaults, as JSON holds them."""
        return self.model_dump(mode="json", exclude_defaults=True)


def misfit(key: str, message: str) -> PydanticCustomError:
    """The error for values that do not fit together, to be raised by a model's validator.

    Args:
        key: the setting that has to change.
        message: its value, what it does not fit, and the way out.
    """
    return PydanticCustomError("misfit", "{reason}", {"key": key, "reason": message})


def unit(name: str) -> FieldInfo:
    """What a number is measured in, for `Annotated`."""
    return Field(json_schema_extra={"unit": name})


def shaped(pattern: str, meaning: str) -> FieldInfo:
    """A text of a certain form, for `Annotated`; `meaning` goes on after the value in a message."""
    # The key that editors take their message from, too.
    return Field(pattern=pattern, json_schema_extra={"patternErrorMessage": meaning})


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("text", "holds a NUL character, which no program can be given")
    return text


def _unique(items: list[Any]) -> list[Any]:
    twice = [item for position, item in enumerate(items) if item in items[:position]]
    if twice:
        raise PydanticCustomError("text", "names {item} twice", {"item": twice[0]})
    return items


Text = Annotated[str, AfterValidator(_without_nul)]
FilledText = Annotated[Text, Field(min_length=1)]
Name = Annotated[
    str,
    shaped(
        "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        "is unfit for a path; use up to 64 letters, digits, _ and -, the first a letter or digit",
    ),
]

# For lists in which nothing stands twice: Annotated[list[X], *UNIQUE].
UNIQUE: Sequence[Any] = (
    AfterValidator(_unique),
    Field(json_schema_extra={"uniqueItems": True}),
)

Tokens = Annotated[int, unit("tokens")]
Steps = Annotated[int, unit("steps")]
Seconds = Annotated[float, unit("seconds")]
MiB = Annotated[int, unit("MiB")]
Share = Annotated[float, unit("share")]

# What NumPy's generators take, the narrowest of those that get one.
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
