"""The author's own images: where they lie, what is said of them, and their copies in the report."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from report.document import syntax
from report.document.lint import Problem
from report.document.svg import OWN, SVG
from report.document.syntax import Text
from report.errors import RenderError, did_you_mean, nearest

FOLDER = "figures"
LONGEST_SIDE = 2000
"""In pixels: that is 300 to the inch over the width of a page; larger images are made smaller."""
_NAME = re.compile(rf"{FOLDER}/[\w-][\w.-]*\.(?:png|jpe?g|svg)", re.I)
_NUMBER = re.compile(r"[-+]?[\d.]+(?:e[-+]?\d+)?", re.I)
_ROOT = re.compile(
    rb"(?s)(?P<name>(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*>|\s)*<(?:\w+:)?svg)(?P<rest>[^>]*)"
)
_SHARE = re.compile(rb"""\s(?:width|height)\s*=\s*(?:"[^"]*%"|'[^']*%')""")
_COPY = re.compile(rf"\({FOLDER}/{OWN}([^)\s]+)\)")


def find_image_problems(text: Text, folder: Path) -> Iterator[Problem]:
    """Yield what is wrong with the images of a passage in a study's ``folder``: no such file, or nothing said of it."""
    for match in syntax.IMAGE.finditer(text.prose):
        line, file = text.line(match.start()), match["file"]
        there = [f"{FOLDER}/{path.name}" for path in (folder / FOLDER).glob("*")]
        if not _NAME.fullmatch(file):
            hint = f"put it beside study.toml: {FOLDER}/name.png, .jpg or .svg, without spaces"
            yield Problem(line, f"the image {file} does not lie in {FOLDER}/ of the study", hint)
        elif file not in there:
            near = did_you_mean(nearest(file, there), f"put it into {FOLDER}/ beside study.toml")
            yield Problem(line, f"the image {file}: no such file", near)
        elif not syntax.ALTERNATIVE.search(_attributes(text, match)):
            hint = f'![caption]({file}){{fig-alt="what it shows, for who cannot see it"}}'
            yield Problem(line, f"the image {file} has no alternative text", hint)


def _attributes(text: Text, match: re.Match[str]) -> str:
    return text.whole[slice(*match.span("attributes"))] if match["attributes"] else ""


def copy_images(text: str, study: Path, out: Path) -> None:
    """Copy the author's images that the report's source shows into ``out``, those too large made smaller.

    Raises
    ------
    RenderError
        One cannot be read as an image.
    """
    for name in sorted({*_COPY.findall(text)}):
        file, target = study / FOLDER / name, out / FOLDER / f"{OWN}{name}"
        if file.suffix.lower() == ".svg":
            _copy_drawing(file, target)
        elif file.is_file():
            _copy_photograph(file, target)


def _copy_drawing(file: Path, target: Path) -> None:
    data = file.read_bytes()
    try:
        root = ElementTree.fromstring(data)
    except ElementTree.ParseError as error:
        raise _unreadable(file, str(error)) from error
    if root.tag != f"{{{SVG}}}svg":
        raise _unreadable(file, "no SVG")
    target.write_bytes(_with_size(data, root))


def _with_size(data: bytes, root: ElementTree.Element) -> bytes:
    """Return a drawing that fills the width of the text if it says no size: without one a browser shows nothing."""
    sizes = [root.get(name, "%") for name in ("width", "height")]
    box = [float(number) for number in _NUMBER.findall(root.get("viewBox", ""))]
    begin = _ROOT.match(data)
    if not all(size.endswith("%") for size in sizes) or len(box) != 4 or not box[2] > 0 or not begin:
        return data
    height = LONGEST_SIDE * box[3] / box[2]
    rest = _SHARE.sub(b"", begin["rest"])
    size = f' width="{LONGEST_SIDE}" height="{height:g}"'.encode()
    return begin["name"] + size + rest + data[begin.end() :]


def _copy_photograph(file: Path, target: Path) -> None:
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(file, formats=("PNG", "JPEG")) as image:
            if max(image.size) <= LONGEST_SIDE:
                image.load()
                shutil.copyfile(file, target)
                return
            smaller = ImageOps.exif_transpose(image)
            smaller.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            smaller.save(target, image.format)
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise _unreadable(file, str(error)) from error


def _unreadable(file: Path, why: str) -> RenderError:
    hint = "save it again as PNG, JPEG or SVG"
    return RenderError(
        f"no image that can be read: {why.replace(str(file), file.name)}",
        hint=hint,
        file=f"{FOLDER}/{file.name}",
    )
