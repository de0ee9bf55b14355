"""The Latent map page: without a checkpoint, with tiny ones, with the shipped ones."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from genlib import background
from genlib.background import Job
from genlib.explore import maps
from genlib.explore.projection import TSNE, Array, Frame
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from genlib.ui.components import draw
from genlib.ui.latents.latent_map import data, flow
from tests.helpers import ROOT, SECONDS, ok, poll, until


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A VAE with snapshots of three epochs, a plain autoencoder and one of two latents."""
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path))
    st.cache_data.clear()
    torch.manual_seed(0)
    for epoch in (0, 1):
        file = tmp_path / "vae-tiny.snapshots" / f"epoch-{epoch:04d}.safetensors"
        vae = VAE(VAESettings(latent_dim=5, hidden=(16,)))
        checkpoint.save(file, vae, dataset="mnist", seed=0, epoch=epoch)
    models = {
        "vae-tiny": VAE(VAESettings(latent_dim=5, hidden=(16,))),
        "ae-tiny": Autoencoder(AutoencoderSettings(latent_dim=4)),
        "ae-flat": Autoencoder(AutoencoderSettings(latent_dim=2)),
    }
    for name, model in models.items():
        file = tmp_path / f"{name}.safetensors"
        checkpoint.save(file, model, dataset="mnist", seed=0, epoch=2)
    yield tmp_path
    st.cache_data.clear()


def open_map(**query: str) -> AppTest:
    app = AppTest.from_file(ROOT / "pages/latents/latent_map.py", default_timeout=SECONDS)
    query.setdefault("points", "500")
    if "model" in query:
        app.session_state["map.model"] = query.pop("model")
    for key, value in query.items():
        app.query_params[f"map.{key}"] = value
    return ok(app.run())


def words(app: AppTest) -> str:
    return "\n".join(e.value for kind in (app.caption, app.markdown) for e in kind)


def finished(app: AppTest, seconds: float = 300) -> AppTest:
    """Run again, as polling would, until the t-SNE is done."""
    return poll(app, lambda: app.session_state["map.ready"], seconds)


def test_tsne_runs_to_its_end_and_says_how_well_classes_separate(tiny):
    app = open_map(model="ae-tiny")
    assert app.selectbox(key="map.model").value == "ae-tiny"
    finished(app)
    assert app.metric[0].label == "10-NN accuracy of the latents"
    assert 0 < float(app.metric[0].value.split()[0]) <= 100
    assert "of the flat map" in words(app)
    assert not app.session_state["map.polling"]


def clouds(app: AppTest) -> list[str]:
    """Titles of the maps on the page: none, or one."""
    found = [element.proto for element in app.get("bidi_component")]
    sent = [p.bytes for p in found if p.component_name == "genlib.latent_map"]
    return [t.decode() for b in sent for t in re.findall(rb'"title": ?"([^"]*)"', b)]


def test_another_epoch_shows_no_map_until_there_is_one_of_its_own(tiny):
    app = open_map(model="vae-tiny", seed="31")
    finished(app)
    last = app.session_state["map.job"]
    let, names = threading.Event(), [f"held {n}" for n in range(flow.PLACES.limit)]
    held = [background.request(name, lambda _: let.wait(300), flow.PLACES) for name in names]
    try:
        assert until(lambda: all(job.state == "running" for job in held))
        app.select_slider(key="map.epoch").set_value(0)
        for _ in range(3):  # no place is free, so that its own map can't have begun
            ok(app.run())
            assert app.session_state["map.job"] is not last
            assert clouds(app) == [] and not app.session_state["map.ready"]
    finally:
        let.set()
    limit = time.monotonic() + 300
    while not app.session_state["map.ready"]:
        assert time.monotonic() < limit, "t-SNE did not end"
        for title in clouds(app):
            assert "epoch 0" in title and "not finished" in title
        ok(app.run())
    assert clouds(app) == ["vae-tiny, epoch 0, t-SNE"]


def test_a_running_map_is_never_that_of_its_anchor(tiny):
    app = open_map(model="vae-tiny", points="2000", seed="32", epoch="0")
    anchor: Job = app.session_state["map.job"]
    anchor.cancel()
    assert until(lambda: not anchor.busy)
    let, z = threading.Event(), np.random.default_rng(0).normal(size=(2000, 2)).astype(np.float32)

    def half_way(job: Job) -> flow.Optimised:
        made = flow.Optimised(Frame(z, 250, 500, 1.0), TSNE.settled(z, z, 30, 32))
        job.report(0.5, result=made)
        assert let.wait(30)
        return made

    try:
        held = background.restart(anchor.name, half_way, flow.PLACES)
        assert until(lambda: held.result is not None)
        ok(app.run())
        assert app.session_state["map.job"] is held and clouds(app) == []
        assert "First the last epoch" in app.get("progress")[0].proto.text
    finally:
        let.set()
    assert until(lambda: held.state == "done")
    ok(app.run())
    own: Job = app.session_state["map.job"]
    assert own is not held, "its own map comes next"
    own.leave(app.session_state["map.who"])


