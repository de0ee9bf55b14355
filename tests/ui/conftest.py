"""What tests of the interface share: a read-only server that knows a teacher's word."""

from __future__ import annotations

import pytest


@pytest.fixture
def teachers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_READONLY", "1")
    monkeypatch.setenv("GENLIB_TEACHER", "blue tram")
