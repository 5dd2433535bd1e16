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

Message = dict[str, str]

# The published texts of the experiment: github.com/Qianvenh/Text2SQL-Qwen3-1p7B.
SYSTEM_TEXT = (
    "Given the database schema and the user question, generate the corresponding SQL query. "
    "The output must be only a valid SQL query, without explanations, comments, or extra text."
)
USER_TEMPLATE = "[SCHEMA]\n{schema}\n[QUESTION]\n{question}"

END_OF_TURN = "<|im_end|>"

# Qwen3's chat form for plain conversations, written for tokenizers that bring no template: the
# generation prompt ends with an empty think block, which is how Qwen3 is told not to think aloud.
CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\\n' -}}"
    "{%- if message.role == 'assistant' -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}"
    "{{- message.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}"
    "{{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' -}}"
    "{%- endif -%}"
)

_CONTROL_TOKEN = re.compile(r"<(?=\|\w+\|>)|<(?=/?(?:think|tool_call|tool_response)>)")
_PLACEHOLDER = re.compile(r"\{(\w*)\}")

# What a user message may hold beside the schema and the question: values that the question mentions,
# few-shot examples (these in a system message too), and the evidence that some data sets give.
PARTS = ("values", "examples", "evidence")
_NO_PARTS: Mapping[str, str] = MappingProxyType({})


def neutralise(text: str) -> str:
    """Break every control token in a text from outside: `<|im_end|>` becomes `< |im_end|>`.

    A tokenizer reads such a token wherever it stands, so a value or question that holds one could
    otherwise end its own turn and open another.
    """
    return _CONTROL_TOKEN.sub("< ", text)


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
    system_text: str = SYSTEM_TEXT,
    user_template: str = USER_TEMPLATE,
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


def end_tokens(tokenizer: Any) -> list[int]:
    """Token ids that end an answer: the end of its turn, and the tokenizer's own end token.

    They differ in base models, whose tokenizers end documents, not turns; fine-tuning teaches the
    former.
    """
    names = dict.fromkeys((END_OF_TURN, tokenizer.eos_token))
    known = tokenizer.get_vocab()
    return [known[name] for name in names if name in known]


def answer_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Token ids of the answer with its end token: all that the training loss covers."""
    _, answer = split_answer(messages)
    if answer is None:
        raise InputError("a prompt for training has no assistant turn: render it --with-answer")
    return tokenizer.encode(answer + END_OF_TURN, add_special_tokens=False)
