"""The page that the browser is given: that of the build, what is wrong since, and the script that loads it again."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

EMPTY_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Preview</title></head><body><p>The report appears here as soon as it is made.</p></body></html>
"""
STYLE = """
#preview-notice { position: sticky; bottom: 0; z-index: 2147483647; max-height: 50vh; overflow: auto; padding: .8rem 1.2rem;
  font: 15px/1.45 system-ui, sans-serif; overflow-wrap: anywhere; color: #1c2127; background: #fff8e1;
  border-top: 3px solid #9a6700; }
#preview-notice.wrong { color: #fff; background: #7d1128; border-color: #ffb3c1; }
#preview-notice :is(p, ul) { margin: .2rem 0; max-width: none; }
@media print { #preview-notice, #preview-place { display: none; } }
"""
PLACE_STYLE = """
#preview-place { position: fixed; left: 0; bottom: 0; z-index: 2147483646; padding: .3rem .8rem; max-width: 100%;
  font: 13px/1.45 ui-monospace, monospace; overflow-wrap: anywhere; color: #fff; background: #1c2127; }
#preview-place:empty { display: none; }
"""
BESIDE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Preview</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'">
<style>body { margin: 0; display: grid; grid: 100vh / 1fr 1fr; } iframe { border: 0; width: 100%; height: 100%; }</style>
</head><body><iframe id="page" title="HTML" src="/page"></iframe>
<iframe id="paper" title="PDF" src="/report.pdf"></iframe></body></html>
"""
BESIDE_SCRIPT = """
new EventSource("/changes").addEventListener("paper", (message) => {
  document.getElementById("paper").src = "/report.pdf?" + message.data;
});
"""
SCRIPT = """
// The page is loaded again when it is no longer what is shown, and the reader's place is kept: open tabs,
// and what stands at the top of the window, known by its words, as the text above it may have become longer.
(() => {
  const KEY = "preview-place", OPEN = "input:checked[id], details[open][id]";
  const digest = document.currentScript.dataset.digest;
  const top = (block) => block.getBoundingClientRect().top;
  const blocks = () => [...document.querySelectorAll("main :is(h2, h3, h4, p, li, tr, pre, figure)")];

  function place() {
    const seen = blocks().filter((block) => block.getBoundingClientRect().bottom > 0).slice(0, 20);
    return {
      open: [...document.querySelectorAll(OPEN)].map((element) => element.id),
      seen: seen.map((block) => [block.textContent, top(block)]),
      y: scrollY,
    };
  }
  function restore({ open, seen, y }) {
    for (const element of open.map((id) => document.getElementById(id)).filter(Boolean)) {
      element[element.matches("details") ? "open" : "checked"] = true;
    }
    const all = blocks();
    for (const [words, was] of seen) {
      const same = all.filter((block) => block.textContent === words);
      if (same.length === 1) return scrollBy({ top: Math.round(top(same[0]) - was), behavior: "instant" });
    }
    scrollTo({ top: y, behavior: "instant" });
  }

  const kept = JSON.parse(sessionStorage.getItem(KEY));
  sessionStorage.removeItem(KEY);
  history.scrollRestoration = kept ? "manual" : "auto";
  if (kept) {
    restore(kept);
    addEventListener("load", () => document.fonts.ready.then(() => {
      restore(kept);
      history.scrollRestoration = "auto";
    }));
  }
  // A click on a passage tells where it was written: the sentence under the pointer, or else the whole of the passage.
  const PASSAGES = "p, li, td, th, dt, dd, h1, h2, h3, h4, h5, figcaption, pre, .author-name";
  function sentence(block, event) {
    const caret = document.caretRangeFromPoint?.(event.clientX, event.clientY);
    const text = block.textContent;
    if (!caret || !block.contains(caret.startContainer)) return text;
    const before = document.createRange();
    before.setStart(block, 0);
    before.setEnd(caret.startContainer, caret.startOffset);
    const at = before.toString().length;
    const ends = [...text.matchAll(/[.!?]\\s+/g)].map((match) => match.index + match[0].length);
    return text.slice(ends.filter((end) => end <= at).at(-1) ?? 0, ends.find((end) => end > at) ?? text.length);
  }
  addEventListener("click", async (event) => {
    if (event.target.closest("a, label, summary, button") || String(getSelection())) return;
    const figure = event.target.closest("figure")?.querySelector("figcaption");
    const block = figure ?? event.target.closest(PASSAGES);
    if (!block) return;
    const asked = new URLSearchParams({ sentence: sentence(block, event), passage: block.textContent });
    const answer = await fetch("/place?" + asked);
    document.getElementById("preview-place").textContent = await answer.text();
  });

  new EventSource("/changes").onmessage = (message) => {
    if (message.data === digest) return;
    sessionStorage.setItem(KEY, JSON.stringify(place()));
    location.reload();
  };
})();
"""


def _name_sources(script: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return {"script-src": f"'sha256-{digest}'", "connect-src": "'self'"}


SCRIPT_SOURCES = _name_sources(SCRIPT)
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)')


@dataclass(frozen=True)
class PreviewState:
    """What the browser is to show: the last good page ("" if there was none), and what is wrong since.

    ``warnings`` do not keep a page from being good. ``paper`` is the last good PDF, where one is wanted.
    """

    page: str = ""
    message: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    paper: bytes = b""

    @property
    def digest(self) -> str:
        """The sha256 of all that the page shows."""
        shown = self.page, self.message, self.hint, self.warnings
        return hashlib.sha256(repr(shown).encode()).hexdigest()

    @property
    def paper_digest(self) -> str:
        """The sha256 of the PDF; "" without one."""
        return hashlib.sha256(self.paper).hexdigest() if self.paper else ""


def compose_page(state: PreviewState) -> str:
    """Return the page, and at its end what is wrong and the script that loads it again."""
    place = f'<style>{PLACE_STYLE}</style><div id="preview-place" role="status"></div>'
    added = f'{_describe_state(state)}{place}<script data-digest="{state.digest}">{SCRIPT}</script>'
    return _add(state.page or EMPTY_PAGE, added, SCRIPT_SOURCES)


def compose_frames() -> str:
    """Return a page of two halves: the HTML, and the PDF that is loaded again when it is another."""
    return _add(BESIDE, f"<script>{BESIDE_SCRIPT}</script>", _name_sources(BESIDE_SCRIPT))


def _add(page: str, added: str, sources: Mapping[str, str]) -> str:
    page = _POLICY.sub(lambda match: match[1] + allow_script(match[2], sources), page, count=1)
    before, end, after = page.rpartition("</body>")
    return f"{before}{added}{end}{after}" if end else page + added


def allow_script(policy: str, allowed: Mapping[str, str] = SCRIPT_SOURCES) -> str:
    """Return a Content-Security-Policy that also allows our script and its connection to this server."""
    rules = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    for name, source in allowed.items():
        rules[name] = [*(other for other in rules.get(name, []) if other != "'none'"), source]
    return "; ".join(" ".join([name, *sources]) for name, sources in rules.items())


def _describe_state(state: PreviewState) -> str:
    """Return what is wrong, or else the warnings, as HTML; "" if all is well."""
    if state.message:
        stays = "Until it is mended the page stays as it was." if state.page else ""
        words = f"<strong>{escape(state.message)}</strong>", escape(state.hint), stays
        inside = "".join(f"<p>{part}</p>" for part in words if part)
    elif state.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in state.warnings)
        summary = f"<summary>Warnings: {len(state.warnings)}</summary>"
        inside = f'<details id="preview-warnings">{summary}<ul>{items}</ul></details>'
    else:
        return ""
    kind = ' class="wrong"' if state.message else ""
    return f'<style>{STYLE}</style><div id="preview-notice"{kind} role="alert">{inside}</div>'
