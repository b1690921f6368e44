"""The evaluation of a study whose test set is locked."""

from __future__ import annotations

import json

from analysis.evaluation.stages.validate import validate
from analysis.progress import silent
from tests.evaluation.conftest import CLASSES


def test_validation_is_measured_as_ever_without_a_prediction_of_the_test_set(assignment, tmp_path):
    table = assignment.table("predict.baseline", "predictions")
    table[table["split"] == "val"].to_csv(tmp_path / "predictions.csv", index=False)
    inputs = {"predictions": tmp_path}
    validate(inputs, tmp_path, scratch=tmp_path, progress=silent, model="baseline", classes=CLASSES)
    found = json.loads((tmp_path / "results.json").read_text())
    whole = json.loads((assignment.root / "evaluate.baseline" / "results.json").read_text())
    assert {name.split(".")[1] for name in found} == {"val"}
    assert {"baseline.val.f1.macro", "baseline.val.auroc.macro", "baseline.val.accuracy"} <= set(found)
    assert found == {name: whole[name] for name in found}
