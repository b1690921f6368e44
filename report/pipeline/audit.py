"""The stages of the audit: what the results rest on. No training and no choice reads any of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from analysis.vocabulary.audit import (
    AUDIT,
    CONFOUNDING,
    DRAWS,
    DRAWS_TABLE,
    DUPLICATES,
    LABELS,
    LEAKS,
    LEFT_OUT_TABLE,
    LUNGS,
    PATIENTS,
    PROBING,
)
from report.engine.stage import ALL_FILES, Input, Json, Output, Stage
from report.pipeline import packages
from report.pipeline.data import IMAGES, RECORDS, Place, make_data_inputs
from report.study.study import Study
from report.study.trainings import list_analyses, list_pairs, list_runs, name_draws

Named = Mapping[str, Json]
"""A class: its ``id`` and ``label``."""
RESULTS, FINDINGS = ("results.json",), ("findings.json",)
OF_IMAGES = tuple(sorted({*packages.STATISTICS, *packages.IMAGES}))
REACH = "probe_reach"
"""The probes held against the networks."""
BY_NETWORKS = "labels_by_networks"
"""With which labels the networks disagree."""
COPIES = ("groups.csv", "pairs.csv", *RESULTS, *FINDINGS)
"""What of the search for duplicates may be handed over: all but the digests."""
SHOWN = {
    DUPLICATES: (*FINDINGS, "groups.csv", "pairs.csv"),
    LEAKS: (*FINDINGS, "leaks.csv", "leaking_pairs.csv", LEFT_OUT_TABLE),
    PATIENTS: (*FINDINGS, "patients.csv", "images_per_patient.csv", "overlap.csv", "shared.csv"),
    CONFOUNDING: (*FINDINGS, "cross_tables.csv", "associations.csv", "ages.csv"),
    PROBING: (*FINDINGS, "probes.csv"),
    LUNGS: (*FINDINGS, "probes.csv"),
    LABELS: (*FINDINGS, "candidates.csv", "conflicts.csv"),
    BY_NETWORKS: (*FINDINGS, "candidates.csv"),
    DRAWS: (*FINDINGS, DRAWS_TABLE),
}
"""Findings and tables that the report reads of each topic."""


def make_audit_stages(study: Study, place: Place) -> Iterator[Stage]:
    """Yield the stages of the audit, but for that of duplicates: of the data, of each analysis' split, of the networks."""
    for analysis in list_analyses(study):
        yield from make_split_stages(study.class_ids, analysis)
    yield from make_topic_stages([c.select("id", "label") for c in study.classes])
    if study.dataset.lung_masks:
        yield _without_lungs(study, place)
    yield from _over_draws(study)
    yield Stage(
        name_topic(REACH),
        "analysis.audit.probes:compare_with_models",
        {
            "probes": Output(name_topic(PROBING), RESULTS),
            **{f"evaluate_{m.id}": Output(f"evaluate.{m.id}", RESULTS) for m in study.trained},
        },
        {
            "models": [m.id for m in study.trained],
            "split": study.comparison.split if study.comparison else "test",
        },
        packages=OF_IMAGES,  # the module of the probes looks at images, though this stage does not
    )
    yield _of_networks(study)


def make_topic_stages(classes: Sequence[Named]) -> Iterator[Stage]:
    """Yield the stages that look at the images alone: what goes with the class, what tells it, which labels to look at."""
    ids: dict[str, Json] = {"classes": [c["id"] for c in classes]}
    yield Stage(
        name_topic(CONFOUNDING),
        "analysis.audit.confounding:confound",
        {"records": RECORDS},
        ids,
        packages=packages.STATISTICS,
    )
    yield Stage(
        name_topic(PROBING),
        "analysis.audit.probes:probe",
        {"records": RECORDS, "images": IMAGES},
        ids,
        packages=OF_IMAGES,
        releases=ALL_FILES,  # tables of the images, none of their pixels
    )
    yield Stage(
        name_topic(LABELS),
        "analysis.audit.labels:find",
        {"records": RECORDS, "images": IMAGES, "duplicates": Output(name_topic(DUPLICATES), ("groups.csv",))},
        {"classes": [{**c} for c in classes]},
        packages=OF_IMAGES,
        releases=ALL_FILES,
    )


def _without_lungs(study: Study, place: Place) -> Stage:
    """Return the stage that looks at images whose lungs are blanked, and at the lungs alone."""
    _, data = make_data_inputs(place)
    return Stage(
        name_topic(LUNGS),
        "analysis.audit.lungs:lungs",
        {"records": RECORDS, "images": IMAGES, "data": data},
        {"classes": [*study.class_ids], "fit": study.image.fit},
        packages=OF_IMAGES,
        releases=ALL_FILES,
    )


def _of_networks(study: Study) -> Stage:
    """Return the stage that asks the networks of the last analysis, which keeps patients apart where one does."""
    analysis = list(list_analyses(study))[-1]
    runs = [run.name for model in study.trained for run in list_runs(study, model, analysis)]
    return Stage(
        name_topic(BY_NETWORKS),
        "analysis.audit.labels:ask_networks",
        {
            "labels": Output(name_topic(LABELS), ("conflicts.csv", "probabilities.csv")),
            **{f"predict_{run}": Output(f"predict.{run}", ("predictions.csv",)) for run in runs},
        },
        {"classes": [c.select("id", "label") for c in study.classes]},
        packages=OF_IMAGES,
    )


