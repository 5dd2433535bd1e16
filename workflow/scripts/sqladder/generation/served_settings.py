"""The settings of a server that answers as OpenAI's API does: where it is, and what it takes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from sqladder.metric.showing import brief, without_secrets
from sqladder.settings.base import UNIQUE, FilledText, Settings, shaped

OptionalKey = Literal["temperature", "top_p", "seed", "n"]


def _address(url: str) -> str:
    scheme, _, place = url.partition("://")
    if scheme not in ("http", "https") or not place:
        raise PydanticCustomError(
            "text",
            "{url} is no address of a server; write it as http://localhost:8000/v1",
            {"url": brief(without_secrets(url))},
        )
    if without_secrets(url) != url:
        raise PydanticCustomError(
            "text",
            "holds a user, a password or parameters, which would be recorded; put the key in an environment variable "
            "and name it by key_variable",
        )
    return url


class Server(Settings):
    """A server that answers as OpenAI's API does."""

    url: Annotated[FilledText, AfterValidator(_address)] = Field(
        description="Where its API begins, as http://localhost:8000/v1."
    )
    model: FilledText = Field(description="The name of the model there.")
    key_variable: (
        Annotated[str, shaped("^[A-Za-z_][A-Za-z0-9_]*$", "is no name of an environment variable")]
        | None
    ) = Field(
        default=None,
        description="The environment variable that holds the server's key; without it none is sent.",
    )
    length_key: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="What the server calls max_new_tokens."
    )
    leave_out: Annotated[list[OptionalKey], *UNIQUE] = Field(
        default=[],
        description="Keys that are not sent, to a server that refuses them: its own values hold; without n, samples "
        "are asked for one by one.",
    )
    structured_outputs: bool = Field(
        default=False,
        description="Whether it takes a grammar as vLLM's server does, by structured_outputs.",
    )
