"""Rows of small pictures with a line of text under each: crisp, light, in one piece of HTML.

Pictures are PNG data URLs, since pictures that Streamlit stores as files get lost when they
change many times a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from genlib.ui.kit.images import data_url

_STYLE = """<style>
.pt {display: grid; gap: 5px 6px; align-items: center; max-width: 1100px;
  grid-template-columns: minmax(96px, 150px) repeat(var(--columns), minmax(0, var(--most)));}
.pt .head {font-weight: 600; line-height: 1.25; padding-right: 8px; overflow-wrap: anywhere;}
.pt .head small, .cards small {display: block; font-weight: 400; opacity: .75;}
.pt figure, .cards figure {margin: 0; text-align: center;}
.pt img, .cards img {width: 100%; image-rendering: pixelated; display: block; border-radius: 2px;
  box-shadow: 0 0 0 1px rgb(128 128 128 / 30%);}
.pt figcaption {font-size: .72rem; opacity: .8; line-height: 1.3;
  font-variant-numeric: tabular-nums;}
.pt .rule {grid-column: 1 / -1; border-top: 1px solid rgb(128 128 128 / 30%); margin: 3px 0;}
/* A phone: five pictures in a line below their heading, so that the numbers have room. */
@media (max-width: 640px) {
  .pt {grid-template-columns: repeat(5, minmax(0, 84px));}
  .pt .head {grid-column: 1 / -1;}
  .st-key-tall .pt .late {display: none;}  /* one line a row, where there are many rows */
}
.cards {display: flex; flex-wrap: wrap; gap: 10px;}
.cards figure {width: 134px; padding: 6px; border-radius: 8px; border: 2px solid transparent;}
.cards figure.best {border-color: #2e9e5b;}
.cards figcaption {font-weight: 600; line-height: 1.3; margin-top: 6px;}
.cards figure[style] figcaption::before {content: ""; display: inline-block; width: .7em;
  height: .7em; margin-right: .35em; border-radius: 50%; background: var(--colour);}
.cards .number {font-variant-numeric: tabular-nums; font-size: 1.1rem;}
.cards .none {aspect-ratio: 1; display: grid; place-items: center; padding: 8px; font-size: .8rem;
  opacity: .75; border: 1px dashed rgb(128 128 128 / 60%); border-radius: 4px;}
.cards .tag {color: #2e9e5b;}
@media (max-width: 640px) {  /* three in a row on a phone, without the small print */
  .cards figure {width: calc((100% - 20px) / 3); padding: 2px; box-sizing: border-box;}
  .cards figcaption {font-size: .85rem;} .cards .number {font-size: .95rem;}
  .cards small {display: none;}
}
</style>"""

ON_PHONE = 5  # pictures in one line
MOST = "84px"  # side of a picture
OTHERS, CAPTION, GAP = 280, 16, 8  # pixels: all but the rows in the first screen; in each row
_LATE = ' class="late"'


@dataclass(frozen=True)
class PictureRow:
    """One row: a heading, a smaller line, pictures uint8 (N, H, W) or (N, H, W, 3), captions."""

    title: str
    detail: str
    images: NDArray[np.uint8]
    captions: Sequence[str] = field(default=())
    rule: bool = False  # a line above


@dataclass(frozen=True)
class PictureCard:
    """One picture with its name, a number, and a note; ``image`` None shows the note instead."""

    title: str
    image: NDArray[np.uint8] | None
    number: str = ""
    note: str = ""
    best: bool = False
    colour: str = ""  # of its curve in a chart on the page: a dot before the name


def grey(x: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Pixels in [0, 1] -> uint8."""
    return np.clip(np.round(np.asarray(x) * 255), 0, 255).astype(np.uint8)


def picture_table(
    rows: Sequence[PictureRow], where: DeltaGenerator | None = None, *, fits: bool = False
) -> None:
    """Show rows of pictures below each other, columns aligned; all rows have as many pictures.

    fits: pictures are small enough for all rows to be in the first screen, if 40 pixels are enough.
    """
    cells = "".join(_row(row) for row in rows)
    lines = OTHERS + sum(CAPTION for row in rows if row.captions) + sum(GAP for row in rows)
    most = f"clamp(40px, (100dvh - {lines}px) / {len(rows)}, {MOST})" if fits else MOST
    columns = f"--columns: {len(rows[0].images)}; --most: {most}"
    (where or st).html(f'{_STYLE}<div class="pt" style="{columns}">{cells}</div>')


def cards(items: Sequence[PictureCard], where: DeltaGenerator | None = None) -> None:
    """Show pictures side by side, each with name and number; the best is framed."""
    body = "".join(_card(item) for item in items)
    (where or st).html(f'{_STYLE}<div class="cards">{body}</div>')


def _row(row: PictureRow) -> str:
    captions = list(row.captions) or [""] * len(row.images)
    figures = "".join(
        f"<figure{_LATE if n >= ON_PHONE else ''}>{_img(image, row.title)}"
        + (f"<figcaption>{escape(text)}</figcaption>" if text else "")
        + "</figure>"
        for n, (image, text) in enumerate(zip(row.images, captions, strict=True))
    )
    rule = '<div class="rule"></div>' if row.rule else ""
    head = f'<div class="head">{escape(row.title)}<small>{escape(row.detail)}</small></div>'
    return rule + head + figures


def _card(card: PictureCard) -> str:
    picture = (
        f'<div class="none">{escape(card.note)}</div>'
        if card.image is None
        else _img(card.image, card.title)
    )
    tag = ' <span class="tag">★ best</span>' if card.best else ""
    note = f"<small>{escape(card.note)}</small>" if card.image is not None and card.note else ""
    colour = f' style="--colour: {escape(card.colour)}"' if card.colour else ""
    return (
        f'<figure class="{"best" if card.best else ""}"{colour}>{picture}'
        f"<figcaption>{escape(card.title)}"
        f'<div class="number">{escape(card.number)}{tag}</div>{note}</figcaption></figure>'
    )


def _img(image: NDArray[np.uint8], alt: str) -> str:
    return f'<img alt="{escape(alt)}" src="{data_url(image)}">'
