"""Step by step: a private copy of a GAN that trains while somebody watches."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.explore.coverage import Coverage
from genlib.explore.duel import WATCHED, Duel, DuelPoint
from genlib.store.checkpoint import Info
from genlib.ui.adversarial.gan import data
from genlib.ui.adversarial.gan.training import say_collapse
from genlib.ui.components.live_slider import live_slider, move
from genlib.ui.kit import guard, images, loading
from genlib.ui.kit.columns import side_by_side
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.pickers import button_row, choose, download
from genlib.ui.kit.plain import plain

if TYPE_CHECKING:
    import pandas as pd

KEY = "gan.duel"
POLL = 0.4  # seconds between two looks
STARTS = {"trained": "Trained", "first": "First epoch", "fresh": "Untrained"}
WHOM = {"both": "Both", "d": "Only D", "g": "Only G"}
SPEEDS = {"slow": "Slow motion", "full": "Full speed"}
SLOW_S = 1.0  # seconds between two steps in slow motion
RATES = [a * 10**e for e in range(-5, -1) for a in (1, 2, 5)] + [0.1]
COLLAPSES, COLLAPSE = "gan-mlp", 0.01  # its G alone soon draws few kinds of images at this rate
BATCH = 64  # or all images, where there are fewer


def theatre(info: Info, controls: DeltaGenerator) -> None:
    """Controls, then what they do; the numbers are measured on the same images every time."""
    if len(loading.pictures_of(info).train_x) < 2:
        st.info(
            f"A step needs at least two training images, and {plain(info.name)} has only one.",
            icon=":material/info:",
        )
        return
    with controls:
        start, who, pause_s = _rules(info)
    duel = _session_duel(info, start)
    duel.who, duel.pause_s = who, pause_s
    _buttons(duel)
    _rate(duel)
    polled(f"{KEY}.live", _live, duel, every=POLL, busy=duel.running)
    _coverage(info, duel)
    st.caption(
        f"D(x) and D(G(z)) are means over the same {duel.watched} real images and the same "
        f"{WATCHED} z after every step, without dropout, so each change comes from that step. The "
        "optimizers start fresh, so Adam's first steps are large."
    )


def _rules(info: Info) -> tuple[str, str, float]:
    """The rules of the duel, as chosen: (start, who trains, seconds between two steps)."""
    early = first_epoch(info)
    start = choose(
        "Start",
        {name: text for name, text in STARTS.items() if early or name != "first"},
        f"{KEY}.start",
        "Start from a copy of the trained weights, from those of the first saved epoch, or from "
        "new random weights. The checkpoint itself doesn't change.",
        wrap=True,
    )
    who = choose(
        "Who trains",
        WHOM,
        f"{KEY}.who",
        "**Both**: one step each, D first. The checkpoint's own `d_steps` isn't used.",
    )
    st.button(
        "Make it collapse",
        icon=":material/compress:",
        key=f"{KEY}.collapse",
        on_click=_collapse,
        help=f"Sets only G of {COLLAPSES} to train, at a learning rate of {COLLAPSE:g}. Press "
        "Run, and after some thirty steps count its classes.",
    )
    slow = f"Slow motion: one step every {SLOW_S:g} s."
    speed = choose("Speed", SPEEDS, f"{KEY}.speed", slow, default="full")
    return start, who, SLOW_S if speed == "slow" else 0.0


def _collapse() -> None:
    """The settings for it: nothing answers what G finds out about D, and no batch norm keeps its
    samples apart."""
    if COLLAPSES in [info.name for info in loading.checkpoints("StepsApart", "Decodes")]:
        st.session_state["gan.model"] = COLLAPSES
    st.session_state[f"{KEY}.who"] = "g"
    st.session_state[f"{KEY}.start"] = "trained"
    move(f"{KEY}.lr", COLLAPSE)


def _coverage(info: Info, duel: Duel) -> None:
    """What the private copy's samples cover, counted when asked for: as the Coverage view does."""
    judge = data.judge_of(info)
    if judge is None:
        return
    key = f"{KEY}.covered"
    if st.button(
        "Count its classes",
        icon=":material/bar_chart:",
        key=f"{KEY}.count",
        help=f"Pause, and look for signs of collapse in {data.N:,} samples, as Coverage does.",
    ):
        drawn = duel.draw(data.N, 1)
        found = data.covered(judge.info.path, drawn, loading.pictures_of(info))
        st.session_state[key] = (duel.trace[-1], found)
    counted: tuple[DuelPoint, Coverage] | None = st.session_state.get(key)
    if counted is not None and counted[0] == duel.trace[-1]:
        say_collapse(counted[1], judge)


def first_epoch(info: Info) -> Path | None:
    """The weights after the first epoch that was kept, if others came after it."""
    earlier = [path for epoch, path in info.snapshots if 0 < epoch < info.epoch]
    return earlier[0] if earlier else None


def _session_duel(info: Info, start: str) -> Duel:
    """This session's duel; another checkpoint or start means another one."""
    signature = f"{info.stamp}:{start}"
    held: tuple[str, Duel] | None = st.session_state.get(f"{KEY}.held")
    if held is not None and held[0] == signature:
        return held[1]
    if held is not None:
        held[1].close()
    duel = _begin(info, start)
    st.session_state[f"{KEY}.held"] = (signature, duel)
    return duel


