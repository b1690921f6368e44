"""The page that is served: that of the build, a script, and what is wrong."""

from __future__ import annotations

import pytest

from report.preview.page import SCRIPT, PreviewState, allow_script, compose_page
from tests.preview.site import HOSTILE, OURS, PAGE, plain


@pytest.mark.parametrize(
    ("policy", "adapted"),
    [
        (
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
            f" script-src {OURS}; connect-src 'self'",
        ),
        (
            "default-src 'none'; script-src 'sha256-x'; style-src 'unsafe-inline'",
            f"default-src 'none'; script-src 'sha256-x' {OURS}; style-src 'unsafe-inline'; connect-src 'self'",
        ),
        (
            "script-src 'none'; connect-src 'none'; style-src 'none';",
            f"script-src {OURS}; connect-src 'self'; style-src 'none'",
        ),
    ],
)
def test_the_policy_of_the_page_allows_our_script_and_its_connection_alone(policy, adapted):
    assert allow_script(policy) == adapted


def test_the_page_is_that_of_the_build_but_for_the_script():
    page = PAGE.replace("base-uri", "script-src 'sha256-x'; base-uri")
    html = compose_page(PreviewState(page))
    assert html.endswith(f"{SCRIPT}</script></body></html>")
    assert "preview-notice" not in html.replace(SCRIPT, "")
    assert plain(html) == page


@pytest.mark.parametrize("page", [PAGE, "", "<p>no body, no policy"])
def test_what_is_wrong_is_told_in_the_page_and_escaped(page):
    html = compose_page(PreviewState(page, f"discussion.md:3: {HOSTILE}", f"mend {HOSTILE}"))
    assert "discussion.md:3: &lt;script&gt;alert(1)" in html
    assert HOSTILE not in html
    assert html.startswith(page[:20])
    assert html.count("<script") == 1


def test_warnings_are_told_unless_something_is_wrong():
    warned = PreviewState(PAGE, warnings=("discussion.md:3: 0.9 & such",))
    assert "<li>discussion.md:3: 0.9 &amp; such</li>" in compose_page(warned)
    assert "0.9 &amp;" not in compose_page(PreviewState(PAGE, "wrong", warnings=warned.warnings))
    assert warned.digest not in {PreviewState(PAGE).digest, PreviewState(PAGE, "wrong").digest}
