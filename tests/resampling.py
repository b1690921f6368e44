"""Evaluations whose intervals nobody looks at."""

from __future__ import annotations

from functools import partial

import pytest

from analysis.evaluation import settings
from analysis.evaluation.stages import evaluate
from analysis.evaluation.statistics import calibration
from analysis.evaluation.statistics.calibration import consistency_bars
from analysis.evaluation.statistics.resampling import resamples


def take_few_resamples(patch: pytest.MonkeyPatch) -> None:
    """Let intervals be of so few resamples that an evaluation takes a fraction of its time."""
    patch.setattr(evaluate, "resamples", partial(resamples, number=200))
    patch.setattr(calibration, "consistency_bars", partial(consistency_bars, draws=100))
    patch.setattr(settings, "BAND_RESAMPLES", 100)
    patch.setattr(settings, "RESAMPLES", 200)
    patch.setattr(settings, "DECLARED_RESAMPLES", 200)
