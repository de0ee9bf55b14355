"""The page of autoregressive models: what the browser is given, computed and refused."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import to_float
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.models.pixelrnn import PixelRNN, PixelRNNSettings
from genlib.store import checkpoint
from genlib.store.checkpoint import peek
from genlib.ui.autoregressive import pixelcnn
from genlib.ui.autoregressive.pixelcnn import Pixel, Sheet
from tests.helpers import visit

run = partial(visit, "autoregressive/pixelcnn.py", "pixelcnn")


@pytest.fixture
def tiny(shelf: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one small PixelCNN and one small PixelRNN, and fewer test digits."""
    monkeypatch.setattr(pixelcnn, "CHUNKS", 2)
    return shelf(
        {
            "cnn-tiny": PixelCNN(PixelCNNSettings(width=4, blocks=1)),
            "rnn-tiny": PixelRNN(PixelRNNSettings(width=4, layers=1)),
        }
    )


def sent(app: AppTest) -> list[dict]:
    """What each of the two sheets is given, unpacked as packet.js does."""
    found = []
    for element in app.get("bidi_component"):
        if element.proto.component_name != "genlib.pixels":
            continue
        block = element.proto.bytes
        size = int.from_bytes(block[:4], "little")
        head = json.loads(block[4 : 4 + size])
        at, values = 4 + size, head["values"]
        for name, kind, count in head["parts"]:
            values[name] = np.frombuffer(block, kind, count, at)
            at += -(-values[name].nbytes // 4) * 4
        found.append(values)
    return found


@pytest.mark.parametrize("model", ["cnn-tiny", "rnn-tiny"])
def test_sixteen_images_and_the_digit_are_sent_with_all_predictions(tiny: Path, model: str) -> None:
    stage, surprise = sent(run(model=model))
    assert stage["shape"] == [16, 28, 28] and stage["replay"] and stage["known"] == 0
    assert stage["images"].max() == 1 and len(stage["logits"]) == 16 * 784
    assert surprise["shape"] == [1, 28, 28] and not surprise["replay"]
    net = pixelcnn.loading.model(tiny / f"{model}.safetensors")
    x = torch.from_numpy(surprise["images"].copy()).view(1, 1, 28, 28).float()
    with torch.no_grad():
        assert np.allclose(net.pixel_logits(x).flatten(), surprise["logits"], atol=1e-5)


def test_known_rows_of_the_digit_are_kept_and_the_rest_is_drawn_many_ways(tiny: Path) -> None:
    stage, surprise = sent(run(rows="14", **{"digit.class": "0"}))
    images = stage["images"].reshape(16, 28, 28)
    digit = surprise["images"].reshape(28, 28)
    assert stage["known"] == 14 * 28
    assert digit[:14].any() and (images[:, :14] == digit[:14]).all()
    assert len({image[14:].tobytes() for image in images}) == 16


def test_drawing_again_and_the_temperature_change_the_images(tiny: Path) -> None:
    app = run()
    first = sent(app)[0]
    app.button(key="pixelcnn.again").click().run()
    second = sent(app)[0]
    app.slider(key="pixelcnn.temperature").set_value(0.1).run()
    third = sent(app)[0]
    assert not app.exception
    assert len({sheet["name"] for sheet in (first, second, third)}) == 3
    assert (first["images"] != second["images"]).any()
    assert third["temperature"] == 0.1
    # Cold: each pixel is its likelier value almost always.
    likelier = third["images"] == (third["logits"] > 0)
    assert likelier.mean() > (second["images"] == (second["logits"] > 0)).mean()


def test_the_nats_on_the_page_are_the_models_exact_ones(tiny: Path) -> None:
    app = run(model="rnn-tiny")
    surprise = sent(app)[1]
    x = torch.from_numpy(surprise["images"].copy()).view(1, 1, 28, 28).float()
    net = pixelcnn.loading.model(tiny / "rnn-tiny.safetensors")
    with torch.no_grad():
        exact = -net.log_likelihood(x).item()
    assert any(f"**{exact:.1f} nats**" in text.value for text in app.markdown)


def test_test_digits_are_counted_in_turns_and_averaged(tiny: Path) -> None:
    app = run()
    for _ in range(4):
        if any("test digits cost" in text.value for text in app.markdown):
            break
        app.run()
    words = next(text.value for text in app.markdown if "test digits cost" in text.value)
    data = pixelcnn.loading.pictures_of(peek(tiny / "cnn-tiny.safetensors"))
    few = (to_float(data.test_x[: 2 * pixelcnn.CHUNK]) > 0.5).float()
    with torch.no_grad():
        exact = -checkpoint.load(tiny / "cnn-tiny.safetensors").log_likelihood(few).mean().item()
    found = re.search(r"^(\d+) test digits cost \*\*([\d.]+) ±", words)
    assert found and int(found[1]) == 2 * pixelcnn.CHUNK
    assert float(found[2]) == pytest.approx(exact, abs=0.051)


def sheet() -> Sheet:
    rng = np.random.default_rng(0)
    bits = (rng.random((16, 28, 28)) < 0.5).astype(np.uint8)
    return Sheet(bits, rng.normal(size=bits.shape).astype(np.float32), "x", known=140)


def test_the_place_under_the_mouse_is_checked_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def asked(value: object) -> Pixel | None:
        monkeypatch.setattr("streamlit.session_state", {"k": {"rest": value}})
        return pixelcnn.asked_pixel("k", sheet())

    good = {"name": "x", "sample": 2, "row": 3, "column": 27}
    assert asked(good) == Pixel(2, 3, 27)
    for bad in ({"name": "y"}, {"row": 28}, {"row": -1}, {"column": "3"}, {"sample": None}):
        assert asked({**good, **bad}) is None
    assert asked(None) is None and asked("x") is None


def test_the_field_is_sent_as_bytes_with_its_strongest_pull_at_255(tiny: Path) -> None:
    info = peek(tiny / "cnn-tiny.safetensors")
    lit = pixelcnn.lit(info, sheet(), Pixel(1, 20, 10))
    assert lit.pull.max() == 255
    assert not lit.pull.ravel()[20 * 28 + 10 :].any()
    assert lit.seen[19, 10] and not lit.seen[2, 27]


def test_files_show_the_images() -> None:
    png = Image.open(io.BytesIO(pixelcnn.as_png(sheet())))
    assert png.size == ((8 * 30 - 2) * 6, (2 * 30 - 2) * 6)
    corner = np.asarray(png)[3, 3 : 28 * 6 : 6]
    assert (corner // 255 == sheet().images[0, 0]).all()
    gif = Image.open(io.BytesIO(pixelcnn.as_gif(sheet())))
    assert gif.n_frames >= pixelcnn.FRAMES - 1
