"""A slider that reports while it is dragged.

`st.slider` sends only on release. This one sends newest-wins: at most one value is under way, and
when the page has answered, the newest value follows. When the slider comes to rest, its value is
written into the link. Put it, and what depends on it, into one `st.fragment`. What has a route of
its own on the server (`post`) needs no rerun before that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from genlib.ui.components.history import presses
from genlib.ui.kit import links
from genlib.ui.kit.jobs import in_fragment
from genlib.ui.kit.web import component, keep, said


@dataclass
class Held:
    """One number of one page: what the server believes it to be.

    The browser repeats its old state on every rerun, so a value counts as new only when its
    `seq` is higher than the last one taken. `link` is the text last seen in the address bar: when
    it changes without us (back button), the address bar wins. Only where it no longer names the
    number and nobody went back, as when the menu leads to the page again, is it written again.
    """

    x: float
    seq: int
    link: str | None
    presses: int = 0  # of Back and Forward when it was last read


def live_slider(
    key: str,
    label: str,
    low: float,
    high: float,
    value: float,
    step: float,
    help: str = "",
    *,
    disabled: str = "",
    options: Sequence[float] = (),
    post: tuple[str, str] | None = None,
) -> float:
    """Show a slider and return its value, also while it is being dragged.

    low <= value <= high; `step` sets the grid and the number of decimals shown. `disabled` is the
    reason why it cannot be moved ("" = it can). With ``options``, the slider has one stop for each
    of these rising numbers between low and high instead of a grid. With ``post`` = (address, name),
    values passed on the way are posted there as {name: value}. The value is linked as the query
    parameter `key`.
    Raises ValueError when the bounds or the step make no range.
    """
    if not low < high or step <= 0:
        raise ValueError(f"live_slider needs low < high and step > 0, got {low}, {high}, {step}")
    held = hold(key, said(key, "value"), low, high, value)
    data: dict[str, object] = {
        "label": label,
        "low": low,
        "high": high,
        "step": step,
        "decimals": decimals(step),
        "help": help,
        "disabled": disabled,
        "value": held.x,
        "seq": held.seq,
        "options": [float(f"{x:.6g}") for x in options] or None,
        "post": list(post) if post else None,
    }
    component("live_slider")(key=key, data=data, on_value_change=keep)
    return held.x


def hold(key: str, sent: object, low: float, high: float, default: float) -> Held:
    """Take the newest of: what the browser sent ({"x", "seq", "rest"}), the link, what we held.

    Returns the held number, clamped to [low, high]; writes the link once it is at rest.
    """
    held: Held | None = st.session_state.get(f"{key}.held")
    link = st.query_params.get(key)
    if held is None:
        held = Held(number(link, default), 0, link, presses())
        st.session_state[f"{key}.held"] = held
    elif held.seq == 0 and held.link is None and link is None:
        held.x = default  # untouched: follows a default that depends on other settings
    elif in_fragment():  # nobody has gone anywhere; a browser that is behind says an older link
        links.show(key, held.link or "")
    elif link != held.link and link is not None:
        held.x, held.link = number(link, held.x), link
    elif link is None and held.presses != presses():
        held.x, held.link = default, None  # Back to where it was untouched
    elif link is None and held.link is not None:
        held.link = write_link(key, held.x)
    held.presses = presses()
    if isinstance(sent, dict) and int(sent.get("seq", 0)) > held.seq:
        held.x, held.seq = number(sent.get("x"), held.x), int(sent["seq"])
        if sent.get("rest"):
            held.x = min(max(held.x, low), high)
            held.link = write_link(key, held.x)
    held.x = min(max(held.x, low), high)
    return held


def write_link(key: str, value: float) -> str:
    """Write a number into the address bar; returns its text."""
    text = f"{value:.6g}"
    links.show(key, text)
    return text


def move(key: str, value: float) -> None:
    """Set a slider from a callback, wherever it was."""
    link = write_link(key, value)
    held: Held | None = st.session_state.get(f"{key}.held")
    if held is not None:
        held.x, held.link = value, link


def number(text: object, default: float) -> float:
    """Read a finite number, or give back `default`: links are typed by hand."""
    try:
        value = float(str(text))
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def decimals(step: float) -> int:
    """How many decimals a value on a grid of this step needs (0 to 6)."""
    return next((d for d in range(7) if abs(step * 10**d - round(step * 10**d)) < 1e-6), 6)
