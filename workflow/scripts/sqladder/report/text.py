"""How the report writes numbers, tables and foreign text in Markdown."""

import re
from collections.abc import Sequence

UNKNOWN = "-"

SCREEN = 30
"""Rows of a table that is still shown without a click."""


def rate(value: float | None) -> str:
    """A share in the published form, three decimals."""
    return UNKNOWN if value is None else f"{value:.3f}"


def points(value: float) -> str:
    """A difference of two shares in percentage points with its sign; none where it shows 0.0."""
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def p_value(p: float) -> str:
    """A p-value with three decimals, never rounded to zero or across the level of 0.05."""
    if p < 0.001:
        return "< 0.001"
    return f"{p:.4f}" if abs(p - 0.05) < 0.0005 else f"{p:.3f}"


def p_phrase(p: float) -> str:
    """A p-value as a phrase: "p = 0.012"."""
    return f"p {p_value(p)}" if p < 0.001 else f"p = {p_value(p)}"


def number(value: float | None, decimals: int = 0) -> str:
    """A quantity with thousands separated by commas; "-" where it is not known."""
    return UNKNOWN if value is None else f"{value:,.{decimals}f}"


def amount(value: float) -> str:
    """A number of questions; a mean over seeds that is no whole number has one decimal."""
    return number(value, 0 if abs(value - round(value)) < 1e-6 else 1)


def seconds(value: float | None) -> str:
    """A duration in the unit that suits its size."""
    if value is None:
        return UNKNOWN
    if value < 120:
        return f"{value:.1f} s"
    return f"{value / 60:.1f} min" if value < 7200 else f"{value / 3600:.1f} h"


def plural(n: int, noun: str) -> str:
    """A number of things: "1 variant", "1,034 questions"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listing(words: Sequence[str]) -> str:
    """Words as an English list: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def escape(text: str) -> str:
    """Foreign text inside of a table or a sentence: no character of it acts as markup."""
    flat = " ".join(text.split()).replace("&", "&amp;")
    flat = re.sub(r"([\\`*\[\]<>|#~])", r"\\\1", flat)
    # GitHub leaves an underscore inside of a word alone, as in lora_32r.
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", flat)


def code_block(text: str, language: str = "", limit: int = 600) -> str:
    """Foreign text as a code block that it cannot close; cut, with a note, after `limit`."""
    if len(text) > limit:
        text = f"{text[:limit]}\n... ({len(text) - limit:,} more characters)"
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def folded(summary: str, rows: int, text: str) -> str:
    """A long table behind a line to click on; one that fits on a screen stays open."""
    if rows <= SCREEN:
        return text
    return f"<details><summary>{summary} ({rows} rows)</summary>\n\n{text}\n\n</details>"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """A Markdown table; `align` has one letter a column: l, c or r."""
    rules = {"l": "---", "c": ":-:", "r": "--:"}
    lines = [header, [rules[letter] for letter in align], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
