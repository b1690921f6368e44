"""The figures of what a reader made of a data folder, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from analysis.datasets import class_folders
from analysis.datasets.folders.class_tree import ClassTree
from analysis.datasets.folders.files import Contents
from analysis.datasets.images.depth import read_depth
from analysis.image_files import escape_name, unescape_name

EXAMPLES = 3
MOST_DATASETS = 6  # more of them are patients or hospitals


def summarise(tables: Path, classes: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the figures of what a reader wrote into ``tables``, as JSON values."""
    records = pd.read_csv(tables / "records.csv", keep_default_na=False)
    images = records.drop_duplicates("image_id")
    flow = pd.read_csv(tables / "flow.csv")
    return {
        "classes": [{**c, **_of_class(records[records["label"] == c["id"]])} for c in classes],
        "flow": flow.to_dict("records"),
        "excluded": _excluded(pd.read_csv(tables / "excluded.csv", keep_default_na=False)),
        "official": images["official"].value_counts(sort=False).drop("", errors="ignore").to_dict(),
        "patients": _patients(images),
        "sizes": _sizes(images),
        "modes": images["mode"].value_counts().to_dict(),
        "depth": read_depth(tables),
        "duplicates": _duplicates(records),
    }


def _of_class(rows: pd.DataFrame) -> dict[str, int]:
    return {"pictures": len(rows), "patients": int(rows["patient_id"].nunique())}


def _excluded(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return every reason with its count and first examples, the commonest first."""
    return [
        {
            "reason": reason,
            "files": len(rows),
            "examples": rows[["file", "detail"]].head(EXAMPLES).to_dict("records"),
        }
        for reason, rows in sorted(table.groupby("reason"), key=lambda item: -len(item[1]))
    ]


def _patients(images: pd.DataFrame) -> dict[str, Any]:
    known = images[images["source"] != "unknown"]
    parts = images.groupby("patient_id")["official"].nunique()
    return {
        "number": len(parts),
        "across_official": int((parts > 1).sum()),
        "known_for": len(known),
        "pictures": len(images),
        "most_pictures": int(images["patient_id"].value_counts().max()),
        "sources": known["source"].value_counts().to_dict(),
    }


def _sizes(images: pd.DataFrame) -> dict[str, Any]:
    """Return the range of the sides in pixels, and the commonest sizes."""
    sizes = images.groupby(["width", "height"]).size().rename("pictures").reset_index()
    commonest = sizes.sort_values("pictures", ascending=False, kind="stable").head(EXAMPLES)
    return {
        **{side: _range(images[side]) for side in ("width", "height")},
        "different": len(sizes),
        "commonest": commonest.to_dict("records"),
    }


def _range(values: pd.Series[int]) -> dict[str, int]:
    return {"least": int(values.min()), "median": round(values.median()), "most": int(values.max())}


def _duplicates(records: pd.DataFrame) -> dict[str, Any]:
    """Return the groups of images that are the same file, byte for byte."""
    images = records.groupby("image_id", sort=False)
    each = images.agg({"sha256": "first", "official": "first", "label": "|".join}).reset_index()
    groups = each[each.duplicated("sha256", keep=False)].groupby("sha256", sort=False)
    differ = groups[["label", "official"]].nunique() > 1
    return {
        "groups": groups.ngroups,
        "pictures": int(groups.size().sum()),
        "across_classes": int(differ["label"].sum()),
        "across_official": int(differ["official"].sum()),
        "examples": [list(rows["image_id"]) for _, rows in list(groups)[:EXAMPLES]],
        "conflicts": [list(rows["image_id"]) for sha256, rows in groups if differ["label"][sha256]][
            :EXAMPLES
        ],
    }


def describe_surroundings(contents: Contents, tables: Path, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what there is beside the images that are read, and the datasets that these are of."""
    flow = pd.read_csv(tables / "flow.csv")
    records = pd.read_csv(tables / "records.csv", keep_default_na=False, dtype=str)
    counts = dict(zip(flow["step"], flow["count"], strict=True))
    return {
        "beside": [
            {
                "what": what,
                "files": int(counts[what]),
                "example": _example(contents, names, int(counts[what])),
            }
            for what, names in contents.beside()
            if what in counts
        ],
        "archives": [escape_name(name) for name in contents.archives],
        "datasets": _datasets(records, params) if "folders" in params else [],
        "annotated": "" if "folders" in params else _annotated(contents),
        "astray": _astray(records, params["classes"]) if "table" in params else [],
    }


def _example(contents: Contents, names: Sequence[str], count: int) -> str:
    """Return the first of the files and what it is, if the reader makes nothing of any of them."""
    first = names[0]
    why = f" ({escape_name(contents.skipped[first])})" if first in contents.skipped else ""
    return f"{escape_name(first)}{why}" if count == len(names) else ""


def _datasets(records: pd.DataFrame, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the folders that hold a dataset each, with their images of each class; [] if they are very many.

    ``same_names`` is how many images have one of the same class, split and name in another of them.
    """
    above = [PurePosixPath(unescape_name(name)).parts[:-1] for name in records["image_id"]]
    tree = ClassTree(above, class_folders.name_folders(params["classes"], params["folders"]))
    of = records.assign(
        dataset=["/".join(tree.dataset(folders)) for folders in above],
        name=records["image_id"].str.rsplit("/", n=1).str[-1],
    )
    where = of.groupby(["label", "official", "name"])["dataset"].transform("nunique")
    found = [
        {
            "folder": escape_name(str(folder)),
            "classes": rows["label"].value_counts().to_dict(),
            "same_names": int((where[rows.index] > 1).sum()),
        }
        for folder, rows in of.groupby("dataset")
    ]
    return found if len(found) <= MOST_DATASETS else []


def _astray(records: pd.DataFrame, classes: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Return the images that lie in a folder of another class than the table gives them, with both classes."""
    above = [PurePosixPath(unescape_name(name)).parts[:-1] for name in records["image_id"]]
    tree = ClassTree(above, {c["id"]: (c["label"], c["id"]) for c in classes})
    lying = [tree.judge(folders)[0] for folders in above]
    rows = zip(records["image_id"], records["label"], lying, strict=True)
    return [[name, label, folder] for name, label, folder in rows if folder and folder != label]


def _annotated(contents: Contents) -> str:
    """Return the folder that all annotations and only some of the images lie in; "" if there is none."""
    tops = {name.partition("/")[0] for name in contents.others if name.lower().endswith(".json")}
    annotated = next(iter(tops)) if len(tops) == 1 else ""
    images = {name.partition("/")[0] for name in contents.images}
    return escape_name(annotated) if annotated in images and len(images) > 1 else ""
