"""Colour, hatch, marker and line of each variant, and the look of each kind of failure."""

from typing import NamedTuple

from sqladder.report.taxonomy import KINDS


class Style(NamedTuple):
    """How one variant is drawn; hatch, marker and line distinguish it without colour."""

    colour: str
    hatch: str
    marker: str
    line: str


# M. Okabe, K. Ito (2008), "Color universal design": distinguished by colour-blind readers. Hatches,
# markers and lines go round at other lengths, so that repeated colours still differ.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442", "#BBBBBB")
_HATCHES = ("", "//", "xx", "\\\\", "--", "..", "||", "++", "oo")
_MARKERS = "osD^vP*X<>"
_LINES = ("-", "--", "-.", ":")


def style(position: int) -> Style:
    """The style of the variant at a position of the config's order, counted from 0."""
    return Style(
        _COLOURS[position % len(_COLOURS)],
        _HATCHES[position % len(_HATCHES)],
        _MARKERS[position % len(_MARKERS)],
        _LINES[position % len(_LINES)],
    )


# P. Tol (2021), "Colour schemes", the light one: no colour of a variant, and distinguished by
# colour-blind readers.
_KIND_COLOURS = (
    "#77AADD",
    "#EE8866",
    "#EEDD88",
    "#FFAABB",
    "#99DDFF",
    "#44BB99",
    "#BBCC33",
    "#AAAA00",
    "#DDDDDD",
)


def kind_style(kind: str) -> tuple[str, str]:
    """Colour and hatch of a kind of failure, the same in every run."""
    position = list(KINDS).index(kind)
    colour = _KIND_COLOURS[position % len(_KIND_COLOURS)]
    return colour, _HATCHES[position % (len(_HATCHES) - 1)]
