"""The prompts of a run as they were asked, for the page."""

from collections.abc import Iterable
from pathlib import Path

from sqladder.files import read_jsonl
from sqladder.prompts.prompt_fields import PROMPT_FIELDS

AskedPrompts = dict[str, dict[str, str]]
"""Context -> id of a question -> text of its prompt."""


def asked_prompts(paths: Iterable[Path]) -> AskedPrompts:
    """Read prompts.

    Args:
        paths: test.jsonl of each context, in the folder that is named after it.
    """
    return {
        path.parent.name: {
            row["id"]: "\n\n".join(
                f"[{message['role']}]\n{message['content']}" for message in row["messages"]
            )
            for row in read_jsonl(path, PROMPT_FIELDS)
        }
        for path in paths
    }
