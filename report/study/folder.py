"""What lies in a study's folder, and where the folders of the studies are."""

from __future__ import annotations

from report import PROJECT

STUDIES = PROJECT / "studies"
STUDY, PUBLISHED = "study.toml", "published.toml"
