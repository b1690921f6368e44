"""A study of one's own: the skeleton is a study that loads, and whose every stage is planned."""

from __future__ import annotations

import re

import pytest

from report.commands import skeleton
from report.errors import StudyError, UsageError
from report.study.folder import SECTIONS
from report.study.loading import load
from report.study.model_settings import Model
from report.study.readers import look_up
from report.study.settings import Dataset, Image, Split
from report.study.trainings import list_variants
from report.workspace import places
from report.workspace.plan import make_plan
from report.workspace.request import Request

TABLE_KEYS = look_up("table").keys


@pytest.fixture
def studies(tmp_path, monkeypatch):
    """Studies of another project."""
    for module in (skeleton, places):
        monkeypatch.setattr(module, "STUDIES", tmp_path)
    return tmp_path


def test_the_skeleton_is_a_study(studies, tmp_path):
    written = skeleton.create_study("my-study")
    inside = [path.relative_to(studies / "my-study").as_posix() for path in written]
    prose = ["discussion.md", "introduction.md", "related-work.md"]
    assert sorted(inside) == sorted([*prose, "figures/steps.svg", "references.bib", "study.toml"])
    study = load(studies / "my-study" / "study.toml")
    assert [name for name in study.report.sections if name not in SECTIONS] == ["related-work.md"]
    assert {*SECTIONS} < {*study.report.sections}
    assert study.dataset.root == "data/my-study"
    assert places.list_studies() == ["my-study"]
    plan = make_plan(Request("my-study", sample=True, cache=tmp_path / "cache"))
    assert {"sample", "train.baseline", "compare", "pdf"} <= {stage.name for stage in plan.stages}
    text = (studies / "my-study" / "study.toml").read_text()
    assert "NAME" not in text
    assert "report build my-study --sample" in text


@pytest.mark.parametrize("name", ["My study", "../elsewhere", "", "a_b", "-a", "a-"])
def test_a_name_that_is_none_is_refused(studies, name):
    with pytest.raises(UsageError, match="no name for a study"):
        skeleton.create_study(name)
    assert not list(studies.iterdir())


def test_a_study_that_is_there_is_left_alone(studies):
    skeleton.create_study("mine")
    (studies / "mine" / "discussion.md").write_text("My words.")
    with pytest.raises(UsageError, match="there already"):
        skeleton.create_study("mine")
    assert (studies / "mine" / "discussion.md").read_text() == "My words."


REFUSED = {
    "without": "fewer than 2 classes",
    "fold_models": "there are no folds",
}
"""What of it does not fit the two classes and the comparison of the skeleton."""


def test_what_the_skeleton_shows_in_comments_can_be_said(studies):
    """Every commented line of the model and the dataset, each in the file by itself."""
    skeleton.create_study("mine")
    path = studies / "mine" / "study.toml"
    text = path.read_text()
    shown = re.findall(r"(?m)^# ([a-z_]+ = .*)$", text)
    keys = {line.partition(" ")[0] for line in shown}
    assert {
        "init_from",
        "corrects",
        "class_weights",
        "input",
        "test_input",
        "augmented",
        "minutes",
        "source",
        "rationale",
        "resample",
    } <= keys
    for line in shown:
        if line.startswith(
            (
                *(
                    "label_rule",
                    "draw",
                    "official_val",
                    "subset",
                    "published",
                    "faithful",
                    "corrected",
                    "text",
                ),
                *TABLE_KEYS,
            )
        ):
            continue  # for another reader or protocol, or part of a table that is shown as a whole
        path.write_text(text.replace(f"# {line}\n", f"{line}\n"))
        refused = next((why for key, why in REFUSED.items() if line.startswith(key)), None)
        if refused:
            with pytest.raises(StudyError, match=refused):
                load(path)
        else:
            load(path)


def test_the_keys_of_a_table_that_the_skeleton_shows_can_be_said_together(studies):
    skeleton.create_study("mine")
    path = studies / "mine" / "study.toml"
    text = path.read_text().replace('reader = "class-folders"', 'reader = "table"')
    for key in TABLE_KEYS:
        text, done = re.subn(rf"(?m)^# ({key} = )", r"\1", text)
        assert done == 1, key
    path.write_text(text)
    assert load(path).dataset.columns.label == "label"


def test_every_key_of_a_model_is_in_the_skeleton():
    text = (skeleton.SKELETON / "study.toml").read_text()
    for section in (Model, Dataset, Split, Image):
        for key in section.model_fields:
            assert re.search(rf"(?m)^(# )?{key} = ", text), key


def test_the_external_set_that_the_skeleton_shows_can_be_said(studies):
    skeleton.create_study("mine")
    path = studies / "mine" / "study.toml"
    text = path.read_text()
    shown = text[text.index("#   [external]") :].partition("\n\n")[0]
    path.write_text(text.replace(shown, shown.replace("#   ", "")))
    external = load(path).external
    assert [c.matches for c in external.classes] == [("normal",), ()]
    assert external.columns.source == "site"


def test_the_pretraining_that_the_skeleton_shows_can_be_said(studies):
    skeleton.create_study("mine")
    path = studies / "mine" / "study.toml"
    text = path.read_text()
    shown = text[text.index("#   [pretraining]") :].partition("\n\n")[0]
    text = text.replace(shown, shown.replace("#   ", ""))
    path.write_text(re.sub(r'(?m)^# weights = "[^"]*"', 'weights = "pretraining"', text))
    study = load(path)
    assert study.pretraining.class_ids == ["ill", "well"]
    assert [m.weights for m in study.models].count("pretraining") == 1


def test_the_ablation_that_the_skeleton_shows_can_be_run(studies):
    skeleton.create_study("mine")
    path = studies / "mine" / "study.toml"
    before, table, after = path.read_text().partition("#   [ablation]\n")
    shown, blank, rest = after.partition("\n\n")
    path.write_text(before + (table + shown).replace("#   ", "") + blank + rest)
    assert [v.model.id for v in list_variants(load(path, ("ablation.run=true",)))] == [
        "improved_without_augmentation",
        "baseline_with_augmentation",
    ]
