"""What the Latent map page says one will see, checked on the shipped models."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

from genlib.store import checkpoint
from genlib.ui.latents.latent_map import data, flow
from tests.helpers import ok, visit


def test_epoch_0_already_separates_classes_and_training_improves_it(shipped: object) -> None:
    app = ok(visit("latents/latent_map.py", **{"map.by": "PCA"}))
    trained = float(app.metric[0].value.split()[0])
    first = app.select_slider(key="map.epoch").options[0]
    assert str(first) == "0"
    app.select_slider(key="map.epoch").set_value(0)
    ok(app.run())
    untrained = float(app.metric[0].value.split()[0])
    assert 50 < untrained < trained


def test_the_page_says_whether_the_map_is_aligned(shipped: object) -> None:
    app = ok(visit("latents/latent_map.py"))

    def said() -> str:
        return " ".join(str(progress.proto.text) for progress in app.get("progress"))

    assert "independent" in said()
    app.select_slider(key="map.epoch").set_value(0)
    ok(app.run())
    assert "aligned: starts from the last epoch's map" in said()


def titles(app: AppTest) -> list[str]:
    """Titles of the maps on the page."""
    found = [element.proto for element in app.get("bidi_component")]
    sent = [p.bytes for p in found if p.component_name == "genlib.latent_map"]
    return [t.decode() for b in sent for t in re.findall(rb'"title": ?"([^"]*)"', b)]


def test_three_epochs_are_there_at_once_and_said_to_be_aligned(shipped: object) -> None:
    app = ok(visit("latents/latent_map.py", **{"map.panes": "Three epochs"}))
    assert titles(app) == [f"vae-20, epoch {epoch}, t-SNE" for epoch in (0, 5, 10)]
    assert "map.job" not in app.session_state, "nothing is being computed"
    said = " ".join(caption.value for caption in app.caption)
    assert "Aligned" in said and "starts from that of epoch 40" in said
    shown = " ".join(text.value for text in app.markdown)
    found = [float(x) for x in re.findall(r"10-NN ([\d.]+)", shown)]
    assert len(found) == 3 and found[0] < 80 < 90 < min(found[1:])


def test_where_maps_would_have_to_be_computed_nothing_waits_for_them(shipped: object) -> None:
    app = ok(visit("latents/latent_map.py", **{"map.seed": "7", "map.panes": "Three epochs"}))
    assert app.button_group(key="map.panes").disabled
    assert app.button(key="map.play").disabled, "Play goes through maps that are there"
    app.session_state["map.job"].leave(app.session_state["map.who"])
    app.button_group(key="map.by").set_value("PCA").run()
    assert not app.button_group(key="map.panes").disabled
    assert len(titles(ok(app))) == 3


def test_most_classes_of_aligned_maps_stay_near_their_places(shipped: Path) -> None:
    last = checkpoint.peek(shipped / "vae-20.safetensors")
    some, epochs = data.points(last, 2000), data.epochs(last)
    choice = flow.Choice(last, epochs, "t-SNE", some, 2000, 30.0, 0)

    def middles(epoch: int) -> np.ndarray:
        flat = flow.at_once(choice, epoch)
        assert flat is not None
        return np.stack([flat.positions[some.labels == c].mean(0) for c in range(10)])

    end = middles(40)
    for epoch in (0, 5, 10):
        far = np.linalg.norm(middles(epoch)[:, None] - end[None], axis=2)
        kept = int((far.argmin(1) == np.arange(10)).sum())
        assert kept >= 6, f"{kept} of 10 classes are nearest to where they end, at epoch {epoch}"
