"""The ablation of a study: which networks follow from it, and what is refused of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from report import PROJECT
from report.errors import StudyError, UsageError
from report.study.loading import load
from report.study.study import Study
from report.study.trainings import list_variants
from tests.pipeline.plans import ABLATED, ASSIGNMENT, changed_study

FILE = ASSIGNMENT / "study.toml"
TABLE = """
[ablation]
model = "improved"
run = true
[[ablation.components]]
id = "dropout"
title = "dropout"
without = { params = { dropout = 0.0 } }
[[ablation.components]]
id = "stopping"
title = "early stopping"
without = { callbacks = [] }
with = { callbacks = [{ kind = "early_stopping" }] }
"""


@pytest.fixture
def written(read, tmp_path: Path):
    """Return a function that reads a small study with an ablation, of which texts are replaced; and gives its file."""

    def write(*changes: tuple[str, str]) -> Path:
        read()
        path = tmp_path / "study.toml"
        text = path.read_text() + '\n[comparison]\nbaseline = "baseline"\nagainst = ["improved"]\n' + TABLE
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path.write_text(text)
        return path

    return write


def test_networks_follow_from_components_and_differ_in_nothing_else():
    study = changed_study(*ABLATED)
    baseline, improved = (next(m for m in study.models if m.id == name) for name in ("baseline", "improved"))
    first, second, third = list_variants(study)
    assert [v.model.id for v in (first, second, third)] == [
        "improved_without_augmentation", "baseline_with_augmentation", "improved_without_dropout"
    ]  # fmt: skip
    assert [v.effect for v in (first, second, third)] == ["leave", "add", "leave"]
    same = {"id": "improved", "augmentation": improved.augmentation}
    assert first.model.model_copy(update=same) == improved
    assert second.model.model_copy(update={"id": "baseline", "augmentation": ()}) == baseline
    assert third.model.params == {"dropout": 0.0}
    assert third.model.augmentation == improved.augmentation


def test_nothing_follows_from_an_ablation_that_is_not_to_run():
    assert list_variants(changed_study(*ABLATED, "ablation.run=false")) == []
    assert changed_study(*ABLATED).trained == changed_study().trained


@pytest.mark.parametrize(
    ("seeds", "more", "expected"),
    [
        ("[42]", (), {"leave": 1, "add": 1}),
        ("[1, 2, 3]", (), {"leave": 2, "add": 1}),
        ("[1, 2, 3]", ("ablation.leave_seeds=3", "ablation.add_seeds=2"), {"leave": 3, "add": 2}),
    ],
)
def test_the_first_seeds_are_taken_and_those_of_both_networks_are_the_same(seeds, more, expected):
    study = changed_study(*ABLATED, f"training.seeds={seeds}", *more)
    for variant in list_variants(study):
        own, beside, baseline = variant.list_runs(study)
        assert [r.seed for r in own] == [r.seed for r in beside] == [r.seed for r in baseline]
        assert {r.model.id for r in baseline} == {study.comparison.baseline}
        assert [r.seed for r in own] == list(study.training.seeds[: expected[variant.effect]])
        assert {r.model.id for r in beside} == {variant.beside.id}


def test_arguments_that_are_not_changed_stay_and_a_schedule_can_be_taken_away():
    study = changed_study(
        *ABLATED,
        "models.improved.params={ dropout = 0.2 }",
        'models.improved.schedule={ kind = "cosine" }',
        'ablation.components=[{ id = "s", title = "s", without = { schedule = "none" } }]',
    )
    [variant] = list_variants(study)
    assert variant.model.schedule is None
    assert variant.model.params == {"dropout": 0.2}


def test_in_the_sample_no_training_is_longer_than_there_and_it_reads_itself_again():
    sample = changed_study(
        *ABLATED,
        'models.improved.schedule={ kind = "cosine", warmup = 2 }',
        "ablation.components.augmentation.without={ epochs = 40 }",
        "sample.epochs=1",
    ).for_sample()
    assert {v.model.epochs for v in list_variants(sample)} == {1}
    again = Study.model_validate_json(json.dumps(sample.as_json(without_defaults=True)))
    assert [v.model for v in list_variants(again)] == [v.model for v in list_variants(sample)]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("{ params = {", "{ lerning_rate = 1, params = {", r"without\.lerning_rate: unknown key"),
        ("callbacks = [] }", "epochs = 0 }", r"stopping\.without\.epochs: Input should be greater"),
        ("callbacks = [] }", 'optimizer = "adam", weight_decay = 0.1 }', r"without\.weight_decay: weights decay"),
        ("callbacks = [] }", 'title = "T" }', r"stopping\.without\.title: no setting of a network"),
        ("callbacks = [] }", 'class_weights = { normal = 1.0 } }', r"stopping\.without\.class_weights: needs one"),
        ('id = "stopping"', 'id = "dropout"', "dropout is declared twice"),
        ('model = "improved"', 'model = "baseline"', r"ablation\.model: no other model than the baseline"),
        ("without = { callbacks = [] }\n", "", r"ablation\.components\.stopping\.without: missing"),
        ("run = true", "run = true\nleave_seeds = 1", r"leave_seeds: input should be greater than or equal to 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(written, old, new, complaint):
    path = written((old, new))
    with pytest.raises(StudyError, match=complaint) as caught:
        load(path)
    line = int(caught.value.message.removeprefix(f"{path}:").partition(":")[0])
    assert path.read_text().splitlines()[line - 1].strip()


def test_a_network_of_the_ablation_cannot_be_called_as_another(written):
    path = written(
        ('id = "improved"', 'id = "improved_without_dropout"\ntitle = "Other"\narchitecture = '
         '"analysis.models.assignment:improved"\nepochs = 1\n\n[[models]]\nid = "improved"')
    )  # fmt: skip
    with pytest.raises(StudyError, match="a model is called improved_without_dropout; choose another id"):
        load(path)


def test_more_than_five_components_are_refused(written):
    more = "".join(
        f'[[ablation.components]]\nid = "c{n}"\ntitle = "c"\nwithout = {{ epochs = 2 }}\n' for n in range(4)
    )
    with pytest.raises(StudyError, match=r"ablation\.components: at most 5, got 6"):
        load(written((TABLE, TABLE + more)))


def test_a_study_without_components_says_so_with_a_hint():
    with pytest.raises(
        UsageError, match=r"--set ablation\.run=true: the study names no components"
    ) as caught:
        load(Path("studies/pediatric-official/study.toml"), ("ablation.run=true",))
    assert "templates/study/study.toml" in caught.value.hint


def test_an_ablation_needs_a_comparison(written):
    path = written(('\n[comparison]\nbaseline = "baseline"\nagainst = ["improved"]\n', ""))
    with pytest.raises(StudyError, match=r"ablation: there is no \[comparison\]"):
        load(path)


NOT_TAKEN_APART = {
    "id",
    "title",
    "rationale",
    "minutes",
    "precision",
    "source",
    "class_balance",  # five components are the most, and the author says that this was not tested
}


def test_the_assignment_takes_apart_what_its_own_network_has_and_the_baseline_lacks():
    study = load(PROJECT / "studies" / "assignment" / "study.toml", ("ablation.run=true",))
    own, baseline = study.ends_of_ablation
    ours, theirs = (m.model_dump() for m in (own, baseline))
    differ = {key for key in ours if ours[key] != theirs[key]} - NOT_TAKEN_APART
    taken, given = set[str](), set[str]()
    for variant in list_variants(study):
        values, beside = variant.model.model_dump(), variant.beside.model_dump()
        changed = {key for key in values if values[key] != beside[key]} - {"id", "params"}
        assert all(values[key] == (theirs if variant.effect == "leave" else ours)[key] for key in changed)
        (taken if variant.effect == "leave" else given).update(changed)
    assert taken == given == differ