def test_maps_that_come_with_a_model_are_there_at_once_each_under_its_own_epoch(tiny):
    for _, path in checkpoint.peek(tiny / "vae-tiny.safetensors").snapshots:
        known, model = checkpoint.peek(path), checkpoint.load(path)  # of digits, always here
        checkpoint.save(path, model, dataset="digits", seed=0, epoch=known.epoch)
    info = checkpoint.peek(tiny / "vae-tiny.safetensors")
    stored = maps.compute(info)
    maps.write(info.path, stored)
    app = open_map(model="vae-tiny", points="2000")
    for epoch in (2, 0, 1):
        app.select_slider(key="map.epoch").set_value(epoch)
        ok(app.run())
        assert app.session_state["map.ready"], "no t-SNE runs"
        assert clouds(app) == [f"vae-tiny, epoch {epoch}, t-SNE"]
        job = app.session_state["map.job"]
        assert np.abs(job.result.frame.positions - stored.positions[epoch]).max() < 0.05
    z = data.codes(info, data.points(info, 2000))
    near = job.result.tsne.place(z[:3] + 1e-4)
    assert near.shape == (3, 2) and np.isfinite(near).all()
    app.number_input(key="map.seed").set_value(5)
    ok(app.run())
    assert app.session_state["map.job"].state in ("waiting", "running")
    app.session_state["map.job"].leave(app.session_state["map.who"])


def test_cancelling_keeps_the_map_as_it_was_and_it_can_be_resumed(tiny):
    app = open_map(model="ae-tiny", points="2000", seed="77")
    app.button(key="map.cancel").click()
    ok(app.run())
    assert "Cancelled" in words(app)
    assert not app.session_state["map.polling"]
    ok(app.run())
    assert "Cancelled" in words(app)
    app.button(key="map.resume").click()
    ok(app.run())
    assert "Cancelled" not in words(app)
    app.session_state["map.job"].leave(app.session_state["map.who"])


def test_a_second_click_on_cancel_does_no_harm(tiny):
    app = open_map(model="ae-tiny", points="2000", seed="79")
    job: Job = app.session_state["map.job"]
    del app.session_state["map.job"]  # as the first click did, before the page was drawn again
    app.button(key="map.cancel").click()
    ok(app.run())
    assert "Cancelled" in words(app)
    job.cancel()


def test_a_map_that_is_finished_when_the_click_on_cancel_comes_stays_finished(tiny):
    app = open_map(model="ae-tiny", points="500", seed="78")
    job, limit = app.session_state["map.job"], time.monotonic() + 600
    while job.busy:
        job.watch(app.session_state["map.who"])
        assert time.monotonic() < limit, "t-SNE takes too long"
        time.sleep(0.05)
    app.button(key="map.cancel").click()  # of the page as it was before
    ok(app.run())
    assert "Cancelled" not in words(app) and "map.cancelled" not in app.session_state


def test_the_epoch_slider_travels_through_the_snapshots(tiny):
    app = open_map(model="vae-tiny", by="PCA")
    assert app.select_slider(key="map.epoch").value == 2
    last = app.metric[0].value
    app.select_slider(key="map.epoch").set_value(0)
    ok(app.run())
    assert app.metric[0].value != last


def test_a_model_without_snapshots_says_so(tiny):
    app = open_map(model="ae-tiny", by="PCA")
    assert "holds epoch 2 only" in words(app)
    assert not app.select_slider


def test_playing_goes_from_the_first_epoch_to_the_last_and_stops(tiny, monkeypatch):
    monkeypatch.setattr("genlib.ui.latents.latent_map.flow.DWELL_SECONDS", 0.4)
    app = open_map(model="vae-tiny", by="PCA")
    app.button(key="map.play").click()
    seen = []
    limit = time.monotonic() + 300
    while not seen or (app.session_state["map.playing"] and time.monotonic() < limit):
        ok(app.run())
        seen.append(app.select_slider(key="map.epoch").value)
        time.sleep(0.1)
    assert seen == sorted(seen)
    assert set(seen) == {0, 1, 2}
    assert not app.session_state["map.playing"]


def test_two_latents_are_drawn_themselves(tiny):
    app = open_map(model="ae-flat")
    assert app.session_state["map.by"] == "Latents"
    assert app.session_state["map.ready"]


