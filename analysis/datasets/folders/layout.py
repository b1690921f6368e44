"""What the folders above an image say: its class, its part of the dataset's own split, and whether it is a mask."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
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


class ClassFolders:
    """Tells the class of an image from the folders above it.

    Parameters
    ----------
    folders : iterable of Folders
        Those above every image.
    names : mapping of class id to sequence of str
        What the folders of a class are called.
    """

    def __init__(self, folders: Iterable[Folders], names: Mapping[str, Sequence[str]]) -> None:
        every = frozenset(folders)
        there = {name for above in every for name in above}
        self._parted = parted(there)
        self.ids = _ids(there, names, self._parted)
        self._below: dict[Folders, set[str]] = defaultdict(set)
        for above in every:
            named = [i for i, name in enumerate(above) if name in self.ids]
            for i in named:
                self._below[above[: i + 1]] |= {self.ids[above[j]] for j in named if j > i}

    def judge(self, above: Folders) -> tuple[str, str]:
        """Return the class of what lies in a folder, and "", or "" and why it has none.

        It is that of the nearest folder that names one. A folder that has folders of other classes below is no class
        folder, whatever its name; of one that has its own class below, what lies beside that is of no class.
        """
        named = max((i for i, name in enumerate(above) if name in self.ids), default=None)
        if named is None:
            return "", f"folder {'/'.join(above)}" if above else "in no folder"
        folder, label = above[: named + 1], self.ids[above[named]]
        below = self._below[folder]
        if below - {label} or (below and telling(above[named + 1 :])):
            return "", f"folder {'/'.join(above)}; {'/'.join(folder)} has folders of classes below it"
        return label, ""

    def official(self, above: Folders) -> str:
        """Return the part of the dataset's own split that a folder is of, which may be told with the class; "" if of none."""
        told = (self._parted[name][1] for name in above if name in self._parted)
        return official_split(name for name in above if name not in self.ids) or next(told, "")

    def dataset(self, above: Folders) -> Folders:
        """Return the folder of the dataset that an image is of: what lies above its part of the split and its class."""
        ends = (i for i, name in enumerate(above) if name in self.ids or split_of(name))
        return above[: next(ends, len(above))]


def _ids(
    folders: Iterable[str], names: Mapping[str, Sequence[str]], parts: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """Return class ids by folder: by the very name, else by the plain one that is of one class only, else without accents.

    A folder that tells a part of the split too has the name without it.
    """
    there = frozenset(folders)
    exact = {readable(name): id_ for id_, own in names.items() for name in own}
    by_plain: dict[str, set[str]] = defaultdict(set)
    for name, id_ in exact.items():
        by_plain[plain(name)].add(id_)
    known = {name: next(iter(ids)) for name, ids in by_plain.items() if len(ids) == 1}
    alone = {folder: plain(parts[folder][0] if folder in parts else folder) for folder in there}
    known |= _by_bare_name({*alone.values(), *map(plain, there)}, known)
    ids = {
        folder: exact.get(readable(folder)) or known.get(plain(folder)) or known.get(alone[folder], "")
        for folder in there
    }
    return {folder: id_ for folder, id_ in ids.items() if id_}


def _by_bare_name(there: Set[str], known: Mapping[str, str]) -> dict[str, str]:
    """Return the ids of plain folder names that no class has, each by the one name without a folder that is like it."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for name in known.keys() - there:
        wanted[bare(name)].add(known[name])
    alike: dict[str, set[str]] = defaultdict(set)
    for name in there - known.keys():
        alike[bare(name)].add(name)
    return {
        next(iter(alike[name])): next(iter(ids))
        for name, ids in wanted.items()
        if len(ids) == 1 and len(alike[name]) == 1
    }
