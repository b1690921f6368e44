"""What follows from a study: its analyses, the trainings of each, and which models are compared and shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.vocabulary.ablation import ADD, LEAVE, Effect
from analysis.vocabulary.attention import ATTENTION, BEST
from analysis.vocabulary.folds import name_folds
from analysis.vocabulary.run_names import DRAW, add_seed, add_subset, join_run
from analysis.vocabulary.splits import EVALUATED, PRESCRIBED, VALIDATION, suffix
from report.study.model_settings import BestCheckpoint, Model
from report.study.study import Study

MOST_TOGETHER = 5
"""So many curves can be told apart in one panel, and so many models fit beside one another on a page."""


@dataclass(frozen=True)
class Run:
    """One training of a model: in which analysis, with which seed, and what it is called."""

    model: Model
    analysis: str
    seed: int
    name: str


def list_analyses(study: Study) -> dict[str, str]:
    """Return what each analysis adds to names, "" for the study's own, and what it keeps together."""
    first, *second = study.split.groups
    return {PRESCRIBED.suffix: first, **{suffix(group): group for group in second}}


def list_draws(study: Study) -> dict[str, int]:
    """Return what each further draw of the images adds to names, and its seed; none if the images are drawn once."""
    return {join_run("", f"{DRAW}{seed}"): seed for seed in study.split.seeds}


def name_draws(study: Study, model: str) -> list[str]:
    """Return the names of a model's trainings on all draws, the study's own first; with several seeds, of the first."""
    first = study.training.seeds[0]
    own = model if len(study.training.seeds) == 1 else add_seed(model, first)
    return [own, *(f"{model}{draw}" for draw in list_draws(study))]


def list_folds(study: Study) -> list[str]:
    """Return what each fold of a cross-validation adds to names; none without one, and none while the test set is locked."""
    return [] if study.is_locked else name_folds(study.split.folds)


def list_fold_models(study: Study) -> list[Model]:
    """Return the models that are trained on each fold: those of ``split.fold_models``, and those that they begin with."""
    compared = (study.comparison.baseline, *study.comparison.against) if study.comparison else ()
    found = set(study.split.fold_models or compared)
    for model in reversed(study.trained):
        if model.id in found and model.init_from:
            found.add(model.init_from)
    return [model for model in study.trained if model.id in found]


def list_fold_pairs(study: Study) -> list[tuple[str, str]]:
    """Return the pairs of the comparison, those between others too, of which both models are trained on each fold."""
    ids = {model.id for model in list_fold_models(study)}
    between = [(b, a) for a, b in study.comparison.between] if study.comparison else []
    return [pair for pair in (*list_pairs(study), *between) if ids.issuperset(pair)]


def list_runs(study: Study, model: Model, analysis: str) -> list[Run]:
    """Return the trainings of a model: ``baseline``, or with several seeds ``baseline@seed_42`` and so on.

    On a further draw of the images, and on a fold, it is trained once, with the first seed.
    """
    once = {*list_draws(study), *list_folds(study)}
    seeds = study.training.seeds[:1] if analysis in once else study.training.seeds
    if len(seeds) == 1:
        return [Run(model, analysis, seeds[0], f"{model.id}{analysis}")]
    return [Run(model, analysis, seed, add_seed(f"{model.id}{analysis}", seed)) for seed in seeds]


@dataclass(frozen=True)
class Variant:
    """A network that differs by one component of the ablation from another, and how often it is trained."""

    component: str
    effect: Effect
    model: Model
    beside: Model
    trainings: int

    @property
    def is_trained(self) -> bool:
        """Whether it is trained; one that only averages its answers otherwise is the other network, asked otherwise."""
        same = {"id": self.beside.id, "averaged_over": self.beside.averaged_over}
        return self.model.model_copy(update=same).model_dump() != self.beside.model_dump()

    def list_runs(self, study: Study) -> list[list[Run]]:
        """Return its trainings, and with the same seeds those of the other network and of the baseline.

        All are of the study's own analysis.
        """
        networks = self.model, self.beside, study.ends_of_ablation[1]
        return [list_runs(study, model, PRESCRIBED.suffix)[: self.trainings] for model in networks]


