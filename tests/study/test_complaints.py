"""What is refused in a study file is named with its line, its key and the nearest known name."""

from __future__ import annotations

import pytest

from report.cli import find_exit_code
from report.errors import STUDY, StudyError, UsageError
from report.study.complaints import find_line
from report.study.loading import load
from tests.specimen import TWO_NETWORKS
from tests.study.conftest import ASSIGNMENT


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
        (
            "[training]",
            "[resources]\ntrain = { gpus = 2 }\n[training]",
            "resources.train.gpus: input should be less than or equal to 1, got 2",
            "mend",
        ),
        ('id = "covid_19"', 'id = "COVID-19"', "'COVID-19' is no name", "mend"),
        ('id = "improved"', 'id = "baseline"', "models.1.id: baseline is declared twice", "mend"),
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
        (
            "seeds = [42]",
            "seeds = [42]\nsubsets = [0.5]",
            "training.subsets: needs 3 seeds or more in training.seeds",
            "--set 'training.seeds=[42, 43, 44]'",
        ),
        (
            "seeds = [42]",
            "seeds = [1, 2, 3]\nsubsets = [0.255]",
            "training.subsets: a share is of whole per cent",
            "mend",
        ),
        (
            "seeds = [42]",
            "seeds = [1, 2, 3]\nsubsets = [0.5, 0.25]",
            "training.subsets: each share is larger than the one before",
            "mend",
        ),
        (
            "seeds = [42]",
            'seeds = [1, 2, 3]\nsubset_models = ["improved"]',
            "training.subset_models: there are no subsets to train on",
            "mend",
        ),
        (
            "seeds = [42]",
            'seeds = [1, 2, 3]\nsubsets = [0.5]\nsubset_models = ["third"]',
            "training.subset_models: no model is called 'third' (models: baseline, improved)",
            "mend",
        ),
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
            "classes.healthy.normal: only one class can be the normal one",
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
            "comparison.against: a model is compared with itself",
            "mend",
        ),
        *(
            ('against = ["improved"]', f'against = ["improved"]\nbetween = [{pair}]', problem, "mend")
            for pair, problem in (
                ('["baseline", "improved"]', "comparison.between: compared already, or with itself"),
                ('["improved", "improved"]', "comparison.between: compared already, or with itself"),
                ('["improved", "best"]', "comparison.between: no model is called 'best'"),
            )
        ),
        *(
            ('paper = "a4"', f'paper = "a4"\nmain = ["{name}"]', f"report.main: {problem}", "mend")
            for name, problem in (
                ("best", "no model is called 'best'"),
                ("baseline", "improved is missing, and the first comparison is about it"),
            )
        ),
        (
            'against = ["improved"]',
            'against = ["baseline"]',
            "comparison.against: a model is compared with itself",
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
                ("improved", 'input = { pixels = "interleaved" }', ".augmented: pixels are interleaved once"),
            )
        ),
        (
            'id = "improved"',
            'id = "improved"\nweights = "imagenet"',
            "models.improved.weights: weights learnt on ImageNet are those of a backbone; params.backbone is one of vgg16,",
            "mend",
        ),
        (
            'id = "improved"',
            'id = "improved"\nweights = "imagenet"\nparams = { backbone = "vgg16" }',
            "comparison.against: improved begins with weights learnt on ImageNet, which are not at hand",
            "--weights DIR",
        ),
        (
            'id = "improved"',
            'id = "improved"\nparams = { backbone = "vgg16" }',
            "models.improved.params.backbone: says nothing of the weights of vgg16",
            'add weights = "imagenet"',
        ),
        (
            'id = "improved"',
            'id = "improved"\nweights = "ImageNet"',
            "models.improved.weights: no weights are called 'ImageNet'",
            'write "random", "imagenet", "pretraining", or a model that another study has trained',
        ),
        (
            'id = "improved"',
            'id = "improved"\ninit_from = "baseline"\nweights = "radiography/simple_cnn"',
            "models.improved.weights: init_from has the weights that it begins with",
            "mend",
        ),
        (
            '{ kind = "horizontal_flip" }',
            '{ kind = "contrast", low = 1.1, high = 0.9 }',
            "models.improved.augmentation.0.low: low is above high",
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
            "dataset.label_rule: is for the reader 'v7', and this one is 'class-folders'",
            "mend",
        ),
        (
            'label_rule = "covid-first"',
            'folders = { viral = ["VIRUS"] }',
            "dataset.folders: is for the reader 'class-folders' or 'kermany' or 'radiography', and this one is 'v7'",
            "mend",
        ),
        (
            'reader = "v7"\nroot = "data/v7"\nlabel_rule = "covid-first"',
            'reader = "class-folders"\nroot = "data"\nfolders = { virus = ["VIRUS"] }',
            "dataset.folders: no class is called 'virus'",
            "mend",
        ),
        ("test = 0.2", "seeds = [43]", "split.seeds: 2 seeds or more, different ones and none of", "mend"),
        ("test = 0.2", "seeds = [43, 43]", "split.seeds: 2 seeds or more", "mend"),
        ("test = 0.2", "seeds = [42, 43]", "split.seeds: 2 seeds or more", "mend"),
        (
            "test = 0.2",
            "seeds = [43, -1]",
            "split.seeds.1: input should be greater than or equal to 0",
            "mend",
        ),
        (
            'protocol = "stratified"\ntest = 0.2',
            'protocol = "official"\nseeds = [43, 44]',
            "split.seeds: the test set is the dataset's own, so no other can be drawn",
            "mend",
        ),
        ("test = 0.2", "folds = 2", "split.folds: 3 folds or more, or 0 for none", "mend"),
        ("test = 0.2", "folds = 11", "split.folds: input should be less than or equal to 10", "mend"),
        (
            'protocol = "stratified"\ntest = 0.2',
            'protocol = "official"\nfolds = 5',
            "split.folds: the test set is the dataset's own, so no other can be drawn",
            "mend",
        ),
        ("test = 0.2", 'fold_models = ["baseline"]', "split.fold_models: there are no folds", "mend"),
        (
            "test = 0.2",
            'folds = 5\nfold_models = ["best"]',
            "split.fold_models: no model that is trained is called 'best'; there are baseline, improved",
            "mend",
        ),
        (
            "test = 0.2",
            "exclude_duplicates = 1",
            "split.exclude_duplicates: input should be a valid boolean",
            "mend",
        ),
        ("test = 0.2", 'draw = "keras"', "split.draw: has no part in the protocol 'stratified'", "mend"),
        (
            'protocol = "stratified"\ntest = 0.2',
            'protocol = "official"\ntest = 0.2',
            "split.test: has no part in the protocol 'official'",
            "mend",
        ),
        (
            'protocol = "stratified"\ntest = 0.2\nval = 0.2',
            'protocol = "official"\nsubset = { viral = 9 }\nval = 0.2',
            "split.val: has no part in the protocol 'official' with a subset",
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
            "split.test: test and val are shares of the whole, and leave nothing to train on",
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


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("image.sise=64", "--set image.sise=64: unknown key"),
        ("image={sise = 64}", "--set image={sise = 64}: image.sise: unknown key"),
        (
            "models.baseline.epochs=abc",
            "--set models.baseline.epochs=abc: input should be a valid integer, got 'abc'",
        ),
        ("comparison.baseline=best", "--set comparison.baseline=best: no model is called 'best'"),
        (
            "dataset.archive_encoding=cp85",
            "--set dataset.archive_encoding=cp85: no encoding is called 'cp85'; such as 'cp850' or 'gbk'",
        ),
        ("dataset.reader=class-folders", "--set dataset.reader=class-folders: dataset.label_rule: is for"),
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('baseline = "baseline"', 'baseline = "best"'),
        ('against = ["improved"]', 'against = ["baseline"]'),
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


def test_lines_are_found_in_tables_lists_and_inline_tables():
    text = """\
# comment
[study]  # why
title = "[[models]]"
[[models]]
id = "a"
input.scale = 2
[[models]]
id = 'b'  # why
callbacks = [
    { kind = "checkpoint" },
]
[models.input]
offset = 1
"""
    wanted = {
        "study.title": 3,
        "models.a.input.scale": 6,
        "models.b.callbacks.0.kind": 9,
        "models.b": 8,
        "split": 0,
    }
    assert {name: find_line(name, text) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("study.title", 'title = "Classifying'),
        ("models.improved.epochs", "epochs = 50"),
        ("models.baseline.epocs", 'id = "baseline"'),
        ("models.improved.callbacks.0.patience", "callbacks = ["),
        ("classes.viral.label", 'label = "Viral'),
        ("classes.1.id", "[[classes]]"),
        ("comparison", "[comparison]"),
        ("comparison.basline", "[comparison]"),
    ],
)
def test_a_setting_is_found_in_the_study_file(setting, line):
    text = (TWO_NETWORKS / "study.toml").read_text()
    assert text.splitlines()[find_line(setting, text) - 1].startswith(line)
