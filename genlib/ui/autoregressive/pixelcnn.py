"""What the page of autoregressive models shows: drawings, receptive fields, nats; all cached.

Images appear pixel by pixel in the browser. Python draws them, which takes a moment, and sends them
with all predictions once: replay, scrubbing and the number under the mouse then cost no traffic.
Where the mouse rests on a pixel, its place is sent back, and the page answers with the receptive
field there.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.data.datasets import to_float
from genlib.explore.pixels import field, grow
from genlib.models.capabilities import Autoregressive
from genlib.plots.likelihood import nats_figure
from genlib.store.checkpoint import Info
from genlib.ui.components.packet import Part, pack
from genlib.ui.kit import loading
from genlib.ui.kit.images import grid_image, to_gif, to_png
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.web import component, keep, said

N = 16  # images on the stage
CHUNK = 32  # test images a turn: a fraction of a second
CHUNKS = 16
FIRST_S, TURN_S = 0.02, 0.3  # seconds of counting while the page is drawn, and in each turn after
FRAMES = 56  # of the film of the growth
VIEWS = ("image", "p", "nats")
BLANK = 0.4  # grey of a pixel that is not yet drawn, in the film

Bits = NDArray[np.uint8]


@dataclass(frozen=True)
class Pixel:
    """A pixel of one of the images."""

    sample: int
    row: int
    column: int


@dataclass(frozen=True)
class Lit:
    """A receptive field to show: of which pixel, uint8 pull (H, W), and what can matter at all."""

    pixel: Pixel
    pull: NDArray[np.uint8]
    seen: NDArray[np.bool_]


@dataclass(frozen=True)
class Sheet:
    """Images and predictions: images uint8 (n, H, W) of 0 and 1; logits float32 (n, H, W).

    known: how many pixels were given; name: changes with the images, so that the replay
    restarts; replay: whether there is one; view: which of ``VIEWS`` is shown first.
    """

    images: NDArray[np.uint8]
    logits: NDArray[np.float32]
    name: str
    known: int = 0
    temperature: float = 1.0
    replay: bool = True
    view: str = "image"


def binary(image: Tensor) -> Bits:
    """Black and white: ink where a pixel is above one half, (1, H, W) -> uint8 (H, W)."""
    return cast(Bits, (image[0] > 0.5).cpu().numpy().astype(np.uint8))


def grown(info: Info, start: Bits, rows: int, temperature: float, seed: int) -> Sheet:
    """N drawings that begin with the first ``rows`` rows of ``start`` (H, W)."""
    kept = start if rows else np.zeros_like(start)  # nothing known: the digit does not matter
    return _grown(info, kept, rows, temperature, seed)


@st.cache_data(max_entries=64, show_spinner="Drawing …", hash_funcs=loading.BY_FILE)
def _grown(info: Info, start: Bits, rows: int, temperature: float, seed: int) -> Sheet:
    model, like = _model(info)
    image = _tensor(start).to(like)
    drawn = grow(model, image[0], rows, N, temperature, seed)
    return Sheet(
        loading.cpu(drawn.images)[:, 0].astype(np.uint8),
        loading.cpu(drawn.logits)[:, 0],
        _name(info.stamp, start.tobytes(), rows, temperature, seed),
        known=rows * image.shape[-1],
        temperature=temperature,
    )


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs=loading.BY_FILE)
def judged(info: Info, image: Bits) -> Sheet:
    """One given image (H, W) with what the model expected of each pixel."""
    model, like = _model(info)
    x = _tensor(image).to(like)
    with torch.no_grad():
        logits = loading.cpu(model.pixel_logits(x))[:, 0]
    bits = loading.cpu(x)[:, 0].astype(np.uint8)
    return Sheet(bits, logits, _name(info.stamp, image.tobytes()), replay=False, view="nats")


def nats(sheet: Sheet) -> float:
    """-log p of the sheet's first image under the model, in nats."""
    logits, ink = sheet.logits[0].astype(np.float64), sheet.images[0]
    return float((np.logaddexp(0.0, logits) - logits * ink).sum())


@st.fragment
def stage(key: str, info: Info, sheet: Sheet) -> None:
    """The sheet, and the receptive field under the mouse. Only this part reruns."""
    loading.go_on_without(info)
    pixel = asked_pixel(key, sheet)
    pixels(key, sheet, lit(info, sheet, pixel) if pixel else None)


def asked_pixel(key: str, sheet: Sheet) -> Pixel | None:
    """The pixel on which the mouse rests; None for none and for anything malformed."""
    sent = said(key, "rest")
    if not isinstance(sent, Mapping) or sent.get("name") != sheet.name:
        return None
    numbers = [sent.get(part) for part in ("sample", "row", "column")]
    for number, limit in zip(numbers, sheet.images.shape, strict=True):
        if not isinstance(number, int) or not 0 <= number < limit:
            return None
    return Pixel(*(int(number) for number in numbers if isinstance(number, int)))


