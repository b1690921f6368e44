"""What Quarto reads of this project beside the source: its settings, and the filter for a sample's banner."""

from __future__ import annotations

import re

from report import PROJECT
from report.document.pandoc import run_pandoc

SETTINGS = (PROJECT / "_quarto.yml").read_text(encoding="utf-8")
STUB = 'quarto = { doc = { include_text = function(where, text) io.stderr:write(where, "|", text) end } }\n'


def test_what_is_rendered_and_watched_begins_at_the_projects_root():
    patterns = re.findall(r'- "(.*)"', SETTINGS)
    assert patterns == ["/document/**/*.qmd", "/templates/**", "/studies/**"]
    assert "output-dir: build/quarto" in SETTINGS  # without it nothing is watched


def test_nothing_is_taken_from_the_net_and_every_file_is_there():
    assert "theme: default" in SETTINGS  # others import a web font
    assert "@import" not in (PROJECT / "templates" / "theme" / "quarto.css").read_text(encoding="utf-8")
    named = re.findall(r"templates/\S+\.(?:css|lua)", SETTINGS)
    assert named == ["templates/theme/quarto.css", "templates/filters/quarto.lua"]
    assert all((PROJECT / name).is_file() for name in named)


def test_a_sample_has_its_banner(tmp_path):
    lua = (PROJECT / "templates" / "filters" / "quarto.lua").read_text(encoding="utf-8")
    (tmp_path / "quarto.lua").write_text(STUB + lua, encoding="utf-8")
    arguments = ["--from", "markdown", "--to", "html", "--lua-filter", str(tmp_path / "quarto.lua")]
    head = "---\nsample: {}\n{}---\n\nText.\n"
    said = [
        run_pandoc(arguments, head.format(*about)).stderr.decode()
        for about in (("true", 'footer: "Images & more"\n'), ("false", ""))
    ]
    assert said == ['before-body|<div class="banner" role="note">Images &amp; more</div>', ""]
