"""Requests and answers in the form of OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat describes it. A variant answers one question by its own context and
decoding, as in its run: what a request says of either is left out, and named in the answer.
"""

import json
import time
import uuid
from typing import Any, NamedTuple

from sqladder.asking.variant import GivenAnswer
from sqladder.errors import InputError
from sqladder.files import Row

# What is read, and what changes no answer.
_TAKEN = {"model", "messages", "stream", "stream_options", "n", "user", "store", "metadata"}
# Who sends one of them waits for another kind of answer.
_REFUSED = ("tools", "tool_choice", "functions", "function_call", "response_format", "audio")


class ChatRequest(NamedTuple):
    """What is asked.

    Attributes:
        model: the variant.
        question: the last message of the user.
        stream: whether the answer is sent as events.
        with_usage: whether the last event tells the tokens.
        left_out: what of the request has no meaning here.
    """

    model: str
    question: str
    stream: bool
    with_usage: bool
    left_out: list[str]


def read_request(body: Row) -> ChatRequest:
    """The question of a request.

    Raises:
        InputError: a key is missing, of a wrong type, or asks for what a variant does not do.
    """
    model, messages = body.get("model"), body.get("messages")
    if not isinstance(model, str):
        raise InputError("'model' is missing: name a variant (GET /v1/models lists them)")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise InputError("'messages' is not a list of messages with role and content")
    for key in _REFUSED:
        if body.get(key) not in (None, [], "none", {"type": "text"}):
            raise InputError(f"{key!r} asks for what a variant does not do: it answers with SQL")
    if body.get("n") not in (None, 1):
        raise InputError("'n' is not 1: a variant gives one answer")
    places = [place for place, each in enumerate(messages) if each.get("role") == "user"]
    if not places:
        raise InputError("no message has the role 'user': the last one is the question")
    left_out = sorted(set(body) - _TAKEN - set(_REFUSED))
    if len(messages) > 1:
        left_out.append("messages beside the user's last one")
    question = _text(messages[places[-1]].get("content"))
    options = body.get("stream_options")
    with_usage = isinstance(options, dict) and options.get("include_usage") is True
    return ChatRequest(model, question, body.get("stream") is True, with_usage, left_out)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
            return "".join(map(str, texts))
    raise InputError("the content of the last message is no text")


def completion(request: ChatRequest, answer: GivenAnswer) -> Row:
    """The answer to a request: the SQL, or what was written where it holds none."""
    message = {"role": "assistant", "content": answer.sql or answer.text}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    return _head(request, "chat.completion", [choice]) | _usage(answer)


def _usage(answer: GivenAnswer) -> Row:
    """The tokens of an answer; nothing where a server did not tell them."""
    if answer.prompt_tokens is None or answer.output_tokens is None:
        return {}
    usage = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.output_tokens}
    return {"usage": {**usage, "total_tokens": sum(usage.values())}}


def events(request: ChatRequest, answer: GivenAnswer) -> str:
    """The answer as a stream of events; the SQL is one of them, since it is chosen and repaired as a whole."""
    delta = {"role": "assistant", "content": answer.sql or answer.text}
    first = {"index": 0, "delta": delta, "finish_reason": None}
    last = {"index": 0, "delta": {}, "finish_reason": answer.finish_reason}
    rows = [_head(request, "chat.completion.chunk", [choice]) for choice in (first, last)]
    if request.with_usage:
        rows.append(_head(request, "chat.completion.chunk", []) | _usage(answer))
    texts = [json.dumps({**row, "id": rows[0]["id"]}) for row in rows]
    return "".join(f"data: {text}\n\n" for text in [*texts, "[DONE]"])


def _head(request: ChatRequest, kind: str, choices: list[Row]) -> Row:
    row = {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": request.model,
        "choices": choices,
    }
    return {**row, "left_out": request.left_out} if request.left_out else row


def model(name: str) -> Row:
    """A variant, as a model."""
    return {"id": name, "object": "model", "created": 0, "owned_by": "sqladder"}


def models(names: list[str]) -> Row:
    """The variants, as a list of models."""
    return {"object": "list", "data": [model(name) for name in names]}


def error(message: str, status: int, code: str | None = None) -> Row:
    """What is wrong with a request; the code is one of OpenAI's, where programs look for one."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
