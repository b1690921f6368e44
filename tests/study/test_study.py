"""The study file: what is read, what is refused, and how that is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from report.cli import find_exit_code
from report.errors import STUDY, USAGE, StudyError, UsageError
from report.study.loading import load
from report.study.study import Study

ASSIGNMENT = Path(__file__).parents[2] / "studies" / "assignment" / "study.toml"


@pytest.fixture
def edited(tmp_path: Path):
    """Return a function that writes the assignment's study with one text replaced by another."""

    def write(old: str, new: str) -> Path:
        text = ASSIGNMENT.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "study.toml"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


def test_the_assignment_says_what_the_assignment_asks_for():
    study = load(ASSIGNMENT)
    baseline = study.models[0]
    assert (study.split.test, study.split.val, study.split.seed) == (0.2, 0.2, 42)
    assert (study.image.size, study.image.color) == (156, "rgb")
    assert (baseline.epochs, baseline.batch_size, baseline.optimizer) == (10, 32, "adam")
    assert len(study.classes) == 4


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("epochs = 10", "epoch = 10", "models.baseline.epoch: unknown key", "epochs"),
        ("[split]", "[splits]", "splits: unknown key", "split"),
        ('monitor = "val_loss"', 'monitr = "val_loss"', "monitr: unknown key", "monitor"),
        (
            "epochs = 10",
            'epochs = "10"',
            "models.baseline.epochs: input should be a valid integer, got '10'",
            "mend",
        ),
        (
            "epochs = 10",
            "epochs = 0",
            "models.baseline.epochs: input should be greater than or equal to 1",
            "mend",
        ),
        ("test = 0.2", "test = 1.2", "split.test: input should be less than 1, got 1.2", "mend"),
        ('id = "covid_19"', 'id = "COVID-19"', "'COVID-19' is no name", "mend"),
        ('id = "improved"', 'id = "baseline"', "models: baseline declared twice", "mend"),
        ('against = ["improved"]', 'against = ["better"]', "no model is called 'better'", "mend"),
        ("epochs = 10\n", "", "models.baseline.epochs: missing", "mend"),
        ("seeds = [42]", "seeds = [1, 2]", "training.seeds: one seed, or 3 different ones or more", "mend"),
        (
            "seeds = [42]",
            "seeds = [1, 2, 1]",
            "training.seeds: one seed, or 3 different ones or more",
            "mend",
        ),
        ("seeds = [42]", "seeds = [1, 1]", "training.seeds: one seed, or 3 different ones or more", "mend"),
        ("seeds = [42]", "seeds = []", "training.seeds: at least 1, got 0", "mend"),
        (
            "seeds = [42]",
            "seeds = [-1]",
            "training.seeds.0: input should be greater than or equal to 0",
            "mend",
        ),
        (
            'label = "COVID-19"',
            'label = "COVID-19"\nnormal = true',
            "classes: only one can be the normal one",
            "mend",
        ),
        (
            "normal = true",
            'normal = "yes"',
            "classes.healthy.normal: input should be a valid boolean",
            "mend",
        ),
        *(
            (
                'id = "improved"',
                f'id = "{name}"',
                f"models.{name}.id: {name} names something else in the results; choose another id",
                "mend",
            )
            for name in ("low_detail", "majority", "data")
        ),
        ('also = "patient"', 'also = "fold"', "split.also: input should be 'none' or 'patient'", "mend"),
        ("margin = 0.03", "margin = 0.0", "comparison.margin: input should be greater than 0", "mend"),
        ("margin = 0.03", "margin = 1.0", "comparison.margin: input should be less than 1", "mend"),
        (
            "alpha = 0.05",
            "alpha = 0.3",
            "comparison.alpha: input should be less than or equal to 0.2",
            "mend",
        ),
        ('primary = "f1.macro"', 'primary = "f1"', "comparison.primary: input should be 'accuracy'", "mend"),
        (
            'against = ["improved"]',
            'against = ["improved", "improved"]',
            "comparison: a model is compared with itself",
            "mend",
        ),
        (
            'against = ["improved"]',
            'against = ["baseline"]',
            "comparison: a model is compared with itself",
            "mend",
        ),
        ('against = ["improved"]', "against = []", "comparison.against: at least 1, got 0", "mend"),
        (
            'kind = "horizontal_flip"',
            'kind = "flip"',
            "models.improved.augmentation.0: kind must be one of 'horizontal_flip', 'shift', 'rotation'",
            "mend",
        ),
        (
            'kind = "horizontal_flip"',
            'mode = "flip"',
            "models.improved.augmentation.0: kind is missing",
            "mend",
        ),
        (
            "assignment:baseline",
            "assignment:baselin",
            "models.baseline.architecture: no function baselin in analysis.models.assignment",
            "did you mean baseline?",
        ),
        (
            "models.assignment:baseline",
            "models.asignment:baseline",
            "models.baseline.architecture: no module analysis.models.asignment in this project",
            "did you mean analysis.models.assignment",
        ),
        *(
            (f'id = "{model}"', f'id = "{model}"\n{line}', f"models.improved{message}", "mend")
            for model, line, message in (
                ("improved", 'init_from = "later"', ".init_from: no model before it is called 'later'"),
                ("improved", 'corrects = "improved"', ".corrects: no model before it is called 'improved'"),
                (
                    "improved",
                    "class_weights = { viral = 2.0 }",
                    ".class_weights: needs one weight for each class",
                ),
                ("improved", 'input = { pixels = "interleaved" }', ": pixels are interleaved once"),
            )
        ),
        (
            'id = "improved"',
            'id = "improved"\nweights = "imagenet"',
            "comparison: no model is called 'improved' (models: baseline)",
            "mend",
        ),
        (
            '{ kind = "horizontal_flip" }',
            '{ kind = "contrast", low = 1.1, high = 0.9 }',
            "models.improved.augmentation.0: low is above high",
            "mend",
        ),
        (
            "patience = 5",
            "patience = 5, min_delta = 1.0",
            "callbacks.0.min_delta: unknown key",
            "known keys here: monitor",
        ),
        (
            'kind = "early_stopping"',
            'kind = "stop"',
            "callbacks.0: kind must be one of 'early_stopping', 'reduce_learning_rate', 'checkpoint', got 'stop'",
            "mend",
        ),
        ("[study]", "[study", "not valid TOML", "mend"),
        (
            'label_rule = "covid-first"',
            'label_rule = "covid"',
            "dataset.label_rule: input should be 'covid-first'",
            "mend",
        ),
        (
            'reader = "v7"',
            'reader = "class-folders"',
            "dataset: label_rule is for the reader 'v7', and this one is 'class-folders'",
            "mend",
        ),
        (
            'label_rule = "covid-first"',
            'folders = { viral = ["VIRUS"] }',
            "dataset: folders is for the reader 'class-folders' or 'kermany' or 'radiography', and this one is 'v7'",
            "mend",
        ),
        (
            'reader = "v7"\nroot = "data/v7"\nlabel_rule = "covid-first"',
            'reader = "class-folders"\nroot = "data"\nfolders = { virus = ["VIRUS"] }',
            "dataset.folders: no class is called 'virus'",
            "mend",
        ),
        ("test = 0.2", 'draw = "keras"', "split: draw has no part in the protocol 'stratified'", "mend"),
        (
            'protocol = "stratified"\ntest = 0.2',
            'protocol = "official"\ntest = 0.2',
            "split: test has no part in the protocol 'official'",
            "mend",
        ),
        (
            'protocol = "stratified"\ntest = 0.2\nval = 0.2',
            'protocol = "official"\nsubset = { viral = 9 }\nval = 0.2',
            "split: val has no part in the protocol 'official' with a subset",
            "mend",
        ),
        (
            'protocol = "stratified"\ntest = 0.2\nval = 0.2',
            'protocol = "official"\nsubset = { viral = 9 }',
            "split.subset: says nothing of the class 'bacterial'",
            "mend",
        ),
        (
            'protocol = "stratified"\ntest = 0.2\nval = 0.2',
            'protocol = "holdout"\ntest = 0.5\nval = 0.5',
            "split: test and val are shares of the whole, and leave nothing to train on",
            "mend",
        ),
        (
            'root = "data/v7"',
            'root = "data/v7"\nwithout = ["ct"]',
            "dataset.without: no class is called 'ct'",
            "mend",
        ),
        (
            'root = "data/v7"',
            'root = "data/v7"\nwithout = ["viral", "covid_19", "healthy"]',
            "dataset.without: fewer than 2 classes are left",
            "mend",
        ),
    ],
)
def test_a_wrong_study_file_is_refused_with_the_key(edited, old, new, message, hint):
    path = edited(old, new)
    with pytest.raises(StudyError) as caught:
        load(path)
    assert str(path) in caught.value.message
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert find_exit_code(caught.value) == STUDY


