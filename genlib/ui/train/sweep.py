"""Sweeps: the same run for several values of one setting, and what each value gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.environment import LimitError
from genlib.models import FAMILIES
from genlib.runs import queue
from genlib.runs.directory import Run, RunSpec
from genlib.settings import Spec, TrainSettings
from genlib.store.recipes import RECIPES
from genlib.ui.kit import guard, images, loading, rights
from genlib.ui.kit.plain import plain
from genlib.ui.train import form

MOST = 12  # runs in one sweep
DIGITS = 9  # in a strip
IMAGES = 2000  # test images behind the error
EXAMPLES = {"latent_dim": "2, 10, 100", "beta": "0.1; 1; 4", "strength": "0; 0.3; 0.6"}


@dataclass(frozen=True)
class Plan:
    """The runs that a sweep would start, or why it cannot."""

    specs: list[RunSpec]
    error: str = ""


def plan(base: RunSpec, spec: Spec, text: str) -> Plan:
    """Read a list of values, "2, 10, 100", and make one run of each.

    Values that hold commas themselves (hidden sizes, classes) are separated by semicolons.
    """
    parts = [p.strip() for p in text.split(";" if ";" in text or spec.kind is tuple else ",")]
    parts = list(dict.fromkeys(p for p in parts if p))
    if len(parts) < 2:
        return Plan([], "Give at least two values, separated by commas.")
    if len(parts) > MOST:
        return Plan([], f"A sweep has at most {MOST} values, got {len(parts)}.")
    family = FAMILIES[base.family]
    try:
        values = [spec.parse(part) for part in parts]
        made = [_with(base, family.Config.specs(), spec.name, value) for value in values]
        for one in made:
            family.Config.from_dict(one.model)
            TrainSettings.from_dict(one.train)
    except ValueError as error:
        return Plan([], f"{error}.")
    title = f"{base.family} {spec.name}: {', '.join(parts)}"[:200]
    named = [
        replace(one, name=f"{base.family} {spec.name} {part}", sweep=title)
        for one, part in zip(made, parts, strict=True)
    ]
    return Plan(named)


def _with(base: RunSpec, of_model: Sequence[Spec], name: str, value: object) -> RunSpec:
    change = {name: list(value) if isinstance(value, tuple) else value}
    if name in {spec.name for spec in of_model}:
        return replace(base, model={**base.model, **change}, recipe="")
    return replace(base, train={**base.train, **change}, recipe="")


def start() -> None:
    """The form of a sweep."""
    if not rights.may_change():
        rights.note()
        return
    with st.container():
        base = _base()
        spec = _setting(base)
        text = st.text_input(
            "Values",
            EXAMPLES.get(spec.name, ""),
            key=f"sweep.values.{spec.name}",
            bind="query-params",
            placeholder="2, 10, 100",
            help=f"Separated by commas, or by semicolons if values contain commas. {spec.help}",
        )
        planned = plan(base, spec, text)
        st.button(
            f"Start {len(planned.specs)} runs" if planned.specs else "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="sweep.start",
            disabled=bool(planned.error),
            help=plain(planned.error) or "They train one after the other.",
            on_click=_start,
        )
    if planned.error and text:
        st.error(plain(planned.error), icon=":material/error:")


def _base() -> RunSpec:
    """What all runs of the sweep share: a recipe's settings, or those of a run."""
    bases = {f"recipe {name}": name for name in RECIPES}
    bases |= {f"run {r.id}": r.id for r in queue.listing() if r.spec.family in FAMILIES}
    chosen = st.selectbox(
        "Everything else as in",
        list(bases),
        key="sweep.base",
        bind="query-params",
        help="All other settings come from here.",
    )
    return _settings_of(bases[chosen or next(iter(bases))])


def _settings_of(name: str) -> RunSpec:
    """The settings of the recipe or the run of this name."""
    if name in RECIPES:
        recipe = RECIPES[name]
        family = FAMILIES[recipe.family]
        train = TrainSettings.from_dict({**family.defaults, **recipe.train}).to_dict()
        return RunSpec(recipe.family, recipe.dataset, dict(recipe.model), train)
    run = queue.get(name)
    return run.spec if run else RunSpec("autoencoder", train=TrainSettings().to_dict())


