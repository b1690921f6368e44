"""What may be said of a comparison: sentences that follow from the declared rule, and from nothing else.

No other part of the report says that a model is better or worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from report.document.markdown import escape
from report.writing.tables import MEASURES, PRIMARY, Tables
from report.writing.values import Values, decimal, listed

GROUPED = "@patient"
DEFAULT = {"primary": "f1.macro", "split": "test"}
"""What models are held against the floors by where the study declares no comparison."""
SPLITS = {"val": "validation", "test": "test"}
OF_CLASS = {**MEASURES, "npv": "Negative predictive value"}
MIRRORED = {"specificity", "npv"}
"""What, of two classes, is the sensitivity and the precision of the other one, so that the means are equal."""
FEW = 3
"""So many models are named one by one."""
UNDECIDED = (None, "cannot_be_decided", "underpowered", "not_distinguishable")


@dataclass(frozen=True)
class Verdicts:
    """Writes what the declared comparisons of one study came to.

    Parameters
    ----------
    study : mapping
        The study file as JSON values.
    values : Values
        Its results.
    tables : Tables
        For titles of models.
    verdicts : sequence of mapping
        The ``verdicts`` of ``results.json``.
    """

    study: Mapping[str, Any]
    values: Values
    tables: Tables
    verdicts: Sequence[Mapping[str, Any]]

    def of(self, b: str, analysis: str = "") -> Mapping[str, Any]:
        """Return the verdict on model ``b`` in one analysis."""
        return next(v for v in self.verdicts if v["b"] == b and v["analysis"] == analysis)

    def summary(self, b: str) -> str:
        """Return, for the abstract, the verdict in both analyses, what it rests on, and what went the other way."""
        parts = [self.late(b), self.decided(b), *self._grouped(b), self.conclusion(b), self.against(b)]
        if self.has_grouped and self._differ(b):
            parts.append(self.against(b, GROUPED))
        return " ".join(filter(None, parts))

    def _differ(self, b: str) -> bool:
        return bool(self._apart(b)) or self.of(b)["verdict"] != self.of(b, GROUPED)["verdict"]

    def decided(self, b: str, analysis: str = "") -> str:
        """Return the verdict of one analysis with the numbers that decide it."""
        said = self.of(b, analysis)
        v, pair = self.values, f"{said['pair']}.{said['split']}"
        first, second, measure = *self._titles(said), PRIMARY[said["measure"]]
        if said["verdict"] is None:
            return (
                f"The difference in {measure} between the {first} and the {second} is not decided{_by(analysis)}: "
                f"{self._undefined(said)}."
            )
        each = [v(f"{m}{analysis}.{said['split']}.{said['measure']}") for m in (said["b"], said["a"])]
        scores = f"{measure} {each[0]} against {each[1]}"
        where = f"on the {SPLITS[said['split']]} pictures{_by(analysis)}"
        if said["declared_late"]:
            difference = self._difference(f"{pair}.primary")
            return f"The {second} and the {first} reach {scores} {where} (difference {difference})."
        return f"{self._says(said, where)}: {scores} ({self._numbers(said)}){self._more(said)}."

    def _says(self, said: Mapping[str, Any], where: str) -> str:
        """Return the verdict alone."""
        first, second = self._titles(said)
        match said["verdict"]:
            case "better" | "worse":
                return f"The {second} is {said['verdict']} than the {first} {where}"
            case "equivalent":
                return f"The {second} and the {first} are equivalent within {decimal(said['margin'])} {where}"
            case "underpowered" | "cannot_be_decided":
                return f"Whether the {second} differs from the {first} cannot be decided {where}"
        return f"The {second} cannot be told from the {first} {where}"

    def _numbers(self, said: Mapping[str, Any]) -> str:
        """Return the difference of a verdict, its p, and the interval by which models are equivalent."""
        v, pair = self.values, f"{said['pair']}.{said['split']}"
        numbers = f"difference {self._difference(f'{pair}.primary')}"
        if said["verdict"] != "cannot_be_decided":
            numbers += f", {_p(v.value(f'{pair}.p_holm'))}"
        if said["verdict"] == "equivalent":
            narrow = v.interval(f"{pair}.equivalence")
            numbers += f"; the 90\u00a0% interval {narrow} lies within the margin"
        return numbers

    def _more(self, said: Mapping[str, Any]) -> str:
        """Return why a verdict is not another one, or how much of a difference it tells of."""
        v, pair = self.values, f"{said['pair']}.{said['split']}"
        match said["verdict"]:
            case "better" | "worse":
                return f"; {self._reach(said, pair)}"
            case "cannot_be_decided":
                return f"; {v.entry(f'{pair}.primary')['reason_null']}"
            case "equivalent":
                return ""
        found = decimal(v.value(f"{pair}.detectable_difference"))
        if said["verdict"] == "underpowered":
            return (
                f". With these models only a difference of {found} or more would be found four times in five, "
                f"and one of {decimal(said['margin'])} would matter"
            )
        return f", although a difference of {found} would be found four times in five"

    def _difference(self, name: str) -> str:
        """Return a declared difference with its interval and the level of that, or alone where it has none."""
        v, level = self.values, self.values.entry(name)["level"]
        interval = f", {100 * level:.4g}\u00a0% interval {v.interval(name)}" if level else ""
        return f"{v.text(name)}{interval}"

    def _undefined(self, said: Mapping[str, Any]) -> str:
        """Return why a difference has no value, or why nothing can be said of the one it has."""
        v, of = self.values, f"{said['split']}.{said['measure']}"
        item = v.entry(f"{said['pair']}.{of}")
        if item["value"] is not None:
            return f"it is {escape(item['reason_null'])}"
        entries = {m: v.entry(f"{m}{said['analysis']}.{of}") for m in (said["a"], said["b"])}
        words = [
            f"that of the {self.tables.title(m)} is {escape(entry['reason_null'])}"
            for m, entry in entries.items()
            if entry["value"] is None
        ]
        return listed(words)

    def _reach(self, said: Mapping[str, Any], pair: str) -> str:
        """Return whether a difference that is sure reaches the declared margin, or is too small to matter."""
        margin, v = f"the declared margin of {decimal(said['margin'])}", self.values
        decided, narrow = (v.entry(f"{pair}.{name}") for name in ("primary", "equivalence"))
        if max(decided["low"], -decided["high"]) >= said["margin"]:
            return f"it is so by at least {margin}"
        if max(-narrow["low"], narrow["high"]) < said["margin"]:
            return f"the difference is too small to matter by {margin} (90\u00a0% interval {v.interval(f'{pair}.equivalence')})"
        return f"it is not shown to be so by as much as {margin}"

    def power(self, b: str, analysis: str = "") -> str:
        """Return which difference would have been found, where the verdict has not said so already."""
        said = self.of(b, analysis)
        if said["verdict"] is None or (said["verdict"] in UNDECIDED and not said["declared_late"]):
            return ""
        found = self.values.value(f"{said['pair']}.{said['split']}.detectable_difference")
        if found is None:
            return ""
        more = "; the margin is smaller" if found > said["margin"] else ""
        return f"With these models a difference of {decimal(found)} would be found four times in five{more}."

    def grouped(self, b: str) -> str:
        """Return the verdict with all pictures of a patient in one part; nothing where there is no such analysis."""
        return " ".join(self._grouped(b))

    def _grouped(self, b: str) -> list[str]:
        return [self.decided(b, GROUPED)] if self.has_grouped else []

    @property
    def has_grouped(self) -> bool:
        """Whether the study has its second analysis, by patient."""
        return any(said["analysis"] == GROUPED for said in self.verdicts)

    def conclusion(self, b: str) -> str:
        """Return which of the two analyses the conclusion rests on; nothing where there is one."""
        if not self.has_grouped or self.of(b)["declared_late"]:
            return ""
        said, margin = self.of(b), decimal(self.of(b)["margin"])
        apart = [f"{name} ({x} and {y})" for name, x, y in self._apart(b)]
        if apart:
            return (
                f"The two analyses differ by more than {margin} in {listed(apart)}, so the conclusion rests on the one by "
                f"patient: {self._short(b, GROUPED)}."
            )
        same = f"In {PRIMARY[said['measure']]} the two analyses are within {margin} of each other"
        if said["verdict"] == self.of(b, GROUPED)["verdict"]:
            return f"{same} and come to the same conclusion."
        return (
            f"{same}, but not in their verdict: by picture, as the split was prescribed, {self._short(b, '')}; by patient, "
            f"as it would be for patients whom no network has seen, {self._short(b, GROUPED)}."
        )

    def unseen(self, b: str) -> str:
        """Return what the distance of two analyses is worth where neither has seen a patient of the pictures compared."""
        shared = f"data.{self.of(b)['split']}.same_patient_in_train"
        known = self.values.value(shared) if shared in self.values.results else None
        if not self.has_grouped or known != 0 or not self._apart(b):
            return ""
        return (
            "In neither does a patient of these pictures have a training picture: that the two are apart shows how much "
            "hinges on which of the other pictures a network is trained on, not what known patients are worth."
        )

    def _apart(self, b: str) -> list[tuple[str, str, str]]:
        """Return the primary figures in which the two analyses differ by more than the margin."""
        said, v = self.of(b), self.values
        of, measure = f"{said['split']}.{said['measure']}", PRIMARY[said["measure"]]
        figures = {
            f"{measure} of the {self.tables.title(m)}": (m, m + GROUPED) for m in (said["a"], said["b"])
        }
        figures["the difference"] = (said["pair"], self.of(b, GROUPED)["pair"])
        found = []
        for words, owners in figures.items():
            one, other = (v.value(f"{owner}.{of}") for owner in owners)
            if one is not None and other is not None and abs(one - other) > said["margin"]:
                found.append((words, v.text(f"{owners[0]}.{of}"), v.text(f"{owners[1]}.{of}")))
        return found

    def _short(self, b: str, analysis: str) -> str:
        said = self.of(b, analysis)
        second = self.tables.title(said["b"])
        words = {
            "better": f"the {second} is better",
            "worse": f"the {second} is worse",
            "equivalent": "the two are equivalent within the margin",
            "cannot_be_decided": "the difference cannot be decided, as too few patients or none tell the two apart",
            "underpowered": "the difference cannot be decided with these data",
            "not_distinguishable": "the two cannot be told apart",
            None: "the difference is not defined",
        }
        return words[said["verdict"]]

    def against(self, b: str, analysis: str = "") -> str:
        """Return the measures and classes that moved against the primary difference of an analysis, or that none did.

        Where that difference decides nothing it has no direction: then those whose interval leaves out zero.
        """
        said, v = self.of(b, analysis), self.values
        prefix = f"{said['pair']}.{said['split']}"
        sign = v.value(f"{prefix}.{said['measure']}") or 0
        undecided = said["verdict"] in UNDECIDED
        moved = [n for n in self._measured() if undecided or (v.value(f"{prefix}.{n}") or 0) * sign < 0]
        clear = [n for n in moved if _leaves_out_zero(v.entry(f"{prefix}.{n}"))]
        rest = [] if undecided else [n for n in moved if n not in clear]
        bare = [n for n in rest if v.entry(f"{prefix}.{n}")["low"] is None]
        sentences = []
        if clear:
            words = [f"{self._measure(n)} ({v.aside(f'{prefix}.{n}')})" for n in clear]
            sentences.append(
                f"{listed(words)} {'differed, if taken alone' if undecided else 'moved the other way'}"
            )
        for names, how in (
            ([n for n in rest if n not in bare], "with intervals that include zero"),
            (bare, "by too few patients to have an interval"),
        ):
            if names:
                words = [f"{self._measure(n)} ({v.text(f'{prefix}.{n}')})" for n in names]
                also = "so did" if sentences else "the other way moved"
                sentences.append(f"{also}, {how}, {listed(words)}")
        if sign and not moved and not undecided:
            sentences.append("no average and no measure of a class moved the other way")
        return self._in(analysis, "; ".join(sentences) + ".") if sentences else ""

    def _in(self, analysis: str, sentence: str) -> str:
        """Return a sentence that begins with the analysis that it is about, where there are two."""
        if self.has_grouped:
            return f"By {'patient' if analysis else 'picture'}, {sentence}"
        return sentence[:1].upper() + sentence[1:]

    def _measured(self) -> list[str]:
        """Return the names of all measures of which more is better, those that are always equal once."""
        told = self.tables.told
        classes = [c["id"] for c in self.study["classes"]]
        averages = ["accuracy", "mcc", *(f"{m}.macro" for m in OF_CLASS if not (told and m in MIRRORED))]
        shown = {
            m: [told] if told and m != "f1" else classes for m in OF_CLASS if not (told and m == "auroc")
        }
        return averages + [f"{measure}.{c}" for measure, ids in shown.items() for c in ids]

    def _measure(self, name: str) -> str:
        measure, _, of = name.partition(".")
        word = {
            "accuracy": "accuracy",
            "mcc": "MCC",
            **{k: w if w.isupper() or w == "F1" else w.lower() for k, w in OF_CLASS.items()},
        }
        if of in {"", "macro"}:
            return f"macro {word[measure]}" if of else word[measure]
        return f"{word[measure]} for {self.tables.label(of)}"

    def late(self, b: str) -> str:
        """Return the warning that the comparison was declared too late, or nothing."""
        if not self.of(b)["declared_late"]:
            return ""
        return "This comparison was declared after the test results were seen, so it is exploratory."

    def accuracy(self, b: str) -> str:
        """Return the paired test of accuracy, which is exploratory."""
        said, v = self.of(b), self.values
        pair = f"{said['pair']}.{said['split']}"
        if v.value(f"{pair}.sign_flip_deff") is None:
            return "Both models are right about the same pictures."
        return (
            f"The paired test of accuracy, by flipping the signs of the patients' differences, gives "
            f"{_p(v.value(f'{pair}.sign_flip_p'))} (exploratory; design effect "
            f"{decimal(v.value(f'{pair}.sign_flip_deff'), 2)})."
        )

    def false_better(self, b: str) -> str:
        """Return the probability that "better" is false; nothing unless that is the verdict of an analysis."""
        found = [said for said in self.verdicts if said["b"] == b and said["verdict"] == "better"]
        if not found or self.of(b)["declared_late"]:
            return ""
        shares = []
        for said in found:
            share = self.values.value(f"{said['pair']}.{said['split']}.false_better")
            of = f" by {'patient' if said['analysis'] else 'picture'}" if self.has_grouped else ""
            shares.append(f"{_share(share)} of the draws{of}")
        return (
            f"In {listed(shares)} of a Bayesian bootstrap over patients [@rubin1981] the difference is not above zero. "
            "This restates the interval and is no further evidence, and it does not correct for selection."
        )

    def claim(self) -> str:
        """Return what the comparison is about: these networks, or their recipes."""
        seeds = self.study["training"]["seeds"]
        if len(seeds) == 1:
            return (
                "Each model was trained once, with one seed: the comparison is about these trained networks. What the "
                "recipes would give with other seeds was not measured and cannot be claimed."
            )
        return (
            f"Each model was trained with {len(seeds)} seeds: the comparison is about the recipes, and its variance "
            "has a term for the patients and one for the seeds of each."
        )

    def seeds(self, b: str) -> str:
        """Return the terms of the variance of a comparison of recipes; nothing with one seed."""
        said, v = self.of(b), self.values
        pair = f"{said['pair']}.{said['split']}"
        if f"{pair}.variance.patients" not in v.results:
            return ""
        terms = [v.value(f"{pair}.variance.{name}") for name in ("patients", "a", "b")]
        first, second = self._titles(said)
        shares = [f"{100 * term / sum(terms):.0f}\u00a0%" for term in terms]
        return (
            f"Of the variance of the difference {shares[0]} comes from the patients, {shares[1]} from the seeds of the "
            f"{first} and {shares[2]} from those of the {second}."
        )

    def floor(self, model: str) -> str:
        """Return whether a model beats the low-detail baseline in the primary measure, in each analysis."""
        declared, v = self.study["comparison"] or DEFAULT, self.values
        measure, split = declared["primary"], declared["split"]
        sentences = []
        for analysis in ("", *[GROUPED] * self.has_grouped):
            name = f"{model}_vs_low_detail{analysis}.{split}.{measure}"
            subject = "by patient it" if analysis else f"The {self.tables.title(model)}"
            other = "this floor" if analysis else "the 8 × 8 baseline"
            floor = f"{PRIMARY[measure]} {v(f'low_detail{analysis}.{split}.{measure}')}; difference {v.aside(name)}"
            floor += f"; {why}" if (why := v.entry(name)["reason_null"]) else ""
            sentences.append(f"{subject} {beside(v.entry(name))} {other} ({floor})")
        return "; ".join(sentences) + "."

    def floors(self) -> str:
        """Return, for the abstract, what the low-detail baseline reaches and which models do not beat it."""
        declared, v = self.study["comparison"] or DEFAULT, self.values
        of = f"{declared['split']}.{declared['primary']}"
        found = {
            analysis: self._beaten(
                {m["id"]: v.entry(f"{m['id']}_vs_low_detail{analysis}.{of}") for m in self.study["models"]}
            )
            for analysis in ("", *[GROUPED] * self.has_grouped)
        }
        by_patient = f" (by patient {v(f'low_detail{GROUPED}.{of}')})" if self.has_grouped else ""
        reach = f"trees on pictures of 8 × 8 pixels reach {PRIMARY[declared['primary']]} {v(f'low_detail.{of}')}{by_patient}"
        if len(set(found.values())) == 1:
            return f"{reach}, which {found['']}"
        said = [f"by {'patient' if a else 'picture'} {words}" for a, words in found.items()]
        return f"{reach}, which {' and '.join(said)}"

    def _beaten(self, differences: Mapping[str, Mapping[str, Any]]) -> str:
        """Return which models do not beat a floor, and which cannot be held against it, by their differences."""
        unknown = [m for m, difference in differences.items() if difference["low"] is None]
        missed = [m for m, difference in differences.items() if m not in unknown and not beats(difference)]
        if not missed and not unknown:
            return "every network beats"
        parts = []
        if missed:
            parts.append(f"{self._several(missed)} {'does' if len(missed) == 1 else 'do'} not beat")
        if unknown:
            parts.append(f"cannot be held against {self._several(unknown)}")
        return " and ".join(parts)

    def _several(self, models: Sequence[str]) -> str:
        if len(models) > FEW:
            return f"{len(models)} of {len(self.study['models'])} networks"
        return listed([f"the {self.tables.title(m)}" for m in models])

    def planning(self) -> str:
        """Return the gain in accuracy that could have been known to be detectable before anything was trained."""
        v, split = self.values, self.study["comparison"]["split"]
        known = {d: v.value(f"planning.{split}.detectable_gain.discordance_{d}") for d in (5, 10, 20, 30)}
        gains = {d: gain for d, gain in known.items() if gain is not None}
        points = listed([decimal(100 * gain, 1) for gain in gains.values()])
        shares = listed([str(d) for d in gains])
        found = (
            f"a gain of {points} percentage points where the models disagree about {shares}\u00a0% of them"
            if gains
            else "no gain"
        )
        hidden = [f"{d}\u00a0%" for d, gain in known.items() if gain is None]
        none = f" Where they disagree about {listed(hidden)}, no gain would be found." if hidden else ""
        return (
            f"The smallest gain in accuracy that can be found was known before anything was trained: with "
            f"{v(f'data.{split}.count')} {SPLITS[split]} pictures the exact test of McNemar [@mcnemar1947] finds, with "
            f"80\u00a0% power, {found}.{none}"
        )

    def _titles(self, said: Mapping[str, Any]) -> tuple[str, str]:
        return self.tables.title(said["a"]), self.tables.title(said["b"])


def beside(difference: Mapping[str, Any]) -> str:
    """Return how a network stands to a floor by the interval of their difference, if there is one."""
    if difference["low"] is None:
        return "cannot be held against"
    if beats(difference):
        return "beats"
    return "is below" if _leaves_out_zero(difference) else "does not beat"


def beats(difference: Mapping[str, Any]) -> bool:
    """Return whether the interval of a difference lies above zero."""
    return difference["low"] is not None and difference["low"] > 0


def _leaves_out_zero(difference: Mapping[str, Any]) -> bool:
    return difference["low"] is not None and (difference["low"] > 0 or difference["high"] < 0)


def _by(analysis: str) -> str:
    return " with all pictures of a patient in one part" if analysis else ""


def _p(p: float) -> str:
    return "p ≤ 0.001" if p <= 0.001 else f"p = {decimal(p)}"


def _share(share: float) -> str:
    return "fewer than 0.1\u00a0%" if share < 0.001 else f"{decimal(100 * share, 1)}\u00a0%"