def test_samples_of_a_vae_are_placed_and_a_plain_autoencoder_says_why_not(tiny):
    app = open_map(model="vae-tiny", by="PCA", new="Samples")
    assert not app.slider(key="map.samples").disabled
    app = open_map(model="ae-tiny", by="PCA", new="Samples")
    assert app.slider(key="map.samples").disabled
    assert "no distribution" in words(app)


def test_a_link_with_nonsense_shows_the_page(tiny):
    app = open_map(
        by="magic", new="x", perplexity="-1", points="7", epoch="99", pick="-3", seed="x"
    )
    assert app.metric


def test_a_picked_digit_of_a_link_shows_its_neighbours(tiny):
    info = next(i for i in checkpoint.listing(tiny) if i.name == "ae-tiny")
    number = int(data.points(info, 500).numbers[7])
    app = open_map(model="ae-tiny", by="PCA", pick=str(number))
    assert "are a" in words(app)
    assert app.query_params["map.pick"] in (str(number), [str(number)])


def test_shipped_models_separate_digits_far_above_chance(shipped):
    app = open_map(model="vae-20", by="PCA", points="1000")
    assert float(app.metric[0].value.split()[0]) > 85


def map_of(name: str, z: Array, who: str) -> Job:
    return background.request(
        name,
        lambda job: flow.optimise(job, TSNE(z, perplexity=10)),
        flow.PLACES,
        watcher=who,
    )


def test_two_sessions_share_a_job_and_one_leaving_does_not_stop_it():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(300, 5)).astype(np.float32)
    first, second = map_of("test:shared", z, "a"), map_of("test:shared", z, "b")
    assert first is second
    first.leave("a")
    limit = time.monotonic() + 300
    while first.busy and time.monotonic() < limit:
        map_of("test:shared", z, "b")  # b still looks
        time.sleep(0.05)
    assert first.state == "done"
    assert isinstance(first.result, flow.Optimised)
    assert first.result.frame.iteration == first.result.frame.total


def test_a_job_that_nobody_watches_ends_and_can_be_started_again():
    z = np.random.default_rng(0).normal(size=(600, 5)).astype(np.float32)
    job = map_of("test:left", z, "a")
    job.leave("a")
    assert until(lambda: not job.busy)
    assert job.state == "cancelled"
    again = map_of("test:left", z, "b")
    assert again is not job
    again.leave("b")


def test_codes_that_are_all_the_same_end_in_a_sentence():
    job = map_of("test:flat", np.ones((50, 3), np.float32), "a")
    assert until(lambda: not job.busy)
    assert job.state == "failed"
    assert "all are the same" in job.error


def test_a_map_that_cannot_be_made_says_so_until_someone_looks_again(tiny):
    vae = VAE(VAESettings(latent_dim=5, hidden=(16,)))
    with torch.no_grad():
        for weights in vae.parameters():
            weights.zero_()
    checkpoint.save(tiny / "vae-flat.safetensors", vae, dataset="mnist", seed=0, epoch=2)
    let = threading.Event()
    for n in range(flow.PLACES.limit):  # so that it can't fail before the page has looked
        background.restart(f"test:held {n}", lambda job: let.wait(60), flow.PLACES)
    app = open_map(model="vae-flat")
    job: Job = app.session_state["map.job"]
    assert job.state == "waiting" and app.session_state["map.polling"]
    let.set()
    assert until(lambda: not job.busy)
    ok(app.run())
    said = [f"No map: {job.error}."]
    assert [box.value for box in app.error] == said
    assert app.session_state["map.job"] is job, "it isn't tried again and again"
    ok(app.run())
    assert app.session_state["map.job"] is not job
    assert until(lambda: [box.value for box in ok(app.run()).error] == said)


def test_strokes_become_a_framed_digit_and_nonsense_becomes_none():
    line = [{"w": 85, "p": [500, 200, 500, 800]}]
    digit = draw.frame(draw.read_strokes(line))
    assert digit is not None and digit.shape == (28, 28) and digit.dtype == np.float32
    rows, cols = np.nonzero(digit > 0.1)
    assert rows.max() - rows.min() + 1 == 20, "20 pixels high, as MNIST's box"
    ink = digit / digit.sum()
    centre = (ink.sum(1) @ np.arange(28), ink.sum(0) @ np.arange(28))
    assert np.allclose(centre, 13.5, atol=0.75)
    assert cols.max() - cols.min() < 8
    bad = [None, 3, {"w": "x", "p": [1, 2]}, {"w": 85, "p": [1]}, {"w": 85, "p": [[1, 2]]}]
    for value in ("hello", {"a": 1}, None, bad, [{"w": 85, "p": [float("nan"), 1]}]):
        assert draw.read_strokes(value) == []
    assert draw.frame([]) is None
