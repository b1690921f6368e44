from __future__ import annotations

import keras
import pytest

from analysis.errors import AnalysisError
from analysis.models import runtime


def test_other_backend_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(AnalysisError, match="jax"):
        runtime.start(0)
