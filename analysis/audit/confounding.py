"""The ``confounding`` stage of the audit: which classes go with source, age, sex, view and device, and where these are known.

Source is a cross table and no probe: where all images of a class are of one source, a number says no more than the table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.arrays import Counts
from analysis.audit import association
from analysis.audit.findings import Finding, grade, write_findings
from analysis.audit.people import UNKNOWN, list_age_groups, read_people
from analysis.audit.tables import read_table, write_table
from analysis.datasets.people import tagged
from analysis.evaluation.predictions import cluster_ids
from analysis.evaluation.results_file import COUNT, Basis, Results, entry, write_json
from analysis.evaluation.statistics.significance import HolmStep, holm
from analysis.progress import Progress
from analysis.vocabulary.audit import ALPHA, MISSING, STRONG_V, VALUES, VARIABLES, WEAK_V
from analysis.vocabulary.origins import population

RECORDS = "read/records.csv"
ARTIFACT = "audit.confounding/cross_tables.csv"
FEWEST_VALUES = 20
"""Known of images of a class, for it to count in an association; two classes must have as many."""


UNTESTED = HolmStep(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Association:
    """How a variable, or its being known, goes with the class.

    Parameters
    ----------
    name : str
        ``<variable>.values`` or ``<variable>.missing``.
    table : (K, values) array of int
        Patients, of the classes that count.
    reason_null : str
        Why there is no Cramer's V; else "".
    """

    name: str
    table: Counts
    reason_null: str

    @property
    def v(self) -> float:
        """Cramer's V without its bias; NaN where there is none."""
        return math.nan if self.reason_null else association.cramers_v(self.table)

    @property
    def p(self) -> float:
        """That of the permutation test; NaN where there is no V."""
        return math.nan if self.reason_null else association.permutation_p(self.table)


def confound(
    inputs: Mapping[str, Path],
    out: Path,
    *,
    scratch: Path,
    progress: Progress,
    classes: Sequence[str],
) -> None:
    """Write how the classes go with what is known of the images beside them.

    ``cross_tables.csv`` has variable, value (or "not known"), class, images, patients and their share of the class;
    ``associations.csv`` Cramer's V and p of each variable and of its being known; ``ages.csv`` median and range of age by
    class. ``results.json`` has it under ``confounding.``, ``findings.json`` those associations that exceed `WEAK_V` and that
    chance does not give.

    Parameters
    ----------
    inputs : mapping of str to Path
        The stage ``records``.
    classes : sequence of str
        Class ids in the study's order.
    """
    records = read_table(inputs["records"] / "records.csv")
    people = describe(records)
    found = [one for variable in VARIABLES for one in associate(people, variable, classes)]
    associations, findings = _judge(found, len(people))
    results = {
        **_known(people, classes),
        **_exclusive(people, classes),
        **_ages(people, classes),
        **associations,
    }
    write_table(out / "cross_tables.csv", cross_tables(people, classes))
    write_table(out / "associations.csv", _association_rows(associations))
    write_table(out / "ages.csv", _age_rows(results, classes))
    write_json(out / "results.json", results)
    write_findings(out, findings)
    progress(len(records), len(records), "images")


def describe(records: pd.DataFrame) -> pd.DataFrame:
    """Return label, patient, age in years and each of `VARIABLES` of every image; "" for what is not known.

    Parameters
    ----------
    records : pandas.DataFrame
        ``records.csv``, all as text.
    """
    people = read_people(records).replace(UNKNOWN, "")
    device = records["tags"].map(lambda tags: tagged(tags, "Device:"))
    whose = [population(age, source) for age, source in zip(people["age"], people["source"], strict=True)]
    return people.assign(
        label=records["label"], patient=cluster_ids(records), device=device, population=whose
    )


def _place(value: str) -> tuple[int, str]:
    """Return where a value stands in a table: age groups by age, others by name, what is not known last."""
    ages = list_age_groups()
    return (ages.index(value) if value in ages else value == UNKNOWN, value)


