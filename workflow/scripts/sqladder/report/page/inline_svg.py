"""Charts as part of a page whose policy allows no style but its own."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"

_FONT = re.compile(r"(?:(\w+) )?([\d.]+px) (.+)")


def inline_svg(path: Path) -> str:
    """Read a chart and write it so that it can stand inside of HTML.

    Style attributes become presentation attributes, which no policy forbids; ids get the chart's
    name in front, because they must differ within a page; the size is left to the page.
    """
    root = ElementTree.parse(path).getroot()
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        _set_style(element)
        _rename(element, path.stem)
    about = root.find(f"{{{SVG}}}title")
    root.set("role", "img")
    title = about.text if about is not None else None
    root.set("aria-label", _description(path) or title or path.stem)
    if about is not None:
        # A title of the whole chart would pop up over every part of it.
        root.remove(about)
    # The width stays as an upper bound; the height follows from the shape of the view box.
    root.attrib.pop("height", None)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", LINK[1:].partition("}")[0])
    return ElementTree.tostring(root, encoding="unicode")


def _description(path: Path) -> str:
    tag = "{http://purl.org/dc/elements/1.1/}description"
    return next((node.text or "" for node in ElementTree.parse(path).iter(tag)), "")


def _set_style(element: ElementTree.Element) -> None:
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        found = _FONT.fullmatch(value) if name == "font" else None
        if found:
            weight, size, family = found.groups()
            element.attrib |= {"font-size": size, "font-family": family}
            element.attrib |= {"font-weight": weight} if weight else {}
        elif name:
            element.set(name, value)


def _rename(element: ElementTree.Element, name: str) -> None:
    if "id" in element.attrib:
        element.set("id", f"{name}-{element.get('id')}")
    for key, value in element.attrib.items():
        if key in (LINK, "href") and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, value.replace("url(#", f"url(#{name}-"))
