"""``report predict``: what a trained model says of images."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis.errors import DataError
from analysis.image_files import escape_name
from report.commands.options import AsJson, Cache, Sample, Set, StudyOption, request_plan_without_data
from report.errors import UsageError, and_more
from report.terminal import console

if TYPE_CHECKING:
    from report.workspace.plan import Plan
    from report.workspace.trained import Trained

Answer = Mapping[str, Any]
LIST = ".txt"
KEPT = ("value", "low", "high", "level", "n", "clusters")
KINDS = (
    "an image is a JPEG, PNG, WebP, BMP, GIF, TIFF, PGM or DICOM file, of 8 bits where those that the model was trained"
    " on were"
)
ModelOption = Annotated[
    str,
    typer.Option("--model", metavar="MODEL", help="A model of the study, or FILE.keras with its input.json."),
]


def predict(
    images: Annotated[
        list[Path], typer.Argument(metavar="IMAGE...", help="Images, folders of them, or lists (.txt).")
    ],
    model: ModelOption,
    study: StudyOption = "assignment",
    sample: Sample = False,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV instead of a table.")] = False,
    overrides: Set = None,
    cache: Cache = None,
) -> None:
    """Ask a trained, cached model about images. Not for clinical use."""
    if as_json and as_csv:
        raise UsageError("--json and --csv contradict each other", hint="leave one of them out")
    files = list_images(images)
    plan = request_plan_without_data(study, None, sample, overrides, cache)
    trained = find_model(plan, model)
    answers = ask(plan, trained, files)
    if as_json:
        report = describe_answers(plan, trained, answers)
        console.say(json.dumps(report, indent=1, ensure_ascii=False))
    elif as_csv:
        _write_csv(trained, answers)
    else:
        _print_answers(plan, trained, answers)
    if problems := [row for row in answers if "problem" in row]:
        if not as_csv and not as_json:
            for row in problems:
                console.warn(f"{row['image']}: {row['problem']}")
        first = f"{problems[0]['image']}: {problems[0]['problem']}"
        number = f"; {len(answers) - len(problems)} of {len(answers)} images are answered"
        raise DataError(f"{first}{and_more(len(problems))}{number if len(answers) > 1 else ''}", hint=KINDS)


def find_model(plan: Plan, model: str) -> Trained:
    """Return the network that is called ``model``: of the study, or in a file.

    Raises
    ------
    UsageError, WeightsError
        As `report.workspace.trained.find_trained` and `report.workspace.trained.open_file`.
    """
    from report.workspace.trained import find_trained, is_file_name, open_file

    return open_file(Path(model)) if is_file_name(model) else find_trained(plan, model)


def list_images(given: Sequence[Path]) -> list[tuple[str, Path | str]]:
    """Return the images that are given, by themselves, in folders or in lists, each with what keeps it from being read.

    Raises
    ------
    DataError
        There is no image at all, or a list or folder cannot be read.
    """
    found = [entry for path in given for entry in _expand(path)]
    checked = [(name, _find_problem(path) or path) for name, path in dict(found).items()]
    if not any(isinstance(what, Path) for _, what in checked):
        name, problem = checked[0] if checked else (str(given[0]), "has no image in it")
        raise DataError(f"{escape_name(name)}: {problem}{and_more(len(checked) or 1)}", hint=KINDS)
    return checked


def _expand(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the images of a folder or a list by their names there; of any other path itself."""
    from analysis.datasets.folders.files import find_files

    if path.is_dir():
        for name in find_files(path).images:
            yield str(path / name), path / name
    elif path.suffix.lower() == LIST and path.is_file():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{path}: no list of images: {error}", hint="name an image in each line"
            ) from error
        for line in filter(None, map(str.strip, lines)):
            yield line, path.parent / line
    else:
        yield str(path), path


def _find_problem(path: Path) -> str:
    """Return why a file cannot be read, before its content is looked at; "" if it can."""
    from analysis.datasets.images.decode import MAX_BYTES

    try:
        if not path.is_file():
            return "is a folder" if path.is_dir() else "no such file"
        if path.stat().st_size > MAX_BYTES:
            return f"more than the limit of {MAX_BYTES >> 30} GiB"
        path.open("rb").close()
    except (OSError, ValueError) as error:  # a name with a null byte
        return getattr(error, "strerror", None) or str(error)
    return ""


