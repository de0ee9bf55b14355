"""The list of operations that a decoder is exported to, and its reference reader in numpy.

Two readers follow the same list: `run` below and `genlib/web/shared/decoder.js`. Sizes are for
one image and follow PyTorch: vectors `[d]`, images `[channels, height, width]`. All maths is
float32. `genlib.export.network` writes the list.

    op              numbers                                    does
    linear          weight (out, in), bias (out)               W x + b
    conv            weight (out, in, k, k), bias (out)         as nn.Conv2d, zero padding
    conv_transpose  weight (in, out, k, k), bias (out)         as nn.ConvTranspose2d
    upsample        factor                                     repeats every pixel
    reshape         shape                                      same numbers, other shape
    relu leaky_relu(slope) tanh sigmoid affine(scale, shift) clamp(low, high)      element-wise
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NotRequired, TypedDict

import numpy as np


class Op(TypedDict):
    """One operation. `shape` is the size of its result; `weight` and `bias` are
    [first number, count of numbers] in the block of weights."""

    op: str
    shape: list[int]
    weight: NotRequired[list[int]]
    bias: NotRequired[list[int]]
    kernel: NotRequired[int]
    stride: NotRequired[int]
    padding: NotRequired[int]
    factor: NotRequired[int]
    slope: NotRequired[float]
    scale: NotRequired[float]
    shift: NotRequired[float]
    low: NotRequired[float]
    high: NotRequired[float]


@dataclass(frozen=True)
class Exported:
    """A decoder as data.

    ops: what to do, in order; weights: all numbers, little endian, of type `dtype` ("float32" or
    "float16"); macs: multiply-adds for one image; latent_dim: numbers in z; shape: (C, H, W).
    """

    ops: list[Op]
    weights: bytes
    macs: int
    latent_dim: int
    shape: tuple[int, ...]
    dtype: str

    @cached_property
    def digest(self) -> str:
        """Name this decoder by its content: 16 hex digits."""
        text = repr((self.ops, self.dtype)).encode()
        return hashlib.sha256(text + self.weights).hexdigest()[:16]

    @cached_property
    def numbers(self) -> np.ndarray:
        """All weights in one float32 array."""
        code = {"float16": "<f2", "float32": "<f4"}[self.dtype]
        return np.frombuffer(self.weights, dtype=code).astype(np.float32)


def run(exported: Exported, z: np.ndarray) -> np.ndarray:
    """Decode z (n, latent_dim) into float32 images (n, C, H, W).

    Raises ValueError where z has another size.
    """
    # Only the newest is kept: 1,000 images of a large decoder would not fit all at once.
    (x,) = deque(activations(exported, z), maxlen=1)
    return x.reshape(len(z), *exported.shape)


def activations(exported: Exported, z: np.ndarray) -> Iterator[np.ndarray]:
    """What each operation makes of z (n, latent_dim): float32 (n, *op["shape"]), one by one.

    Raises ValueError where z has another size.
    """
    if z.ndim != 2 or z.shape[1] != exported.latent_dim:
        raise ValueError(f"z must be (n, {exported.latent_dim}), got {z.shape}")
    x = z.astype(np.float32)
    for op in exported.ops:
        x = _READERS[op["op"]](x, op, exported.numbers)
        yield x


def _block(numbers: np.ndarray, where: list[int], shape: tuple[int, ...]) -> np.ndarray:
    return numbers[where[0] : where[0] + where[1]].reshape(shape)


def _linear(x: np.ndarray, op: Op, numbers: np.ndarray) -> np.ndarray:
    weight = _block(numbers, op["weight"], (op["shape"][0], x.shape[1]))
    return x @ weight.T + _block(numbers, op["bias"], (-1,))


def _conv(x: np.ndarray, op: Op, numbers: np.ndarray) -> np.ndarray:
    channels, height, width = op["shape"]
    k, s, p = op["kernel"], op["stride"], op["padding"]
    weight = _block(numbers, op["weight"], (channels, x.shape[1], k, k))
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    out = np.zeros((len(x), channels, height, width), np.float32)
    for i in range(k):
        for j in range(k):
            seen = padded[:, :, i : i + s * height : s, j : j + s * width : s]
            seen = seen[:, :, :height, :width]
            out += np.einsum("oc,nchw->nohw", weight[:, :, i, j], seen, optimize=True)
    return out + _block(numbers, op["bias"], (1, channels, 1, 1))


def _conv_transpose(x: np.ndarray, op: Op, numbers: np.ndarray) -> np.ndarray:
    channels, height, width = op["shape"]
    k, s, p = op["kernel"], op["stride"], op["padding"]
    weight = _block(numbers, op["weight"], (x.shape[1], channels, k, k))
    # Every input pixel stamps its kernel, s pixels apart, on a canvas with p spare pixels around.
    canvas = np.zeros((len(x), channels, height + 2 * p + k, width + 2 * p + k), np.float32)
    rows, columns = x.shape[2], x.shape[3]
    for i in range(k):
        for j in range(k):
            stamp = np.einsum("co,nchw->nohw", weight[:, :, i, j], x, optimize=True)
            canvas[:, :, i : i + s * rows : s, j : j + s * columns : s] += stamp
    out = canvas[:, :, p : p + height, p : p + width]
    return out + _block(numbers, op["bias"], (1, channels, 1, 1))


def _upsample(x: np.ndarray, op: Op, _numbers: np.ndarray) -> np.ndarray:
    return x.repeat(op["factor"], axis=2).repeat(op["factor"], axis=3)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    # Through tanh, so that large negative numbers do not overflow exp.
    return np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1))


_READERS: dict[str, Callable[[np.ndarray, Op, np.ndarray], np.ndarray]] = {
    "linear": _linear,
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "upsample": _upsample,
    "reshape": lambda x, op, _: x.reshape(len(x), *op["shape"]),
    "relu": lambda x, op, _: np.maximum(x, np.float32(0)),
    "leaky_relu": lambda x, op, _: np.where(x > 0, x, x * np.float32(op["slope"])),
    "tanh": lambda x, op, _: np.tanh(x),
    "sigmoid": lambda x, op, _: _sigmoid(x),
    "affine": lambda x, op, _: x * np.float32(op["scale"]) + np.float32(op["shift"]),
    "clamp": lambda x, op, _: np.clip(x, np.float32(op["low"]), np.float32(op["high"])),
}
