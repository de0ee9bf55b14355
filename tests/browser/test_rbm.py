"""The Gibbs chain in a real browser: its arithmetic is PyTorch's, it runs, held pixels stay."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from genlib.environment import shipped_dir
from genlib.models.dbn import StackedRBM
from genlib.ui.boltzmann.rbm.chain import layers_data
from genlib.ui.kit.web import import_map
from tests.browser.waiting import LATE_FRAMES

MANY = re.compile(r"^([3-9]\d|\d{3,})$")  # steps, 30 or more
HELD = "rbm?rbm.hide=Lower+half&rbm.show=Samples&rbm.model=rbm-500"


def text(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.astype(np.float32).tobytes()).decode()


def test_half_steps_and_free_energy_are_those_of_pytorch(page: Page) -> None:
    torch.manual_seed(0)
    layer = StackedRBM(20, 13, 4)
    with torch.no_grad():
        for p in layer.parameters():
            p.normal_()
        v, h = (torch.rand(20) < 0.4).float(), (torch.rand(13) < 0.5).float()
        hp, vp = layer.hidden_probabilities(v[None])[0], layer.visible_probabilities(h[None])[0]
        f = layer.free_energy(v[None]).item()
    sizes, numbers = layers_data([tuple(p.detach().numpy() for p in layer.parameters())])
    module = import_map("gibbs_chain/chain.js")["gibbs_chain/chain.js"]
    found = page.evaluate(
        """async ([module, sizes, numbers, v, h]) => {
            const chain = await import(module)
            const read = (t) => new Float32Array(
                Uint8Array.from(atob(t), (c) => c.charCodeAt(0)).buffer)
            const [pair] = chain.compileStack(sizes, read(numbers))
            const up = chain.upward(pair, read(v)), down = chain.downward(pair, read(h))
            const out = [chain.sigmoid(up), chain.sigmoid(down)].map((p) => Array.from(p))
            return [...out, chain.freeEnergy(pair, read(v), up)]
        }""",
        [module, sizes, text(numbers), text(v.numpy()), text(h.numpy())],
    )
    assert np.allclose(found[0], hp, atol=1e-5) and np.allclose(found[1], vp, atol=1e-5)
    assert found[2] == pytest.approx(f, abs=1e-3)


def test_the_chain_runs_and_held_pixels_stay(
    open_page: Callable[..., Page],
    canvas_pixels: Callable[[Page, str], np.ndarray],
) -> None:
    if not (shipped_dir() / "rbm-500.safetensors").exists():
        pytest.skip("rbm-500 is not built")
    page = open_page(HELD)
    chain = page.locator(".gibbs")
    expect(chain).to_have_attribute("data-steps", "0")
    before = canvas_pixels(page, "canvas.pixels")
    page.get_by_role("button", name="Step", exact=True).click()
    expect(chain).to_have_attribute("data-steps", "1")
    page.locator("input.speed").fill("6")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(chain).to_have_attribute("data-steps", MANY)
    page.get_by_role("button", name="Pause", exact=True).click()
    after = canvas_pixels(page, "canvas.pixels")
    assert (after[:14] == before[:14]).all(), "the upper half is held"
    assert (after[14:] != before[14:]).any(), "the lower half is drawn anew"
    assert after[:14].max() > 0 and set(np.unique(after[14:, :, 0])) <= {0, 255}


def test_the_chain_runs_as_fast_as_it_goes_though_its_first_frame_began_before_the_click(
    page: Page, open_page: Callable[..., Page]
) -> None:
    if not (shipped_dir() / "rbm-500.safetensors").exists():
        pytest.skip("rbm-500 is not built")
    page.add_init_script(LATE_FRAMES)
    open_page(HELD)
    chain = page.locator(".gibbs")
    expect(chain).to_have_attribute("data-steps", "0")
    page.locator("input.speed").fill("6")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(chain).to_have_attribute("data-steps", MANY)


# The page's store of weights keeps those who wait for them waiting.
NO_WEIGHTS = """
const users = [], ready = new Map()
const queue = { add: (use) => users.push(use), delete() {}, [Symbol.iterator]: () => [].values() }
ready.has = () => false
const waiting = { has: () => true, get: () => queue, delete() {} }
globalThis[Symbol.for("genlib")] = { ready, waiting, held: new Map() }
globalThis.hasWeights = () => ready.size > 0 && users.length > 0
globalThis.release = () => users.forEach((use) => use([...ready.values()][0]))
"""


def test_the_chain_can_be_run_once_it_has_weights_and_not_before(
    page: Page, open_page: Callable[..., Page]
) -> None:
    """A click before that would be lost."""
    if not (shipped_dir() / "rbm-500.safetensors").exists():
        pytest.skip("rbm-500 is not built")
    page.add_init_script(NO_WEIGHTS)
    open_page(HELD)
    run = page.get_by_role("button", name="Run", exact=True)
    expect(run).to_be_visible()
    expect(run).to_be_disabled()
    expect(page.get_by_role("button", name="Step", exact=True)).to_be_disabled()
    page.wait_for_function("hasWeights()")
    page.evaluate("release()")
    page.locator("input.speed").fill("6")
    run.click()
    expect(page.locator(".gibbs")).to_have_attribute("data-steps", MANY)
