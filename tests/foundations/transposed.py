"""What PyTorch says of transposed convolutions, for tests in node and in the browser."""

from __future__ import annotations

import warnings
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.ui.foundations.lessons.shipped import (
    START,
    TRANSPOSED_CONVOLUTION,
    W,
    X,
)

CASES = 500
SIZES, KERNELS, STRIDES = range(1, 8), range(1, 6), range(1, 5)  # what the page offers


class Setting(TypedDict):
    """Input size, kernel, stride, padding and output padding."""

    n: int
    k: int
    s: int
    p: int
    e: int


def convolve(setting: Setting, x: Tensor, w: Tensor) -> Tensor:
    """conv_transpose2d of x (n, n) and w (k, k): (m, m). RuntimeError where PyTorch refuses."""
    s, p, e = setting["s"], setting["p"], setting["e"]
    y: Tensor = F.conv_transpose2d(x[None, None], w[None, None], None, s, p, e)[0, 0]
    return y


def accepted(setting: Setting) -> bool:
    """Whether PyTorch takes a setting."""
    one = torch.ones(setting["n"], setting["n"])
    try:
        return convolve(setting, one, torch.ones(setting["k"], setting["k"])).numel() > 0
    except RuntimeError:
        return False


def refusals() -> list[tuple[Setting, bool]]:
    """Settings around the limits of padding and output padding, and whether PyTorch takes them."""
    found = []
    for n in SIZES:
        for k in KERNELS:
            for s in STRIDES:
                for e in (0, s - 1, s):
                    most = max(0, ((n - 1) * s + k + e) // 2)
                    for p in {0, max(0, most - 1), most, most + 1}:
                        setting = Setting(n=n, k=k, s=s, p=p, e=e)
                        found.append((setting, accepted(setting)))
    assert {ok for _, ok in found} == {True, False}
    return found


def _some(rng: np.random.Generator) -> Setting:
    """A random setting that PyTorch takes."""
    while True:
        n, k, s = (int(rng.choice(list(values))) for values in (SIZES, KERNELS, STRIDES))
        setting = Setting(n=n, k=k, s=s, p=int(rng.integers(0, 8)), e=int(rng.integers(0, s)))
        if accepted(setting):
            return setting


def _numbers(values: Tensor) -> list[float]:
    return [float(v) for v in values.flatten()]


def case(setting: Setting, rng: np.random.Generator) -> dict[str, object]:
    """Random x and w, and all that the page computes of them."""
    n, k, s, p = setting["n"], setting["k"], setting["s"], setting["p"]
    x, w = (torch.from_numpy(np.round(rng.normal(0, 3, (side, side)), 2)) for side in (n, k))
    y = convolve(setting, x, w)
    large = F.interpolate(x[None, None], scale_factor=s)
    ones = convolve(setting, torch.ones_like(x), torch.ones_like(w))
    back = F.conv2d(y[None, None], w[None, None], stride=s, padding=p)
    with warnings.catch_warnings():  # an even kernel needs a padded copy: it is only slower
        warnings.simplefilter("ignore", UserWarning)
        upsampled = F.conv2d(large, w[None, None], padding="same")
    return {
        "setting": setting,
        "x": _numbers(x),
        "w": _numbers(w),
        "y": _numbers(y),
        "back": _numbers(back),
        "overlap": _numbers(ones),
        "upsampled": _numbers(upsampled),
    }


def cases(count: int = CASES) -> list[dict[str, object]]:
    """Random settings with PyTorch's answers, the same every time."""
    rng = np.random.default_rng(0)
    return [case(_some(rng), rng) for _ in range(count)]


def lessons() -> list[dict[str, object]]:
    """The settings of the lessons' links, as Python reads them."""
    states = [state for one in TRANSPOSED_CONVOLUTION for state in (one.before, one.state)]
    return [
        {
            "link": {key.removeprefix("tconv."): value for key, value in state.items()},
            "setting": {key: int(state.get(f"tconv.{key}", START[key])) for key in START},
        }
        for state in states
    ]


def given() -> dict[str, object]:
    """Everything that transposed_convolution.test.mjs compares with."""
    return {
        "cases": cases(),
        "refusals": refusals(),
        "lessons": lessons(),
        "start": {"setting": START, "x": X, "w": W},
    }