def ask(plan: Plan, trained: Trained, files: Sequence[tuple[str, Path | str]]) -> list[Answer]:
    """Return an answer for each image, see `analysis.evaluation.stages.answer.answer`, or the problem that it has.

    Raises
    ------
    WeightsError
        The network in a file is not loaded.
    """
    from report.commands.execution import build_stages, local_options
    from report.engine.store import Store

    readable = [(name, what) for name, what in files if isinstance(what, Path)]
    with Store(plan.cache).locks.register_reader():
        stages = trained.make_stages(readable)
        built = build_stages(stages, plan.cache, local_options(name_in_cache(plan)), plan.log_command)
    text = built["answer"].path("answers.json").read_text(encoding="utf-8")
    answered = iter(json.loads(text))
    return [
        next(answered) if isinstance(what, Path) else {"image": escape_name(name), "problem": what}
        for name, what in files
    ]


def name_in_cache(plan: Plan) -> str:
    """Return the name under which the cache remembers the last images that a model of ``plan`` was asked about."""
    return f"{plan.cache_name}-classify"


def describe_answers(plan: Plan, trained: Trained, answers: Sequence[Answer]) -> dict[str, Any]:
    """Return all that is known, as ``--json`` prints it."""
    return {
        "study": plan.name if trained.known else None,
        "model": trained.name,
        "classes": {c: {"label": label, **trained.list_measures(c)} for c, label in trained.classes.items()},
        "measured_on": trained.split or None,
        "measured_on_images_shown_otherwise": trained.shown_otherwise,
        "generated_images": bool(trained.known) and plan.request.sample,
        "for_clinical_use": False,
        "images": answers,
    }


def _write_csv(trained: Trained, answers: Sequence[Answer]) -> None:
    columns = ["resemblance", "as_unlike", "of", "unlike"]
    measures = [f"{m}_{end}" for m in ("sensitivity", "specificity") for end in ("value", "low", "high")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "predicted", *trained.classes, *measures, *columns, "problem"])
    for row in answers:
        found = trained.list_measures(row.get("predicted", ""))
        look = row.get("resemblance") or {}
        table.writerow(
            [
                row["image"],
                row.get("predicted"),
                *(row.get("probabilities", {}).get(c) for c in trained.classes),
                *(found.get(name.rpartition("_")[0], {}).get(name.rpartition("_")[2]) for name in measures),
                *(look.get(name) for name in ("value", *columns[1:])),
                row.get("problem"),
            ]
        )
    console.say(text.getvalue().removesuffix("\n"))


def _print_answers(plan: Plan, trained: Trained, answers: Sequence[Answer]) -> None:
    read = [row for row in answers if "problem" not in row]
    labels = trained.classes
    rows = [
        [
            row["image"],
            labels[row["predicted"]],
            *(f"{row['probabilities'][c]:.3f}" for c in labels),
            _describe_resemblance(row["resemblance"]),
        ]
        for row in read
    ]
    if rows:
        console.print_table(["image", "predicted", *labels.values(), "as unlike"], rows)
        console.say()
    for line in (
        *_describe_model(trained, {row["predicted"] for row in read}),
        *_describe_shifts(read, labels),
    ):
        console.say(line)
    generated = trained.known and plan.request.sample
    console.say(
        "Not for clinical use." + (" This model was trained on generated images." if generated else "")
    )


def _describe_resemblance(look: Mapping[str, Any] | None) -> str:
    if look is None:
        return "not known"
    return f"{look['as_unlike']:,} of {look['of']:,}" + (
        "  UNLIKE the training images" if look["unlike"] else ""
    )


def _describe_shifts(read: Sequence[Answer], labels: Mapping[str, str]) -> Iterator[str]:
    """Yield of which images calibration makes another class the most probable: the network saw them in other shares."""
    for row in read:
        first = max(row["probabilities"], key=row["probabilities"].__getitem__)
        if first != row["predicted"]:
            yield (
                f"{row['image']}: calibrated, {labels[first]} is more probable than {labels[row['predicted']]};"
                " the network was trained with other shares of the classes than the study has"
            )


def _describe_model(trained: Trained, predicted: set[str]) -> Iterator[str]:
    """Yield what the columns are, and how far an answer of each class that is given can be relied on."""
    yield "Probabilities are calibrated on the validation images of the study."
    if not trained.known:
        yield "How good its answers are, and which images it knows, is told by its README.md, not by the file."
        return
    part = {"test": "test images", "val": "validation images (the test set is locked)"}[trained.split]
    yield f'"as unlike" counts the {part} that are no more like the images it was trained on.'
    if trained.shown_otherwise:
        yield "The study measured it on images that were shown in another way, a mistake that is not made here:"
    for c in (c for c in trained.classes if c in predicted):
        for measure, entry in trained.list_measures(c).items():
            if entry["value"] is not None:
                ends = "" if entry["low"] is None else f" ({entry['low']:.3f} to {entry['high']:.3f})"
                yield f"{measure} for {trained.classes[c]}: {entry['value']:.3f}{ends}, {entry['n']:,} {part}"