def _setting(base: RunSpec) -> Spec:
    """The setting that the sweep varies, of the model or of its training."""
    specs = _varied(base)
    names = list(specs)
    first = "latent_dim" if "latent_dim" in specs else "lr"
    name = st.selectbox(
        "Setting",
        names,
        names.index(first),
        key="sweep.setting",
        bind="query-params",
        help="The one thing that changes from run to run.",
    )
    return specs[name or first]


def _varied(base: RunSpec) -> dict[str, Spec]:
    """The settings that a sweep can vary, by name."""
    family = FAMILIES[base.family]
    return {s.name: s for s in [*form.model_specs(family), *TrainSettings.specs()]}


@rights.needed
def _start() -> None:
    """Start what the form holds now: what was typed just before the click arrives with it."""
    base = _settings_of(str(st.session_state["sweep.base"]).partition(" ")[2])
    varied = _varied(base)
    name = str(st.session_state["sweep.setting"])
    text = str(st.session_state.get(f"sweep.values.{name}", EXAMPLES.get(name, "")))
    planned = plan(base, varied[name], text) if name in varied else Plan([])
    if not planned.specs:
        rights.say(planned.error)
        return
    specs = planned.specs
    st.session_state["runs.sweep"] = specs[0].sweep
    if queue.at_work_on(specs[-1]):  # the second click of a double click
        return
    try:
        owner = guard.owner()
        queue.check_room(len(specs), owner)
        for spec in specs:
            queue.start(spec, owner)
    except LimitError as error:
        rights.say(str(error))


def result(members: Sequence[Run]) -> None:
    """One row a value: its reconstructions of the same digits, and its error on test images."""
    done = [run for run in members if run.model]
    left = len(members) - len(done)
    if left:
        st.caption(
            f":material/hourglass_empty: {left} of {len(members)} have not finished an epoch yet."
        )
    if not done:
        return
    try:
        original = _strip_of_digits(done[0].spec.dataset)
    except ValueError as problem:  # a folder of pictures that is gone
        st.warning(plain(f"{problem}."), icon=":material/warning:")
        return
    width = 2 * original.shape[1]
    with st.container(horizontal=True, vertical_alignment="center"):
        images.picture(original, width=width)
        st.caption("test digits", width="content")
    for run in done:
        path = run.path / "model.safetensors"
        try:
            strip, error, stderr = _reconstructions(path)
        except (ValueError, OSError) as problem:
            st.warning(plain(f"{run.name}: {problem}"))
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            images.picture(strip, width=width)
            st.metric(
                plain(run.name if run.state == "finished" else f"{run.name} ({run.state})"),
                f"{error:.4f}",
                help="Test error: mean squared error per pixel, pixels in [0, 1], on "
                f"{IMAGES:,} test images at most; standard error {stderr:.4f}.",
                width="content",
            )


def _strip_of_digits(dataset: str) -> NDArray[np.uint8]:
    return images.grid_image(loading.dataset(dataset).test_x[:DIGITS].numpy(), DIGITS)


@st.cache_data(max_entries=64, show_spinner="Reconstructing …", hash_funcs=loading.BY_FILE)
def _reconstructions(path: Path) -> tuple[NDArray[np.uint8], float, float]:
    """Strip of reconstructed digits, mean squared error and its standard error.

    Raises ValueError for a model that cannot reconstruct.
    """
    import torch

    from genlib.data.datasets import to_float
    from genlib.models.capabilities import Reconstructs
    from genlib.store.checkpoint import peek

    model = loading.model(path)
    if not isinstance(model, Reconstructs):
        raise ValueError("This family doesn't reconstruct. Compare its curves.")
    data = loading.dataset(peek(path).dataset)
    device = model.device
    x = to_float(data.test_x[:IMAGES]).to(device)
    with torch.no_grad():
        x_hat = torch.cat([model.reconstruct(part) for part in x.split(500)])
    errors = (x_hat - x).square().flatten(1).mean(1).cpu().double()
    stderr = float(errors.std() / len(errors) ** 0.5)
    return images.grid_image(x_hat[:DIGITS].cpu().numpy(), DIGITS), float(errors.mean()), stderr
