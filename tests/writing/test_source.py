"""The document's source: numbers from results, computed sentences, escaped words from outside."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from analysis.progress import silent
from report import PROJECT
from report.document import html
from report.document.markdown import escape
from report.errors import RenderError
from report.study.loading import load
from report.writing.sentences import Sentences
from report.writing.study_facts import StudyFacts, uncapitalised
from report.writing.tables import Tables
from report.writing.values import Values, count, decimal, listed
from report.writing.verdicts import Verdicts
from tests.writing.conftest import facts_of, macro

STUDY = load(PROJECT / "studies" / "assignment" / "study.toml").for_document()

HOSTILE = ("<script>alert(1)</script>", '"><img onerror=alert(1) src=x>.png', "<iframe src='x'></iframe>")


def say(inputs) -> Sentences:
    found = json.loads((inputs["results"] / "results.json").read_text())
    values = Values(found["results"])
    tables = Tables(STUDY, values, inputs)
    return Sentences(STUDY, values, tables, Verdicts(STUDY, values, tables, found["verdicts"]))


def test_a_study_of_which_no_figures_were_published_has_no_ledger(source, artifacts):
    inputs = artifacts()
    path = inputs["results"] / "results.json"
    found = json.loads(path.read_text())
    of_ledger = [name for name in found["results"] if name.startswith(("ledger.", "published."))]
    assert of_ledger
    for name in of_ledger:
        del found["results"][name]
    path.write_text(json.dumps(found))
    del inputs["ledger"]
    text = source(inputs, {**STUDY, "published": None})
    assert "{#sec-comparison}" in text
    assert "Published figures" not in text
    assert "sec-ledger" not in text


def test_numbers_are_set_with_true_signs():
    assert count(1615940) == "1,615,940"
    assert decimal(-0.0161, signed=True) == "−0.016"
    assert decimal(0.0161, signed=True) == "+0.016"
    assert decimal(-0.0001) == "0.000"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_values_know_counts_shares_differences_and_what_does_not_exist():
    values = Values(
        {
            "baseline.test.n": {"value": 1257},
            "data.all.share.viral": {"value": 0.2377},
            "b_vs_a.test.f1.macro": {"value": 0.02},
            "baseline.test.ppv.macro": {"value": None},
        }
    )
    assert values("baseline.test.n") == "1,257"
    assert values("data.all.share.viral") == "23.8\u00a0%"
    assert values("b_vs_a.test.f1.macro") == "+0.020"
    assert values("baseline.test.ppv.macro") == "not defined"
    assert values.text("baseline.test.ppv.macro") == "–"


def test_an_unknown_result_names_the_nearest():
    with pytest.raises(RenderError) as caught:
        Values({"baseline.test.accuracy": {"value": 1}})("baseline.test.acuracy")
    assert "baseline.test.acuracy" in caught.value.message
    assert "baseline.test.accuracy" in caught.value.hint


def test_the_source_has_every_part_and_passes_its_check(source):
    text = source()
    for model in ("baseline", "improved"):
        for part in (
            f"#sec-results-{model}",
            f"#fig-roc-{model}",
            f"#fig-confusion-{model}",
            f"#tbl-measures-val-{model}",
            f"#tbl-measures-test-{model}",
        ):
            assert part in text
    assert "sample: false" in text
    assert "generated pictures" not in text


def test_the_source_is_as_kept(source, as_kept):
    """With the versions masked."""
    text, masked = re.subn(r"(?m)^(- Software: Python ).* with numpy .*$", r"\1…", source(sample=True))
    assert masked == 1
    as_kept("report.qmd", text)


@pytest.mark.parametrize("attack", HOSTILE)
def test_words_from_outside_stay_words(source, artifacts, tmp_path, attack):
    inputs = artifacts()
    for errors in inputs["evaluate_baseline"].glob("errors.csv"):
        rows = pd.read_csv(errors)
        rows["image_id"] = attack
        rows.to_csv(errors, index=False)
    classes = [{**c, "label": f"{attack} {c['id']}"} for c in STUDY["classes"]]
    models = [{**m, "title": f"{attack} {m['id']}"} for m in STUDY["models"]]
    head = {**STUDY["study"], "title": attack, "author": [attack], "course": attack, "tools": attack}
    source(inputs, {**STUDY, "classes": classes, "models": models, "study": head})
    where = {"source": tmp_path / "source-out", "templates": PROJECT / "templates"}
    html.render(where, tmp_path, scratch=tmp_path, progress=silent)
    page = Page()
    page.feed((tmp_path / "report.html").read_text())
    assert page.tags.count("script") == 1  # our own
    assert not {"img", "iframe"} & set(page.tags)
    assert page.text.count(attack) > 60


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


def test_a_sample_says_so_at_the_top_and_in_the_footer(source):
    text = source(sample=True)
    head, _, body = text.partition("\n---\n")
    assert 'footer: "Built on generated pictures' in head
    assert body.index("Built on generated pictures") < body.index("# Introduction")


def test_every_requirement_leads_to_a_part_of_the_report(source):
    text = source()
    for requirement in STUDY["report"]["requirements"]:
        assert f"| @{requirement['where']} |" in text
        assert f"{{#{requirement['where']}" in text


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "a|b", "*x* [y](z)", "{{< include x >}}", "<< r(1) >>"]
)
def test_a_label_from_outside_stays_text(source, label):
    classes = [{**STUDY["classes"][0], "label": label}, *STUDY["classes"][1:]]
    text = source(study={**STUDY, "classes": classes})
    assert escape(label) in text
    assert label not in text


def test_only_the_declared_rule_passes_a_verdict(source):
    body = source().partition("# References")[0]
    computed = re.sub(r"::: \{\.author\}.*?:::", "", body, flags=re.DOTALL)
    decided = re.compile(
        r"The improved CNN (is|cannot)[^.]*?(0\.\d+[^.]*?)+\.|The two analyses[^.]*?(0\.\d+[^.]*?)*\.|\*[Bb]etter\* (?:or|and) \*worse\*"
    )
    assert len(decided.findall(computed)) >= 5
    judged = re.findall(
        r"\b(better|worse|outperform\w*|superior|improves?|significant\w*)\b", decided.sub("", computed)
    )
    assert judged == []


def test_the_overfitting_sentence_follows_the_curves(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8], improved=[0.9, 0.7, 0.5]))
    words = macro(facts, "sentences/results.overfitting", "baseline")
    assert words.startswith("The network overfits from epoch 3 on")
    assert "lowest in epoch 2 of 3 (0.500) and rose to 0.800" in words
    assert macro(facts, "sentences/results.overfitting", "improved").startswith("No overfitting shows")


def test_a_small_rise_is_called_slight(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.51]))
    assert macro(facts, "sentences/results.overfitting", "baseline").startswith("Overfitting is slight")


def test_classes_that_went_up_and_down_are_both_named(artifacts):
    sentences = say(artifacts())
    values = sentences.values
    for item in STUDY["classes"]:
        change = values.value(f"improved_vs_baseline.test.sensitivity.{item['id']}")
        words = sentences.shifts("baseline", "improved")
        assert (escape(item["label"]) in words.partition("Of ")[0]) == (change != 0)


def test_a_direction_is_told_only_where_the_interval_lies_on_one_side_of_zero(artifacts):
    sentences = say(artifacts())
    pair = "improved_vs_baseline.test.sensitivity"
    ends = {"bacterial": (0.1, 0.01, 0.2), "covid_19": (0.1, -0.01, 0.2), "healthy": (-0.1, -0.2, -0.01)}
    ends["viral"] = (0.0, 0.0, 0.0)
    results = dict(sentences.values.results)
    for c, (value, low, high) in ends.items():
        results[f"{pair}.{c}"] = {"value": value, "low": low, "high": high, "level": 0.95}
    words = replace(sentences, values=Values(results)).shifts("baseline", "improved").partition(" Of ")[0]
    assert words == (
        "Compared with the baseline CNN, sensitivity is higher for Bacterial Pneumonia (+0.100, +0.010 to +0.200) and "
        "lower for No Pneumonia \\(healthy\\) (−0.100, −0.200 to −0.010). The interval for COVID\\-19 (+0.100, −0.010 "
        "to +0.200) holds 0, so no direction is told there."
    )
    open_ones = {f"{pair}.{c}": {"value": 0.1, "low": -0.1, "high": 0.3, "level": 0.95} for c in ends}
    words = replace(sentences, values=Values(results | open_ones)).shifts("baseline", "improved")
    assert words.startswith(
        "Compared with the baseline CNN, sensitivity has no clear direction in any class: "
    )
    assert "higher" not in words


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ({}, "Corrected probabilities are the outputs after one temperature"),
        (
            {"class_balance": "oversample"},
            "For networks trained on oversampled classes they are first brought",
        ),
        (
            {"class_weights": "balanced"},
            "For networks trained with class weights they are first brought to the classes' shares",
        ),
        (
            {"class_weights": {"a": 1}, "class_balance": "oversample"},
            "trained on oversampled classes or with class weights",
        ),
    ],
)
def test_corrections_of_probabilities_are_those_of_the_study(artifacts, models, said):
    plain = {"class_balance": "none", "class_weights": "none"}
    study = {**STUDY, "models": [{**m, **plain, **models} for m in STUDY["models"]]}
    words = replace(say(artifacts()), study=study).corrected()
    assert said in words
    assert ("saerens2002" in words) == bool(models)


def test_losses_that_do_not_compare_are_said_not_to(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8]))
    assert "do not compare" not in macro(facts, "sentences/results.overfitting", "baseline")
    words = macro(facts, "sentences/results.overfitting", "improved")
    assert "is of oversampled classes, its validation loss is not" in words
    weighted = [{**m, "class_weights": "balanced"} for m in STUDY["models"]]
    facts = replace(facts, study={**STUDY, "models": weighted})
    words = macro(facts, "sentences/results.overfitting", "baseline")
    assert "weighs the classes, its validation loss does not" in words


def test_penalties_are_said_to_be_in_both_losses(artifacts):
    inputs = artifacts()
    layers = inputs["architecture_baseline"] / "layers.csv"
    layers.write_text(layers.read_text().replace("softmax", "softmax, L2 0.01"))
    facts = facts_of(inputs)
    assert "Both losses hold the penalties" in macro(facts, "sentences/results.overfitting", "baseline")
    assert "Both losses" not in macro(facts, "sentences/results.overfitting", "improved")


def test_curves_of_a_network_that_says_one_class_to_everything_are_not_read(artifacts):
    facts = facts_of(artifacts())
    results = dict(facts.values.results)
    for name in results:
        if re.match(r"baseline\.(val|test)\.confusion\.", name):
            results[name] = {"value": 5 * name.endswith(".viral")}
    words = macro(replace(facts, values=Values(results)), "sentences/results.overfitting", "baseline")
    assert words == (
        "The network calls every validation and test picture Viral Pneumonia; its learning curves tell nothing more."
    )


def test_validation_pictures_of_training_patients_are_told(artifacts):
    facts = facts_of(artifacts())
    shared = {
        "data.val.same_patient_in_train": 439,
        "data.val.same_patient_in_train_share": 0.42,
    }
    for known in (shared, dict.fromkeys(shared, 0)):
        results = {**facts.values.results, **{name: {"value": value} for name, value in known.items()}}
        words = macro(replace(facts, values=Values(results)), "sentences/split.leakage")
        assert ("validation pictures 439 (42.0\u00a0%) come from a patient" in words) == (known is shared)


def test_class_shares_of_the_training_set_are_told_where_they_are_others(artifacts):
    facts = facts_of(artifacts())
    assert "In the training set" not in macro(facts, "sentences/data.classes")
    results = {**facts.values.results, "data.train.share.viral": {"value": 0.931}}
    words = macro(replace(facts, values=Values(results)), "sentences/data.classes")
    assert "In the training set it is otherwise: Viral Pneumonia makes up 93.1\u00a0%" in words


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        ('Fine.\n\nAccuracy << r("baseline.test.acuracy") >>.\n', "introduction.md:3: no result is called"),
        ("<< nonsense >>", "introduction.md:1: 'nonsense' is undefined"),
        ("one\n<% if %>", "introduction.md:2"),
        ("one\n\n<< 1 / 0 >>", "introduction.md:3: division by zero"),
        ("one\n\n<< r() >>", "introduction.md:3"),
        ("::: {.callout-note}\nopen", "introduction.md:1: ::: is never closed"),
        ("one\n\n<b>bold</b>", "introduction.md:3: HTML is not part of the subset"),
        ('x\n\n![a](https://x.org/a.png){fig-alt="a"}', "introduction.md:3: the picture https://x.org/a.png"),
    ],
)
def test_a_mistake_in_the_prose_is_named_with_file_and_line(source, artifacts, tmp_path, prose, message):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text(prose)
    with pytest.raises(RenderError) as caught:
        source({**artifacts(), "prose": folder})
    assert message in caught.value.message


def test_the_author_may_quote_any_result(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text('Accuracy was << r("improved.test.accuracy") >>.')
    inputs = {**artifacts(), "prose": folder}
    expected = say(inputs).values("improved.test.accuracy")
    assert f"Accuracy was {expected}." in source(inputs)


def test_a_dataset_of_class_folders_has_no_annotations_and_no_tags(source, artifacts):
    inputs = artifacts()
    path = inputs["results"] / "results.json"
    content = json.loads(path.read_text())
    del content["results"]["data.annotations_found"]
    path.write_text(json.dumps(content))
    text = source(inputs, {**STUDY, "dataset": {**STUDY["dataset"], "words": "class_folders"}})
    data = text[text.index("# Data") : text.index("## Preparation")]
    assert "one folder per class" in data
    assert "201 image files were found." in data
    assert "| image files found | 201 |" in data
    assert "V7" not in data
    assert "tag" not in data


@pytest.mark.parametrize(
    ("split", "said", "by_patient"),
    [
        (
            {},
            "20 % of the pictures are drawn for testing, then 20 % of the rest",
            "20 % of the pictures are drawn for testing by whole patients, then 20 % of the rest for validation",
        ),
        (
            {"protocol": "holdout", "test": 0.1, "val": 0.1},
            "20 % of the pictures are drawn and then parted into 10 % for validation and 10 % for testing",
            "10 % of the pictures are drawn for testing by whole patients, then 11.11 % of the rest for validation",
        ),
        (
            {"protocol": "splitfolders", "test": 0.1, "val": 0.09, "seed": 1337},
            "shuffled with random state 1337 and cut at 81 and 90 %",
            "10 % of the pictures are drawn for testing by whole patients, then 10 % of the rest for validation",
        ),
        (
            {"protocol": "official", "draw": "keras", "official_val": "train"},
            "pooled with the training ones, and 20 % of the training pictures are drawn for validation with random"
            " state 42, not stratified, as `image_dataset_from_directory`",
            "20 % are drawn for validation by whole patients",
        ),
        (
            {"protocol": "official"},
            "validation pictures are for validation, and 20 % of the training pictures are drawn for validation with"
            " random state 42, stratified by class",
            "the dataset's own test set is kept",
        ),
        (
            {"protocol": "official", "subset": {"viral": 30}},
            "120 pictures are drawn to train on with random state 42: 30 of Bacterial Pneumonia",
            "whole patients are drawn to train on",
        ),
    ],
    ids=["stratified", "holdout", "splitfolders", "keras", "official", "subset"],
)
def test_the_split_is_told_as_its_protocol_draws_it(source, tmp_path, split, said, by_patient):
    study = {**STUDY, "split": {**STUDY["split"], **split}}
    text = source(study=study)
    first, second = text[text.index("## Split") : text.index("# Models")].split("## Patients kept apart")
    assert said in first
    assert by_patient in second
    shutil.rmtree(tmp_path / "source-out")
    assert by_patient in source(study={**study, "split": {**study["split"], "group": "patient"}})


def test_patients_are_not_counted_where_nothing_tells_them(source, artifacts):
    inputs = artifacts()
    path = inputs["records"] / "records.csv"
    assert "200 pictures of 100 patients" in source(inputs)
    path.write_text(path.read_text().replace("made up", "unknown"))
    shutil.rmtree(inputs["records"].parents[1] / "source-out")
    text = source(inputs)
    assert "so that 200 pictures remain (@tbl-flow)" in text


def test_files_that_are_no_pictures_are_counted_by_suffix(source, artifacts):
    inputs = artifacts()
    path = inputs["records"] / "flow.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, "files found,405,found", "not a picture (.c|sv),3,beside", *rows, ""]))
    text = source(inputs)
    kind = escape("not a picture (.c|sv)")
    assert f"| files found | 405 |\n| {kind} | 3 |\n| annotations found |" in text
    assert r"\|" in kind


def test_classes_left_out_and_another_way_of_resizing_are_told(source):
    left_out = [{"id": "lung_opacity", "label": "Lung_Opacity", "normal": False}]
    text = source(study={**STUDY, "left_out": left_out, "image": {**STUDY["image"], "resample": "nearest"}})
    assert "leaves out Lung\\_Opacity, so its results" in text
    assert "too few" not in text
    assert "by taking the nearest pixel" in text


def test_templates_cannot_reach_python(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text("<< r.__class__.__mro__ >>")
    with pytest.raises(RenderError, match="unsafe"):
        source({**artifacts(), "prose": folder})


def test_a_study_without_prose_or_comparison_is_whole(source, artifacts, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    inputs = {k: v for k, v in artifacts().items() if "compare" not in k and "differences" not in k}
    report = {**STUDY["report"], "requirements": []}
    text = source({**inputs, "prose": empty}, {**STUDY, "comparison": None, "report": report})
    assert "against baseline CNN" not in text
    assert ".author" not in text
    shutil.rmtree(empty)


def test_a_requirement_that_the_settings_do_not_meet_is_said_not_to_be_met(source):
    study = {**STUDY, "image": {**STUDY["image"], "size": 48}}
    text = source(study=study, overrides=["image.size=48"])
    assert "@sec-preparation; not as required here: image\\.size is 48" in text
    assert "report build assignment --data DIR --set image.size=48" in text


def test_equal_classes_and_confusions_are_all_named(artifacts):
    facts = facts_of(artifacts())
    ids = [c["id"] for c in STUDY["classes"]]
    results = {k: dict(v) for k, v in facts.values.results.items()}
    for true in ids:
        results[f"baseline.test.sensitivity.{true}"]["value"] = 0.5 if true != "viral" else 0.9
        for said in ids:
            results[f"baseline.test.confusion.{true}.{said}"]["value"] = 7 if said != true else 9
    facts = replace(facts, values=Values(results))
    words = macro(facts, "sentences/results.performance", "baseline", "test")
    assert "highest for Viral Pneumonia (0.900)" in words
    assert "lowest for Bacterial Pneumonia, COVID\\-19 and No Pneumonia" in words
    assert "The commonest mistakes, 7 pictures each, are" in words


def test_a_network_that_says_one_class_to_everything_is_said_to(artifacts):
    facts = facts_of(artifacts())
    ids = [c["id"] for c in STUDY["classes"]]
    results = {k: dict(v) for k, v in facts.values.results.items()}
    for true in ids:
        for said in ids:
            results[f"baseline.test.confusion.{true}.{said}"]["value"] = 10 if said == "healthy" else 0
    facts = replace(facts, values=Values(results))
    words = macro(facts, "sentences/results.performance", "baseline", "test")
    assert "Every picture is called No Pneumonia" in words


def test_the_epoch_of_the_weights_is_the_one_that_was_saved(artifacts):
    facts = facts_of(artifacts(baseline=[0.9, 0.5, 0.8]))
    words = macro(facts, "sentences/results.kept", "baseline")
    assert words == "The weights after the last epoch (3) are the ones evaluated."
    results = {**facts.values.results, "baseline.training.weights_epoch": {"value": 1}}
    words = macro(replace(facts, values=Values(results)), "sentences/results.kept", "baseline")
    assert words == "The weights of epoch 1 of 3 are the ones evaluated."


def test_prose_that_is_not_utf_8_is_named(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_bytes("Über".encode("latin-1"))
    with pytest.raises(RenderError, match=r"introduction\.md:1: not UTF-8"):
        source({**artifacts(), "prose": folder})


def test_an_empty_file_of_the_author_leaves_no_empty_part(source, artifacts, tmp_path):
    folder = tmp_path / "prose"
    folder.mkdir()
    (folder / "introduction.md").write_text("\n")
    assert ".author" not in source({**artifacts(), "prose": folder})


def test_settings_of_many_models_name_what_they_share_once() -> None:
    study = load(PROJECT / "studies" / "pediatric-imbalanced" / "study.toml").for_document()
    text = macro(StudyFacts(study, Values({}), {}, many=True), "floats/training.training")
    shared, _, table = text.partition("\n\n")
    assert "optimiser" not in shared
    assert "horizontal flip" in shared
    assert "horizontal flip" not in table
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    assert rows[0].split(" | ")[1:] == ["Optimiser", "Epochs,\u00a0at\u00a0most", "Batch\u00a0size", "Grey\u00a0levels\u00a0seen", "Class\u00a0weights", "Augmented |"]  # fmt: skip
    assert len(rows) == 1 + len(study["models"])
    assert "0 to 255, pixels of different pictures interleaved" in rows[1]


def test_only_settings_that_are_set_have_a_row() -> None:
    text = macro(StudyFacts(STUDY, Values({}), {}), "floats/training.training")
    for absent in ("Grey", "First", "weights |", "Augmented"):
        assert absent not in text
    warm = load(PROJECT / "studies" / "pediatric-resplit" / "study.toml").for_document()
    assert "those of the dropout CNN, trained" in macro(
        StudyFacts(warm, Values({}), {}), "floats/training.training"
    )


def test_callbacks_and_augmentations_in_words() -> None:
    study = load(PROJECT / "studies" / "radiography" / "study.toml")
    model = study.untrained[0].model_dump(mode="json")
    facts = StudyFacts(STUDY, Values({}), {})
    assert macro(facts, "sentences/training.augmentation", model["augmentation"]).split("; ")[1:] == [
        "brightness up to ±0.05 of 255 grey levels",
        "contrast times 0.9 to 1.1",
    ]
    assert macro(facts, "sentences/training.callbacks", model["callbacks"]).split("; ")[1:] == [
        "learning rate times 0.5 when validation loss has not improved for 2 epochs",
        "checkpoint of the best validation loss",
    ]


@pytest.mark.parametrize(
    ("title", "within"),
    [
        ("Baseline CNN", "baseline CNN"),
        ("Xception", "Xception"),
        ("Inception v3", "Inception v3"),
        ("The best network", "best network"),
        ("our CNN", "CNN"),
        ("My network", "network"),
        ("A", "A"),
        ("Dropout and L2 CNN", "dropout and L2 CNN"),
        ("U-Net", "U-Net"),
    ],
)
def test_a_title_stands_in_a_sentence_as_a_name_or_in_small_letters(title, within):
    assert uncapitalised(title) == within
