"""Any image to put before a judge: from the test set, drawn, generated, merged, or noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
import torch
from torch import Tensor

from genlib.data.datasets import Dataset, to_float
from genlib.evaluate import energy
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan.data import drawn, sampler
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.components.live_slider import live_slider
from genlib.ui.kit import images, loading
from genlib.ui.kit.pickers import choose

MOST = 99_999  # of the numbers that choose a sample or a noise image


@dataclass(frozen=True)
class Subject:
    """A float32 image (C, H, W) in [0, 1] and what it is."""

    image: Tensor
    name: str
    shown: bool = False  # on the page already, by what it was picked with
    stand_in: bool = False  # nothing has been drawn yet


def pick_subject(key: str, info: Info, show: bool = True) -> Subject:
    """Pick an image of any kind; call it in a fragment, it reruns while one draws or drags.

    show: show one that isn't shown by what it was picked with.
    """
    way = choose(
        "Image",
        list(WAYS),
        f"{key}.image",
        "**Test or drawn**: a real one, or yours. **Generated**: by this model. **Merged**: "
        "two real ones on top of each other. **Noise**: every pixel at random.",
        wrap=True,
    )
    data = loading.pictures_of(info)
    subject = WAYS[way](key, info, data)
    if show and not subject.shown:
        images.picture(subject.image, subject.name, width=168)
    return subject


def _test(key: str, info: Info, data: Dataset) -> Subject:
    digit = pick_digit(f"{key}.digit", "Picture", data=data, waits=True)
    if digit.stand_in:
        return Subject(digit.image, "nothing yet", shown=True, stand_in=True)
    if digit.label is None:
        return Subject(digit.image, "your drawing", shown=True)
    return Subject(digit.image, f"test image: {data.classes[digit.label]}", shown=True)


def _number(key: str, label: str, help: str) -> int:
    value = st.number_input(label, 0, MOST, 0, 1, key=key, bind="query-params", help=help)
    return int(value or 0)


def _generated(key: str, info: Info, data: Dataset) -> Subject:
    seed = _number(f"{key}.z", "Number of z", "Each number gives another draw of z ~ N(0, I).")
    return Subject(drawn(sampler(info.path), 1, seed)[0], f"G(z), z number {seed}")


def _merged(key: str, info: Info, data: Dataset) -> Subject:
    left, right = st.columns(2)
    present = sorted({int(c) for c in data.test_y.unique()})
    chosen = []
    for where, name, preset in ((left, "a", 3), (right, "b", 4)):
        cls = where.selectbox(
            f"Class {name}",
            present,
            index=min(preset, len(present) - 1),
            format_func=lambda c: data.classes[c],
            key=f"{key}.{name}",
            bind="query-params",
            help="A test image of this class.",
        )
        chosen.append(present[0] if cls is None else cls)
    if len(data.test_x) < 2:
        st.caption("There is only one test image: it is merged with itself.")
    alpha = live_slider(f"{key}.alpha", "α", 0.0, 1.0, 0.5, 0.01, "Share of b: (1 − α) a + α b.")
    rows = [(data.test_y == c).nonzero().flatten() for c in chosen]
    a, b = (to_float(data.test_x[int(row[min(k, len(row) - 1)])]) for k, row in enumerate(rows))
    names = [data.classes[c] for c in chosen]
    return Subject(
        energy.blend(a, b, alpha), f"{1 - alpha:.2f} × {names[0]} + {alpha:.2f} × {names[1]}"
    )


def _noise(key: str, info: Info, data: Dataset) -> Subject:
    seed = _number(f"{key}.noise", "Number", "Each number gives different noise.")
    rng = torch.Generator().manual_seed(seed)
    return Subject(torch.rand(data.shape, generator=rng), f"noise number {seed}")


WAYS: dict[str, Callable[[str, Info, Dataset], Subject]] = {
    "Test or drawn": _test,
    "Generated": _generated,
    "Merged": _merged,
    "Noise": _noise,
}
