"""The stage comes first: what is below it is said a moment later, once for each opening."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from genlib.ui.kit import stage
from tests.helpers import browse, ok


def test_a_page_that_opens_waits_once_with_what_is_below_its_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(stage, "time", SimpleNamespace(sleep=waits.append))
    app = browse("energy/denoise.py")
    assert waits == [stage.HEAD_START]
    ok(app.run())
    assert waits == [stage.HEAD_START], "a rerun has no new stage"
    ok(app.switch_page("energy/merged_digits.py").run())
    ok(app.switch_page("energy/denoise.py").run())
    assert waits == 3 * [stage.HEAD_START]