def cross_tables(people: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return for each variable, value and class the images, the patients, and the share of the class' images."""
    rows = []
    for variable in VARIABLES:
        values = people[variable].replace("", UNKNOWN)
        for value in sorted(set(values), key=_place):
            for name in classes:
                of_class = people["label"] == name
                cell = people[of_class & (values == value)]
                rows.append(
                    {
                        "variable": variable,
                        "value": value,
                        "class": name,
                        "images": len(cell),
                        "patients": cell["patient"].nunique(),
                        "share": len(cell) / of_class.sum() if of_class.any() else np.nan,
                    }
                )
    return pd.DataFrame(rows)


def associate(people: pd.DataFrame, variable: str, classes: Sequence[str]) -> Iterator[Association]:
    """Yield how the values of a variable, and whether it is known, go with the class.

    A patient counts once in each class with each value, so that many images of one patient are no evidence.
    """
    known = people[people[variable] != ""]
    triples = known.drop_duplicates(["patient", "label", variable])
    table = _table(triples["label"], triples[variable], classes)
    enough = _table(known["label"], known[variable], classes).sum(axis=1) >= FEWEST_VALUES
    reason = ""
    if enough.sum() < 2:
        reason = f"fewer than two classes have {FEWEST_VALUES} images of which it is known"
    elif table[enough].any(axis=0).sum() < 2:
        reason = "it has one value"
    yield Association(f"{variable}.{VALUES}", table[enough], reason)
    if variable == "population":
        return  # whether it is known follows from age and source
    being_known = people.assign(known=people[variable].ne("").map({True: "known", False: MISSING}))
    pairs = being_known.drop_duplicates(["patient", "label", "known"])
    table = _table(pairs["label"], pairs["known"], classes)
    reason = "" if table.any(axis=0).sum() == 2 else "it is known of all images or of none"
    if not reason and (people["label"].value_counts() >= FEWEST_VALUES).sum() < 2:
        reason = f"fewer than two classes have {FEWEST_VALUES} images"
    yield Association(f"{variable}.{MISSING}", table, reason)


def _table(labels: pd.Series[str], values: pd.Series[str], classes: Sequence[str]) -> Counts:
    table = pd.crosstab(labels, values).reindex(list(classes)).fillna(0)
    return table.to_numpy(dtype=np.int64)


def _judge(found: Sequence[Association], images: int) -> tuple[Results, list[Finding]]:
    """Return the entries of all associations, and the findings among them."""
    results: Results = {}
    findings = []
    tested = [one for one in found if not one.reason_null]
    steps = dict(zip((one.name for one in tested), holm([one.p for one in tested], ALPHA), strict=True))
    for one in found:
        step = steps.get(one.name, UNTESTED)
        name = f"confounding.{one.name}"
        basis = Basis(ARTIFACT, images, int(one.table.sum()))
        method = "Cramer's V of patients, bias-corrected (Bergsma)"
        how = "permutation test of chi-squared, both margins fixed"
        v = one.v
        results[f"{name}.cramers_v"] = entry(v, method, basis, reason_null=one.reason_null)
        results[f"{name}.p"] = entry(step.p, how, basis, reason_null=one.reason_null)
        results[f"{name}.p_holm"] = entry(step.adjusted, f"{how}, Holm", basis, reason_null=one.reason_null)
        level = grade(v, WEAK_V, STRONG_V)
        if level and step.adjusted <= ALPHA:
            variable = one.name if one.name.endswith(MISSING) else one.name.partition(".")[0]
            findings.append(Finding("confounding", variable, level, (f"{name}.cramers_v", f"{name}.p_holm")))
    return results, findings


def _known(people: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return of how many images of each class each variable is known."""
    results: Results = {}
    for variable in VARIABLES:
        for name in classes:
            rows = people[people["label"] == name]
            basis = Basis(RECORDS, len(rows), rows["patient"].nunique())
            known = int((rows[variable] != "").sum())
            label = f"confounding.{variable}"
            results[f"{label}.known.{name}"] = entry(known, COUNT, basis)
            results[f"{label}.known_share.{name}"] = entry(
                known / len(rows) if len(rows) else None,
                "share of the class",
                basis,
                reason_null="no image of this class",
            )
    return results


def _exclusive(people: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return how many images of each class have a value that no image of another class has.

    Where it is known of no other class there is no number, as nothing could be shared.
    """
    results: Results = {}
    for variable in VARIABLES:
        known = people[people[variable] != ""]
        labels_of = known.groupby(variable)["label"].nunique()
        alone = known[variable].map(labels_of) == 1
        for name in classes:
            rows = known[known["label"] == name]
            basis = Basis(RECORDS, len(rows), rows["patient"].nunique())
            elsewhere = len(rows) < len(known)
            value = int(alone[rows.index].sum()) if len(rows) and elsewhere else None
            whose = "of another class" if len(rows) else "of this class"
            results[f"confounding.{variable}.exclusive.{name}"] = entry(
                value, COUNT, basis, reason_null=f"it is known of no image {whose}"
            )
    return results


def _ages(people: pd.DataFrame, classes: Sequence[str]) -> Results:
    """Return median, lowest and highest age in years of the images of each class of which it is known."""
    results: Results = {}
    for name in classes:
        rows = people[(people["label"] == name) & people["age"].notna()]
        basis = Basis(RECORDS, len(rows), rows["patient"].nunique())
        for word, value in (
            ("median", rows["age"].median()),
            ("lowest", rows["age"].min()),
            ("highest", rows["age"].max()),
        ):
            results[f"confounding.age.{word}.{name}"] = entry(
                _whole(float(value)), f"{word}, years", basis, reason_null="no age is known"
            )
    return results


def _whole(years: float) -> float | int:
    """Return whole years as a whole number."""
    return int(years) if years.is_integer() else years


def _age_rows(results: Results, classes: Sequence[str]) -> pd.DataFrame:
    words = ("median", "lowest", "highest")
    return pd.DataFrame(
        [
            {
                "class": name,
                "known": results[f"confounding.age.median.{name}"]["n"],
                **{word: results[f"confounding.age.{word}.{name}"]["value"] for word in words},
            }
            for name in classes
        ]
    )


def _association_rows(results: Results) -> pd.DataFrame:
    names = [name.removesuffix(".cramers_v") for name in results if name.endswith(".cramers_v")]
    return pd.DataFrame(
        [
            {
                "association": name.removeprefix("confounding."),
                **{part: results[f"{name}.{part}"]["value"] for part in ("cramers_v", "p", "p_holm")},
                "patients": results[f"{name}.cramers_v"]["clusters"],
                "reason_null": results[f"{name}.cramers_v"]["reason_null"] or "",
            }
            for name in names
        ]
    )
