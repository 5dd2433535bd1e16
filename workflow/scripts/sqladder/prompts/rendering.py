"""The only place where a prompt is rendered, for training data and for inference alike.

A prompt is a list of chat messages (system, user, and the assistant's answer where it is for
training). `prompt_ids` gives the token ids that inference sends; `answer_ids` those that follow in
training, so both sides agree token by token.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from sqladder.errors import InputError
from sqladder.models.turns import Message, Turns, neutralise

_PLACEHOLDER = re.compile(r"\{(\w*)\}")

# What a user message may hold beside the schema and the question: values that the question mentions,
# few-shot examples, the evidence that some data sets give, and the name of the dialect that answers are written in.
PARTS = ("values", "examples", "evidence", "dialect")
IN_SYSTEM = ("examples", "dialect")
"""Of these, what a system message may hold too."""
_NO_PARTS: Mapping[str, str] = MappingProxyType({})


def check_user_template(template: str) -> str:
    """Return the template if it holds {schema} and {question} and, beside them, at most `PARTS`."""
    found = placeholders(template)
    if not {"schema", "question"} <= found <= {"schema", "question", *PARTS}:
        raise InputError(
            f"user template {template!r} has the placeholders {sorted(found)}: it needs {{schema}} "
            "and {question}, may hold {values}, {examples}, {evidence} and {dialect}, and nothing else in braces"
        )
    return template


def check_repair_template(template: str) -> str:
    """Return the template of a repair's turn if it holds {error}, and beside it at most {sql}."""
    found = placeholders(template)
    if not {"error"} <= found <= {"error", "sql"}:
        raise InputError(
            f"repair template {template!r} has the placeholders {sorted(found)}: it needs {{error}}, "
            "may hold {sql}, and nothing else in braces"
        )
    return template


def placeholders(template: str) -> set[str]:
    """Name what a template holds in braces."""
    return set(_PLACEHOLDER.findall(template))


class Prompt(NamedTuple):
    """A prompt, and where its schema stands.

    Attributes:
        messages: chat messages.
        schema: start and end of the schema's text in the user message, in characters, for each of its places.
    """

    messages: list[Message]
    schema: list[tuple[int, int]]


def render_prompt(
    schema: str,
    question: str,
    answer: str | None = None,
    *,
    system_text: str,
    user_template: str,
    parts: Mapping[str, str] = _NO_PARTS,
) -> Prompt:
    """Build the messages of one prompt; an empty system text leaves the system turn out.

    Where the template puts the schema first, questions on one database share a prefix, which an
    engine may compute once. `parts` has the texts of `PARTS`; a part that is not given is empty.
    In the system text {examples} and {dialect} alone are placeholders.
    """
    texts = {**dict.fromkeys(PARTS, ""), **parts, "schema": schema, "question": question}
    fields = {name: neutralise(text.strip()) for name, text in texts.items()}
    user, spans = _filled(check_user_template(user_template), fields)
    for name in IN_SYSTEM:
        system_text = system_text.replace(f"{{{name}}}", fields[name])
    messages = [{"role": "system", "content": system_text}] if system_text else []
    messages.append({"role": "user", "content": user})
    if answer is not None:
        messages.append({"role": "assistant", "content": neutralise(answer.strip())})
    return Prompt(messages, spans)


def repair_messages(
    messages: Sequence[Message], answer: str, sql: str, error: str, template: str
) -> list[Message]:
    """The conversation in which an answer that failed is asked again: its prompt, the answer, and what became of it.

    It is a prompt like any other: with the right query as one more turn of the assistant it is a row of training.

    Args:
        messages: the prompt, whose own answer, if it has one, is left out.
        answer: the answer as the model wrote it.
        sql: the query in it.
        error: why the query has no result.
        template: the context's `repair_turn`.
    """
    fields = {"sql": neutralise(sql.strip()), "error": neutralise(error.strip())}
    turn, _ = _filled(check_repair_template(template), fields)
    return [
        *split_answer(messages)[0],
        {"role": "assistant", "content": neutralise(answer.strip())},
        {"role": "user", "content": turn},
    ]


def _filled(template: str, fields: Mapping[str, str]) -> tuple[str, list[tuple[int, int]]]:
    """The text of a user message, and where the schema stands in it."""
    text, spans, done = "", [], 0
    # One pass: a question that itself contains "{schema}" stays as it is.
    for match in _PLACEHOLDER.finditer(template):
        text += template[done : match.start()]
        start, done = len(text), match.end()
        text += fields[match.group(1)]
        if match.group(1) == "schema":
            spans.append((start, len(text)))
    return text + template[done:], spans


def split_answer(messages: Sequence[Message]) -> tuple[list[Message], str | None]:
    """Part the messages into those of the prompt and the assistant's answer, None without one."""
    if messages and messages[-1]["role"] == "assistant":
        return list(messages[:-1]), messages[-1]["content"]
    return list(messages), None


def prompt_ids(turns: Turns, messages: Sequence[Message]) -> list[int]:
    """Token ids of the prompt part: what inference sends and what training starts with."""
    return turns.prompt_ids(split_answer(messages)[0])


def answer_ids(turns: Turns, messages: Sequence[Message]) -> list[int]:
    """Token ids of the answer with the end of its turn: all that the training loss covers.

    Raises:
        InputError: there is no answer.
    """
    _, answer = split_answer(messages)
    if answer is None:
        raise InputError("a prompt for training has no assistant turn: render it --with-answer")
    return turns.answer_ids(answer)


def row_length(turns: Turns, messages: Sequence[Message]) -> int:
    """Tokens of a training row, prompt and answer together."""
    return len(prompt_ids(turns, messages)) + len(answer_ids(turns, messages))
