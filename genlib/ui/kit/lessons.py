"""Lessons: predict, observe, explain.

A lesson is a question, the state of a page that answers it, and the fact that this state shows.
``?lesson=KEY`` opens a page with the question; an answer moves the page to the state. Predicting
first makes a correct observation likelier (Crouch et al. 2004; Miller et al. 2013). Nothing is
graded or stored.

Each section of the menu has its lessons in ``genlib/ui/<section>/lessons``; tests compute every
fact on the shipped models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from genlib.ui.kit.web import component

LEAST, MOST = 2, 4  # answers


@dataclass(frozen=True)
class Fact:
    """Whether what a lesson claims holds on the shipped models, and a sentence with the numbers."""

    holds: bool
    said: str


@dataclass(frozen=True)
class Lesson:
    """One question about a page.

    key: in the link. title: on the list "Try this". right: the index of the answer that is shown to
    be true. state: the page's query parameters that answer the question, all that matter; before:
    the same while it is asked, {} for the page as it opens. explanation: why, in two or three
    sentences. fact: computes the claim on exactly this state, and each number that the explanation
    mentions; None where a test computes it in node. Raises ValueError for a question that can't be
    asked.
    """

    key: str
    title: str
    question: str
    answers: tuple[str, ...]
    right: int
    explanation: str
    fact: Callable[[], Fact] | None
    state: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not LEAST <= len(self.answers) <= MOST:
            raise ValueError(
                f"a lesson has {LEAST} to {MOST} answers, {self.key} has {len(self.answers)}"
            )
        if not 0 <= self.right < len(self.answers):
            raise ValueError(f"right must name an answer of {self.key}, got {self.right}")


def listed(lessons: Sequence[Lesson]) -> None:
    """The list "Try this", which opens on a click."""
    component("lesson")(
        key="lesson.list", data={"lessons": [_shown(one) for one in lessons]}, height="content"
    )


def asked(lessons: Sequence[Lesson]) -> None:
    """The question that the link names and, once it is answered, the explanation."""
    found = current(lessons)
    if found is None:
        return
    after = lessons.index(found) + 1
    data = {
        "lesson": _shown(found),
        "answer": answered(found),
        "next": _shown(lessons[after]) if after < len(lessons) else None,
    }
    component("lesson")(key=f"lesson.{found.key}", data=data, height="content")


def current(lessons: Sequence[Lesson]) -> Lesson | None:
    """The lesson that the link names, if it is one of these."""
    key = st.query_params.get("lesson", "")
    return next((one for one in lessons if one.key == key), None)


def answered(lesson: Lesson) -> int | None:
    """The index of the answer in the link; None before there is one."""
    text = st.query_params.get("answer", "")
    ok = text.isdecimal() and len(text) == 1 and int(text) < len(lesson.answers)
    return int(text) if ok else None


def _shown(lesson: Lesson) -> dict[str, object]:
    return {
        "key": lesson.key,
        "title": lesson.title,
        "question": lesson.question,
        "answers": list(lesson.answers),
        "right": lesson.right,
        "explanation": lesson.explanation,
        "state": dict(lesson.state),
        "before": dict(lesson.before),
    }
