"""Equations for the PDF: images of the page's MathML, with words for those who listen."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from xml.etree import ElementTree

from report.document.pandoc import SOURCE
from report.errors import RenderError

MATHML = "{http://www.w3.org/1998/Math/MathML}"
UNITS_PER_EM = 24.0
# The equations' font has a smaller x-height than the text's.
SCALE = 1.06
INK = "#1c2127"
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_WORDS = (
    (r"\\(?:text|mathrm|operatorname|mathit|mathbf|textrm)\s*\{([^{}]*)\}", r" \1 "),
    (r"\\hat\s*\{?([A-Za-z\\]+)\}?", r" \1 hat "),
    (r"\\(?:bar|overline)\s*\{?([A-Za-z\\]+)\}?", r" \1 bar "),
    (r"\\sqrt\s*\{([^{}]*)\}", r" square root of \1 "),
    (r"\\d?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r" \1 over \2, "),
    (r"_\{([^{}]*)\}", r" sub \1 "),
    (r"\^\{([^{}]*)\}", r" to the power \1 "),
    (r"_(\\?\w)", r" sub \1 "),
    (r"\^(\\?\w)", r" to the power \1 "),
)
_SYMBOLS = {
    "sum": "sum", "prod": "product", "int": "integral", "cdot": "times", "times": "times", "leq": "at most",
    "le": "at most", "geq": "at least", "ge": "at least", "neq": "not equal to", "approx": "about",
    "pm": "plus or minus", "in": "in", "infty": "infinity", "ldots": "and so on", "dots": "and so on",
    "to": "to", "rightarrow": "to", "mid": "given", "partial": "partial", "log": "log", "exp": "exp",
    "max": "max", "min": "min", "ln": "log", "left": "", "right": "", "quad": ",", "qquad": ",", "displaystyle": "",
}  # fmt: skip
_SIGNS = {"=": " equals ", "+": " plus ", "-": " minus ", "<": " less than ", ">": " greater than ", "&": " "}


@dataclass(frozen=True)
class Equations:
    """A page whose equations are images, the images (SVG) by address, and what is said for them."""

    html: str
    images: dict[str, str]
    spoken: frozenset[str]


def draw_equations(page: str) -> Equations:
    """Return ``page`` with every ``<math>`` replaced by a image that has alternative text."""
    images: dict[str, str] = {}
    words: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        address = f"equations/{len(images) + 1}.svg"
        images[address], style = _draw(match[0])
        words[address] = speak(_latex(match[0]))
        alt = html.escape(words[address], quote=True)
        return f'<img class="math" src="{address}" alt="{alt}" style="{style}" />'

    return Equations(_MATH.sub(replace, page), images, frozenset(words.values()))


def speak(latex: str) -> str:
    r"""Return ``latex`` in words: ``\frac{a}{b}`` is "a over b"."""
    text, before = latex, ""
    while text != before:
        before = text
        for pattern, words in _WORDS:
            text = re.sub(pattern, words, text)
    text = re.sub(r"\\([A-Za-z]+)", lambda name: f" {_SYMBOLS.get(name[1], name[1])} ", text)
    text = re.sub(r"[\\{}]|\\[,;:! ]", " ", text)
    text = "".join(_SIGNS.get(letter, letter) for letter in text)
    text = re.sub(r"\s+([,.;)])", r"\1", re.sub(r"\s+", " ", text))
    return re.sub(r",{2,}", ",", text).strip(" ,")


def _latex(math: str) -> str:
    match = re.search(r'<annotation encoding="application/x-tex">(.*?)</annotation>', math, re.DOTALL)
    return html.unescape(match[1]).strip() if match else ""


def _draw(math: str) -> tuple[str, str]:
    """Return the SVG of ``math`` and the style that sets it on the line of the text."""
    from ziamath.zmath import Math

    try:
        image: str = Math(_presentation(math), size=UNITS_PER_EM).svg()
    except Exception as error:  # whatever the drawing raises: name the formula
        latex = _latex(math)
        message = f"cannot draw the equation {latex!r}: {error}"
        raise RenderError(message, file=SOURCE, equation=latex) from error
    _, top, width, height = map(float, ElementTree.fromstring(image).attrib["viewBox"].split())
    em = SCALE / UNITS_PER_EM
    # The image's baseline is at 0, so what reaches below it is top + height.
    below = -(top + height)
    image = image.replace("<svg ", f'<svg fill="{INK}" ', 1)
    return image, f"width:{width * em:.4f}em;vertical-align:{below * em:.4f}em"


def _presentation(math: str) -> str:
    """Return ``math`` without its annotation, which is for machines."""
    root = ElementTree.fromstring(math)
    semantics = root.find(f"{MATHML}semantics")
    if semantics is not None:
        root[:] = [child for child in semantics if not child.tag.startswith(f"{MATHML}annotation")]
    text = ElementTree.tostring(root, encoding="unicode")
    return re.sub(r"(</?)ns\d+:", r"\1", text)