def make_duplicates_stage(place: Place) -> Stage:
    """Return the stage that finds the images that are there twice; a split may leave them out, so it comes first."""
    _, pixels = make_data_inputs(place)
    return Stage(
        name_topic(DUPLICATES),
        "analysis.audit.duplicates:find",
        {"records": Output("read", ("records.csv", "depth.json")), "data": pixels},
        packages=packages.IMAGES,
        releases=COPIES,
    )


def make_split_stages(classes: Sequence[str], analysis: str = "") -> Iterator[Stage]:
    """Yield the stages that look at what the parts of a split share: images, and patients."""
    split: Input = Output(f"split{analysis}")
    yield Stage(
        name_topic(LEAKS, analysis),
        "analysis.audit.leaks:find",
        {
            "records": RECORDS,
            "duplicates": Output(name_topic(DUPLICATES), ("groups.csv", "pairs.csv")),
            "split": split,
        },
        packages=packages.STATISTICS,
    )
    yield make_patients_stage(classes, analysis)


def make_patients_stage(classes: Sequence[str], analysis: str = "", *, is_split: bool = True) -> Stage:
    """Return the stage that counts the images of each patient, and those that parts of a split share, if there is one."""
    split: dict[str, Input] = {"split": Output(f"split{analysis}")} if is_split else {}
    return Stage(
        name_topic(PATIENTS, analysis),
        "analysis.audit.patients:audit",
        {"records": RECORDS, **split},
        {"classes": [*classes]},
        packages=packages.STATISTICS,
    )


def find_split_inputs(study: Study) -> dict[str, Input]:
    """Return what a split reads of the audit: the duplicates, where the study leaves them out."""
    found: Input = Output(name_topic(DUPLICATES), ("groups.csv",))
    return {DUPLICATES: found} if study.split.exclude_duplicates else {}


def _over_draws(study: Study) -> Iterator[Stage]:
    """Yield the stage that tells what draws of the images do to the measures, if they are drawn several times."""
    if not study.split.seeds:
        return
    runs = {m.id: name_draws(study, m.id) for m in study.trained}
    yield Stage(
        name_topic(DRAWS),
        "analysis.audit.splits:collect",
        {
            "split": Output("split"),
            **{
                f"evaluate_{run}": Output(f"evaluate.{run}", RESULTS)
                for names in runs.values()
                for run in names
            },
        },
        {
            "runs": {model: [*names] for model, names in runs.items()},
            "pairs": [[b, a] for b, a in list_pairs(study)],
            "seeds": [study.split.seed, *study.split.seeds],
            "split": study.comparison.split if study.comparison else "test",
        },
        packages=packages.STATISTICS,
    )


def find_audit_results(study: Study) -> dict[str, Input]:
    """Return the results of the audit as inputs of the stage of all results: ``audit_<topic><analysis>``."""
    topics = [*_list_topics(study), (REACH, "")]
    return {
        _input(topic, analysis): Output(name_topic(topic, analysis), RESULTS) for topic, analysis in topics
    }


def find_audit_tables(study: Study) -> dict[str, Input]:
    """Return the findings and tables of the audit that the report shows: ``audit_<topic><analysis>``."""
    return {
        _input(topic, analysis): Output(name_topic(topic, analysis), SHOWN[topic])
        for topic, analysis in _list_topics(study)
    }


def find_topic(topic: str) -> dict[str, Input]:
    """Return the results, findings and tables of a topic as inputs of the page on a folder: ``audit_<topic>``."""
    return {_input(topic, ""): Output(name_topic(topic), (*RESULTS, *SHOWN[topic]))}


def find_label_candidates(*, by_networks: bool = True) -> dict[str, Input]:
    """Return the images with whose label the networks disagree, or a fixed model: inputs of the figure, which reads the data too."""
    return {
        "candidates": Output(name_topic(BY_NETWORKS if by_networks else LABELS), ("candidates.csv",)),
        "records": Output("read", ("records.csv", "depth.json")),
    }


def _list_topics(study: Study) -> Iterator[tuple[str, str]]:
    """Yield each topic that the report shows, and what the names of its analysis end with."""
    yield from ((topic, "") for topic in (DUPLICATES, CONFOUNDING, PROBING, LABELS, BY_NETWORKS))
    for analysis in list_analyses(study):
        yield from ((topic, analysis) for topic in (LEAKS, PATIENTS))
    if study.split.seeds:
        yield DRAWS, ""
    if study.dataset.lung_masks:
        yield LUNGS, ""


def name_topic(topic: str, analysis: str = "") -> str:
    """Return the name of the stage of a topic."""
    return f"{AUDIT}.{topic}{analysis}"


def _input(topic: str, analysis: str) -> str:
    return f"{AUDIT}_{topic}{analysis}"
