"""Data inside the page."""

from __future__ import annotations

from report.document import downloads


def test_cells_of_a_table_as_csv() -> None:
    cells = '<tr><th>A, "b"</th><td>−0.5 (−1\u00a0to 0)</td><td><em>x</em> − y</td></tr>'
    formula = "<tr><td><math><mi>L</mi><annotation>\\L</annotation></math></td><td></td></tr>"
    assert downloads.table_to_csv(f"<p>no</p><table>{cells}{formula}</table>") == (
        '"A, ""b""",-0.5 (-1 to 0),x − y\nL,\n'
    )
    assert downloads.make_link("a&b.csv", '1,"<é>"\n', "Table 1") == (
        '<a download="a&amp;b.csv" href="data:text/csv;charset=utf-8,1,%22%3C%C3%A9%3E%22%0A">'
        'Data (CSV)<span class="unseen"> of Table 1</span></a>'
    )
