"""Where requirements are answered."""

from __future__ import annotations

from tests.writing.conftest import STUDY


def test_every_requirement_leads_to_a_part_of_the_report(source):
    text = source()
    for requirement in STUDY["report"]["requirements"]:
        assert f"| @{requirement['where']} |" in text
        assert f"{{#{requirement['where']}" in text


def test_a_requirement_that_the_settings_do_not_meet_is_said_not_to_be_met(source):
    study = {**STUDY, "image": {**STUDY["image"], "size": 48}}
    text = source(study=study, overrides=["image.size=48"])
    assert "@sec-preparation; not as required here: image\\.size is 48" in text
    assert "report build assignment --data DIR --set image.size=48" in text
