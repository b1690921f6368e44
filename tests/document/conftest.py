"""A whole report besides the small fixture: its artifacts are made as for the tests of what is written."""

from __future__ import annotations

from tests.writing.conftest import evaluated

__all__ = ["evaluated"]
