"""Histograms of scores: the words of a mark have room, also on a phone."""

from __future__ import annotations

import numpy as np
import pytest

from genlib.plots.adversarial import Mark, score_figure

SCORES = {"digits": np.linspace(0.0, 100.0, 200)}


@pytest.mark.parametrize(("at", "left"), [(10.0, False), (25.0, False), (45.0, True), (80.0, True)])
def test_words_stand_left_of_a_mark_only_where_there_is_room(at: float, left: bool) -> None:
    """Another mark is close, and its line would cross words that stand right of the first one."""
    figure = score_figure(SCORES, "energy", [Mark(at, "this image"), Mark(at + 5, "margin")])
    words = next(a for a in figure.layout.annotations if a.text == "this image")
    assert words.xanchor == ("right" if left else "left")
    assert words.x == at if left else words.x == at + 5, "no line may cross the words"