def _begin(info: Info, start: str) -> Duel:
    from genlib.store import checkpoint

    model = checkpoint.build(info) if start == "fresh" else loading.model(_source(info, start))
    lr = float(str(info.train.get("lr", 2e-4)))
    x = loading.pictures_of(info).train_x
    return Duel(model.eval(), x, lr=lr, batch=min(BATCH, len(x)), owner=guard.visitor())


def _source(info: Info, start: str) -> Path:
    return (first_epoch(info) if start == "first" else None) or info.path


def _buttons(duel: Duel) -> None:
    pause = ("Pause", "pause", "pause", duel.pause, "Nothing is lost.")
    start, step = partial(duel.start, duel.who, duel.pause_s), duel.step_once
    run = ("Run", "play_arrow", "go", start, "Train step after step until paused.")
    once = (
        (name, icon, f"once.{who}", partial(step, who), f"Pause, then {n} on {duel.batch} images.")
        for who, name, icon, n in (
            ("d", "Train D once", "gavel", "one step"),
            ("g", "Train G once", "brush", "one step"),
            ("both", "Both once", "skip_next", "one step each, D first,"),
        )
    )
    back = "Go back to the first weights, with fresh optimizers."
    reset = ("Reset", "restart_alt", "reset", duel.reset, back)
    button_row(KEY, pause if duel.running else run, *once, reset)


@st.fragment
def _rate(duel: Duel) -> None:
    """The learning rate, which reaches the running duel while it is dragged."""
    duel.lr = live_slider(
        f"{KEY}.lr",
        "Learning rate of both",
        RATES[0],
        RATES[-1],
        2e-4,
        1e-5,
        "Step size of Adam (β1 = 0.5) for D and G. You can change it while it runs.",
        options=RATES,
    )


def _live(duel: Duel) -> bool:
    """Samples and curves; returns whether it runs, which the buttons must say too."""
    duel.beat()
    running = duel.running
    if duel.error:
        st.error(plain(duel.error), icon=":material/error:")
    now = duel.trace[-1]
    before = duel.trace[-2] if len(duel.trace) > 1 else now
    left, right = side_by_side(320, 530, gap="small")
    with left:
        grid = images.grid_image(duel.grid, 6)
        st.image(images.data_url(grid), width="stretch", alt="Samples of the private copy")
        company = duel.company()
        state = f"{duel.rate:.1f} rounds/s" + (f", {company}" if company else "")
        st.caption(
            f"G after {now.g_steps:,} steps of G and {now.d_steps:,} of D, learning rate "
            f"{duel.lr:.2g}" + (f", {state}." if duel.running else ", paused.")
        )
        download(
            "Samples (PNG)",
            lambda: images.to_png(grid, scale=4),
            "duel.png",
            "Pause first." if duel.running else "The grid above.",
            key=f"{KEY}.png",
            disabled=duel.running,
        )
    with right:
        _numbers(now, before)
        if len(duel.trace) < 2:
            st.caption("The curves appear after the first step.")
            return running
        frame = _frame(duel.trace)
        for names, title in ((("D(x)", "D(G(z))"), "D, mean"), (("D's loss", "G's loss"), "nats")):
            st.vega_lite_chart(frame[frame["name"].isin(names)], _chart(names, title))
    return running


def _numbers(now: DuelPoint, before: DuelPoint) -> None:
    shown = {
        "D(x)": (now.d_x, before.d_x, "Mean probability that D gives to real images."),
        "D(G(z))": (now.d_gz, before.d_gz, "The same for G's samples."),
        "D's loss": (now.d_loss, before.d_loss, "−log D(x) − log(1 − D(G(z))), nats."),
        "G's loss": (now.g_loss, before.g_loss, "−log D(G(z)), nats (non-saturating)."),
    }
    with st.container(horizontal=True):
        for name, (value, old, help) in shown.items():
            st.metric(
                name,
                f"{value:.3f}",
                f"{value - old:+.3f}",
                delta_color="off",
                delta_arrow="auto" if value != old else "off",
                help=help,
                width="stretch",
            )


def _frame(trace: list[DuelPoint]) -> pd.DataFrame:
    import pandas as pd  # 0.4 s, which a page that only shows lessons doesn't wait for

    rows = []
    for p in trace:
        values = {"D(x)": p.d_x, "D(G(z))": p.d_gz, "D's loss": p.d_loss, "G's loss": p.g_loss}
        rows += [(p.steps, name, value) for name, value in values.items()]
    return pd.DataFrame(rows, columns=["step", "name", "value"])


def _chart(names: tuple[str, ...], title: str) -> dict[str, object]:
    """A constant specification, so that the browser moves the lines instead of redrawing."""
    return {
        "height": 150,
        "mark": {"type": "line", "strokeWidth": 2.5, "point": {"size": 14, "filled": True}},
        "encoding": {
            "x": {
                "field": "step",
                "type": "quantitative",
                "title": "steps of D and G together",
                "axis": {"tickCount": 6, "format": "d"},
            },
            "y": {"field": "value", "type": "quantitative", "title": title},
            "color": {
                "field": "name",
                "type": "nominal",
                "title": None,
                "scale": {"domain": list(names)},
                "legend": {"orient": "top", "direction": "horizontal"},
            },
            "tooltip": [
                {"field": "name", "type": "nominal"},
                {"field": "step", "type": "quantitative"},
                {"field": "value", "type": "quantitative", "format": ".4f"},
            ],
        },
    }