def pixels(key: str, sheet: Sheet, lit: Lit | None = None) -> None:
    """Show the sheet; call it inside a fragment, which reruns where the mouse rests."""
    if sheet.view not in VIEWS:
        raise ValueError(f"view must be one of {', '.join(VIEWS)}, got {sheet.view}")
    values: dict[str, object] = {
        "shape": list(sheet.images.shape),
        "name": sheet.name,
        "known": sheet.known,
        "temperature": sheet.temperature,
        "replay": sheet.replay,
        "view": sheet.view,
        "lit": [lit.pixel.sample, lit.pixel.row, lit.pixel.column] if lit else None,
    }
    parts: dict[str, Part] = {"images": sheet.images, "logits": sheet.logits}
    if lit:
        parts |= {"pull": lit.pull, "seen": lit.seen.astype(np.uint8)}
    component("pixels")(key=key, data=pack(values, parts), on_rest_change=keep)


def lit(info: Info, sheet: Sheet, pixel: Pixel) -> Lit:
    """The receptive field of a pixel at its image; the strongest pull is 255."""
    pull, seen = _field(info, sheet.images[pixel.sample], pixel.row, pixel.column)
    share = pull / max(float(pull.max()), 1e-12)
    return Lit(pixel, (255 * share).round().astype(np.uint8), seen)


@st.cache_data(max_entries=512, show_spinner=False, hash_funcs=loading.BY_FILE)
def _field(
    info: Info, image: Bits, row: int, column: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    model, like = _model(info)
    found = field(model, _tensor(image).to(like), row, column)
    return loading.cpu(found.pull), found.seen.cpu().numpy()


def against_the_test_set(info: Info, own: float | None) -> None:
    """Where an image's nats lie among those of test digits, which are counted in short turns."""
    turns: list[float] = [FIRST_S]  # the page itself waits for little more than what is known

    def panel() -> bool:
        loading.go_on_without(info)
        finished = _count(info, turns.pop() if turns else TURN_S)
        if finished < CHUNKS:
            text = f"Test digits: {finished * CHUNK} of {CHUNKS * CHUNK}"
            st.progress(finished / CHUNKS, text)
            return True
        _show(np.concatenate([_chunk(info, k) for k in range(CHUNKS)]), own)
        return False

    counting = f"pixelcnn.counting {info.stamp}"
    polled(counting, panel, every=0.3, busy=bool(st.session_state.get(counting, True)))


def _count(info: Info, seconds: float) -> int:
    """Chunks that are there after so many seconds of work, or one more."""
    until = time.monotonic() + seconds
    for k in range(CHUNKS):
        _chunk(info, k)
        if time.monotonic() > until:
            return k + 1
    return CHUNKS


def _show(costs: NDArray[np.float64], own: float | None) -> None:
    mean, error = costs.mean(), costs.std(ddof=1) / len(costs) ** 0.5
    st.plotly_chart(nats_figure(costs, own), key="pixelcnn.nats")
    words = f"{len(costs)} test digits cost **{mean:.1f} ± {error:.1f}** nats on average (dotted)"
    if own is not None:
        share = (costs >= own).mean()
        words += f"; **{share:.0%}** of them cost as much as this image or more"
    st.markdown(words + ".", help="Mean ± standard error; black and white at one half.")


@st.cache_data(max_entries=1024, show_spinner=False, hash_funcs=loading.BY_FILE)
def _chunk(info: Info, k: int) -> NDArray[np.float64]:
    model, like = _model(info)
    images = loading.pictures_of(info).test_x[k * CHUNK : (k + 1) * CHUNK]
    with torch.no_grad():
        costs = model.pixel_nll((to_float(images) > 0.5).to(like)).flatten(1).sum(1)
    return loading.cpu(costs).astype(np.float64)


def as_png(sheet: Sheet) -> bytes:
    """The finished images, eight to a row."""
    return to_png(grid_image(sheet.images * np.uint8(255), columns=8, gap=2), scale=6)


def as_gif(sheet: Sheet) -> bytes:
    """The growth as an endless film; the last picture stays a while."""
    total = sheet.images[0].size
    stops = np.linspace(sheet.known, total, FRAMES).round().astype(int).tolist()
    order = np.arange(total).reshape(sheet.images[0].shape)
    frames = [
        grid_image(np.where(order < stop, sheet.images, BLANK).astype(np.float32), 8, 2, 0.25)
        for stop in [*stops, *[total] * 14]
    ]
    return to_gif(np.stack(frames), seconds=0.08, scale=3)


def _model(info: Info) -> tuple[Autoregressive, Tensor]:
    """A checkpoint's model, and a parameter that says device and type."""
    net = loading.model(info)
    if not isinstance(net, Autoregressive):
        raise TypeError(f"{info.name} does not predict pixel by pixel")
    return net, next(net.parameters())


def _tensor(image: Bits) -> Tensor:
    return torch.from_numpy(image.copy())[None, None]


def _name(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
