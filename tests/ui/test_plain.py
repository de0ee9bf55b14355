"""The one helper that turns people's text into Markdown and into labels of charts."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from genlib.plots.curves import curves_figure
from genlib.plots.kernels import class_bars, error_bars
from genlib.ui.kit.plain import JOINER, in_chart, plain


@pytest.mark.parametrize(
    "text", ["vae-2", "ae-30 (uploads)", "my best, epoch 3", "größer 80 %", ""]
)
def test_harmless_names_stay_as_they_are(text: str) -> None:
    assert plain(text) == in_chart(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a](http://x/y)", f"\\!\\[a\\](http:{JOINER}//x/y)"),
        (":red[r]", f":{JOINER}red\\[r\\]"),
        (":material/home:", f":{JOINER}material/home:"),
        ("$x$", "\\$x\\$"),
        ("<b>&lt;", "\\<b\\>\\&lt;"),
        ("www.x.test", f"w{JOINER}ww.x.test"),
        ("a@b.test", f"a@{JOINER}b.test"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("1. item", f"1{JOINER}. item"),
        ("a -> b", f"a -{JOINER}\\> b"),
        ("two\n\nlines", "two lines"),
        ("a\\*b*", "a\\\\\\*b\\*"),
    ],
)
def test_what_markdown_would_read_is_escaped(text: str, shown: str) -> None:
    assert plain(text) == shown


NAME = "<a href='http://x.test'>![a](http://x.test)</a>"


def test_figures_take_names_as_plain_text() -> None:
    table = np.zeros((3, 1, 2), np.float32)
    steps = np.arange(2, dtype=np.int32)
    figures = (
        class_bars([1.0], [0.1], [NAME]),
        error_bars([NAME], [1.0], [0.1]),
        curves_figure(steps, table, [NAME], ["S", "P", "G"]),
    )
    for figure in figures:
        text = figure.to_json()
        assert "x.test" in text and "\\u003ca" not in text and "<a" not in text


def test_a_bad_variable_of_the_environment_is_quoted_letter_by_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def page() -> None:
        from genlib.ui.kit import server

        server.check_environment()

    monkeypatch.setenv("GENLIB_PRECISION", "![a](http://x.test/y)")
    (error,) = AppTest.from_function(page, default_timeout=60).run().error
    assert plain("![a](http://x.test/y)") in error.value


def test_what_a_callback_said_is_shown_letter_by_letter() -> None:
    def page() -> None:
        import streamlit as st

        from genlib.ui.train import actions

        st.session_state[actions.SAID] = "![a](http://x.test/y)"
        actions.say_what_happened()

    (toast,) = AppTest.from_function(page, default_timeout=60).run().toast
    assert toast.value == plain("![a](http://x.test/y)")


def test_charts_read_some_html() -> None:
    assert in_chart('<a href="x">&') == '&lt;a href="x"&gt;&amp;'
