"""What many tests do: open a page and look at it, wait, make a small model, train."""

from __future__ import annotations

import importlib
import json
import pkgutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from genlib.models import FAMILIES, Model
from genlib.runs import queue
from genlib.runs.directory import Run, RunSpec
from genlib.runs.worker import work
from genlib.ui import menu
from genlib.ui.kit.lessons import Lesson

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120.0  # that a page may take on a busy machine
M = TypeVar("M", bound=torch.nn.Module)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def until(holds: Callable[[], object], seconds: float = 300.0) -> bool:
    """Wait until ``holds()``: True, or the test fails after ``seconds``."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return True


def ok(app: AppTest, where: str = "") -> AppTest:
    """The page, which must have run without an exception; ``where`` is for the message."""
    assert not app.exception, [where, *(f"{e.message}\n{e.stack_trace}" for e in app.exception)]
    return app


def visit(page: str, prefix: str = "", /, **query: str) -> AppTest:
    """Run one page's script alone: visit("energy/denoise.py", "denoise", kind="Dropout").

    ``prefix`` and a dot stand before the names of the query's parameters, if it isn't empty.
    """
    app = AppTest.from_file(ROOT / "pages" / page, default_timeout=SECONDS)
    for name, value in query.items():
        app.query_params[f"{prefix}.{name}" if prefix else name] = value
    return ok(app.run())


def browse(page: str = "", prefix: str = "", /, **query: str) -> AppTest:
    """Open the app on its first page, then go to ``page``, as a click in the menu does."""
    app = AppTest.from_file(ROOT / "pages" / "router.py", default_timeout=SECONDS)
    for name, value in query.items():
        app.query_params[f"{prefix}.{name}" if prefix else name] = value
    app.run()
    return ok(app.switch_page(page).run() if page else app)


def turn_to(app: AppTest, page: str) -> AppTest:
    """Go on to ``page`` by the menu, whose links name no state."""
    app.query_params.clear()
    return ok(app.switch_page(page).run())


def lessons_of(page: menu.Page) -> tuple[Lesson, ...]:
    """A page's lessons: DENOISE of genlib/ui/energy/lessons for pages/energy/denoise.py."""
    package = f"genlib.ui.{page.file.split('/')[0]}.lessons"
    try:
        module = importlib.import_module(package)
    except ModuleNotFoundError:
        return ()
    names = [one.name for one in pkgutil.iter_modules(getattr(module, "__path__", ()))]
    for part in (module, *(importlib.import_module(f"{package}.{name}") for name in names)):
        found: tuple[Lesson, ...] = getattr(part, page.stem.upper(), ())
        if found:
            return found
    return ()


def poll(app: AppTest, holds: Callable[[], object], seconds: float = 300.0) -> AppTest:
    """Run the page again, as a browser that polls would, until ``holds()``."""

    def holds_now() -> bool:
        if not holds():
            time.sleep(0.1)
            ok(app.run())
        return bool(holds())

    until(holds_now, seconds)
    return app


def html(app: AppTest) -> str:
    """All HTML on the page: the pictures and the numbers under them."""
    return "\n".join(element.proto.body for element in app.get("html"))


def sent(app: AppTest, component: str) -> list[dict]:
    """What each component of genlib/web/ with this name is given, in the order of the page."""
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(p.json) for p in found if p.component_name == f"genlib.{component}"]


def build(family: str, **config: object) -> Model:
    """A model whose weights follow from seed 0."""
    torch.manual_seed(0)
    return FAMILIES[family](FAMILIES[family].Config.from_dict(config))


def normal(model: M, scale: float = 1.0) -> M:
    """The same model in evaluation, every parameter drawn from N(0, scale²)."""
    with torch.no_grad():
        for p in model.parameters():
            p.normal_(0, scale)
    return model.eval()


def train(spec: RunSpec) -> Run:
    """A run that has finished, in this process."""
    run = queue.create(spec)
    assert work(run, lambda event: None) == "finished"
    return run


def blend(
    position: NDArray[np.float32], positions: NDArray[np.float32], z: NDArray[np.float32], k: int
) -> NDArray[np.float32]:
    """Mix the codes z (n, d) of the k points nearest to a place (2,) on their map (n, 2).

    Weights are 1 / squared distance, brought to sum 1 (Shepard 1968): at a point, its own code.
    The reference for what the browser does.
    """
    square = ((positions - position) ** 2).sum(axis=1)
    chosen = square.argsort(kind="stable")[:k]
    weights = 1 / np.maximum(square[chosen], 1e-12)
    return ((weights / weights.sum()) @ z[chosen]).astype(np.float32)
