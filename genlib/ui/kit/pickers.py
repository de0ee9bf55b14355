"""What pages have in common: a header, a model picker and prompts to try.

All of them live in the link: a widget's key is its query parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.store.checkpoint import Info
from genlib.ui import menu
from genlib.ui.kit import loading
from genlib.ui.kit.plain import plain

if TYPE_CHECKING:
    pass

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
    train = menu.page("train")
    st.page_link(train.file, label="Open the Train page", icon=train.icon)
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
