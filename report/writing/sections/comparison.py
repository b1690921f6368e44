"""Facts of the section on the comparisons: what the declared rule said of each, and what lies beside its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.evaluation.settings import DISCORDANCES, LEVEL
from analysis.vocabulary.measures import COMPARED, MACRO, MIRRORED, in_percent, pair_name
from analysis.vocabulary.results import MOVES
from analysis.vocabulary.splits import GROUPED, PRESCRIBED
from analysis.vocabulary.verdicts import BETTER, DECIDING
from report.document.markdown import escape
from report.writing.study_facts import Section, read_rows
from report.writing.values import decimal

DIFFERENCES_BY_CLASS = ("sensitivity", "f1")
"""The measures whose differences the table of a comparison has by class."""
MOVED = tuple(MOVES[move] for move in ("both_right", "fixed", "broken", "both_wrong"))
"""The columns of ``moved.<b>.csv`` in the order in which a table has them."""


@dataclass(frozen=True, kw_only=True)
class Opposed:
    """What moved against the primary difference of a comparison, as names of measures.

    Parameters
    ----------
    prefix : str
        What begins the names of the differences.
    undecided : bool
        Whether the primary difference decides nothing, so that it has no direction.
    clear, unclear, bare : list of str
        Those whose interval leaves out zero, whose interval does not, and that have none, the strongest first.
    none : bool
        Whether the primary difference has a direction and nothing moved against it.
    """

    prefix: str
    undecided: bool
    clear: list[str]
    unclear: list[str]
    bare: list[str]
    none: bool


@dataclass(frozen=True)
class Comparison(Section):
    """What the report says of the declared comparisons.

    Parameters
    ----------
    verdicts : sequence of mapping
        The ``verdicts`` of ``results.json``.
    """

    verdicts: Sequence[Mapping[str, Any]]

    def verdict(self, b: str, analysis: str = "") -> Mapping[str, Any]:
        """Return the verdict on model ``b`` in one analysis; ``prefix`` begins the names of its results."""
        found = next(v for v in self.verdicts if v["b"] == b and v["analysis"] == analysis)
        return {**found, "prefix": f"{found['pair']}.{found['split']}"}

    @property
    def between(self) -> list[dict[str, Any]]:
        """Return the models ``a`` and ``b`` of each pair that is only told, and by analysis the name of their difference."""
        declared = self.study["comparison"] or {"between": ()}
        return [
            {
                "a": a,
                "b": b,
                "differences": [
                    {
                        "analysis": analysis,
                        "name": f"{pair_name(b, a)}{analysis}.{declared['split']}.{declared['primary']}",
                    }
                    for analysis in self.facts.analyses
                ],
            }
            for a, b in declared["between"]
        ]

    @property
    def is_grouped(self) -> bool:
        """Whether there is a second analysis, by patient."""
        return any(v["analysis"] == GROUPED.suffix for v in self.verdicts)

    @property
    def analyses(self) -> list[str]:
        """The suffixes of the analyses."""
        return [PRESCRIBED.suffix, *[GROUPED.suffix] * self.is_grouped]

    @property
    def has_new_patients(self) -> bool:
        """Whether no patient of the compared images of the analysis by patient is known to have a training image."""
        split = (self.study["comparison"] or {"split": "test"})["split"]
        known = self.values.results.get(f"data{GROUPED.suffix}.{split}.same_patient_in_train", {})
        return known.get("value") == 0

    def reach(self, b: str, analysis: str = "") -> str:
        """Return whether a difference that is sure is a ``margin`` or more, ``too_small`` to matter, or ``less`` than shown."""
        verdict = self.verdict(b, analysis)
        decided, narrow = (
            self.values.entry(f"{verdict['prefix']}.{name}") for name in ("primary", "equivalence")
        )
        if max(decided["low"], -decided["high"]) >= verdict["margin"]:
            return "margin"
        return "too_small" if max(-narrow["low"], narrow["high"]) < verdict["margin"] else "less"

    def nearest_end(self, b: str, analysis: str = "") -> str:
        """Return the end of the interval that is nearest to zero, if it is printed as the margin and lies beyond it; else ""."""
        verdict = self.verdict(b, analysis)
        decided = self.values.entry(f"{verdict['prefix']}.primary")
        end = decided["low"] if decided["low"] > 0 else decided["high"]
        if abs(end) <= verdict["margin"] or decimal(abs(end)) != decimal(verdict["margin"]):
            return ""
        texts = ((decimal(end, digits), decimal(verdict["margin"], digits)) for digits in range(4, 9))
        return next((text for text, margin in texts if text.removeprefix("−") != margin), "")

    def detectable(self, b: str, analysis: str = "") -> float | None:
        """Return which difference would have been found, where the sentence of the verdict does not say so."""
        verdict = self.verdict(b, analysis)
        if verdict["verdict"] is None or not (verdict["verdict"] in DECIDING or verdict["declared_late"]):
            return None
        found: float | None = self.values.value(f"{verdict['prefix']}.detectable_difference")
        return found

    def without_value(self, verdict: Mapping[str, Any]) -> list[dict[str, str]]:
        """Return each ``model`` whose primary measure has no value, and the ``reason``."""
        entries = {
            model: self.values.entry(f"{model}{verdict['analysis']}.{verdict['split']}.{verdict['measure']}")
            for model in (verdict["a"], verdict["b"])
        }
        return [
            {"model": m, "reason": entry["reason_null"]}
            for m, entry in entries.items()
            if entry["value"] is None
        ]

    def tally(self, analysis: str = "") -> list[dict[str, Any]]:
        """Return each ``verdict`` of the declared comparisons and their ``count``.

        One that was declared late is ``late``, and one that decides nothing ``undecided``, for whatever reason.
        """
        open_ = {"cannot_be_decided", "underpowered"}
        found = [
            "late" if v["declared_late"] else "undecided" if v["verdict"] in open_ else v["verdict"]
            for v in self.verdicts
            if v["analysis"] == analysis
        ]
        return [{"verdict": v, "count": found.count(v)} for v in dict.fromkeys(found)]

    def any_late(self) -> bool:
        """Tell whether any comparison was declared after results on the test set had been seen."""
        return any(verdict["declared_late"] for verdict in self.verdicts)

    def agree(self, b: str) -> bool:
        """Tell whether the two analyses come to the same verdict and to the same side of the margin."""
        found = {(self.verdict(b, a)["verdict"], self._reach_of(b, a)) for a in self.analyses}
        return len(found) == 1

    def is_alike(self, b: str) -> bool:
        """Tell whether both analyses say of the same of two models that it is the better."""
        return self.is_sure(b) and len({self.verdict(b, a)["verdict"] for a in self.analyses}) == 1

    def is_sure(self, b: str, analysis: str = "") -> bool:
        """Tell whether one of two models is said to be the better."""
        return self.verdict(b, analysis)["verdict"] in {"better", "worse"}

    def _reach_of(self, b: str, analysis: str) -> str:
        return self.reach(b, analysis) if self.is_sure(b, analysis) else ""

    def apart(self, b: str) -> list[dict[str, str]]:
        """Return the primary figures in which the two analyses differ by more than the margin.

        Each has the ``model`` that it is of, "" for the difference, its ``measure``, and its names in both analyses.
        """
        verdict, grouped = self.verdict(b), self.verdict(b, GROUPED.suffix)
        figure = f"{verdict['split']}.{verdict['measure']}"
        owners = {m: (m, f"{m}{GROUPED.suffix}") for m in (verdict["a"], verdict["b"])}
        owners[""] = (verdict["pair"], grouped["pair"])
        found = []
        for model, (first, second) in owners.items():
            names = f"{first}.{figure}", f"{second}.{figure}"
            one, other = map(self.values.value, names)
            if one is not None and other is not None and abs(one - other) > verdict["margin"]:
                found.append(
                    {"model": model, "measure": verdict["measure"], "first": names[0], "second": names[1]}
                )
        return found

    def by_patient(self, b: str) -> dict[str, Any]:
        """Return the ``kind`` of the primary ``measure`` by patient beside that by image, and the ``models`` that it is of.

        ``changes`` has of each model the names of the measure ``before`` and ``after``; ``is_any_lower`` tells whether it is
        lower of any.
        ``lower``: of every model, its interval below the other one. ``not_lower``: of no model by more than the margin.
        ``undecided``: of ``models`` by more than the margin, and intervals overlap. ``none``: no known patient is among the
        images, or a figure is not there.
        """
        verdict = self.verdict(b)
        figure, models = f"{verdict['split']}.{verdict['measure']}", [verdict["a"], verdict["b"]]
        pairs = {
            m: [self.values.entry(f"{m}{suffix}.{figure}") for suffix in ("", GROUPED.suffix)] for m in models
        }
        changes = [
            {"model": m, "before": f"{m}.{figure}", "after": f"{m}{GROUPED.suffix}.{figure}"} for m in models
        ]
        found = {"kind": "none", "measure": verdict["measure"], "models": models, "changes": changes}
        known = self.values.results.get(f"data.{verdict['split']}.same_patient_in_train", {}).get("value")
        if not known or any(e["low"] is None for pair in pairs.values() for e in pair):
            return found
        found["is_any_lower"] = any(two["value"] < one["value"] for one, two in pairs.values())
        if all(second["high"] < first["low"] for first, second in pairs.values()):
            return {**found, "kind": "lower"}
        lower = [m for m, (one, two) in pairs.items() if two["value"] < one["value"] - verdict["margin"]]
        return {**found, "kind": "undecided", "models": lower} if lower else {**found, "kind": "not_lower"}

    def has_no_known_patient(self, b: str) -> bool:
        """Tell whether the compared images are known to be of other patients than those that were trained on."""
        name = f"data.{self.verdict(b)['split']}.same_patient_in_train"
        return name in self.values.results and self.values.value(name) == 0

    def is_lower(self, prefix: str) -> bool:
        """Tell whether the primary difference of a comparison is below zero."""
        return (self.values.value(f"{prefix}.{self.facts.declared['primary']}") or 0) < 0

    def against(self, b: str, analysis: str = "") -> Opposed:
        """Return the measures that moved against the primary difference of an analysis.

        Where that difference decides nothing it has no direction: then those whose interval leaves out zero.
        """
        verdict = self.verdict(b, analysis)
        sign = self.values.value(f"{verdict['prefix']}.{verdict['measure']}") or 0
        undecided = verdict["verdict"] not in DECIDING
        entries = {name: self.values.entry(f"{verdict['prefix']}.{name}") for name in self._measured()}
        moved = {n: e for n, e in entries.items() if undecided or (e["value"] or 0) * sign < 0}
        clear = sorted((n for n, e in moved.items() if direction(e)), key=lambda n: -strength(moved[n]))
        rest = {} if undecided else {n: e for n, e in moved.items() if n not in clear}
        return Opposed(
            prefix=verdict["prefix"],
            undecided=undecided,
            clear=clear,
            unclear=sorted(
                (n for n, e in rest.items() if e["low"] is not None), key=lambda n: -strength(rest[n])
            ),
            bare=sorted(
                (n for n, e in rest.items() if e["low"] is None), key=lambda n: -abs(rest[n]["value"])
            ),
            none=bool(sign and not moved and not undecided),
        )

    def moved_little(self, b: str) -> bool:
        """Tell whether in both analyses, which point the same way, measures moved against the difference, but none surely."""
        found = [self.against(b, analysis) for analysis in self.analyses]
        return (
            not any(f.clear or f.undecided for f in found)
            and not all(f.none for f in found)
            and len({self.is_lower(f.prefix) for f in found}) == 1
        )

    def _measured(self) -> Iterator[str]:
        """Yield the names of all measures of which more is better, those that are always equal once."""
        reported, shown = self.facts.reported_class, [m for m in COMPARED if m.higher_is_better]
        by_class = sorted((m for m in shown if MACRO in m.averages), key=lambda measure: not measure.column)
        yield from (m.id for m in shown if m.of_all)
        yield from (f"{m.id}.{MACRO}" for m in by_class if not (reported and m.id in MIRRORED))
        for measure in by_class:
            if not (reported and measure.symmetric):
                classes = [reported] if reported and measure.mirror else self.facts.classes
                yield from (f"{measure.id}.{c}" for c in classes)

    def _prefix(self, b: str, analysis: str = "") -> str:
        """Return what begins the names of the results that compare ``b`` with the baseline."""
        declared = self.study["comparison"]
        return f"{pair_name(b, declared['baseline'])}{analysis}.{declared['split']}"

    def false_shares(self, b: str) -> list[dict[str, Any]]:
        """Return each ``analysis`` in which a gain was found, and the ``share`` of draws in which the difference is none."""
        return [
            {
                "analysis": v["analysis"],
                "share": self.values.value(f"{v['pair']}.{v['split']}.false_better"),
            }
            for v in self.verdicts
            if v["b"] == b and v["verdict"] == BETTER
        ]

    def variance(self, b: str) -> list[float]:
        """Return the shares of patients, seeds of ``a`` and seeds of ``b`` in the variance; none with one seed."""
        names = [f"{self.verdict(b)['prefix']}.variance.{term}" for term in ("patients", "a", "b")]
        if names[0] not in self.values.results:
            return []
        terms = [self.values.value(name) for name in names]
        return [term / sum(terms) for term in terms]

    def detectable_gains(self) -> list[dict[str, Any]]:
        """Return for each share of images about which models disagree, ``discordance``, the ``gain`` that would be found."""
        planning = f"planning.{self.study['comparison']['split']}.detectable_gain"
        return [
            {
                "discordance": share,
                "gain": self.values.value(f"{planning}.{in_percent('discordance', share)}"),
            }
            for share in DISCORDANCES
        ]

    def own_level(self, b: str) -> float | None:
        """Return the level of the interval of a declared comparison where it is not that of all others."""
        level: float | None = self.values.results.get(f"{self._prefix(b)}.primary", {}).get("level")
        return None if level == LEVEL else level

    def differences(self, b: str) -> list[dict[str, Any]]:
        """Return a row for each measure that the table of a comparison has.

        Each has the name of its ``measure``, the values of both ``models``, and of each analysis the name of the
        difference in ``results.json``.
        """
        declared = self.study["comparison"]
        models = (declared["baseline"], b)
        return [
            {
                "measure": name,
                "models": [self.values.text(f"{m}.{declared['split']}.{name}") for m in models],
                "differences": [f"{self._prefix(b, analysis)}.{name}" for analysis in self.facts.analyses],
            }
            for name in self._measured()
        ]

    def is_rounded_apart(self, b: str, analysis: str = "") -> bool:
        """Tell whether the difference of two printed scores is not the printed difference."""
        declared = self.study["comparison"]
        names = [
            f"{m}{analysis}.{declared['split']}.{declared['primary']}" for m in (b, declared["baseline"])
        ]
        second, first = (self.values.value(name) for name in names)
        if first is None or second is None:
            return False
        return bool(round(second - first, 3) != round(round(second, 3) - round(first, 3), 3))

    def lacks_interval(self, b: str) -> bool:
        """Tell whether any difference in the table of a comparison has a value and no interval."""
        entries = (self.values.entry(name) for row in self.differences(b) for name in row["differences"])
        return any(entry["low"] is None and entry["value"] is not None for entry in entries)

    def moves(self, b: str) -> list[list[str]]:
        """Return of each class how many images both models got right, only ``b``, only the other one, and neither."""
        rows = read_rows(self.facts.inputs["compare"] / f"moved.{b}.csv")
        split = self.study["comparison"]["split"]
        return [
            [self.facts.label(row["y_true"]), *(row[column] for column in MOVED)]
            for row in rows
            if row["split"] == split
        ]

    def flips(self, b: str) -> list[list[str]]:
        """Return of each image shown that only one of two models gets right its number, class, both answers and its file."""
        rows = read_rows(self.facts.inputs["compare"] / f"flips.{b}.csv")
        split = self.study["comparison"]["split"]
        return [
            [row["number"], self.facts.label(row["y_true"]), *self._answers(row), escape(row["image_id"])]
            for row in rows
            if row["split"] == split and row["number"]
        ]

    def _answers(self, flip: Mapping[str, str]) -> list[str]:
        return [
            f"{self.facts.label(flip[f'said_{side}'])} {decimal(float(flip[f'p_said_{side}']))}"
            for side in "ab"
        ]


def direction(difference: Mapping[str, Any]) -> int:
    """Return whether the interval of a difference lies above zero (1), below it (-1) or neither (0)."""
    low, high = difference["low"], difference["high"]
    return 0 if low is None else int(low > 0) - int(high < 0)


def strength(difference: Mapping[str, Any]) -> float:
    """Return a difference against the width of its interval."""
    width = difference["high"] - difference["low"]
    return float(abs(difference["value"]) / width) if width else float("inf")
