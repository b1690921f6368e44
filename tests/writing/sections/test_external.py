"""What is said of images from elsewhere."""

from __future__ import annotations

from dataclasses import replace

from report.writing.sections.external import External
from report.writing.study_facts import StudyFacts
from report.writing.values import unbroken
from tests.writing.conftest import facts_of


def test_a_tie_is_shown_with_all_its_classes(found, tmp_path):
    facts: StudyFacts = facts_of(found(None))
    rows = ["kind,group,label,n,y_pred,count"]
    counts = {"bacterial": 2, "covid_19": 2, "healthy": 0, "viral": 0}
    rows += [f"sex,female,none,4,{name},{count}" for name, count in counts.items()]
    (tmp_path / "groups.csv").write_text("\n".join(rows) + "\n")
    inputs = {**facts.inputs, **{f"external_{m}": tmp_path for m in facts.trained}}
    study = {
        **facts.study,
        "external": {"classes": [{"id": "none", "label": "No finding", "matches": ["healthy"]}]},
    }
    external = External(replace(facts, inputs=inputs, study=study))
    (cells,) = external.groups(lambda kind, name: name)
    tie = f"Bacterial Pneumonia, COVID\\-19{unbroken(' ')}(2)"
    assert cells == ["", "female", "No finding", "4", *[tie] * len(facts.trained)]
