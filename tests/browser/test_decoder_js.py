"""decoder.js, loaded into a blank page, must give PyTorch's pixels for every shipped decoder."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Page

from genlib.export.network import export, run
from genlib.models.capabilities import Decodes
from genlib.store import checkpoint
from genlib.ui.components.decoder_store import model_data
from genlib.ui.kit.web import import_map
from tests.helpers import ROOT

SHIPPED = checkpoint.listing(ROOT / "checkpoints")
DECODERS = [info.path for info in SHIPPED if "Decodes" in info.capabilities]


def in_the_browser(page: Page, model: Decodes, z: np.ndarray) -> np.ndarray:
    """Decode z (n, d) with decoder.js in a blank page: (n, H * W * C)."""
    modules = import_map("shared/decoder.js", "shared/packet.js")
    exported = export(model.decoder_layers())
    text = page.evaluate(
        """async ([modules, model, weights, z, n]) => {
            const { compileDecoder } = await import(modules["shared/decoder.js"])
            const { fromText } = await import(modules["shared/packet.js"])
            const decoder = compileDecoder(model, fromText(weights))
            const codes = new Float32Array(fromText(z).buffer), d = decoder.latentDim
            const size = model.shape[0] * model.shape[1] * model.shape[2]
            const all = new Float32Array(n * size)
            for (let k = 0; k < n; k++)
                all.set(decoder.decode(codes.subarray(k * d, k * d + d)), k * size)
            const bytes = new Uint8Array(all.buffer)
            let text = ""
            for (let k = 0; k < bytes.length; k += 32768)
                text += String.fromCharCode(...bytes.subarray(k, k + 32768))
            return btoa(text)
        }""",
        [
            modules,
            model_data(exported),
            base64.b64encode(exported.weights).decode(),
            base64.b64encode(z.tobytes()).decode(),
            len(z),
        ],
    )
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(len(z), -1)


@pytest.mark.parametrize("path", DECODERS, ids=lambda path: path.stem)
def test_a_shipped_decoder_is_the_same_in_the_browser(page: Page, path: Path) -> None:
    model = checkpoint.load(path)
    assert isinstance(model, Decodes)
    z = np.random.default_rng(0).standard_normal((1000, model.latent_dim)).astype(np.float32)
    with torch.no_grad():
        expected = model.decode(torch.from_numpy(z)).numpy()
    last = expected.transpose(0, 2, 3, 1).reshape(len(z), -1)
    assert np.abs(in_the_browser(page, model, z) - last).max() <= 1 / 255
    reference = run(export(model.decoder_layers()), z)
    assert np.abs(reference - expected).max() <= 1e-4


@pytest.mark.usefixtures("shipped")
def test_there_are_shipped_decoders() -> None:
    assert DECODERS
