"""What people wait for: the sample from nothing, the grader's check, and a page after an edited sentence.

Beside our PDF stands WeasyPrint's own of the same page, which nothing is measured for and whose figures stay in place:
what no stage that uses it can be faster than.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import harness
from report import PROJECT
from report.document import equations, html, pandoc, pdf
from report.engine.store import Store

TEMPLATES = PROJECT / "templates"


def silent(*_: Any, **__: Any) -> None:
    """Tell nothing."""


def main() -> None:
    """Build once from nothing, then time the parts on what was built."""
    with tempfile.TemporaryDirectory() as name:
        cache, out = Path(name, "cache"), Path(name, "out")
        places = ("--sample", "--cache", cache, "--out", out)
        (cpu, wall), _ = harness.measure(harness.python("-m", "report", "build", "assignment", *places))
        harness.keep(
            "sample",
            work="the assignment's sample from an empty cache, both analyses, HTML and PDF",
            goal="under 45 s on two idle cores",
            reached=f"{wall:.0f} s, {cpu:.0f} s CPU",
            met=wall < 45,
            notes=["One run."],
        )
        _verify(out)
        _edit(_copy_source(cache, Path(name, "source")), Path(name))


def _verify(out: Path) -> None:
    times = harness.time_in_turn({"report verify": harness.python("-m", "report", "verify", out)})
    seconds = times["report verify"]
    harness.keep(
        "verify",
        work="report verify of the assignment's sample",
        goal="under 10 s, of the real assignment",
        reached=f"{seconds.wall_median:.0f} s, {seconds.cpu_median:.0f} s CPU",
        met=seconds.wall_median < 10,
        timings=times,
        notes=[
            "The PDF is made again, after all that it shows: it cannot take less than the PDF and the longest way to it."
        ],
    )


def _copy_source(cache: Path, folder: Path) -> Path:
    """Return a folder with the document's source, as its stage has written it."""
    store = Store(cache)
    (plan,) = store.plans()
    record = store.read(store.latest(plan)["source"])
    assert record
    for inside, entry in record.outputs.items():
        (folder / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.blob(entry["sha256"]), folder / inside)
    return folder


def _edit(source: Path, work: Path) -> None:
    """Time what follows from an edited sentence: both pages, pandoc alone, and a PDF that nothing was arranged for."""
    inputs = {"source": source, "templates": TEMPLATES}
    theme = pandoc.Theme(TEMPLATES, pdf.STYLES)
    page = equations.draw_equations(pandoc.convert(source, theme))
    folders = {"theme/": TEMPLATES, "figures/": source}
    weasyprint = pdf.import_weasyprint()
    paper = weasyprint.CSS(string="@page { size: A4; margin: 25mm 25mm 26mm 25mm }")

    def plain() -> None:
        fetcher = pdf.make_fetcher(folders, page.images)
        document = weasyprint.HTML(string=page.html, base_url=pdf.BASE, url_fetcher=fetcher)
        document.write_pdf(stylesheets=[paper], pdf_variant="pdf/ua-1")

    times = harness.time_in_turn(
        {
            "HTML": lambda: html.render(inputs, work, scratch=work, progress=silent),
            "pandoc of it, alone": lambda: pandoc.convert(source, pandoc.Theme(TEMPLATES, html.STYLES)),
            "PDF": lambda: pdf.render(inputs, work, scratch=work, progress=silent),
            "WeasyPrint alone": plain,
        }
    )
    seconds = {way: timing.cpu_median for way, timing in times.items()}
    harness.keep(
        "edit",
        work="HTML and PDF of the assignment's sample after an edited sentence",
        goal="HTML under 1 s, both under 7 s CPU",
        reached=f"{seconds['HTML']:.1f} s, both {seconds['HTML'] + seconds['PDF']:.1f} s CPU",
        met=seconds["HTML"] < 1 and seconds["HTML"] + seconds["PDF"] < 7,
        timings=times,
        notes=[f"WeasyPrint alone takes {seconds['WeasyPrint alone']:.1f} s CPU for the same page."],
    )


if __name__ == "__main__":
    main()
