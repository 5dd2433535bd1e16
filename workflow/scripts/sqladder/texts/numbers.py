"""Numbers as reports print them, and things counted and listed in English."""

from collections.abc import Sequence

UNKNOWN = "-"


def rate(value: float | None) -> str:
    """A share in the published form, three decimals."""
    return UNKNOWN if value is None else f"{value:.3f}"


def share_interval(interval: tuple[float, float] | None) -> str:
    """An interval of a share, three decimals."""
    return UNKNOWN if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def points(value: float) -> str:
    """A difference of two shares in percentage points with its sign; none where it shows 0.0."""
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def point_interval(interval: tuple[float, float] | None) -> str:
    """An interval of a difference of two shares, in percentage points."""
    return UNKNOWN if interval is None else f"{points(interval[0])} to {points(interval[1])}"


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


def clock(seconds: float) -> str:
    """Write a duration as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def megabytes(value: float | None) -> str:
    """A size in megabytes, with a decimal below 100."""
    return UNKNOWN if value is None else f"{number(value, 0 if value >= 100 else 1)} MB"


def plural(n: int, noun: str) -> str:
    """A number of things: "1 variant", "1,034 questions"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listing(words: Sequence[str]) -> str:
    """Words as an English list: "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
