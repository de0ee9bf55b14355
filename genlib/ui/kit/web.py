"""The JavaScript and CSS of components: files of genlib/web.

Streamlit serves the modules as they are. It finds them by genlib/pyproject.toml, so that genlib
must be installed (editable will do).
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

import streamlit as st

WEB = Path(__file__).parents[2] / "web"
P = ParamSpec("P")
R = TypeVar("R")


def component(
    name: str, html: str | None = None, *, styled: bool = True
) -> st.components.v2.types.ComponentRenderer:
    """The component of web/<name>: view.js, style.css where it is styled, and `html` to begin with.

    A new one needs an entry in genlib/pyproject.toml. Call this while a page runs, not at import:
    only a running app knows where the files are.
    """
    page = st.session_state.get(PAGE)
    if page is not None:
        _used.setdefault(str(page), {})[name] = None
    return _component(name, html, styled)


@cache
def _component(
    name: str, html: str | None, styled: bool
) -> st.components.v2.types.ComponentRenderer:
    renderer = st.components.v2.component(
        f"genlib.{name}",
        html=html,
        js=f"{name}/view.js",
        # As text: from a file it would come after the first drawing, which would then jump.
        css=style_sheet(f"{name}/style.css") if styled else None,
    )
    return _with_tuples(renderer)


def _with_tuples(render: Callable[P, R]) -> Callable[P, R]:
    """Mount a component with tuples in place of the lists in its data: the same JSON.

    Streamlit asks whether a list is a table, for which it imports pandas: 0.4 s of a first visit.
    It doesn't ask about a tuple.
    """

    @wraps(render)
    def mount(*args: P.args, **given: P.kwargs) -> R:
        data = given.get("data")
        if isinstance(data, dict):
            given["data"] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return render(*args, **given)

    return mount


PAGE = "web.page"  # the path of the page that this session shows, in its state
OPENED = "web.opened"  # there while a page has only just been opened
_used: dict[str, dict[str, None]] = {}  # page -> components that it has shown: bounded by both


def opens(path: str) -> None:
    """Note which page of the menu this run shows, so that its components are known next time."""
    if st.session_state.get(PAGE) != path:
        st.session_state[PAGE] = path
        st.session_state[OPENED] = True


def just_opened() -> bool:
    """Whether this page has been opened since this was last asked."""
    return bool(st.session_state.pop(OPENED, False))


def components_of(path: str) -> tuple[str, ...]:
    """The components that a page has shown before, in any session."""
    return tuple(_used.get(path, ()))


def said(key: str, name: str) -> object:
    """What the component `key` last sent as `name`; None where it has sent nothing."""
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


def keep() -> None:
    """Do nothing: Streamlit keeps a component's values only where there is a callback."""


def read(path: str) -> str:
    """The text of a file of genlib/web."""
    return (WEB / path).read_text(encoding="utf-8")


def import_map(*entries: str) -> dict[str, str]:
    """These modules and all that they import, as data: URLs by path: what a page without a server
    needs to import them. Relative imports mean nothing there, so they are written out.
    """
    found: dict[str, str] = {}
    waiting = list(entries)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue

        def whole(match: re.Match[str], folder: str = posixpath.dirname(path)) -> str:
            waiting.append(posixpath.normpath(posixpath.join(folder, match[1])))
            return f'from "{waiting[-1]}"'

        script = re.sub(r'from "(\.[^"]+)"', whole, read(path))
        found[path] = "data:text/javascript;base64," + base64.b64encode(script.encode()).decode()
    return found


@cache
def module_url(path: str) -> str:
    """A module and all that it imports as one data: URL, for workers, which know no import map."""

    def whole(match: re.Match[str]) -> str:
        named = posixpath.normpath(posixpath.join(posixpath.dirname(path), match[1]))
        return f'from "{module_url(named)}"'

    script = re.sub(r'from "(\.[^"]+)"', whole, read(path))
    return "data:text/javascript;base64," + base64.b64encode(script.encode()).decode()


def style_sheet(path: str) -> str:
    """A style file with what it imports in place."""
    folder = posixpath.dirname(path)
    return re.sub(
        r'@import "([^"]+)";',
        lambda match: style_sheet(posixpath.normpath(posixpath.join(folder, match[1]))),
        read(path),
    )
