"""Some settings in a line of text."""

from collections.abc import Mapping
from typing import Any


def settings_line(settings: Mapping[str, Any]) -> str:
    """Settings with their values: "learning_rate 0.001, target_modules q_proj v_proj"."""
    return ", ".join(
        f"{key} {' '.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in settings.items()
    )
