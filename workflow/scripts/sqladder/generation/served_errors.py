"""What a server's refusal means for its user, in words that name the setting and the way out."""

import re
from collections.abc import Mapping
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from sqladder.errors import InputError
from sqladder.generation.served_settings import Server
from sqladder.metric.showing import HIDDEN, cut


class TooLongError(InputError):
    """The prompt and the room for its answer are more than the model takes."""


_SHOWN = 400
# As OpenAI, vLLM and llama.cpp say it.
_TOO_LONG = re.compile(r"context_length_exceeded|maximum context length|context size", re.I)
_KEPT = "answers so far are kept, and the same command asks for the others only"
# The keys of a request that come from the config, and what they are called there.
_SETTINGS = {
    "max_tokens": "max_new_tokens",
    "max_completion_tokens": "max_new_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "n": "samples",
    "logprobs": "choose",
}


def in_words(error: APIError, server: Server, key: str, sent: Mapping[str, Any]) -> InputError:
    """Say what a request came to, retries included.

    Args:
        error: the client's.
        server: who was asked.
        key: the secret, which no message shows.
        sent: the request.
    """
    reason = _reason(error, server, sent)
    # A server may say what it was sent.
    shown = reason.replace(key, HIDDEN) if key else reason
    return TooLongError(shown) if _is_too_long(error) else InputError(shown)


def _is_too_long(error: APIError) -> bool:
    """Whether a refusal is of the length of what was asked."""
    if not isinstance(error, APIStatusError) or error.status_code not in (400, 413, 422):
        return False
    return bool(_TOO_LONG.search(f"{error.code} {_said(error)}"))


def _reason(error: APIError, server: Server, sent: Mapping[str, Any]) -> str:
    if isinstance(error, APITimeoutError):
        return f"{server.url} did not answer in time; {_KEPT}"
    if isinstance(error, APIConnectionError):
        cause = error.__cause__ or error
        return f"{server.url} cannot be reached ({cut(str(cause), _SHOWN)}): is the server there? {_KEPT}"
    if not isinstance(error, APIStatusError):
        return f"{server.url}: {cut(error.message, _SHOWN)}"
    status, said = error.status_code, cut(_said(error), _SHOWN)
    if status == 401:
        # What it said is left out: it may show parts of the key.
        if server.key_variable is None:
            return f"{server.url} wants a key (401): put it in an environment variable and name that by key_variable"
        return f"{server.url} refuses the key in ${server.key_variable} (401): set the right one"
    if status == 404:
        return (
            f"{server.url} has no model {server.model!r}, or no API there (404: {said}): correct model or url; "
            f"{server.url.rstrip('/')}/models lists the models of most servers"
        )
    if status in (400, 422):
        return f"{server.url} refuses the request ({status}: {said}){_way_out(said, error, sent)}"
    if status == 429 or status >= 500:
        wait = error.response.headers.get("retry-after")
        asks = f" and asks to wait {wait} s" if wait else ""
        return (
            f"{server.url} answers {status}{asks} ({said}), however often it is asked: run again later, or lower "
            f"concurrency; {_KEPT}"
        )
    return f"{server.url} refuses the request ({status}: {said})"


def _said(error: APIStatusError) -> str:
    body = error.body
    if isinstance(body, Mapping):
        # FastAPI has detail where OpenAI has message.
        body = body.get("message") or body.get("detail") or body
    return str(body or error.message)


def _way_out(said: str, error: APIStatusError, sent: Mapping[str, Any]) -> str:
    """Which of the settings the server names, and how another one is asked for."""
    if "extra_body" in sent and re.search("structured_outputs|grammar", said, re.I):
        return ": it does not take the grammar (decoding.grammar); give grammar: none, or another server"
    for name in _SETTINGS:
        if name not in sent:
            continue
        if error.param == name or re.search(rf"(?<![A-Za-z_]){name}(?![A-Za-z_])", said):
            return f": it does not take {name}: {sent[name]} (decoding.{_SETTINGS[name]}); {_instead(name)}"
    return ""


def _instead(name: str) -> str:
    match name:
        case "max_tokens":
            return "give another number, or length_key: max_completion_tokens"
        case "max_completion_tokens":
            return "give another number, or length_key: max_tokens"
        case "logprobs":
            return "choose: first needs none"
        case _:
            return f"give another value, or leave it out by leave_out: [{name}]"
