"""What the Latent map page says one will see, checked on the shipped models."""

from __future__ import annotations

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
