"""What the authors of our studies say of results, where the results say it too."""

from __future__ import annotations

import numpy as np
import pytest

from report import PROJECT
from report.writing.author.passages import close_passage

PRETRAINING = "Why the pretraining gives no gain here"


@pytest.mark.parametrize(
    ("head", "fine_tuned", "scratch", "said"),
    [(0.74, 0.82, 0.84, True), (0.74, 0.85, 0.84, False), (0.83, 0.82, 0.84, False)],
)
def test_the_reading_of_the_pretraining(head, fine_tuned, scratch, said):
    """It says that the pretraining gains nothing, and that layers which learn reach more than a new head alone."""
    results = {"head": head, "transfer": fine_tuned, "scratch": scratch}

    def value(name: str) -> float:
        return results.get(name.partition(".")[0], 1.0)

    context = {"r": str, "ci": str, "value": value, "grouped": True, "study": {}, "sample": False}
    path = PROJECT / "studies" / "assignment-transfer" / "discussion.md"
    assert (PRETRAINING in close_passage(path, context, PROJECT / "templates")) is said


@pytest.mark.parametrize(
    ("changed", "said", "unchanged"),
    [
        ({}, True, True),
        ({"residual.test.f1.macro": 0.787}, False, False),  # the improved network is not better
        (
            {"baseline.training.best_val_accuracy": 0.770},
            False,
            False,
        ),  # stopping early would not have helped
        (
            {"baseline.training.best_val_accuracy": 0.840},
            False,
            False,
        ),  # ... or would have given all of the gain
        ({"residual.val.accuracy": 0.830}, False, False),  # mirror images cost something
        (
            {"residual.test.confusion_share.viral.bacterial": 0.250},
            True,
            False,
        ),  # the commonest error is rarer
        ({"residual.test.confusion_share.viral.bacterial": 0.450}, True, False),  # ... or more frequent
        (
            {"residual.test.confusion_share.healthy.viral": 0.060},
            True,
            False,
        ),  # healthy ones are called viral more
    ],
)
def test_the_reading_of_the_difference(changed, said, unchanged):
    """Without an ablation it names overfitting only where stopping early closes a part of the gap, and not all of it."""
    results = {
        "baseline.test.f1.macro": 0.797,
        "residual.test.f1.macro": 0.838,
        "baseline.training.last_val_accuracy": 0.771,
        "baseline.training.best_val_accuracy": 0.795,
        "residual.training.last_val_accuracy": 0.831,
        "baseline.test.confusion_share.viral.bacterial": 0.352,
        "residual.test.confusion_share.viral.bacterial": 0.351,
        "baseline.test.confusion_share.bacterial.viral": 0.168,
        "residual.test.confusion_share.bacterial.viral": 0.120,
        "baseline.test.confusion_share.healthy.viral": 0.053,
        "residual.test.confusion_share.healthy.viral": 0.009,
        "baseline.test.ppv.viral": 0.609,
        "residual.test.ppv.viral": 0.707,
        "residual.val.accuracy": 0.837,
        **changed,
    }
    context = {
        "r": str,
        "ci": str,
        "value": results.__getitem__,
        "grouped": True,
        "study": {"ablation": None, "models": [{"id": "residual"}]},
        "sample": False,
    }
    path = PROJECT / "studies" / "assignment" / "explanation.md"
    text = close_passage(path, context, PROJECT / "templates")
    assert ("Why the networks differ" in text) is said
    assert ("early stopping gives only a part" in text) is said
    assert ("hardly changes" in text) is unchanged
    assert ("would probably only overfit more" in text) is said


@pytest.mark.parametrize(
    ("leave", "p", "add", "said", "remaining"),
    [
        (
            0.022,
            0.134,
            -0.014,
            "scored lower, perhaps by chance; the baseline did not gain",
            0.019,
        ),
        (0.022, 0.010, -0.014, "scored lower; the baseline did not gain", 0.035),
        (-0.003, 0.800, -0.014, "", -0.010),
        (0.022, 0.134, 0.005, "", 0.029),
    ],
)
def test_the_reading_of_the_ablation(leave, p, add, said, remaining):
    """Where something was taken away and added alone, the author says what came of that and no more."""
    results = {
        "ablation.length.leave": 0.030,
        "ablation.length.leave.remaining": remaining,
        "ablation.augmentation.leave": leave,
        "ablation.augmentation.leave.p_holm": p,
        "ablation.augmentation.add": add,
        "baseline.training.last_val_accuracy": 0.771,
        "baseline.training.best_val_accuracy": 0.795,
        "residual.training.last_val_accuracy": 0.831,
        "residual.val.accuracy": 0.837,
        "baseline.test.f1.macro": 0.797,
        "residual.test.f1.macro": 0.838,
    }
    components = [{"id": "augmentation"}, {"id": "length"}]
    context = {
        "r": str,
        "ci": str,
        "value": lambda name: results.get(name, 0.0),
        "grouped": True,
        "study": {
            "ablation": {"run": True, "components": components},
            "models": [{"id": "residual"}],
            "comparison": {"alpha": 0.05},
        },
        "sample": False,
    }
    path = PROJECT / "studies" / "assignment" / "explanation.md"
    text = close_passage(path, context, PROJECT / "templates")
    assert "would probably only overfit more" not in text
    assert said in text
    assert ("scored lower" in text) is bool(said)
    assert ("may be a good part of the gain" in text) is (0 < remaining < 0.030)


@pytest.mark.parametrize(
    ("model", "seen", "size", "said"),
    [("baseline", 16, 48, "a patch of sixteen pixels a side"), ("residual", 193, 208, "the whole image")],
)
def test_how_many_pixels_a_value_has_seen(model, seen, size, said):
    """The author says so of the values that go into the dense layers, or into their mean."""
    import keras

    from analysis.models import assignment

    network = getattr(assignment, model)(size=size, channels=1, classes=4)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):  # positive throughout, so that nothing is lost on the way
            layer.kernel.assign(np.full(layer.kernel.shape, 1 / np.prod(layer.kernel.shape[:3])))
    last = next(
        layer
        for layer in network.layers
        if isinstance(layer, keras.layers.Flatten | keras.layers.GlobalAveragePooling2D)
    )
    maps = keras.Model(network.inputs, last.input)
    images = np.zeros((size, size, size, 1), np.float32)
    images[np.arange(size), :, np.arange(size)] = 1  # in each image another column
    found = maps.predict(images, batch_size=16, verbose=0)
    middle = found.shape[2] // 2
    assert (found[:, middle, middle].max(axis=-1) > 0).sum() == seen
    path = PROJECT / "studies" / "assignment" / "explanation.md"
    assert said in path.read_text(encoding="utf-8")  # of 156 pixels a side
