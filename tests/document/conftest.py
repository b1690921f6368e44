"""A whole report besides the small fixture, on made-up predictions; its artifacts are made as for the tests of what is written."""

from __future__ import annotations

from tests.writing.conftest import evaluated, whole_report

__all__ = ["evaluated", "whole_report"]
