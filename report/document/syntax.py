"""The markdown of the report's source, as far as our checks read it."""

from __future__ import annotations

import re
from dataclasses import dataclass

TEMPLATE = re.compile(r"<<.*?>>|<%.*?%>|<#.*?#>", re.S)
CODE_BLOCK = re.compile(
    r"^(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)\n(?:.*?\n)??(?P=fence)[`~]*[ \t]*$", re.M | re.S
)
NOT_TEXT = re.compile(
    r"\\(?:[^\w\s]|_)|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)|\$\$.+?\$\$|\$(?=\S)(?:\\.|[^$\\])*?(?<=\S)\$(?!\d)",
    re.S,
)
FRONT = re.compile(r"\A---\n.*?\n---\n", re.S)
_KEY = r"\w(?:[\w]|[:.#$%&\-+?<>~/](?=\w))*"
CITATION = re.compile(rf"(?<![@./])(?<![^\W_])-?@(?:\{{(?P<braced>[^}}\s]+)\}}|(?P<plain>{_KEY}))")
ATTRIBUTES = re.compile(r"\{(?![{%<])((?:[^{}\n]|\n(?![ \t]*\n))*[#.=](?:[^{}\n]|\n(?![ \t]*\n))*)\}")
IMAGE = re.compile(
    r"!\[(?P<caption>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<file>[^)\s]*)[^)]*\)(?:\{(?P<attributes>[^}]*)\})?"
)
ALTERNATIVE = re.compile(r"""\bfig-alt\s*=\s*(?:"\s*[^"\s]|'\s*[^'\s]|[^"'\s}])""")
"""What is said of an image for those who do not see it, as it begins in the image's attributes."""
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<address>[^)\s]+)[^)]*\)")
DIV = re.compile(r"^[ \t]*(?P<colons>:{3,})[ \t]*(?P<attributes>[^\n]*?)[ \t]*:*$", re.M)
HTML = re.compile(r"<!--|<\?|</?[A-Za-z][\w:-]*(?:\s[^<>]*)?/?>|<[A-Za-z][\w-]*\s+[\w-]+\s*=")
AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^<>\s]*>")


@dataclass(frozen=True)
class Text:
    """The source, and the same with code, equations and escapes blanked (every letter keeps its place)."""

    whole: str
    prose: str

    def line(self, position: int) -> int:
        """Return the line on which a letter stands, from 1."""
        return self.whole.count("\n", 0, position) + 1


def blank_out(text: str) -> str:
    """Return as many spaces, on as many lines."""
    return re.sub(r"[^\n]", " ", text)


def blank_code(whole: str) -> str:
    """Return ``whole`` with code, equations and escaped signs blanked."""
    # In the head's quoted strings the backslash of an escaped sign is itself escaped.
    text = FRONT.sub(lambda m: re.sub(r"\\{2}[^\w\s\\]", "   ", m[0]), whole)
    text = CODE_BLOCK.sub(lambda m: blank_out(m[0]), text)
    return NOT_TEXT.sub(lambda m: blank_out(m[0]), text)
