"""The reference classifier that always answers the commonest class, measured as the networks are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.arrays import class_indices
from analysis.evaluation.predictions import Predictions, cluster_ids
from analysis.evaluation.results_file import Results, owned
from analysis.evaluation.statistics.resampled import measure_resamples
from analysis.evaluation.statistics.resampling import resamples
from analysis.evaluation.tables.classification import Labelled, classification_results
from analysis.evaluation.tables.measures import with_intervals
from analysis.vocabulary.reference_classifiers import MAJORITY
from analysis.vocabulary.splits import EVALUATED


def majority_results(records: pd.DataFrame, classes: Sequence[str], analysis: str) -> Results:
    """Return the results of the classifier that answers the most frequent class of train, the first of equals.

    Parameters
    ----------
    records : pandas.DataFrame
        ``records.csv`` with the column ``split``.
    analysis : str
        What the names of the analysis end with.
    """
    label = class_indices(records["label"], classes)
    train = (records["split"] == "train").to_numpy()
    most_frequent = np.bincount(label[train], minlength=len(classes)).argmax()
    results: Results = {}
    for split in EVALUATED:
        rows = (records["split"] == split).to_numpy()
        score = np.eye(len(classes))[np.full(rows.sum(), most_frequent)]
        ids = records["image_id"].to_numpy(dtype=object)[rows]
        constant = Predictions(tuple(classes), ids, cluster_ids(records)[rows], label[rows], score)
        draws = measure_resamples(constant, resamples(constant), areas=False)
        labelled = Labelled.from_predictions(constant, f"split{analysis}/split.csv")
        found = with_intervals(classification_results(labelled), constant, draws)
        results |= owned(found, f"{MAJORITY.id}{analysis}", split)
    return results
