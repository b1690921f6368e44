"""The author's words are checked before anything is trained: what they quote must be something the study can have."""

from __future__ import annotations

import shutil

import pytest

from report.document.prose import quoted, require
from report.errors import RenderError
from report.pipeline import PROJECT
from report.study import load

STUDIES = sorted(path.parent for path in (PROJECT / "studies").glob("*/study.toml"))
OFFICIAL = PROJECT / "studies" / "pediatric-official"


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("overrides", [(), ("split.also=none",), ("split.group=patient",)])
def test_the_prose_of_every_study_fits_its_settings(folder, overrides):
    require(folder, load(folder / "study.toml", overrides))


def test_the_prose_fits_a_download_that_lacks_a_class():
    folder = PROJECT / "studies" / "radiography"
    require(folder, load(folder / "study.toml", ('dataset.without=["lung_opacity"]',)))


def test_the_skeleton_of_a_study_quotes_what_it_has():
    folder = PROJECT / "templates" / "study"
    require(folder, load(folder / "study.toml"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cnn_3.test.accuracy", "no model 'cnn_3'"),
        ("cnn_2_vs_cnn_3.test.accuracy", "no model 'cnn_3'"),
        ("transfer.test.accuracy", "described and not trained"),
        ("cnn_1@fold_2.test.accuracy", "no analysis '@fold_2'"),
    ],
)
def test_a_name_that_the_study_cannot_have_is_named_with_file_and_line(tmp_path, name, said):
    (tmp_path / "discussion.md").write_text(f'Words.\n\nIt is << r("{name}") >>.\n')
    with pytest.raises(RenderError, match=rf"discussion\.md:3: .*{said}"):
        require(tmp_path, load(OFFICIAL / "study.toml"))


def test_an_analysis_that_was_set_away_is_told_with_the_way_out(tmp_path):
    (tmp_path / "discussion.md").write_text('<< ci("cnn_1@patient.test.accuracy") >>\n')
    require(tmp_path, load(OFFICIAL / "study.toml"))
    with pytest.raises(RenderError, match="no analysis '@patient'") as caught:
        require(tmp_path, load(OFFICIAL / "study.toml", ("split.also=none",)))
    assert "<% if grouped %>" in caught.value.hint


def test_a_class_left_out_and_figures_that_were_not_published_are_told(tmp_path):
    study = tmp_path / "study.toml"
    shutil.copy(PROJECT / "studies" / "radiography" / "study.toml", study)
    words = tmp_path / "discussion.md"
    words.write_text('<< r("simple_cnn.test.sensitivity.lung_opacity") >>\n')
    with pytest.raises(RenderError, match="lung_opacity is left out"):
        require(tmp_path, load(study, ('dataset.without=["lung_opacity"]',)))
    words.write_text('<< r("published.simple_cnn.test.accuracy") >>\n')
    with pytest.raises(RenderError, match="no published figures"):
        require(tmp_path, load(study))


def test_what_stands_under_a_condition_is_left_alone():
    text = '<< r("a") >>\n<% if grouped %><< r("b") >><% endif %>\n<< r("c") if grouped else "" >><< value(\'d\') >>'
    assert list(quoted(text)) == [(1, "a"), (3, "d")]
