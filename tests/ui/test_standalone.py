"""A page as one file: the state that it opens on."""

from __future__ import annotations

from genlib.ui.kit.standalone import opening_at, page


def test_the_state_of_the_component_is_in_the_file_and_the_app_s_is_not() -> None:
    text = page("gaussians", "Gaussians", "An idea.", {"adults": []})
    state = {"gaussians.view": "mixture", "gaussians.text": '"><b>&', "lesson": "x", "answer": "1"}
    found = opening_at(text, state)
    assert 'data-state="gaussians.view=mixture&amp;gaussians.text=%22%3E%3Cb%3E%26"' in found
    assert "lesson=x" not in found and "answer=1" not in found
