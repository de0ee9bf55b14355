"""What pages have in common: a header, a model picker, a digit picker and prompts to try.

All of them live in the link: a widget's key is its query parameter.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.checkpoint import Info
from genlib.ui import images, loading
from genlib.ui.plain import note_of, plain

if TYPE_CHECKING:
    import torch

    from genlib.datasets import Dataset

WHAT = {  # capability -> what a model that has it can do, for the empty state
    "Encodes": "encode images",
    "Decodes": "decode images",
    "Reconstructs": "reconstruct images",
    "Denoises": "denoise images",
    "Samples": "draw new images",
    "HasEnergy": "give an energy",
    "HasKernels": "show its kernels",
    "Bounds": "bound the likelihood",
    "Classifies": "classify images",
    "Judges": "tell real images from generated ones",
    "StepsApart": "train a generator against a discriminator",
    "Stacked": "run a Gibbs chain between layers of binary units",
    "HasMargin": "push the energy of its samples up to a margin",
    "Autoregressive": "predict pixel by pixel",
}


def header(title: str, intro: str, equation: str = "", source: str = "") -> None:
    """A page's title, one sentence of what this is, and its equation with the source."""
    st.title(title)
    st.markdown(intro)
    if equation:
        with st.expander("Equation and source", icon=":material/function:"):
            st.latex(equation)
            if source:
                st.caption(source)


def try_this(prompts: Sequence[str]) -> None:
    """Two or three things to try that lead to the surprise; markdown."""
    with st.container(border=True):
        st.markdown("**:material/lightbulb: Try this**")
        st.markdown("\n".join(f"{n}. {text}" for n, text in enumerate(prompts, 1)))


def no_model(*capabilities: str) -> None:
    """The empty state: no checkpoint can do what the page shows. Ends the script run."""
    what = " and ".join(WHAT[c] for c in capabilities) or "be shown"
    st.info(
        f"No checkpoint can {what} yet. Train a model on the Train page.", icon=":material/info:"
    )
    st.page_link("train/train.py", label="Open the Train page", icon=":material/model_training:")
    st.stop()


def _title(info: Info) -> str:
    from genlib.models import FAMILIES

    about = f"{FAMILIES[info.family].title.lower()}, epoch {info.epoch}"
    return plain(f"{info.name} · {loading.origin(info)} · {about}")


def _help(text: str, by_name: dict[str, Info]) -> str:
    """What the picker offers. The options are names alone: they are what stands in the link."""
    rows = "\n".join(f"- {_title(info)}" for info in by_name.values())
    text = text or "Shipped checkpoints, your finished runs and your uploads."
    return f"{text} A bare name is a shipped model's.\n\n{rows}"


def pick_model(
    *capabilities: str,
    key: str,
    label: str = "Model",
    default: str = "",
    where: DeltaGenerator | None = None,
    help: str = "",
) -> Info:
    """Pick one of the checkpoints that can do all that is asked; without any, stop the page."""
    by_name = {info.name: info for info in loading.checkpoints(*capabilities)}
    if not by_name:
        no_model(*capabilities)
    names = list(by_name)
    chosen = (where or st).selectbox(
        label,
        names,
        index=names.index(default) if default in names else 0,
        key=key,
        bind="query-params",
        help=_help(help, by_name),
    )
    return by_name[chosen if chosen in by_name else names[0]]


def pick_models(
    *capabilities: str,
    key: str,
    label: str = "Models",
    default: Sequence[str] = (),
    where: DeltaGenerator | None = None,
    help: str = "",
) -> list[Info]:
    """Pick several checkpoints (none: the first default); without any at all, stop the page."""
    by_name = {info.name: info for info in loading.checkpoints(*capabilities)}
    if not by_name:
        no_model(*capabilities)
    preset = [name for name in default if name in by_name] or list(by_name)[:1]
    chosen = (where or st).multiselect(
        label,
        list(by_name),
        default=preset,
        key=key,
        bind="query-params",
        help=_help(help, by_name),
    )
    return [by_name[name] for name in chosen if name in by_name] or [by_name[preset[0]]]


@dataclass(frozen=True)
class Digit:
    """A chosen image: float32 (C, H, W) in [0, 1]; drawn ones have neither label nor index."""

    image: torch.Tensor
    label: int | None
    index: int | None  # in the test set


def _roll(key: str, count: int) -> None:
    st.session_state[f"{key}.nth"] = random.randrange(count)


def pick_digit(
    key: str,
    label: str = "Digit",
    where: DeltaGenerator | None = None,
    *,
    data: Dataset | None = None,
    default_class: int = 3,
    default_nth: int = 0,
) -> Digit:
    """Pick an image from the test set by class and number, at random, or draw one."""
    with where or st.container():
        data = data or loading.dataset()
        if data.note:
            st.caption(f":material/info: {note_of(data)}")
        ways = {"test": "Test set", "draw": "Draw"}
        way = st.segmented_control(
            label,
            list(ways),
            format_func=lambda way: ways[way],
            default="test",
            required=True,
            key=f"{key}.from",
            bind="query-params",
            help="Take a digit of the test set, or draw one with mouse, pen or finger.",
        )
        if way == "draw":
            drawn = _drawn(key, label)
            if drawn is not None:
                return drawn
            st.caption("Draw something above. Until then a test digit is used.")
            return _nth(data, default_class, default_nth)
        return _from_test_set(key, data, default_class, default_nth)


def _drawn(key: str, label: str) -> Digit | None:
    import torch

    from genlib.ui.components.draw import draw

    ink = draw(f"{key}.draw", label=f"Draw: {label.lower()}")
    return None if ink is None else Digit(torch.from_numpy(ink.copy())[None], None, None)


def _from_test_set(key: str, data: Dataset, default_class: int, default_nth: int) -> Digit:
    present = sorted({int(c) for c in data.test_y.unique()})
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    cls = left.selectbox(
        "Class",
        present,
        index=present.index(default_class) if default_class in present else 0,
        format_func=lambda c: data.classes[c],
        key=f"{key}.class",
        bind="query-params",
    )
    cls = present[0] if cls is None else cls
    count = int((data.test_y == cls).sum())
    if st.session_state.get(f"{key}.nth", 0) >= count:
        st.session_state[f"{key}.nth"] = count - 1
    nth = middle.number_input(
        "Number",
        0,
        count - 1,
        min(default_nth, count - 1),
        1,
        key=f"{key}.nth",
        bind="query-params",
        help=f"Which of the {count} test images of this class.",
    )
    right.button(
        "",
        icon=":material/casino:",
        key=f"{key}.roll",
        help="Another one at random",
        on_click=_roll,
        args=(key, count),
        width="stretch",
    )
    digit = _nth(data, cls, int(nth or 0))
    images.picture(digit.image, width=96)
    return digit


def _nth(data: Dataset, cls: int, nth: int) -> Digit:
    from genlib.datasets import to_float

    indices = (data.test_y == cls).nonzero().flatten()
    if not len(indices):
        indices = (data.test_y >= 0).nonzero().flatten()
    index = int(indices[min(nth, len(indices) - 1)])
    return Digit(to_float(data.test_x[index]), int(data.test_y[index]), index)
