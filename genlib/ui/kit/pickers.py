"""What pages have in common: pickers and downloads.

All of them live in the link: a widget's key is its query parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.store.checkpoint import Info
from genlib.ui import menu
from genlib.ui.kit import loading
from genlib.ui.kit.plain import plain

T = TypeVar("T", str, int)

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
KINDS = {  # suffix of a download -> its MIME type and icon
    ".png": ("image/png", ":material/image:"),
    ".gif": ("image/gif", ":material/animation:"),
    ".html": ("text/html", ":material/html:"),
    ".csv": ("text/csv", ":material/download:"),
    ".safetensors": ("application/octet-stream", ":material/download:"),
}


def no_model(*capabilities: str, but_others: bool = False) -> None:
    """The empty state: no checkpoint can do what the page shows. Ends the script run.

    but_others: there are checkpoints that can, with images of another shape.
    """
    what = " and ".join(WHAT[c] for c in capabilities) or "be shown"
    if but_others:
        what += " of this size and colour"
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
    return f"{text} Names without an origin are shipped models.\n\n{rows}"


def pick_model(
    *capabilities: str,
    key: str,
    label: str = "Model",
    default: str = "",
    where: DeltaGenerator | None = None,
    help: str = "",
    shape: tuple[int, ...] | None = None,
) -> Info:
    """Pick one of the checkpoints that can do all that is asked; without any, stop the page.

    shape: only those that take images of this (C, H, W).
    """
    able = loading.checkpoints(*capabilities)
    by_name = {i.name: i for i in able if shape is None or loading.takes(i, shape)}
    if not by_name:
        no_model(*capabilities, but_others=bool(able))
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


def button_row(key: str, *buttons: tuple[str, str, str, Callable[[], None], str]) -> None:
    """Buttons side by side, the first of them the main one.

    Each is a label, the name of its icon, the rest of its key, what a click does, and a help text.
    """
    with st.container(horizontal=True):
        for n, (label, icon, name, act, help) in enumerate(buttons):
            st.button(
                label,
                icon=f":material/{icon}:",
                type="secondary" if n else "primary",
                key=f"{key}.{name}",
                on_click=act,
                help=help,
            )


def choose(
    label: str,
    options: Mapping[T, str] | Sequence[T],
    key: str,
    help: str | None = None,
    *,
    default: T | None = None,
    where: DeltaGenerator | None = None,
    wrap: bool | None = None,
    disabled: bool = False,
    hidden: bool = False,
) -> T:
    """Pick one of a few options, side by side: at first ``default``, or the first of them.

    A mapping's values are shown, and held by the link. ``hidden`` hides the label.
    """
    first = next(iter(options)) if default is None else default
    chosen = (where or st).segmented_control(
        label,
        list(options),
        default=first,
        required=True,
        format_func=options.__getitem__ if isinstance(options, Mapping) else None,
        key=key,
        help=help,
        disabled=disabled,
        label_visibility="collapsed" if hidden else "visible",
        wrap=wrap,
        bind="query-params",
    )
    return first if chosen is None else chosen


def download(
    label: str,
    data: Callable[[], bytes | str] | bytes | str,
    file: str,
    help: str,
    *,
    key: str | None = None,
    disabled: bool = False,
) -> None:
    """A button that saves ``data``, computed on the click if it is a function, as ``file``.

    The suffix, one of KINDS, gives MIME type and icon. The page does not run again.
    """
    mime, icon = KINDS[PurePosixPath(file).suffix]
    st.download_button(
        label,
        data,
        file,
        mime,
        key=key or f"download.{label}",  # the same button also where the file has another name
        help=help,
        icon=icon,
        on_click="ignore",
        disabled=disabled,
    )
