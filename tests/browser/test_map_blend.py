"""The map's blend of codes in the browser is ``blend`` in Python; packets arrive whole."""

from __future__ import annotations

import base64

import numpy as np
from playwright.sync_api import Page

from genlib.ui.components.latent_map import codes_message
from genlib.ui.components.packet import pack
from genlib.ui.kit.web import import_map
from tests.helpers import blend

BLEND = "latent_map/blend.js"
PACKET = "shared/packet.js"
K = 8  # as in blend.js


def in_the_browser(page: Page, body: str, *arguments: object) -> object:
    """Run `body` (a function of the arguments) in a blank page, where it finds the map's code."""
    modules = import_map(BLEND, PACKET)
    run = f"""async ([blend, packet, ...rest]) => {{
        const {{ BLEND, blendCodes }} = await import(blend), {{ unpack }} = await import(packet)
        return ({body})(...rest)
    }}"""
    return page.evaluate(run, [modules[BLEND], modules[PACKET], *arguments])


def text(block: bytes) -> str:
    return base64.b64encode(block).decode()


def test_a_blend_in_the_browser_is_the_blend_in_python(page: Page) -> None:
    rng = np.random.default_rng(0)
    positions = rng.standard_normal((500, 2)).astype(np.float32)
    z = (3 * rng.standard_normal((500, 20))).astype(np.float32)
    places = rng.uniform(-2.5, 2.5, (60, 2)).astype(np.float32)
    places[:3] = positions[:3]  # exactly at a point: its own code
    low, high = z.min(axis=0), z.max(axis=0)
    codes = np.round((z - low) / (high - low) * 255).astype(np.uint8)
    values = {"latents": 20, "k": K}
    parts = {"positions": positions, "places": places, "codes": codes, "low": low, "high": high}
    found = in_the_browser(
        page,
        """(text) => {
            const d = unpack(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)));
            if (d.k !== BLEND) throw new Error(`the map blends ${BLEND} codes`);
            return Array.from({ length: d.places.length / 2 }, (_, i) => Array.from(
                blendCodes(d.places[2 * i], d.places[2 * i + 1], d.positions, d, d.k)));
        }""",
        text(pack(values, parts)),
    )
    travelled = low + codes / 255 * (high - low)  # as the browser has them, one byte a number
    expected = np.stack([blend(p, positions, travelled.astype(np.float32), K) for p in places])
    assert np.abs(np.array(found) - expected).max() < 1e-4
    exact = np.stack([blend(p, positions, z, K) for p in places])
    step = (high - low).max() / 255
    assert np.abs(np.array(found) - exact).max() < step, "one byte a number is fine enough"


def test_a_packet_arrives_whole_wherever_it_begins_in_memory(page: Page) -> None:
    rng = np.random.default_rng(1)
    parts = {
        "odd": rng.integers(0, 255, 7).astype(np.uint8),
        "f": rng.standard_normal((3, 5)).astype(np.float32),
        "i": np.array([-(2**31), 2**31 - 1], np.int32),
        "raw": b"abc",
    }
    for shift in (0, 1, 4):
        found = in_the_browser(
            page,
            """(text, shift) => {
                const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
                const moved = new Uint8Array(bytes.length + shift);
                moved.set(bytes, shift);
                const all = unpack(moved.subarray(shift));
                return Object.fromEntries(Object.entries(all).map(([name, value]) =>
                    [name, ArrayBuffer.isView(value) ? Array.from(value) : value]));
            }""",
            text(pack({"name": "é", "list": [1, None]}, parts)),
            shift,
        )
        assert isinstance(found, dict)
        assert found.pop("name") == "é" and found.pop("list") == [1, None]
        assert bytes(found.pop("raw")) == b"abc"
        assert list(found) == ["odd", "f", "i"]
        assert all(np.array_equal(found[n], np.ravel(parts[n])) for n in found)


def test_the_maps_own_message_can_be_read(page: Page) -> None:
    class Nothing:
        ops: tuple[object, ...] = ()
        dtype, latent_dim, shape, macs, weights = "float32", 3, (1, 28, 28), 0, b"1234"

    z = np.random.default_rng(2).standard_normal((9, 3)).astype(np.float32)
    message = codes_message("m", Nothing(), z)  # type: ignore[arg-type]
    read = "(text) => unpack(Uint8Array.from(atob(text), (c) => c.charCodeAt(0))).codes.length"
    assert in_the_browser(page, read, text(message)) == 27
