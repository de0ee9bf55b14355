"""The one helper that turns people's text into Markdown and into labels of charts."""

from __future__ import annotations

import pytest

from genlib.ui.plain import JOINER, in_chart, plain


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


def test_charts_read_some_html() -> None:
    assert in_chart('<a href="x">&') == '&lt;a href="x"&gt;&amp;'
