"""The labels that a person has given: in the link, in the browser, and as a file.

    few.labels=1043.7-12.0-877.4      test image 1043 is a 7, 12 is a 0, ... in the order given

The browser holds the list and sends it whole. Where the server changes it (a link, a lesson,
"label ten"), it raises the list's revision, and the browser takes it over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from genlib.explore.few_labels import Labels
from genlib.ui.components.history import presses
from genlib.ui.foundations.few_labels.data import Task
from genlib.ui.kit import links
from genlib.ui.kit.jobs import in_fragment
from genlib.ui.kit.web import said

LINK = "few.labels"  # the query parameter
MOST = 500  # labels; a link holds no more
Pairs = tuple[tuple[int, int], ...]  # (number of the test image, class)


@dataclass
class Given:
    """The list as this session knows it.

    link: the address that goes with it; pool: the name of the pool whose pictures the labels name;
    presses: of Back and Forward when the address was last read.
    """

    pairs: Pairs
    revision: int
    link: str
    pool: str
    presses: int


def parse(text: str, some: Task) -> Pairs:
    """The labels in a link; what names no picture of the pool or no class is dropped."""
    found = []
    for word in text.split("-")[:MOST]:
        number, _, y = word.partition(".")
        if number.isdecimal() and y.isdecimal() and len(number) < 9 and len(y) < 4:
            found.append((int(number), int(y)))
    return allowed(found, some)


def allowed(pairs: Sequence[Sequence[object]], some: Task) -> Pairs:
    """The pairs that name a picture of the pool and a class; the last word on a picture counts."""
    kept: dict[int, int] = {}
    for pair in pairs[:MOST]:
        if len(pair) != 2:
            continue
        number, y = pair
        if not isinstance(number, int) or not isinstance(y, int):
            continue
        if number in some.row_of and 0 <= y < len(some.classes):
            kept.pop(number, None)
            kept[number] = y
    return tuple(kept.items())


def text(pairs: Pairs) -> str:
    """The labels as the link holds them."""
    return "-".join(f"{number}.{y}" for number, y in pairs)


def current(key: str, some: Task) -> Given:
    """The labels now: what the browser last sent, unless the link or the server changed since.

    The menu leads back to this page without labels in the link: then they go into it again. Where
    only the map runs again, the address is no news: nobody has gone anywhere, and a browser that
    labels faster than the answers come still has an older one.
    """
    link = st.query_params.get(LINK, "")
    held: Given | None = st.session_state.get(f"{key}.held")
    pressed = presses()
    if held is None:
        held = Given(parse(link, some), 1, link, some.name, pressed)
    elif not in_fragment():
        if held.link != link and (link or held.presses != pressed):  # a link, a lesson, or Back
            held = Given(parse(link, some), held.revision + 1, link, some.name, pressed)
        held.presses = pressed
    sent = said(key, "labels")
    if isinstance(sent, Mapping) and sent.get("revision") == held.revision:
        items = sent.get("items")
        if isinstance(items, list) and all(isinstance(item, list) for item in items):
            held = replace(held, pairs=allowed(items, some))
    if held.pool != some.name:  # another model: the browser has to find the pictures in its pool
        pairs = allowed(held.pairs, some)
        held = replace(held, pairs=pairs, revision=held.revision + 1, pool=some.name)
    st.session_state[f"{key}.held"] = held
    show_in_link(held)
    return held


def show_in_link(held: Given) -> None:
    """Bring the address up to date."""
    held.link = text(held.pairs)
    links.show(LINK, held.link)


def add(key: str, pairs: Pairs) -> None:
    """Add labels on the server's side, from a callback; the browser takes the list over."""
    held: Given = st.session_state[f"{key}.held"]
    joined = {**dict(held.pairs), **dict(pairs)}
    new = replace(held, pairs=tuple(joined.items())[:MOST], revision=held.revision + 1)
    st.session_state[f"{key}.held"] = new
    show_in_link(new)


def labels(pairs: Pairs, some: Task) -> Labels:
    """The labels as rows of the pool and classes."""
    rows = np.array([some.row_of[number] for number, _ in pairs], np.int64)
    return Labels(rows, np.array([y for _, y in pairs], np.int64), len(some.classes))


def as_csv(pairs: Pairs, some: Task) -> str:
    """Test image, label, true class; one row a label, in the order given."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("test_image", "label", "true_class"))
    for number, y in pairs:
        writer.writerow((number, some.classes[y], some.classes[some.y[some.row_of[number]]]))
    return out.getvalue()