@pytest.mark.parametrize("seeds", [[42], [1, 2, 3], [5, 4, 3, 2, 1]])
def test_one_seed_or_three_and_more_are_kept_in_their_order(seeds):
    assert load(ASSIGNMENT, (f"training.seeds={seeds}",)).training.seeds == tuple(seeds)


@pytest.mark.parametrize(
    ("overrides", "groups"),
    [
        ((), ("none", "patient")),
        (("split.also=none",), ("none",)),
        (("split.group=patient",), ("patient",)),
        (("split.group=patient", "split.also=none"), ("patient",)),
    ],
)
def test_the_analysis_by_patient_is_built_beside_one_that_is_not(overrides, groups):
    assert load(ASSIGNMENT, overrides).split.groups == groups


def test_the_second_analysis_is_built_unless_it_is_declined(edited):
    path = edited('also = "patient"', "")
    assert load(path).split.groups == ("none", "patient")


def test_a_study_may_declare_no_comparison_and_no_normal_class(edited):
    path = edited("normal = true", "")
    text = path.read_text(encoding="utf-8")
    start, end = text.index("[comparison]"), text.index("[report]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    study = load(path)
    assert study.comparison is None
    assert not any(c.normal for c in study.classes)
    assert study.declaration != load(ASSIGNMENT).declaration


@pytest.mark.parametrize(
    ("override", "same"),
    [
        ("comparison.margin=0.05", False),
        ("comparison.alpha=0.01", False),
        ("comparison.primary=accuracy", False),
        ("comparison.split=val", False),
        ("comparison.margin=0.03", True),
        ("models.improved.epochs=3", True),
        ("split.seed=1", True),
    ],
)
def test_the_declaration_is_that_of_the_comparison_alone(override, same):
    assert (load(ASSIGNMENT, (override,)).declaration == load(ASSIGNMENT).declaration) == same


def test_folders_of_classes_are_read_as_tuples(edited):
    path = edited(
        'reader = "v7"\nroot = "data/v7"\nlabel_rule = "covid-first"',
        'reader = "class-folders"\nroot = "data"\nfolders = { viral = ["VIRUS", "viral pneumonia"] }',
    )
    assert load(path).dataset.folders == {"viral": ("VIRUS", "viral pneumonia")}


def test_a_missing_study_file_is_named(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        load(tmp_path / "study.toml")


def test_overrides_reach_tables_and_named_lists():
    study = load(ASSIGNMENT, ("image.size=64", "models.improved.epochs=3", "dataset.label_rule=every-tag"))
    assert study.image.size == 64
    assert study.models[1].epochs == 3
    assert study.dataset.label_rule == "every-tag"


@pytest.mark.parametrize(
    "override", ["image.size", "=3", "models.third.epochs=3", "image.size.x=3", "models..epochs=1"]
)
def test_an_override_that_leads_nowhere_is_a_usage_error(override):
    with pytest.raises(UsageError) as caught:
        load(ASSIGNMENT, (override,))
    assert override in caught.value.message
    assert find_exit_code(caught.value) == USAGE


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("image.sise=64", "--set image.sise=64: unknown key"),
        ("image={sise = 64}", "--set image={sise = 64}: image.sise: unknown key"),
        (
            "models.baseline.epochs=abc",
            "--set models.baseline.epochs=abc: input should be a valid integer, got 'abc'",
        ),
        ("comparison.baseline=best", "--set comparison.baseline=best: comparison: no model is called 'best'"),
        (
            "dataset.archive_encoding=cp85",
            "--set dataset.archive_encoding=cp85: no encoding is called 'cp85'; such as 'cp850' or 'gbk'",
        ),
        ("dataset.reader=class-folders", "--set dataset.reader=class-folders: dataset: label_rule is for"),
    ],
)
def test_an_override_that_is_not_allowed_is_blamed_and_not_the_file(override, message):
    with pytest.raises(UsageError) as caught:
        load(ASSIGNMENT, ("split.seed=1", override))
    assert caught.value.message.startswith(message)
    assert "study.toml" not in caught.value.message + caught.value.hint


