"""What the pages of gradient ascent share: one running ascent per session, its film and buttons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from genlib.explore.ascent.climb import Ascent
from genlib.explore.ascent.film import gif, png
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from genlib.explore.ascent.live import Live
from genlib.explore.ascent.shown import pixels
from genlib.explore.ascent.team import Team
from genlib.ui.components import frames
from genlib.ui.components.film import PANELS, film
from genlib.ui.components.film_packet import wall
from genlib.ui.components.live_slider import live_slider
from genlib.ui.kit import guard, links
from genlib.ui.kit.pickers import button_row, download

LEARNING_RATES = [a * 10**e for e in range(-3, 3) for a in (1, 2, 5)]
AMOUNTS = {
    "l2": [0.0, *(a * 10**e for e in range(-5, 1) for a in (1, 2, 5))],
    "keep": [0.0, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0],
}
SEED = 0
MOST_LINKED = 1000  # steps that a link may ask for
DOWNLOAD_EDGE = 560  # pixels that a downloaded picture has at least


@dataclass(frozen=True)
class Stage:
    """What the film needs: the ascent and what is written next to it."""

    key: str
    live: Live
    captions: bool = True
    compare: bool = False
    panels: Sequence[str] = PANELS


def session_live(key: str, lenses: Mapping[str, Lens], make: Callable[[], Live]) -> Live:
    """This session's ascent; other networks, or other weights of theirs, go on from its pictures.

    lenses: by the names of their networks.
    """
    signature = "|".join(f"{name} {lens.network.stamp}" for name, lens in lenses.items())
    held: tuple[str, Live] | None = st.session_state.get(f"{key}.live")
    if held is not None and held[0] == signature:
        return held[1]
    live = make()
    if held is not None:
        _hand_over(held[1], live)
    st.session_state[f"{key}.live"] = (signature, live)
    return live


def _hand_over(old: Live, new: Live) -> None:
    """Go on from an ascent's pictures with other networks: each from its own, or from the first."""
    running = old.running
    old.close()
    if old.shown.step:
        classes, size = old.shown.classes, len(old.names) // len(old.groups)
        rows = []
        for wanted in new.shown.classes:
            group, name = divmod(wanted, len(new.names) // len(new.groups))
            place = min(group, len(old.groups) - 1)
            if new.groups[group] in old.groups:
                place = old.groups.index(new.groups[group])
            own = [row for row, c in enumerate(classes) if c // size == place]
            same = [row for row in own if classes[row] % size == name]
            rows.append((same or own)[0])
        new.resume(like(old.picture()[rows], new.original), old.shown.step)
    if running:
        new.start()


def like(image: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The picture in the colours and the size of another one: (B, C, H, W) -> (B, C', H', W')."""
    if image.shape[1] != other.shape[1]:
        image = image.mean(1, keepdim=True).expand(-1, other.shape[1], -1, -1)
    if image.shape[2:] != other.shape[2:]:
        size = (other.shape[2], other.shape[3])
        image = F.interpolate(image, size, mode="bilinear", antialias=True).clamp(0, 1)
    return image.contiguous()


def begin(
    lenses: Sequence[Lens],
    image: torch.Tensor,
    classes: Sequence[int],
    knobs: Knobs,
    rest_every: int = 0,
) -> Live:
    """A new ascent of one network or several, resting at its first pictures.

    image: (B, C, H, W) in [0, 1], the pictures of one network after those of the other; classes:
    the same for each network.
    """
    parts = image.split(len(classes))
    ascents = [
        Ascent(lens, part, classes, knobs, torch.Generator().manual_seed(SEED))
        for lens, part in zip(lenses, parts, strict=True)
    ]
    one = ascents[0] if len(ascents) == 1 else Team(ascents)
    return Live(one, owner=guard.visitor(), rest_every=rest_every, original=image)


def climb_as_linked(key: str, live: Live, first: torch.Tensor) -> None:
    """Climb from the first pictures to the step that the link names, as lessons ask for.

    Another question or answer of a lesson begins again; nothing else does.
    """
    asked = _asked(key)
    before = st.session_state.get(f"{key}.asked", Asked())
    st.session_state[f"{key}.asked"] = asked
    if asked == before or not (asked.steps or asked.lesson):
        return
    live.reset(first)
    if asked.steps:
        live.start(until=asked.steps)


@dataclass(frozen=True)
class Asked:
    """What a link asks of an ascent: how many steps, for which lesson's question or answer."""

    steps: int = 0
    lesson: str = ""
    answer: str = ""


def _asked(key: str) -> Asked:
    steps = min(links.number(f"{key}.steps"), MOST_LINKED)
    return Asked(steps, st.query_params.get("lesson", ""), st.query_params.get("answer", ""))


def transport(key: str, live: Live, reset: Callable[[], None], reset_help: str) -> None:
    """Start or pause, single step, reset: in a row above the picture."""
    st.session_state[f"{key}.was_running"] = live.running
    go_on = live.rest_every and live.shown.step

    def own(act: Callable[[], None]) -> Callable[[], None]:
        """From here on the person decides, not the link."""

        def act_now() -> None:
            st.query_params.pop(f"{key}.steps", None)
            st.session_state[f"{key}.asked"] = _asked(key)
            act()

        return act_now

    with st.container(key=f"{key}.transport"):
        button_row(
            key,
            ("Pause", "pause", "pause", own(live.pause), "Freeze the picture; nothing is lost.")
            if live.running
            else (
                "Continue" if go_on else "Start",
                "play_arrow",
                "go",
                own(live.start),
                f"Climb {live.rest_every} steps." if live.rest_every else "Climb until paused.",
            ),
            ("Step", "skip_next", "step", own(live.step_once), "Pause and make exactly one step."),
            ("Reset", "restart_alt", "reset", own(reset), reset_help),
        )


def line_names(live: Live, classes: Sequence[int]) -> list[str]:
    """What the curves of these classes are called: with the network, where there are several."""
    size = len(live.names) // len(live.groups)
    if len(live.groups) == 1:
        return [live.names[c] for c in classes]
    return [f"{live.names[c]}, {live.groups[c // size]}" for c in classes]


@st.fragment
def show(stage: Stage) -> None:
    """The film and the filmstrip; reruns only when it stops by itself or goes back a frame."""
    live = stage.live
    live.beat()
    film(f"{stage.key}.film", live, stage.captions, stage.compare, stage.panels)
    if live.running != st.session_state.get(f"{stage.key}.was_running", live.running):
        st.rerun()  # the buttons must say so


def pick_octaves(key: str, most: int, default: int, effect: str) -> int:
    """How many octaves to climb in, up to ``most``; ``effect`` begins "in several sizes"."""
    if most == 1:
        st.slider(
            "Octaves",
            1,
            2,
            1,
            key=f"{key}.one_octave",
            disabled=True,
            help="This network takes no picture smaller than this one.",
        )
        return 1
    return st.slider(
        "Octaves",
        1,
        most,
        min(default, most),
        key=f"{key}.octaves",
        bind="query-params",
        help="At how many sizes the ascent works on the picture in turn, each 1.4 times the one "
        f"before: {effect} at several sizes. The network limits the smallest one.",
    )


def knob_controls(key: str, defaults: Knobs, side: int, address: str) -> Knobs:
    """The knobs of the lecture, and folded away those of the later literature."""
    lr, pull = _step(key, defaults, address)
    jitter, blur = _calm(key, defaults, side, address)
    clip = st.toggle(
        "Clip to 0 … 1",
        defaults.clip,
        key=f"{key}.clip",
        bind="query-params",
        help="Keep each pixel between black and white.",
    )
    with st.expander("More knobs", icon=":material/tune:"):
        more = _more(key, defaults, address)
    more.lr, more.jitter, more.clip, more.blur_every = lr, round(jitter), clip, round(blur)
    more.l2, more.keep = pull.get("l2", 0.0), pull.get("keep", 0.0)
    return more


# What pulls against the gradient: label and help. One of them is offered.
PULLS = {
    "l2": (
        "L2",
        "Pull towards the network's base colour, so that no pixel is bright without a reason.",
    ),
    "keep": (
        "Stay close to the photograph",
        "Pull towards the photograph. At 1, a typical pixel moves at most about half of the way "
        "from black to white; at 5, a tenth.",
    ),
}


def _step(key: str, defaults: Knobs, address: str) -> tuple[float, dict[str, float]]:
    """Learning rate, and what pulls against it: towards the photograph where that is the default,
    else towards the base colour."""
    lr = live_slider(
        f"{key}.lr",
        "Learning rate",
        LEARNING_RATES[0],
        LEARNING_RATES[-1],
        defaults.lr,
        1e-3,
        "Length of a step: X += learning rate × (dX − 2 · L2 · X), pixels from 0 to 1.",
        options=LEARNING_RATES,
        post=(address, "lr"),
    )
    name = "keep" if defaults.keep else "l2"
    label, help = PULLS[name]
    stops = AMOUNTS[name]
    pull = live_slider(
        f"{key}.{name}",
        label,
        stops[0],
        stops[-1],
        getattr(defaults, name),
        1e-5,
        help,
        options=stops,
        post=(address, name),
    )
    return lr, {name: pull}


def _calm(key: str, defaults: Knobs, side: int, address: str) -> tuple[float, float]:
    """Jitter in pixels, and the number of steps from blur to blur."""
    jitter = live_slider(
        f"{key}.jitter",
        "Jitter (pixels)",
        0,
        max(4, side // 7),
        defaults.jitter,
        1,
        "Shift the picture by up to this many pixels before each step, and back afterwards.",
        post=(address, "jitter"),
    )
    blur = live_slider(
        f"{key}.blur",
        "Blur every … steps",
        0,
        50,
        defaults.blur_every,
        1,
        "Blur with a Gaussian of the width given below; 0 means never.",
        post=(address, "blur_every"),
    )
    return jitter, blur


@st.fragment
def turn_knobs(key: str, live: Live, defaults: Knobs, side: int) -> None:
    """The knobs, which reach the running ascent while they are dragged: when the hand rests, only
    this part reruns.

    Objective, layer, channel and octaves are not among them and stay as in ``defaults``.
    """
    knobs = knob_controls(key, defaults, side, frames.address(live))
    knobs.objective, knobs.layer, knobs.channel = (
        defaults.objective,
        defaults.layer,
        defaults.channel,
    )
    knobs.octaves = defaults.octaves
    live.set_knobs(knobs)


def _more(key: str, defaults: Knobs, address: str) -> Knobs:
    """Width of the blur, normalised gradient, Fourier, random scale and rotation."""
    sigma = live_slider(
        f"{key}.sigma",
        "Blur width (pixels)",
        0.2,
        2.0,
        defaults.blur_sigma,
        0.1,
        "Standard deviation of the Gaussian.",
        post=(address, "blur_sigma"),
    )
    normalise = st.toggle(
        "Normalise the gradient",
        defaults.normalise,
        key=f"{key}.normalise",
        bind="query-params",
        help="Divide it by its root mean square: the learning rate is then a pixel's typical "
        "change per step, whatever the network.",
    )
    fourier = st.toggle(
        "Fourier, decorrelated colour",
        defaults.parameterisation == "fourier",
        key=f"{key}.fourier",
        bind="query-params",
        help="Step in frequencies instead of pixels: favours large smooth shapes. It can be "
        "switched while it runs.",
    )
    percent, rotate = _moves(key, defaults, address)
    return Knobs(
        objective=defaults.objective,
        parameterisation="fourier" if fourier else "pixels",
        blur_sigma=sigma,
        normalise=normalise,
        scale=percent / 100,
        rotate=rotate,
    )


def _moves(key: str, defaults: Knobs, address: str) -> tuple[float, float]:
    """Random scale in percent and random rotation in degrees."""
    percent = live_slider(
        f"{key}.scale",
        "Random scale (%)",
        0,
        30,
        round(100 * defaults.scale),
        1,
        "Zoom by up to this much before each step.",
        post=(address, "scale"),
    )
    rotate = live_slider(
        f"{key}.rotate",
        "Random rotation (degrees)",
        0,
        45,
        round(defaults.rotate),
        1,
        "Rotate by up to this much before each step.",
        post=(address, "rotate"),
    )
    return percent, rotate


def downloads(key: str, live: Live, name: str) -> None:
    """PNG of the picture and GIF of the film, made when the button is pressed."""

    def as_png() -> bytes:
        picture = wall(live.shown.images, live.columns)
        return png(picture, _zoom(picture))

    def as_gif() -> bytes:
        frames = [wall(pixels(kept.image), live.columns) for kept in live.film.frames]
        shape = frames[-1].shape  # targets may have changed from one to ten: keep one size
        alike = [f for f in frames if f.shape == shape]
        return gif(alike, zoom=_zoom(alike[0]))

    with st.container(horizontal=True):
        download(
            "PNG", as_png, f"{name}.png", "The picture as it is, pixels enlarged.", key=f"{key}.png"
        )
        download(
            "GIF of the film",
            as_gif,
            f"{name}.gif",
            "All frames of the filmstrip.",
            key=f"{key}.gif",
        )


def _zoom(picture: NDArray[np.uint8]) -> int:
    return max(1, -(-DOWNLOAD_EDGE // picture.shape[1]))
