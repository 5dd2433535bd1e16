"""The texts of the context `published` of config/config.yaml, for tests and benchmarks that render prompts."""

from pathlib import Path
from typing import Any

import yaml

from sqladder.prompts.rendering import Message, Prompt, render_prompt

_CONFIG = Path(__file__).resolve().parent.parent / "config/config.yaml"
_CONTEXT = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))["contexts"]["published"]
SYSTEM_TEXT: str = _CONTEXT["system"]
USER_TEMPLATE: str = _CONTEXT["user"]
FLAGS = (f"--system={SYSTEM_TEXT}", f"--user={USER_TEMPLATE}")


def published_prompt(
    schema: str, question: str, answer: str | None = None, **others: Any
) -> Prompt:
    """A prompt in the published texts, but for those that are given."""
    texts = {"system_text": SYSTEM_TEXT, "user_template": USER_TEMPLATE, **others}
    return render_prompt(schema, question, answer, **texts)


def published_messages(
    schema: str, question: str, answer: str | None = None, **others: Any
) -> list[Message]:
    """Its messages alone."""
    return published_prompt(schema, question, answer, **others).messages
