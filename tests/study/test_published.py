"""The published figures of a study."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from report import PROJECT
from report.errors import StudyError
from report.study.loading import load


def test_a_published_choice_is_one_of_the_published_models(tmp_path):
    folder = tmp_path / "radiography"
    shutil.copytree((PROJECT / "studies") / "radiography", folder)
    published = folder / "published.toml"
    published.write_text(published.read_text().replace('model = "resnet50v2"', 'model = "resnet"', 1))
    with pytest.raises(StudyError, match=r"choice.model: no result is of 'resnet'"):
        load(folder / "study.toml")


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        (
            "confusion = [[",
            "confuson = [[",
            "results.6.confuson: unknown key, in the result of transfer, inferred",
            "did you mean confusion?",
        ),
        (
            '"training.best_epoch" = "8"',
            '"training.best.epoch.x" = "8"',
            "results.2.figures.training.best.epoch.x: string should match",
            "mend {path}",
        ),
        (
            '"training.best_epoch" = "8"',
            '"training.best_epoch" = 8',
            "results.2.figures.training.best_epoch: input should be a valid string, got 8, in the result of cnn_2",
            "mend {path}",
        ),
        (
            "confusion = [[0, 234], [0, 390]]",
            "confusion = [[0, 234]]",
            "results.6.confusion: no matrix of 2 x 2",
            "mend {path}",
        ),
        (
            "# Figures",
            'choice = { model = "cnn", reason = "x" }\n# Figures',
            "choice.model: no result is of 'cnn'",
            "mend {path}",
        ),
        (
            "epochs = 5\n",
            "epoch = 5\n",
            "protocol.models.cnn_1.epoch: unknown key",
            "did you mean epochs?",
        ),
    ],
)
def test_what_is_refused_is_refused_with_its_file_line_and_result(
    tmp_path: Path, old: str, new: str, message: str, hint: str
) -> None:
    folder = PROJECT / "studies" / "pediatric-official"
    shutil.copy(folder / "study.toml", tmp_path)
    path = tmp_path / "published.toml"
    text = (folder / "published.toml").read_text().replace(old, new, 1)
    path.write_text(text)
    line = text.partition(new)[0].count("\n") + 1
    with pytest.raises(StudyError) as caught:
        load(tmp_path / "study.toml")
    assert caught.value.message.startswith(f"{path}:{line}: {message}")
    assert caught.value.hint.startswith(hint.format(path=path))


def test_a_published_table_of_a_model_that_is_none_is_an_error(tmp_path: Path) -> None:
    folder = PROJECT / "studies" / "pediatric-official"
    for file in ("study.toml", "published.toml"):
        (tmp_path / file).write_text((folder / file).read_text())
    path = tmp_path / "published.toml"
    path.write_text(
        path.read_text().replace("[protocol.models.cnn_1]\n", "[protocol.models.cnn_1]\nepoch = 5\n")
    )
    with pytest.raises(StudyError, match=r"protocol\.models\.cnn_1\.epoch"):
        load(tmp_path / "study.toml")
