"""SVG figures as part of a page: ids of their own, nothing that runs."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from report.errors import RenderError

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

ACTIVE = {f"{{{SVG}}}{name}" for name in ("script", "foreignObject", "a", "animate", "set")}
DROPPED = {f"{{{SVG}}}metadata", f"{{{SVG}}}title"}
WIDE_POINTS = 330
OWN = "own-"
"""What the names of the author's images begin with: they stay images, in which nothing can run."""
_URL = re.compile(r"url\(#([^)]+)\)")


def inline_svg(svg: bytes, *, name: str, prefix: str, alt: str) -> str:
    """Return ``svg`` as an element for an HTML page.

    Parameters
    ----------
    svg : bytes
        The content of the file.
    name : str
        What errors call it.
    prefix : str
        Its own id, and the beginning of every id in it.
    alt : str
        What it shows, in words.

    Raises
    ------
    RenderError
        If the image is no SVG, runs something or refers to another file.
    """
    root = _parse(svg, name)
    for element in root.iter():
        _drop_metadata(element)
        _rewrite(element, prefix, name)
    width, ratio = _points(root.attrib.pop("width", "")), _ratio(root.get("viewBox", ""))
    root.attrib.pop("height", None)
    root.attrib |= {"id": prefix, "role": "img", "aria-label": alt}
    if width and ratio:
        root.set("style", f"--width:{width:g}pt;--ratio:{ratio:g}")
    if width > WIDE_POINTS:
        root.set("data-wide", "")
    for short, uri in (("", SVG), ("xlink", XLINK)):
        ElementTree.register_namespace(short, uri)  # other libraries in this process take these prefixes too
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _parse(svg: bytes, name: str) -> ElementTree.Element:
    if b"<!ENTITY" in svg:
        raise RenderError(f"{name}: the image declares entities")
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise RenderError(f"{name}: the image is not well-formed SVG: {error}") from error
    if root.tag != f"{{{SVG}}}svg":
        raise RenderError(f"{name}: the image is not SVG")
    return root


def _drop_metadata(element: ElementTree.Element) -> None:
    for child in [child for child in element if child.tag in DROPPED]:
        element.remove(child)


def _rewrite(element: ElementTree.Element, prefix: str, name: str) -> None:
    if element.tag in ACTIVE or any(key.lower().startswith("on") for key in element.attrib):
        raise RenderError(f"{name}: the image holds <{element.tag.split('}')[-1]}> or an event handler")
    for key, value in element.attrib.items():
        element.set(key, _attribute(key, value, prefix, name))
    if element.tag == f"{{{SVG}}}style":
        # A sheet inside the image would reach the whole page.
        element.text = f"#{prefix} {{ {element.text or ''} }}"


def _attribute(key: str, value: str, prefix: str, name: str) -> str:
    if key == "id":
        return f"{prefix}-{value}"
    if key in ("href", f"{{{XLINK}}}href"):
        if value.startswith("#"):
            return f"#{prefix}-{value[1:]}"
        if not value.startswith("data:image/"):
            raise RenderError(f"{name}: the image refers to {value[:60]}")
    return _URL.sub(rf"url(#{prefix}-\1)", value)


def _ratio(view: str) -> float:
    """Return width by height of a ``viewBox``, 0 without one."""
    sides = [float(side) for side in re.findall(r"[\d.]+", view)[2:]]
    return round(sides[0] / sides[1], 4) if len(sides) == 2 and sides[1] else 0.0


def _points(length: str) -> float:
    match = re.fullmatch(r"([\d.]+)(pt|px|mm)?", length)
    scale = {"pt": 1.0, "px": 0.75, None: 0.75, "mm": 72 / 25.4}
    return round(float(match[1]) * scale[match[2]], 2) if match else 0.0
