"""A study of one's own: the skeleton is a study that loads, and whose every stage is planned."""

from __future__ import annotations

import pytest

from report import new, project
from report.errors import UsageError
from report.study import load


@pytest.fixture
def studies(tmp_path, monkeypatch):
    """Studies of another project."""
    for module in (new, project):
        monkeypatch.setattr(module, "STUDIES", tmp_path)
    return tmp_path


def test_the_skeleton_is_a_study(studies, tmp_path):
    written = new.create("my-study")
    assert sorted(path.name for path in written) == ["discussion.md", "introduction.md", "study.toml"]
    study = load(studies / "my-study" / "study.toml")
    assert study.dataset.root == "data/my-study"
    assert project.study_names() == ["my-study"]
    plan = project.plan(project.Request("my-study", sample=True, cache=tmp_path / "cache"))
    assert {"sample", "train.baseline", "compare", "pdf"} <= {stage.name for stage in plan.stages}
    text = (studies / "my-study" / "study.toml").read_text()
    assert "NAME" not in text
    assert "report build my-study --sample" in text


@pytest.mark.parametrize("name", ["My study", "../elsewhere", "", "a_b", "-a", "a-"])
def test_a_name_that_is_none_is_refused(studies, name):
    with pytest.raises(UsageError, match="no name for a study"):
        new.create(name)
    assert not list(studies.iterdir())


def test_a_study_that_is_there_is_left_alone(studies):
    new.create("mine")
    (studies / "mine" / "discussion.md").write_text("My words.")
    with pytest.raises(UsageError, match="there already"):
        new.create("mine")
    assert (studies / "mine" / "discussion.md").read_text() == "My words."
