"""Names of trainings, put together and taken apart."""

from __future__ import annotations

import pytest

from analysis.vocabulary.run_names import add_seed, add_subset, drop_seed, join_run, split_run
from tests.pipeline.plans import SEEDS, planned


@pytest.mark.parametrize(
    ("owner", "run", "name", "with_seed"),
    [
        ("baseline", "", "baseline", "baseline@seed_42"),
        ("baseline", "patient", "baseline@patient", "baseline@patient_seed_42"),
        ("my_seed_3", "", "my_seed_3", "my_seed_3@seed_42"),
        ("", "patient", "@patient", "@patient_seed_42"),
    ],
)
def test_what_is_put_together_is_taken_apart(owner, run, name, with_seed):
    assert join_run(owner, run) == name
    assert split_run(name) == (owner, run)
    assert add_seed(name, 42) == with_seed
    assert drop_seed(with_seed) == drop_seed(name) == name


def test_a_subset_is_named_behind_the_analysis_and_before_the_seed():
    assert add_seed(add_subset("baseline", 0.25), 42) == "baseline@subset_25_seed_42"
    assert add_subset("@patient", 0.5) == "@patient_subset_50"
    assert drop_seed("baseline@patient_subset_25_seed_42") == "baseline@patient_subset_25"


def test_every_training_of_a_plan_belongs_to_its_model():
    for plan in (SEEDS, planned("training.seeds=[1,2,3]")):
        names = {stage.name.removeprefix("train.") for stage in plan if stage.kind == "train"}
        assert {split_run(name)[0] for name in names} == {"baseline", "improved"}
        assert all(drop_seed(name) != name for name in names)