def test_what_is_wrong_in_the_file_is_not_blamed_on_an_override(edited):
    with pytest.raises(StudyError, match=r"study\.toml:\d+: models\.baseline\.epochs"):
        load(
            edited("epochs = 10", "epochs = 0"), ("models.improved.epochs=3", "models.baseline.batch_size=8")
        )


def test_the_sample_is_never_larger_than_the_study():
    study = load(ASSIGNMENT)
    sample = study.for_sample()
    assert sample.image.size == min(study.image.size, study.sample.size)
    assert all(s.epochs <= m.epochs for s, m in zip(sample.models, study.models, strict=True))
    assert [s.learning_rate for s in sample.models] == [m.learning_rate for m in study.models]


STUDIES = sorted(path.parent.name for path in ASSIGNMENT.parents[1].glob("*/study.toml"))


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_reads_and_has_a_smaller_sample(name):
    study = load(ASSIGNMENT.parents[1] / name / "study.toml")
    assert study.dataset.source
    sample = study.for_sample()
    assert set(sample.split.subset) == set(study.split.subset)
    assert sum(sample.split.subset.values()) < sample.sample.pictures


def test_a_class_that_the_data_lack_can_be_left_out_on_the_command_line():
    path = ASSIGNMENT.parents[1] / "radiography" / "study.toml"
    assert len(load(path).classes) == 4
    study = load(path, ('dataset.without=["covid_19", "lung_opacity"]',))
    assert [c.id for c in study.classes] == ["normal", "viral_pneumonia"]
    assert study.dataset.folders == {}


