"""The vocabulary of measures: names, words and which results are percentages."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from analysis.evaluation import settings
from analysis.evaluation.statistics import metrics
from analysis.vocabulary import measures, results
from analysis.vocabulary.measures import HEADLINES, MEASURES, Kind, Primary


def test_only_the_standard_library_is_imported() -> None:
    code = (
        "import sys; before = set(sys.modules)\n"
        "import analysis.vocabulary.measures, analysis.vocabulary.splits\n"
        "import analysis.vocabulary.reference_classifiers, analysis.evaluation.settings\n"
        "own = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "assert own - set(sys.stdlib_module_names) == {'analysis'}, own"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_measure_names_its_results() -> None:
    assert list(MEASURES["accuracy"].names(("a", "b"))) == ["accuracy"]
    assert list(MEASURES["mcc"].names(("a", "b"))) == ["mcc", "mcc.a", "mcc.b"]
    assert list(MEASURES["auroc"].names(("a",))) == ["auroc.a", "auroc.macro", "auroc.micro"]


@pytest.mark.parametrize("name", [*get_args(Primary), *HEADLINES, measures.DEFAULT_PRIMARY])
def test_what_comparisons_and_tables_name_is_a_result(name: str) -> None:
    measure, of = measures.parse(name)
    assert name in measure.names(()), of


def test_words_of_averages() -> None:
    assert measures.in_text("f1.macro") == "macro F1"
    assert measures.in_text("accuracy") == "accuracy"
    assert measures.as_head("sensitivity.macro") == "Macro sensitivity"
    assert measures.as_average("sensitivity.macro") == "Sensitivity"
    assert measures.as_average("auroc.micro") == "AUC (micro)"


def test_a_class_whose_id_has_the_word_share_is_no_percentage() -> None:
    assert results.is_percentage("data.train.share.covid_19")
    assert results.is_percentage("published.data.train.share.covid_19")
    assert results.is_percentage("baseline.test.confusion_share.a.b")
    assert not results.is_percentage("baseline.test.sensitivity.share")
    assert not results.is_percentage("share.test.accuracy")
    assert not results.is_percentage("ledger.tolerance")


def test_a_difference_is_told_by_its_owner() -> None:
    assert results.is_difference("improved_vs_baseline@patient.test.f1.macro")
    assert results.is_difference("improved_vs_baseline@patient.test.primary")
    assert results.is_difference("ledger.cnn_1.test.f1.macro")
    assert not results.is_difference("baseline.test.confusion.a_vs_b.c")
    assert not results.is_difference("improved_vs_baseline.test.p_holm")
    assert not results.is_difference("improved_vs_baseline.test.fixed.viral")


def test_where_a_measure_is_undefined_there_is_a_reason() -> None:
    for measure in measures.FROM_MATRIX:
        assert bool(measure.undefined) == measure.of_all
        assert bool(measure.undefined_of_class) == measure.of_class


def test_words_of_results_tell_what_the_statistics_are_set_to() -> None:
    assert f"clipped at {settings.LOG_LOSS_CLIP:g}" in MEASURES["log_loss"].method


def test_each_measure_that_follows_from_the_matrix_is_computed() -> None:
    assert [m.id for m in measures.FROM_MATRIX if m.of_all] == list(metrics.OF_ALL)
    assert {m.id for m in measures.FROM_MATRIX if m.of_class} == set(metrics.OF_CLASS)
    assert [m.id for m in MEASURES.values() if m.kind is Kind.LOSS] == list(metrics.IMAGE_LOSSES)


@pytest.mark.parametrize(
    ("means", "whole"),
    [
        ([285.333, 14.333, 2.0, 15.334], [285, 14, 2, 16]),
        ([0.5, 0.5], [1, 0]),
        ([556.0, 0.0], [556, 0]),
        ([1 / 3, 1 / 3, 1 / 3], [1, 0, 0]),
    ],
)
def test_counts_that_are_means_are_rounded_to_their_sum(means: list[float], whole: list[int]) -> None:
    assert measures.round_counts(means) == whole
