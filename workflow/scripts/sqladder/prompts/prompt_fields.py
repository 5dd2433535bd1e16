"""What every row of prompts has, for programs that render none."""

from sqladder.files import Fields

PROMPT_FIELDS: Fields = {"id": str, "messages": list}
"""A prompt's id, and its turns."""