def test_a_list_that_lost_its_quotes_to_the_shell_is_told_how_to_keep_them():
    with pytest.raises(UsageError, match="not valid TOML") as caught:
        load(ASSIGNMENT, ("dataset.without=[viral]",))
    assert "single quotes" in caught.value.hint


def test_a_study_without_a_class_says_so_in_its_title_and_can_be_read_again():
    path = ASSIGNMENT.parents[1] / "radiography" / "study.toml"
    study = load(path, ('dataset.without=["lung_opacity"]',))
    assert study.about.title == f"{load(path).about.title} (without Lung Opacity)"
    assert [c.label for c in study.left_out] == ["Lung Opacity"]
    kept = json.dumps(study.as_json(without_defaults=True))
    assert Study.model_validate_json(kept).for_document() == study.for_document()


def test_what_the_program_fills_in_is_not_for_the_study_file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text((ASSIGNMENT.parents[1] / "radiography" / "study.toml").read_text())
    with pytest.raises(StudyError, match="left_out: unknown key"):
        load(path, ('left_out=["x"]',))
    with pytest.raises(UsageError) as caught:
        load(path, ("x.y=1",))
    assert "published" not in caught.value.hint
    assert "models" in caught.value.hint


def test_a_published_choice_is_one_of_the_published_models(tmp_path):
    folder = tmp_path / "radiography"
    shutil.copytree(ASSIGNMENT.parents[1] / "radiography", folder)
    published = folder / "published.toml"
    published.write_text(published.read_text().replace('model = "resnet50v2"', 'model = "resnet"', 1))
    with pytest.raises(StudyError, match=r"choice.model: no result is of 'resnet'"):
        load(folder / "study.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('label = "COVID-19"', 'label = "COVID\\u202e-19"', "classes.covid_19.label: the sign U+202E turns"),
        (
            'title = "Baseline CNN"',
            'title = "CNN\\u0007"',
            "models.baseline.title: the sign U+0007 cannot be printed",
        ),
        ('author = "Name', 'author = "\\u0085Name', "study.author: the sign U+0085 cannot be printed"),
        ('label = "COVID-19"', 'label = " "', "classes.covid_19.label: is empty"),
        ('label = "COVID-19"', 'label = "\u200b"', "classes.covid_19.label: is empty"),
    ],
)
def test_a_sign_that_cannot_be_seen_is_refused_with_its_key(edited, old, new, said):
    with pytest.raises(StudyError) as caught:
        load(edited(old, new))
    assert said in caught.value.message


def test_a_title_of_several_lines_is_one_line(edited):
    study = load(edited('title = "Baseline CNN"', 'title = """Baseline\n  CNN"""'))
    assert study.models[0].title == "Baseline CNN"


def test_a_study_file_may_begin_with_a_byte_order_mark(edited):
    path = edited("[study]", "[study]")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).about.kind == "assignment"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("epochs = 10", 'epochs = "10"'),
        ("epochs = 10", "epoch = 10"),
        ("[split]", "[splits]"),
        ("size = 156", "size = 5"),
        ('title = "Baseline CNN"', 'title = "CNN\\u0007"'),
        ('title = "Baseline CNN"', 'title = "B\ufffd"'),
    ],
)
def test_what_is_refused_is_refused_with_its_line(edited, old, new):
    path = edited(old, new)
    line = path.read_text(encoding="utf-8").partition(new)[0].count("\n") + 1
    path.write_bytes(path.read_bytes().replace("\ufffd".encode(), b"\xfc"))
    with pytest.raises(StudyError) as caught:
        load(path)
    assert caught.value.message.startswith(f"{path}:{line}: ")


def test_an_override_is_blamed_for_its_signs_and_is_one_value():
    with pytest.raises(UsageError, match=r"--set study.title: the sign U\+001B"):
        load(ASSIGNMENT, ("study.title=\x1b[31m",))
    assert load(ASSIGNMENT, ('study.title="a"\nx = 1',)).about.title == '"a" x = 1'


@pytest.mark.parametrize("name", ["null", "nan", "true", "inf"])
def test_a_class_is_not_called_what_a_table_reads_as_no_word(edited, name):
    with pytest.raises(StudyError, match=f"classes.{name}.id: {name} is no word"):
        load(edited('id = "covid_19"', f'id = "{name}"'))
