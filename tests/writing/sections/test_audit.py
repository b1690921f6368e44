"""What is said of that on which results may rest: by level, by class, and nothing where nothing was found."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.audit import features
from report import PROJECT
from report.writing.sections.audit import Audit
from report.writing.study_facts import StudyFacts
from report.writing.values import Values
from tests.writing.conftest import CLASSES, STUDY, facts_of, macro

SAY = "sentences/audit"
VERDICT = re.compile(r"may (?:to a small degree )?rest on|\bgoe?s? with\b")
"""Words that only the template of the audit has, as they follow from findings."""
CAUSAL = re.compile(r"\b(?:because|causes?|caused|uses? (?:the|its)|learnt|relies|due to)\b")


@pytest.mark.parametrize("level", [None, "weak", "strong"])
def test_the_words_follow_the_level(found, source, level):
    text = source(found(level))
    section = text[text.index("{#sec-audit}") : text.index("# Images from elsewhere")]
    abstract = text[: text.index("bibliography:")]
    assert ("**These results may rest on source, age" in section) == (level == "strong")
    assert ("**These results may to a small degree rest on source, age" in section) == (level == "weak")
    assert ("None found, of these looked for:" in section) == (level is None)
    assert ("so results may rest on these" in abstract) == (level == "strong")
    assert ("Test images that the networks may know" in text) == (level is not None)
    assert ("(@sec-audit), a known risk [@degrave2021]" in text) == (level is not None)
    assert ("(@sec-audit): all results may reflect these" in text) == (level is not None)
    assert ("{#fig-duplicates" in text) == (level is not None)
    details = text[text.index("{#sec-audit-details}") : text.index("# Appendix: labels")]
    assert set(re.findall(r"\| (strong|weak|none) \|", details)) == {level or "none"}


def test_no_words_of_the_audit_tell_causes(found, source):
    text = source(found("strong"))
    section = text[text.index("{#sec-audit}") : text.index("# Images from elsewhere")]
    details = text[text.index("{#sec-audit-details}") : text.index("# Appendix: labels")]
    assert not CAUSAL.findall(section + details)
    assert "A network could use this; whether ours do is open." in section


def test_no_other_template_says_what_results_rest_on():
    having = {
        path.name
        for path in (PROJECT / "templates").rglob("*.j2")
        if VERDICT.search(re.sub(r"(?s)<#.*?#>|\{#.*?\}", "", path.read_text(encoding="utf-8")))
    }
    assert having == {"audit.qmd.j2"}


def test_what_is_found_at_two_levels_is_told_by_both(found):
    inputs = found("weak")
    path = inputs["audit_leaks"] / "findings.json"
    path.write_text(path.read_text().replace("weak", "strong"))
    assert macro(facts_of(inputs), f"{SAY}.verdict").startswith(
        "**These results may rest on copies of known images, and to a lesser degree on source, age, sex, view, "
    )


@pytest.fixture
def own(found):
    """Return a function that gives facts in which a class has sources and ages of its own."""

    def make(*classes: str, many: int = 425, known: int = 425, value: str = "adults") -> StudyFacts:
        inputs = found("strong")
        _keep_findings(inputs, {"source", "population"})
        _write_values(inputs["audit_confounding"] / "cross_tables.csv", set(classes), known, value)
        facts = facts_of(inputs)
        changed = {}
        for variable in ("source", "population"):
            for c in CLASSES:
                name = f"audit.confounding.{variable}"
                changed[f"{name}.known.{c}"] = _count(known)
                changed[f"{name}.exclusive.{c}"] = _count(many if c in classes else 0)
        return replace(facts, values=Values({**facts.values.results, **changed}))

    return make


def _count(value: int) -> dict[str, Any]:
    return {"value": value, "low": None, "high": None, "n": value}


def _keep_findings(inputs: dict[str, Path], subjects: set[str]) -> None:
    for name in {n for n in inputs if n.startswith("audit_")}:
        path = inputs[name] / "findings.json"
        kept = [f for f in json.loads(path.read_text()) if f["subject"] in subjects]
        path.write_text(json.dumps(kept))


def _write_values(path: Path, classes: set[str], known: int, value: str) -> None:
    table = pd.read_csv(path)
    table["images"] = known
    table["value"] = [value if c in classes else "children" for c in table["class"]]
    table.to_csv(path, index=False)


def test_a_class_with_a_source_and_an_age_of_its_own_is_named(own):
    facts = own("covid_19")
    verdict = macro(facts, f"{SAY}.verdict")
    assert "All COVID\\-19 images come from a source that no other class has." in verdict
    assert (
        "All COVID\\-19 images of known age show adults, and no image of another class is known to."
        in verdict
    )
    short = macro(facts, f"{SAY}.in_short")
    assert short == (
        "COVID\\-19 images have a source and an age group of their own; networks may recognise these."
    )
    beside = macro(facts, f"{SAY}.beside_results")
    assert beside.startswith(
        "Source and age coincide with COVID\\-19 (@sec-audit): its results may reflect these"
    )
    assert "which coincide with COVID\\-19." in macro(facts, f"{SAY}.holds_back")


def test_a_class_that_is_nearly_of_one_age_is_told_with_numbers(own):
    words = macro(own("covid_19", many=303, known=304), f"{SAY}.verdict")
    assert (
        "Of 304 COVID\\-19 images of known age 303 show adults, and no image of another class is known to."
        in words
    )


def test_classes_that_share_their_sources_only_differ(own):
    words = macro(own("covid_19", many=200, known=425), f"{SAY}.verdict")
    assert "Source and age differ between the classes." in words
    assert macro(own("covid_19", many=200, known=425), f"{SAY}.in_short") == (
        "Source and age coincide with the class, so results may rest on these."
    )


def test_several_classes_and_all_classes(own):
    two = macro(own("covid_19", "viral"), f"{SAY}.beside_results")
    assert two.startswith(
        "Source and age coincide with COVID\\-19 and Viral Pneumonia (@sec-audit): results for these classes"
    )
    every = own(*CLASSES)
    assert "Every class has a source of its own." in macro(every, f"{SAY}.verdict")
    assert macro(every, f"{SAY}.in_short").startswith("Source and age coincide with the class, so results")


def test_too_few_images_name_no_class(own):
    assert "All COVID" not in macro(own("covid_19", many=5, known=5), f"{SAY}.verdict")


def test_a_probe_that_tells_a_class_is_quoted_where_its_results_are(found):
    inputs = found("strong")
    facts = facts_of(inputs)
    areas = {c: 0.997 if c == "covid_19" else 0.8 for c in CLASSES}
    changed = {f"audit.probes.border.auroc.{c}": {"value": v, "low": v, "high": v} for c, v in areas.items()}
    for probe, value in (("border", 0.95), ("original_facts", 0.89)):
        changed[f"audit.probes.{probe}.auroc.macro"] = {
            "value": value,
            "low": value - 0.01,
            "high": value + 0.01,
        }
    facts = replace(facts, values=Values({**facts.values.results, **changed}))
    assert macro(facts, f"{SAY}.beside_results").startswith(
        "Source, age, sex, view and device coincide with the class"
    )
    assert (
        f"Boosted trees that see only a border of at most 12 of {facts.study['image']['size']} pixels reach a macro AUC of 0.950, "
        "cross-validated on all images. From the size of the original they reach 0.890. "
        "A network could use this" in macro(facts, f"{SAY}.verdict")
    )
    for folder in {inputs[name] for name in inputs if name.startswith("audit_")}:  # the probe alone
        findings = json.loads((folder / "findings.json").read_text())
        findings = [f for f in findings if f["topic"] != "confounding"]
        (folder / "findings.json").write_text(json.dumps(findings))
    facts = replace(facts)  # which reads them once
    assert macro(facts, f"{SAY}.beside_results") == (
        "A classifier that sees only the image border tells COVID\\-19 from the rest with an AUC of 0.997 (@sec-audit)."
    )
    assert features.BORDER == 12


def test_of_a_class_that_shares_its_source_it_is_said_how_far_a_probe_tells_it(found, monkeypatch):
    facts = facts_of(found("strong"))
    areas = {"covid_19": 0.99, "healthy": 0.971, "bacterial": 0.8, "viral": 0.7, "macro": 0.9}
    changed = {
        f"audit.probes.{probe}.auroc.{c}": {"value": v - less, "low": v - less, "high": v - less}
        for probe, less in (("border", 0.0), ("original_facts", 0.1))
        for c, v in areas.items()
    }
    facts = replace(facts, values=Values({**facts.values.results, **changed}))
    assert "Not only" not in macro(facts, f"{SAY}.verdict")  # each class has values of its own
    only = {"id": "covid_19", "many": 425, "known": 425, "values": ["adults"]}
    monkeypatch.setattr(Audit, "own", lambda *_: [only])
    assert (
        "Not only sources differ: the border tells "
        "No Pneumonia \\(healthy\\), which shares its source with other classes, with an AUC of 0.971."
        in macro(facts, f"{SAY}.verdict")
    )


def test_the_difference_without_the_one_class_that_has_a_source_of_its_own_is_told(found, monkeypatch):
    facts = facts_of(found("strong"))
    name = "f1.macro_without_covid_19"
    told = {"value": 0.04, "low": 0.019, "high": 0.061}
    changed = {f"improved.test.{name}": {"value": 0.799}, f"baseline.test.{name}": {"value": 0.759}}
    changed |= {f"improved_vs_baseline.test.{name}": told}
    changed |= {"improved_vs_baseline.test.f1.covid_19": {"value": 0.08}}
    facts = replace(facts, values=Values({**facts.values.results, **changed}))
    say = "sentences/comparison.without_a_class"
    assert macro(facts, say, "improved") == ""  # each class has values of its own
    monkeypatch.setattr(Audit, "concerned", lambda *_: ["covid_19"])
    assert macro(facts, say, "improved") == (
        "The gain is not due to COVID\\-19 alone: the mean F1 of the three classes other than COVID\\-19 is 0.799 against 0.759. The difference is +0.040 (+0.019 to +0.061). The contribution of COVID\\-19 to the whole difference is +0.020."
    )
    told["low"] = -0.001
    assert macro(facts, say, "improved").endswith("The difference is +0.040 (−0.001 to +0.061).")


def test_what_could_not_be_compared_is_said_not_to_be(found):
    facts = facts_of(found(None))
    unknown = {"value": None, "reason_null": "fewer than two classes have 20 images of which it is known"}
    changed: dict[str, Any] = {"audit.confounding.sex.values.cramers_v": unknown}
    changed |= {f"audit.confounding.sex.known.{c}": _count(40 * (c == "viral")) for c in CLASSES}
    facts = replace(facts, values=Values({**facts.values.results, **changed}))
    assert macro(facts, f"{SAY}.not_compared") == "Sex is known of too few classes to be compared."
    assert "sex" not in macro(facts, f"{SAY}.looked_for")
    changed |= {f"audit.confounding.sex.known.{c}": _count(0) for c in CLASSES}
    facts = replace(facts, values=Values({**facts.values.results, **changed}))
    assert macro(facts, f"{SAY}.not_compared") == "Sex is recorded of no image."


def test_the_table_has_what_was_looked_at_with_its_level(found):
    rows = macro(facts_of(found("strong")), "floats/audit.findings").splitlines()
    cells = [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows if row.startswith("|")]
    assert cells[0] == ["What was looked at", "Measure", "Found", "Level"]
    by_name = {row[0]: row[1:] for row in cells[2:]}
    assert by_name["Source"] == ["V", "0.900", "strong"]
    assert by_name["Border, 12 pixels"] == ["AUC", "0.900\u00a0(0.870–0.930)", "strong"]
    shares = macro(facts_of(found("strong")), "floats/audit.shares")
    assert "| Border, 12 pixels | 50\u00a0% | 50\u00a0% |" in shares
    assert by_name["Source, age, sex, view and device: known or not"][:3] == [
        "V",
        "at least 0.900",
        "strong",
    ]
    assert by_name["Test images with copies in other sets"][:3] == ["images", "8", "strong"]


def test_a_folder_without_a_study_has_no_networks_in_its_section(found):
    study = {**STUDY, "models": [], "untrained": [], "comparison": None, "external": None}
    facts = facts_of(found("strong"), study)
    results = {
        name: entry
        for name, entry in facts.values.results.items()
        if name.startswith("audit.")
        and not name.startswith(("audit.leaks", "audit.patients.test", "audit.patients.val"))
    }
    facts = replace(facts, values=Values(results))
    assert macro(facts, f"{SAY}.verdict").startswith("**Results on these images may rest on source, age")
    assert "above chance" not in macro(facts, f"{SAY}.verdict")
    assert "CNN" not in macro(facts, "floats/audit.findings")
    assert "Patients shared" not in macro(facts, "floats/audit.classes")
