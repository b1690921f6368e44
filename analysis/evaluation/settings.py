"""What the statistics are set to, the same for every study; stages compute with it and the text quotes it.

The module needs the standard library alone, so that what writes the report can import it.
"""

from __future__ import annotations

SEED = 42
"""Of everything that is drawn here."""
LEVEL = 0.95
"""Of intervals, but for those that the declared rule asks for."""
EQUIVALENCE_LEVEL = 0.90
"""Of the interval by which two models are equivalent: two one-sided tests at 5 %."""
RESAMPLES = 2_000
"""Bootstrap resamples of patients."""
DECLARED_RESAMPLES = 10_000
"""Those for the declared comparisons, and Bayesian bootstrap draws."""
BAND_RESAMPLES = 500
"""Enough for a band that is only drawn."""
SMALLEST_STRATUM = 5
"""Patients: strata of fewer are joined."""
MOST_UNDEFINED = 0.05
"""The largest share of the resamples in which a measure may be undefined and still have an interval."""

FEWEST_PATIENTS = 6
"""That must tell two models apart, so that the signs of their differences can decide at 1 - ``LEVEL``."""
POWER = 0.8
"""With which a difference is called detectable."""
PLANNING_ALPHA = 0.05
"""Of McNemar's test, with which the gain is computed that could be found at all."""
DISCORDANCES = (0.05, 0.1, 0.2, 0.3)
"""Shares of images that only one of two models gets right, for which that gain is computed."""

BINS = 15
"""Of equal mass, in the calibration error and reliability diagrams."""
CALIBRATION_DRAWS = 1_000
"""Of labels from the probabilities: what calibrated ones would give by chance."""
LOG_LOSS_CLIP = 1e-12
"""The least probability in a log loss."""
TEMPERATURES = (0.05, 20.0)
"""Between which a temperature is fitted."""
SPECIFICITIES = (0.90, 0.95)
"""For which thresholds are chosen on validation; predictive values are given at the first."""
PREVALENCES = (0.1, 0.3, 0.5)
"""Of disease, for which predictive values and net benefit are given."""
CONFIDENT_ERRORS = 10
"""At most so many errors are listed for each class."""
FLIPS_SHOWN = 3
"""At most so many images are shown of each class that only one of two models gets right, in each direction: half a row."""
FLIP_CLASSES_SHOWN = 4
"""Of at most so many classes: those with the most such images. More rows do not fit on a page."""

PUBLISHED_RESAMPLES = 10_000
"""Multinomial resamples of a published confusion matrix."""
AGREEMENT_Z = 1.96
"""A published figure and ours agree if they differ by at most so many standard errors of their difference."""
MOST_MISSING = 0.05
"""The largest difference of a published number of images, as a share of it, with which figures are compared."""
