"""Gold queries as people see them."""

from collections.abc import Mapping
from typing import Any


def golds_in_words(question: Mapping[str, Any]) -> str:
    """The gold query, and those that are right too."""
    return "\n-- or\n".join([question["sql"], *question.get("alternatives", ())])
