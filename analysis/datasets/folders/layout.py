"""What the folders above an image say: its class, its part of the dataset's own split, and whether it is a mask."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

Folders = tuple[str, ...]
"""The folders above a file, the uppermost first."""

MANY = 10_000  # names of folders

SIGNS = str.maketrans(
    {"＋": "+", "⁺": "+", "－": "-", "⁻": "-", "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"}
)
# A hyphen is a minus at the end of a name ("COVID-", "COVID (-)"), at that of a word ("HIV- TB+"), and before a number.
MINUS = re.compile(r"-(?=[\s_)\]]*$)|(?<=[^\W_])-(?=[\s_])|(?:(?<=^)|(?<=[\s_(=]))-(?=\d)")
TELLING = re.compile(r"([+<>=≤≥≠±!?~#%*−])")
SEPARATORS = re.compile(r"""[\s_\-.,;:'"()\[\]{}/\\&|·]+""")
NUMBERED = re.compile(r"(?<=[^\W\d_]{2})(?=\d)")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

GENERIC = frozenset(
    re.findall(
        r"\w+",
        "image images img imgs pic pics picture pictures photo photos scan scans png pngs jpg jpgs jpeg "
        "jpegs tif tiff dcm dicom dicoms bmp file files",
    )
)
"""Words for what images are, whatever they show."""
COLLECTIVE = frozenset(
    re.findall(
        r"\w+",
        "set sets data dataset datasets database archive folder split splits part subset samples sample "
        "cases stage all full raw original originals processed x ray rays xray xrays cxr cxrs radiograph "
        "radiographs chest frontal",
    )
)
"""Words for a collection, which may stand beside "train" and the like."""
SIZE = re.compile(r"\d+(x\d+)?|%|px")
PARTS = {
    "train": r"train(?:ing)?|trn",
    "val": r"val|valid(?:ation)?|dev(?:elopment)?|tuning",
    "test": r"test(?:ing)?|tst|hold ?out|held ?out",
}
PART = {
    name: re.compile(rf"(?:{words})(?:(?:{'|'.join(sorted(GENERIC | COLLECTIVE))})*)\d*")
    for name, words in PARTS.items()
}
PARTED = (
    re.compile(r"[(\[]*(?P<part>[A-Za-z]+)[\s_.,)\]-]+(?P<name>.+)"),
    re.compile(r"(?P<name>.+)(?:\s+-\s+|(?<!\s-)[\s_.,(\[-])(?P<part>[A-Za-z]+)[)\]]*"),
)
MASK = re.compile(r"(?!un)\w*masks?|ground ?truths?")
BOTH = frozenset(("and", "with", "without", "no", "+"))
"""What stands in the name of a folder that holds images as well, or only these."""
MASK_NAME = re.compile(
    r"^(?:lung |infection )?(?:masks?|seg|segmentation|gt|ground ?truth) (?=.)"
    r"|(?<=.) (?:lung |infection )?(?:masks?|lungmask|seg|segmentation|gt|ground ?truth|label)$"
)


def readable(name: str) -> str:
    """Return a name in composed characters (NFC); one that is no UTF-8 as if it were Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("latin-1")
    return unicodedata.normalize("NFC", name)


@lru_cache(MANY)
def plain(name: str) -> str:
    """Return the name of a folder without what makes no difference: ``Lung_Opacity`` is ``lung opacity``, ``COVID19`` is ``covid 19``.

    Signs tell classes apart: ``COVID+`` is ``covid +``, ``COVID-`` is ``covid −`` and ``COVID-19`` is ``covid 19``.
    """
    text = readable(name).translate(SIGNS)
    text = NUMBERED.sub(" ", TELLING.sub(r" \1 ", MINUS.sub("−", text)))
    return readable(SEPARATORS.sub(" ", text).strip().casefold()) or name


def bare(name: str) -> str:
    """Return the plain name without accents."""
    letters = unicodedata.normalize("NFKD", plain(name))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def words(name: str) -> list[str]:
    """Return the words of a name; ``leftMask`` has two."""
    return plain(CAMEL.sub(" ", name).replace("&", "+")).split()


@lru_cache(MANY)
def split_of(folder: str) -> str:
    """Return the part that a folder such as ``Train_Data``, ``test-set`` or ``stage_1_val_images`` is of; "" if of none."""
    telling = [w for w in words(folder) if w not in GENERIC | COLLECTIVE and not SIZE.fullmatch(w)]
    return next((name for name, pattern in PART.items() if pattern.fullmatch(" ".join(telling))), "")


def official_split(folders: Iterable[str]) -> str:
    """Return the split that the uppermost such folder of an image stands for; "" if there is none."""
    return next(filter(None, map(split_of, folders)), "")


def parted(folders: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return class and part of the split of folders that are called by both, as ``NORMAL_train`` and ``NORMAL_test`` are.

    A class must be there in two parts: ``Test positive`` alone says nothing of a split.
    """
    found = {}
    parts = defaultdict(set)
    for folder in folders:
        for spelt in filter(
            None, (pattern.fullmatch(CAMEL.sub(" ", readable(folder))) for pattern in PARTED)
        ):
            name, of = spelt["name"].strip(" _."), split_of(spelt["part"])
            if of and name and not split_of(folder) and not is_generic(name):
                found[folder] = name, of
                parts[plain(name)].add(of)
    return {folder: both for folder, both in found.items() if len(parts[plain(both[0])]) > 1}


def is_generic(folder: str) -> bool:
    """Tell whether a folder is called ``images_001`` or the like, or by a part of the split: its name tells no class."""
    named = [word for word in words(folder) if not word.isdecimal()]
    return bool(split_of(folder)) or (named != [] and GENERIC.issuperset(named))


def telling(folders: Iterable[str]) -> Folders:
    """Return the folders whose names may tell a class."""
    return tuple(name for name in folders if not is_generic(name))


def masks_folder(folders: Iterable[str]) -> str | None:
    """Return the folder above a file that holds masks, such as ``lung_masks``, ``leftMask`` or ``Ground-truths``."""
    return next(filter(_holds_masks, folders), None)


@lru_cache(MANY)
def _holds_masks(name: str) -> bool:
    return bool(MASK.fullmatch(_last_words(name))) and not BOTH & {*words(name)}


def _last_words(name: str) -> str:
    """Return the last word of a name, or ``ground truth``; that of ``mask images`` and ``masks_png`` is their first."""
    found = words(name)
    while len(found) > 1 and (found[-1] in GENERIC or found[-1].isdecimal()):
        found.pop()
    return " ".join(found[-2:] if found[-2:-1] == ["ground"] else found[-1:])


def unmasked(stem: str) -> str:
    """Return the stem of the image that a mask called ``<stem>_mask`` or ``mask_<stem>`` belongs to."""
    return MASK_NAME.sub("", plain(stem))
