"""The author's words are checked before anything is trained: what they quote must be something the study can have."""

from __future__ import annotations

import json
import shutil

import pytest

from report import PROJECT
from report.errors import RenderError
from report.study.loading import load
from report.writing.author.quotations import find_quotations, require_quotations
from report.writing.result_names import result_names
from tests.specimen import TWO_NETWORKS

STUDIES = sorted(path.parent for path in (PROJECT / "studies").glob("*/study.toml"))
OFFICIAL = PROJECT / "studies" / "pediatric-official"


@pytest.mark.parametrize("folder", STUDIES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("overrides", [(), ("split.also=none",), ("split.group=patient",)])
def test_the_prose_of_every_study_fits_its_settings(folder, overrides):
    require_quotations(folder, load(folder / "study.toml", overrides))


def test_the_prose_fits_a_download_that_lacks_a_class():
    folder = PROJECT / "studies" / "radiography"
    require_quotations(folder, load(folder / "study.toml", ('dataset.without=["lung_opacity"]',)))


def test_the_skeleton_of_a_study_quotes_what_it_has():
    folder = PROJECT / "templates" / "study"
    require_quotations(folder, load(folder / "study.toml"))


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
        require_quotations(tmp_path, load(OFFICIAL / "study.toml"))


def test_what_folds_give_can_be_quoted_where_there_are_folds(tmp_path):
    folder, quoted = (
        PROJECT / "studies" / "assignment",
        '<< ci("improved_vs_baseline@folds.test.mean.f1.macro") >>',
    )
    (tmp_path / "discussion.md").write_text(f'{quoted} << r("baseline@fold_3.test.accuracy") >>\n')
    require_quotations(tmp_path, load(folder / "study.toml", ("split.folds=3",)))
    with pytest.raises(RenderError, match="no analysis '@folds'"):
        require_quotations(tmp_path, load(folder / "study.toml"))


def test_an_analysis_that_was_set_away_is_told_with_the_way_out(tmp_path):
    (tmp_path / "discussion.md").write_text('<< ci("cnn_1@patient.test.accuracy") >>\n')
    require_quotations(tmp_path, load(OFFICIAL / "study.toml"))
    with pytest.raises(RenderError, match="no analysis '@patient'") as caught:
        require_quotations(tmp_path, load(OFFICIAL / "study.toml", ("split.also=none",)))
    assert "<% if grouped %>" in caught.value.hint


def test_a_class_left_out_and_figures_that_were_not_published_are_told(tmp_path):
    study = tmp_path / "study.toml"
    shutil.copy(PROJECT / "studies" / "radiography" / "study.toml", study)
    words = tmp_path / "discussion.md"
    words.write_text('<< r("simple_cnn.test.sensitivity.lung_opacity") >>\n')
    with pytest.raises(RenderError, match="lung_opacity is left out"):
        require_quotations(tmp_path, load(study, ('dataset.without=["lung_opacity"]',)))
    words.write_text('<< r("published.simple_cnn.test.accuracy") >>\n')
    with pytest.raises(RenderError, match="no published figures"):
        require_quotations(tmp_path, load(study))


def test_what_stands_under_a_condition_is_marked():
    text = (
        '<< r("a") >>\n<% if grouped %><< r("b") >><% endif %>\n<< r("c") if grouped else "" >><< value(\'d\') >>'
        '<% if value("e") > 0 %><% endif %>'
    )
    found = [(1, "a", False), (2, "b", True), (3, "c", True), (3, "d", False), (3, "e", True)]
    assert list(find_quotations(text)) == found


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            '<< r("cnn_1.test.acuracy") >>',
            r"discussion\.md:1: cnn_1\.test\.acuracy: no result",
            "cnn_1.test.accuracy",
        ),
        ('a\n\n<< ci("cnn_1.test.f1") >>', r"discussion\.md:3: cnn_1\.test\.f1: ", "cnn_1.test.f1."),
        ('<< r("cnn_1.train.accuracy") >>', "no result has this name", "accuracy"),
        ('<< value("data.test.counts") >>', "no result has this name", "data.test.count"),
        ('<< r("cnn_1.test.mcc.macro") >>', "no result has this name", "cnn_1.test.mcc"),
        (
            '<% if grouped %><< r("cnn_1@patient.test.acuracy") >><% endif %>',
            "no result has this name",
            "cnn_1@patient.test.accuracy",
        ),
        (
            '<% if value("cnn_1.test.acuracy") > 0 %>a<% endif %>',
            "no result has this name",
            "cnn_1.test.accuracy",
        ),
    ],
)
def test_a_misspelt_measure_is_named_with_file_line_and_the_nearest(tmp_path, text, said, hint):
    (tmp_path / "discussion.md").write_text(text)
    with pytest.raises(RenderError, match=said) as caught:
        require_quotations(tmp_path, load(OFFICIAL / "study.toml"))
    assert hint in caught.value.hint


def test_a_name_of_other_settings_may_stand_under_a_condition(tmp_path):
    names = [
        "cnn_1@seed_1.test.accuracy",
        "cnn_1@patient.test.accuracy",
        "cnn_1.test.sensitivity_at_90.abnormal",
        "data.excluded.broken_file",
    ]
    text = "".join(f'<% if false %><< r("{name}") >><% endif %>\n' for name in names)
    (tmp_path / "discussion.md").write_text(text + '<< r("data.excluded.broken_file") >>')
    require_quotations(
        tmp_path, load(OFFICIAL / "study.toml", ("split.also=none", "training.seeds=[1, 2, 3]"))
    )


def test_the_names_are_those_that_the_evaluation_gives(evaluated):
    root, _ = evaluated({})
    given = set(json.loads((root / "results" / "results.json").read_text())["results"])
    expected = result_names(load(TWO_NETWORKS / "study.toml"))
    of_data = {name for name in given - expected if ".excluded." in name}
    elsewhere = {name for name in expected if "external" in name.split(".")[:2]}  # no images of it are there
    wanted = expected - elsewhere
    assert given - of_data == {name for name in wanted if name in given or not name.startswith("ledger.")}
    assert of_data == {"data.excluded.ct_slice", "data@patient.excluded.ct_slice"}
