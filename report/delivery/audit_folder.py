"""Hand the audit of a folder over: from the cache to the folder that people open."""

from __future__ import annotations

from pathlib import Path

from report.delivery.build_folder import list_written, mark_unfinished, remove_stale
from report.delivery.evidence import RUN, to_json
from report.delivery.publish import ELSEWHERE, SOURCE_FOLDERS, Result
from report.engine.system.files import explain_refusals, write_atomically, write_if_changed
from report.writing.folder_audit import FOUND

PAGE = "audit.html"


def publish_audit(out: Path, source: Result, html: Result) -> list[Path]:
    """Write the page, its results, figures and tables, remove what earlier audits have left, and return page and results."""
    files = {PAGE: html.path("report.html"), FOUND: source.path(FOUND)}
    files |= {n: source.path(n) for n in source.files if n.partition("/")[0] in SOURCE_FOLDERS}
    with explain_refusals(out, ELSEWHERE):
        before, names = list_written(out), {*files, RUN}
        write_atomically(out / RUN, mark_unfinished({*before, *names}), durable=False)
        for relative, path in files.items():
            write_if_changed(out / relative, path.read_bytes())
        remove_stale(out, before, names)
        write_atomically(out / RUN, to_json({"files": sorted(names)}), durable=False)
    return [out / PAGE, out / FOUND]
