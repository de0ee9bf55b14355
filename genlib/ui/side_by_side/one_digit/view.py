"""The digit that goes into every model, and the cards and ranking of what comes out.

The digit is picked or drawn, then changed; the link holds it all.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from html import escape

import numpy as np
import streamlit as st
import torch
from torch import Tensor

from genlib.data.datasets import Dataset, to_float
from genlib.explore.changes import CHANGES
from genlib.ui.components import digit_picker
from genlib.ui.components.live_slider import live_slider
from genlib.ui.kit import images
from genlib.ui.kit.images import data_url
from genlib.ui.kit.pickers import choose
from genlib.ui.side_by_side.one_digit.data import Dossier, Said

ALARM = 0.95  # stranger than this share of real digits: the model notices
_STYLE = """<style>
.od {display: grid; grid-template-columns: repeat(auto-fill, minmax(232px, 1fr)); gap: 12px;
  line-height: 1.3;}
.od article {border: 1px solid rgb(128 128 128 / 35%); border-radius: 8px; padding: 10px 12px;
  min-width: 0;}
.od article.caught {border-color: #e06c00; box-shadow: inset 4px 0 0 #e06c00;}
.od h4 {margin: 0; padding: 0; font-size: 1rem; font-weight: 650;}
.od .kind, .od .words {font-size: .78rem; opacity: .8;}
.od .words {margin-top: 5px;}
.od .pics {display: flex; gap: 8px; margin: 8px 0 4px; flex-wrap: wrap;}
.od figure {margin: 0; width: 84px;}
.od img {width: 84px; height: 84px; image-rendering: pixelated; display: block; border-radius: 2px;}
.od figcaption {font-size: .7rem; opacity: .8; line-height: 1.2; margin-top: 2px;}
.od .row {margin-top: 7px;}
.od .value {display: flex; justify-content: space-between; gap: 6px; align-items: baseline;
  font-size: .85rem;}
.od .value b {font-variant-numeric: tabular-nums; font-size: 1.02rem;}
.od .unit {font-size: .72rem; opacity: .75;}
.bar {position: relative; height: 7px; border-radius: 4px; background: rgb(128 128 128 / 22%);
  margin: 3px 0 2px; overflow: hidden;}
.bar i {position: absolute; inset: 0 auto 0 0; background: #2a8f98; border-radius: 4px;}
.bar.caught i {background: #e06c00;}
.rank {display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 7px 24px;
  font-size: .9rem; line-height: 1.25;}
.rank .who {display: flex; justify-content: space-between; gap: 8px;}
.rank .pc {font-variant-numeric: tabular-nums;}
.rank small {opacity: .75; display: block; font-size: .78rem;}
@media (max-width: 820px) {  /* two in a row on a phone; what is measured is on the cards */
  .rank {grid-template-columns: 1fr 1fr; gap: 4px 14px;}
  .rank small {display: none;}
}
</style>"""


def main(dossier: Dossier) -> Said | None:
    """The number that a model is compared by: its first."""
    return dossier.said[0] if dossier.said else None


def noticing(found: Sequence[Dossier]) -> list[Dossier]:
    """The models whose first number is stranger than of 95% of real digits."""
    return [d for d in found if (s := main(d)) and s.strange is not None and s.strange >= ALARM]


def show_ranking(found: Sequence[Dossier]) -> None:
    """How strange each model finds the digit, strangest first, on one axis from 0 to 100%."""
    ranked = [(d, s) for d in found if (s := main(d)) and s.strange is not None]
    ranked.sort(key=lambda pair: -(pair[1].strange or 0.0))
    rows = "".join(
        f"<div><div class='who'><span>{escape(d.name)}</span>"
        f"<span class='pc'>{s.strange:.0%}</span></div>{_bar(s.strange or 0.0)}"
        f"<small>{escape(s.reading.name)}</small></div>"
        for d, s in ranked
    )
    st.html(f'{_STYLE}<div class="rank" data-ranks="{len(ranked)}">{rows}</div>')


def show_cards(found: Sequence[Dossier]) -> None:
    """One card a model: its pictures, its numbers with their ranks, its words."""
    body = "".join(_card(d) for d in found if d.said or d.pictures)
    st.html(f'{_STYLE}<div class="od">{body}</div>')


def _card(d: Dossier) -> str:
    first = main(d)
    caught = first is not None and first.strange is not None and first.strange >= ALARM
    pictures = "".join(
        f"<figure><img alt='{escape(label)}' src='{data_url(image)}'>"
        f"<figcaption>{escape(label)}</figcaption></figure>"
        for label, image in d.pictures
    )
    numbers = "".join(_number(s) for s in d.said)
    words = "".join(f"<div class='words'>{escape(text)}</div>" for text in d.words)
    return (
        f"<article class='{'caught' if caught else ''}' data-model='{escape(d.name)}'>"
        f"<h4>{escape(d.name)}</h4><div class='kind'>{escape(d.title)}</div>"
        + (f"<div class='pics'>{pictures}</div>" if pictures else "")
        + f"{numbers}{words}</article>"
    )


def _number(s: Said) -> str:
    rank = "measuring real digits …"
    bar = ""
    if s.strange is not None:
        rank = f"stranger than {s.strange:.0%} of real digits"
        bar = _bar(s.strange)
    return (
        f"<div class='row'><div class='value'><span>{escape(s.reading.name)}</span>"
        f"<b>{number(s.value)}</b></div>{bar}"
        f"<div class='unit'>{escape(s.reading.unit)}; {rank}</div></div>"
    )


def _bar(share: float) -> str:
    caught = " caught" if share >= ALARM else ""
    return f"<div class='bar{caught}'><i style='width:{100 * share:.1f}%'></i></div>"


def number(value: float) -> str:
    """A number in four digits, with a real minus sign: 0.0123, 12.3, −1,230."""
    size = abs(value)
    text = f"{value:,.0f}" if size >= 1000 else f"{value:.1f}" if size >= 10 else f"{value:.3f}"
    if 0 < size < 0.001:
        text = f"{value:.0e}"
    return text.replace("-", "−")


INK = "one_digit.ink"
AS_IT_IS = "As it is"
NAMES = {  # on screen and in the link -> name in CHANGES
    "Merge": "merge",
    "Turn": "turn",
    "Shift": "shift",
    "Invert": "invert",
    "Noise": "noise",
    "Shuffle": "shuffle",
}


def to_link(image: Tensor) -> str:
    """An image (1, 28, 28) as text of some hundred characters, in 16 grey levels."""
    levels = (image.flatten().numpy() * 15).round().astype(np.uint8)
    packed = zlib.compress((levels[::2] << 4 | levels[1::2]).tobytes(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def from_link(text: str) -> Tensor | None:
    """The image (1, 28, 28) that such a text holds; None for any other text."""
    if not 0 < len(text) <= 1200:
        return None
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        raw = zlib.decompressobj().decompress(packed, 393)
    except (binascii.Error, ValueError, zlib.error):
        return None
    if len(raw) != 392:
        return None
    pairs = np.frombuffer(raw, np.uint8)
    levels = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(1, 28, 28)
    return torch.from_numpy(levels.astype(np.float32) / 15)


def pick(digits: Dataset) -> Tensor:
    """The digit before it is changed, (C, H, W) in [0, 1]: of the link, picked, or drawn."""
    linked = from_link(st.query_params.get(INK, ""))
    if linked is not None and tuple(linked.shape) == digits.shape:
        x = linked
        with st.container(horizontal=True, vertical_alignment="center"):
            images.picture(x, "from the link", width=96)
            st.button(
                "Remove drawing",
                key="one_digit.away",
                on_click=_forget,
                help="Removes the drawing from the link, so that you can pick another digit.",
            )
    else:
        picked = digit_picker.pick_digit("one_digit", data=digits, default_class=4, default_nth=3)
        x = picked.image
        if picked.index is None:
            st.button(
                "Save drawing in link",
                icon=":material/link:",
                key="one_digit.keep",
                on_click=_keep,
                args=(to_link(x),),
                help="The address then contains the drawing.",
            )
    return x


def _keep(text: str) -> None:
    st.query_params[INK] = text


def _forget() -> None:
    st.query_params.pop(INK, None)


def change(x: Tensor, digits: Dataset) -> Tensor:
    """What the models see, (C, H, W) in [0, 1]: the digit, changed as the person chooses."""
    with st.container(key="one_digit.changes", gap="small"):
        chosen = choose(
            "Change",
            [AS_IT_IS, *NAMES],
            "one_digit.change",
            "How the digit is changed before the models see it.",
            hidden=True,
        )
        name = NAMES.get(str(chosen))
        if name is None:
            return x
        kind = CHANGES[name]
        with st.container(horizontal=True, vertical_alignment="bottom"):
            amount = live_slider(
                f"one_digit.{name}",
                f"{chosen}: {kind.amount}",
                kind.low,
                kind.high,
                kind.start,
                kind.step,
            )
            other = _other(digits) if name == "merge" else x
    return kind.apply(x[None], amount, other)[0]


def seen(x: Tensor) -> None:
    """The image that the models are given."""
    images.picture(x, "what the models see", width=96)


def _other(digits: Dataset) -> Tensor:
    present = sorted({int(c) for c in digits.test_y.unique()})
    cls = st.selectbox(
        "With",
        present,
        index=min(8, len(present) - 1),
        format_func=lambda c: digits.classes[c],
        key="one_digit.with",
        width=90,
        bind="query-params",
        help="Class of the other digit.",
    )
    row = int((digits.test_y == (present[0] if cls is None else cls)).nonzero()[0])
    return to_float(digits.test_x[row])
