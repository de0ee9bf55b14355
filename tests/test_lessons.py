"""Every lesson: its fact holds on the shipped models, and its link opens the state it names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import find_mnist
from genlib.ui import menu
from genlib.ui.kit.lessons import Lesson
from tests.helpers import browse, lessons_of, ok, visit

NEEDS_NONE = {"home"}
IN_THE_APP = {"runs"}  # their links to other pages need the menu


PAGES = [page for page in menu.PAGES if page.stem not in NEEDS_NONE]
ALL = [(page, one) for page in PAGES for one in lessons_of(page)]
IDS = [f"{page.stem}-{one.key}" for page, one in ALL]
skip_without_mnist = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_page_has_three_lessons_of_different_names(page: menu.Page) -> None:
    lessons = lessons_of(page)
    assert len(lessons) >= 3
    assert len({one.key for one in lessons}) == len(lessons)
    assert len({one.title for one in lessons}) == len(lessons)


@skip_without_mnist
@pytest.mark.parametrize(("page", "lesson"), ALL, ids=IDS)
def test_what_a_lesson_says_is_so(page: menu.Page, lesson: Lesson, shipped: Path) -> None:
    if lesson.fact is None:
        pytest.skip("computed in node")
    fact = lesson.fact()
    assert fact.holds, fact.said
    assert fact.said


def states(lesson: Lesson) -> list[Mapping[str, str]]:
    """The address of the question and that of the answer."""
    asked = {**lesson.before, "lesson": lesson.key}
    return [asked, {**lesson.state, "lesson": lesson.key, "answer": str(lesson.right)}]


@skip_without_mnist
@pytest.mark.parametrize(("page", "lesson"), ALL, ids=IDS)
def test_the_links_of_a_lesson_open_its_states(
    page: menu.Page, lesson: Lesson, shipped: Path
) -> None:
    st.cache_data.clear()
    for state in states(lesson):
        app = ok((browse if page.stem in IN_THE_APP else visit)(page.file, **state))
        for key, value in state.items():
            # Streamlit takes a value that its widget can't have out of the link, and defaults too.
            taken = key in app.query_params or _held(app, key) == value.lower()
            assert taken, f"{key}={value} is not taken"


def _held(app: AppTest, key: str) -> str:
    """What the widget of this key holds, as text; "" without one."""
    try:
        value = app.session_state[key]
    except KeyError:
        return ""
    return ", ".join(map(str, value if isinstance(value, list) else [value])).lower()


@pytest.mark.parametrize(("page", "lesson"), ALL, ids=IDS)
def test_words_of_a_lesson(page: menu.Page, lesson: Lesson) -> None:
    assert lesson.question.endswith("?") and len(lesson.question) <= 240
    assert len(lesson.explanation) <= 420 and len(lesson.title) <= 48
    assert all(len(text) <= 60 for text in lesson.answers)
    assert len(set(lesson.answers)) == len(lesson.answers)


@pytest.mark.parametrize("answers", [("one",), ("a", "b", "c", "d", "e")])
def test_a_question_needs_two_to_four_answers(answers: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="2 to 4 answers"):
        Lesson("key", "Title", "Why?", answers, 0, "So.", None)


def test_the_right_answer_is_one_of_them() -> None:
    with pytest.raises(ValueError, match="right must name an answer of key, got 2"):
        Lesson("key", "Title", "Why?", ("a", "b"), 2, "So.", None)
