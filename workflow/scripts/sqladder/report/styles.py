"""Colour, hatch, marker and line of each variant: the same in every chart."""

from typing import NamedTuple


class Style(NamedTuple):
    """How one variant is drawn; hatch, marker and line tell it apart without colour."""

    colour: str
    hatch: str
    marker: str
    line: str


# M. Okabe, K. Ito (2008), "Color universal design": told apart by colour-blind readers. Hatches,
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
