"""Markdown that reads on GitHub: tables, code blocks, and text of others in which nothing acts as markup."""

import re
from collections.abc import Sequence

from sqladder.metric.showing import cut

SCREEN = 30
"""Rows of a table that is still shown without a click."""


def escape(text: str) -> str:
    """Foreign text inside of a table or a sentence: no character of it acts as markup."""
    flat = " ".join(text.split()).replace("&", "&amp;")
    flat = re.sub(r"([\\`*\[\]<>|#~])", r"\\\1", flat)
    # GitHub leaves an underscore inside of a word alone, as in lora_32r.
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", flat)


def code_block(text: str, language: str = "", limit: int | None = None) -> str:
    """Foreign text as a code block that it cannot close; cut, with a note, after `limit` characters."""
    if limit is not None:
        text = cut(text, limit)
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def folded(summary: str, rows: int, text: str) -> str:
    """A long table behind a line to click on; one that fits on a screen stays open."""
    if rows <= SCREEN:
        return text
    return f"<details><summary>{summary} ({rows} rows)</summary>\n\n{text}\n\n</details>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """A table of cells that are Markdown already; `align` has one letter a column: l, c or r."""
    rules = {"l": "---", "c": ":-:", "r": "--:"}
    lines = [header, [rules[letter] for letter in align], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