def list_variants(study: Study) -> list[Variant]:
    """Return the networks of an ablation that is to run: the improved one without each component, the baseline with it."""
    declared, found = study.ablation, list[Variant]()
    if declared is None or not declared.run:
        return found
    seeds: dict[Effect, int] = {LEAVE: declared.leave_seeds, ADD: declared.add_seeds}
    for component in declared.components:
        for effect, of, model in zip(
            seeds, study.ends_of_ablation, study.vary(component).values(), strict=False
        ):
            found.append(Variant(component.id, effect, model, of, seeds[effect]))
    return found


def list_subset_runs(study: Study, model: Model) -> dict[float, list[Run]]:
    """Return of each share of the training images the trainings of a model, one for each seed; 1 has the ordinary ones.

    They are of the last analysis, which keeps patients apart where one does: else more images would also be more of the
    patients that are tested. ``analysis`` of a run is its draw: the seed's, of this share.
    """
    last = list(list_analyses(study))[-1]
    shares = {
        share: [
            Run(
                _lengthen(model, share),
                add_seed(add_subset(last, share), seed),
                seed,
                add_seed(add_subset(f"{model.id}{last}", share), seed),
            )
            for seed in study.training.seeds
        ]
        for share in study.training.subsets
    }
    return {**shares, 1.0: list_runs(study, model, last)}


def _lengthen(model: Model, share: float) -> Model:
    """Return a model as it is trained on a ``share`` of the images: with as many steps of the optimiser as on all.

    An epoch has the fewer steps, so there are more epochs. What else is counted in epochs is as much longer: the warm-up
    of a schedule, and the patience of callbacks; a cosine falls over all epochs in any case.
    """
    changed: dict[str, Any] = {
        "epochs": _longer(model.epochs, share),
        "callbacks": tuple(
            c
            if isinstance(c, BestCheckpoint)
            else c.model_copy(update={"patience": _longer(c.patience, share)})
            for c in model.callbacks
        ),
    }
    if model.schedule:
        warmup = _longer(model.schedule.warmup, share)
        changed["schedule"] = model.schedule.model_copy(update={"warmup": warmup})
    return model.model_copy(update=changed)


def _longer(epochs: int, share: float) -> int:
    return round(epochs / share)


def name_first_run(study: Study, model: Model) -> str:
    """Return the name of the training of the study's own analysis that figures and text show."""
    return list_runs(study, model, PRESCRIBED.suffix)[0].name


def list_compared(study: Study) -> tuple[str, ...]:
    """Return the models that the study compares with its baseline."""
    return study.comparison.against if study.comparison else ()


def list_evaluated(study: Study) -> list[str]:
    """Return the splits of which there are predictions."""
    return [VALIDATION] if study.is_locked else [*EVALUATED]


def name_evaluation(study: Study, run: str) -> str:
    """Return the stage that evaluates a training, or the trainings of a model."""
    return f"validate.{run}" if study.is_locked else f"evaluate.{run}"


def list_pairs(study: Study) -> list[tuple[str, str]]:
    """Return the models that are compared, each with the one that it is compared with."""
    return [(other, study.comparison.baseline) for other in list_compared(study)] if study.comparison else []


def find_normal_class(study: Study) -> str | None:
    """Return the class without disease, if the study names one."""
    return next((c.id for c in study.classes if c.normal), None)


def has_many_models(study: Study) -> bool:
    """Tell whether the models of the main text are too many to report them one by one."""
    return len(study.in_main_text) > MOST_TOGETHER


def list_explained(study: Study) -> dict[str, tuple[Model, ...]]:
    """Return the networks of which it is told from where in an image their scores come, by what their stages are called.

    They are those of the main text; where these are many it is the best of them on validation images, which the stage
    finds. There is none without the section, and none while the test set is locked.
    """
    if study.is_locked or ATTENTION not in study.report.sections:
        return {}
    if has_many_models(study):
        return {BEST: study.in_main_text}
    return {m.id: (m,) for m in study.in_main_text}


def find_mapped_networks(study: Study) -> list[Model]:
    """Return the network whose feature maps the study shows, if it shows any: in the same section."""
    asked = study.report.feature_maps if list_explained(study) else ""
    return [m for m in study.trained if m.id == asked]


def select_together(study: Study) -> tuple[Model, ...]:
    """Return the models whose curves lie over one another: those of the main text, or of many those that are compared."""
    if not has_many_models(study):
        return study.in_main_text
    declared = study.comparison
    ids = (declared.baseline, *declared.against) if declared else [m.id for m in study.trained]
    return tuple(m for m in study.trained if m.id in ids)[:MOST_TOGETHER]
