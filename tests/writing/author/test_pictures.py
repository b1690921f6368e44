"""The author's images and literature in the report's source."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from report import PROJECT
from report.document.pandoc import run_pandoc
from report.errors import RenderError
from report.writing.author.literature import write_literature
from report.writing.author.pictures import LONGEST_SIDE, copy_images

TEMPLATES = PROJECT / "templates"
SHOWN = "![A](figures/own-{}){{fig-alt='B'}}"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    for folder in ("mine/figures", "out/figures"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "mine"


def test_images_that_are_shown_are_copied_and_large_ones_made_smaller(study, tmp_path):
    Image.new("RGB", (2 * LONGEST_SIDE, 100), "red").save(study / "figures" / "large.JPG", "JPEG")
    Image.new("L", (30, 20)).save(study / "figures" / "small.png")
    (study / "figures" / "other.png").write_text("not shown")
    (study / "figures" / "drawn.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    for _ in range(2):
        copy_images(
            "".join(map(SHOWN.format, ("large.JPG", "small.png", "drawn.svg"))), study, tmp_path / "out"
        )
    copies = tmp_path / "out" / "figures"
    assert sorted(path.name for path in copies.iterdir()) == [
        "own-drawn.svg",
        "own-large.JPG",
        "own-small.png",
    ]
    assert (copies / "own-small.png").read_bytes() == (study / "figures" / "small.png").read_bytes()
    with Image.open(copies / "own-large.JPG") as image:
        assert image.size == (LONGEST_SIDE, 50)


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ('viewBox="0 0 200 60"', ("2000", "600")),
        ('width="100%" viewBox="0,0,200,60" height=\'100%\'', ("2000", "600")),
        ('width="120" height="36" viewBox="0 0 200 60"', ("120", "36")),
        ('width="120" viewBox="0 0 200 60"', ("120", None)),
        ("", (None, None)),
    ],
)
def test_a_drawing_without_a_size_fills_the_text_and_is_seen(study, tmp_path, size, shown):
    before = '<?xml version="1.0"?>\n<!-- <svg> -->\n'
    drawing = f'{before}<svg xmlns="http://www.w3.org/2000/svg" {size}><path d="M5 50L190 10"/></svg>\n'
    (study / "figures" / "a.svg").write_text(drawing)
    copy_images(SHOWN.format("a.svg"), study, tmp_path / "out")
    root = ElementTree.parse(tmp_path / "out" / "figures" / "own-a.svg").getroot()
    assert (root.get("width"), root.get("height")) == shown
    assert [child.get("d") for child in root] == ["M5 50L190 10"]


@pytest.mark.parametrize(("name", "content"), [("a.png", "text"), ("a.svg", "<svg>"), ("a.svg", "<html/>")])
def test_what_is_no_image_is_named(study, tmp_path, name, content):
    (study / "figures" / name).write_text(content)
    with pytest.raises(RenderError, match=rf"figures/{name}: no image that can be read"):
        copy_images(SHOWN.format(name), study, tmp_path / "out")


def literature(study: Path, out: Path) -> str:
    write_literature(TEMPLATES, study, out)
    return (out / "references.bib").read_text(encoding="utf-8")


def test_the_authors_literature_stands_before_ours(study, tmp_path):
    ours = literature(study, tmp_path)
    assert re.findall(r"@\w+\{\w+,", ours) == re.findall(
        r"@\w+\{\w+,", (TEMPLATES / "references.bib").read_text(encoding="utf-8")
    )
    (study / "references.bib").write_text("@string{a = {A}}\n@book{mine2020,\n title = {B}\n}\n")
    own = "@string{a = {A}}\n@book{mine2020, options = {useprefix=true},\n title = {B}\n}\n\n"
    assert literature(study, tmp_path) == own + ours


@pytest.mark.parametrize(
    ("name", "cited"),
    [
        ("van der Berg, Jan", "van der Berg (2020)"),
        ("Ludwig von Beethoven", "von Beethoven (2020)"),
        ("Berg, Jan", "Berg (2020)"),
        ("{van Gogh Foundation}", "van Gogh Foundation (2020)"),
    ],
)
def test_a_name_is_cited_with_its_particle(study, tmp_path, name, cited):
    (study / "references.bib").write_text(
        f"@book{{b,\n author = {{{name}}},\n title = {{T}},\n year = 2020\n}}\n"
    )
    literature(study, tmp_path)
    done = run_pandoc(
        ["--citeproc", "--bibliography", str(tmp_path / "references.bib"), "--to", "plain"], "@b"
    )
    assert done.stdout.decode().startswith(f"{cited}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@book{a,\n}\n@misc{a,\n}", "bib:3: the key a is given in line 1 already"),
        ("\n@misc{ kermany2018 ,\n}", "bib:2: the key kermany2018 is taken by an entry of templates"),
        (b"@misc{a,\n title = {\xff}}", "bib:2: not UTF-8 text"),
        ("\n@misc{title = {B}}\n", "mine/references.bib:2: unexpected '='"),
        ("@misc{a,\n title = {B}\n year = 2020\n}", "mine/references.bib:3: unexpected 'y'"),
        ("@misc{a,\n year = 2020}\n\n@misc{b\n title = {B}}", "mine/references.bib:5: unexpected 't'"),
        ("@misc{a,\n title = {B}\n", "mine/references.bib:1: the entry a is not closed"),
        (
            "@misc{a,\n}\n@misc{b,\n title = {B\n}\n@misc{c,\n}",
            "mine/references.bib:3: the entry b is not closed",
        ),
    ],
)
def test_literature_that_cannot_be_used_is_told_with_file_and_line(study, tmp_path, text, said):
    (study / "references.bib").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(RenderError) as caught:
        literature(study, tmp_path)
    assert said in str(caught.value)
