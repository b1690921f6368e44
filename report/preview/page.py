"""The page that the browser is given: that of the build, what is wrong since, and the script that loads it again."""

from __future__ import annotations

import base64
import hashlib
import re
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
@media print { #preview-notice { display: none; } }
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
  new EventSource("/changes").onmessage = (message) => {
    if (message.data === digest) return;
    sessionStorage.setItem(KEY, JSON.stringify(place()));
    location.reload();
  };
})();
"""
SCRIPT_SOURCES = {
    "script-src": f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'",
    "connect-src": "'self'",
}
_POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)')


@dataclass(frozen=True)
class PreviewState:
    """What the browser is to show: the last good page ("" if there was none), and what is wrong since.

    ``warnings`` do not keep a page from being good.
    """

    page: str = ""
    message: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The sha256 of all of it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def compose_page(state: PreviewState) -> str:
    """Return the page, and at its end what is wrong and the script that loads it again."""
    page = _POLICY.sub(lambda match: match[1] + allow_script(match[2]), state.page or EMPTY_PAGE, count=1)
    before, end, after = page.rpartition("</body>")
    added = f'{_describe_state(state)}<script data-digest="{state.digest}">{SCRIPT}</script>'
    return f"{before}{added}{end}{after}" if end else page + added


def allow_script(policy: str) -> str:
    """Return a Content-Security-Policy that also allows our script and its connection to this server."""
    rules = {name: sources for name, *sources in (part.split() for part in policy.split(";") if part.strip())}
    for name, source in SCRIPT_SOURCES.items():
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
