"""The only place where a prompt is rendered, for training data and for inference alike.

A prompt is a list of chat messages (system, user, and the assistant's answer where it is for
training). `prompt_ids` gives the token ids that inference sends; `answer_ids` those that follow in
training, so both sides agree token by token.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqladder.errors import InputError
from sqladder.models.turns import CHAT_TEMPLATE, END_OF_TURN, neutralise

Message = dict[str, str]

_PLACEHOLDER = re.compile(r"\{(\w*)\}")

# What a user message may hold beside the schema and the question: values that the question mentions,
# few-shot examples (these in a system message too), and the evidence that some data sets give.
PARTS = ("values", "examples", "evidence")
_NO_PARTS: Mapping[str, str] = MappingProxyType({})


def check_user_template(template: str) -> str:
    """Return the template if it holds {schema} and {question} and, beside them, at most `PARTS`."""
    found = placeholders(template)
    if not {"schema", "question"} <= found <= {"schema", "question", *PARTS}:
        raise InputError(
            f"user template {template!r} has the placeholders {sorted(found)}: it needs {{schema}} "
            "and {question}, may hold {values}, {examples} and {evidence}, and nothing else in braces"
        )
    return template


def placeholders(template: str) -> set[str]:
    """Name what a template holds in braces."""
    return set(_PLACEHOLDER.findall(template))


def chat_messages(
    schema: str,
    question: str,
    answer: str | None = None,
    *,
    system_text: str,
    user_template: str,
    parts: Mapping[str, str] = _NO_PARTS,
) -> list[Message]:
    """Build the messages of one prompt; an empty system text leaves the system turn out.

    Where the template puts the schema first, questions on one database share a prefix, which an
    engine may compute once. `parts` has the texts of `PARTS`; a part that is not given is empty.
    In the system text {examples} alone is a placeholder.
    """
    texts = {**dict.fromkeys(PARTS, ""), **parts, "schema": schema, "question": question}
    fields = {name: neutralise(text.strip()) for name, text in texts.items()}
    template = check_user_template(user_template)
    # One pass: a question that itself contains "{schema}" stays as it is.
    user = _PLACEHOLDER.sub(lambda match: fields[match.group(1)], template)
    system_text = system_text.replace("{examples}", fields["examples"])
    messages = [{"role": "system", "content": system_text}] if system_text else []
    messages.append({"role": "user", "content": user})
    if answer is not None:
        messages.append({"role": "assistant", "content": neutralise(answer.strip())})
    return messages


def split_answer(messages: Sequence[Message]) -> tuple[list[Message], str | None]:
    """Part the messages into those of the prompt and the assistant's answer, None without one."""
    if messages and messages[-1]["role"] == "assistant":
        return list(messages[:-1]), messages[-1]["content"]
    return list(messages), None


def render(tokenizer: Any, messages: Sequence[Message]) -> str:
    """Render the prompt part of the messages as text, up to where the model's answer begins.

    The tokenizer's own chat template is used, with thinking off; one that has none gets Qwen3's
    form, `CHAT_TEMPLATE`.
    """
    prompt, _ = split_answer(messages)
    return tokenizer.apply_chat_template(
        prompt,
        chat_template=tokenizer.chat_template or CHAT_TEMPLATE,
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=False,
    )


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of the prompt part: what inference sends and what training starts with."""
    return tokenizer.encode(render(tokenizer, messages), add_special_tokens=False)


def row_length(tokenizer: Any, messages: Sequence[Message]) -> int:
    """Tokens of a training row, prompt and answer together."""
    return len(prompt_ids(tokenizer, messages)) + len(answer_ids(tokenizer, messages))


def answer_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of the answer with its end token: all that the training loss covers."""
    _, answer = split_answer(messages)
    if answer is None:
        raise InputError("a prompt for training has no assistant turn: render it --with-answer")
    return tokenizer.encode(answer + END_OF_TURN, add_special_tokens=False)
