"""Write a decoder as a short list of operations that a browser, or numpy, can carry out.

A decoder is a straight line: linear maps, convolutions and element-wise functions. `export`
walks `Decodes.decoder_layers()` and writes each layer as a plain dict; `genlib.export.operations`
defines the list and holds its reference reader, `run`.

Batch norm in evaluation is a fixed scale and shift per channel, so it is folded into the linear
or convolution before it and leaves no trace in the list. Weights are float32, or float16 where
that loses nothing at all (checkpoints stored in half precision). What cannot be said in these
operations is refused by name, never approximated.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from genlib.export.operations import Exported, Op, run
from genlib.models.layers import Affine, Clamp

__all__ = ["Exported", "Op", "export", "run"]


def export(layers: nn.Sequential) -> Exported:
    """Write `layers` (z -> pixels, in evaluation mode) as operations.

    Raises ValueError naming the first layer that has no operation here.
    """
    writer = _Writer()
    for name, layer in _flat(layers, ""):
        writer.add(name, layer)
    if writer.latent_dim is None:
        raise ValueError("Cannot export a decoder without a linear or reshape layer.")
    numbers = np.concatenate([np.zeros(0, np.float32), *writer.numbers])
    half = numbers.astype(np.float16)
    lossless = bool(np.array_equal(half.astype(np.float32), numbers))
    return Exported(
        ops=writer.ops,
        weights=(half.astype("<f2") if lossless else numbers.astype("<f4")).tobytes(),
        macs=writer.macs,
        latent_dim=writer.latent_dim,
        shape=tuple(writer.shape),
        dtype="float16" if lossless else "float32",
    )


def _flat(module: nn.Sequential, prefix: str) -> list[tuple[str, nn.Module]]:
    """Unroll nested Sequentials; leave out what does nothing in evaluation."""
    layers: list[tuple[str, nn.Module]] = []
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential):
            layers += _flat(child, f"{prefix}{name}.")
        elif not isinstance(child, (nn.Identity, nn.Dropout, nn.Dropout2d)):
            layers.append((f"{prefix}{name}", child))
    return layers


class _Writer:
    """Collects operations while following the size of the data."""

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.numbers: list[np.ndarray] = []
        self.count = 0
        self.macs = 0
        self.latent_dim: int | None = None
        self.shape: list[int] = []

    def add(self, name: str, layer: nn.Module) -> None:
        for kind, write in _WRITERS.items():
            if isinstance(layer, kind):
                self.where = f"layer {name} ({layer.__class__.__name__})"
                write(self, layer)
                return
        known = ", ".join(sorted(kind.__name__ for kind in _WRITERS))
        what = layer.__class__.__name__
        raise ValueError(f"Cannot export layer {name}: {what} is not one of {known}.")

    def begin(self, size: int) -> None:
        """Learn the latent dimension from the first layer that knows it."""
        if self.latent_dim is None:
            self.latent_dim, self.shape = size, [size]

    def push(self, op: Op) -> None:
        if self.latent_dim is None:
            raise ValueError(f"Cannot export {self.where}: the size of z is not known before it.")
        self.ops.append(op)
        self.shape = op["shape"]

    def store(self, tensor: torch.Tensor) -> list[int]:
        flat = tensor.detach().to("cpu", torch.float32).contiguous().numpy().ravel()
        self.numbers.append(flat)
        self.count += flat.size
        return [self.count - flat.size, flat.size]

    def require(self, holds: bool, what: str) -> None:
        if not holds:
            raise ValueError(f"Cannot export {self.where}: {what}.")


def _linear(writer: _Writer, layer: nn.Linear) -> None:
    writer.begin(layer.in_features)
    writer.require(
        writer.shape == [layer.in_features],
        f"it needs a vector of {layer.in_features} numbers",
    )
    bias = layer.bias if layer.bias is not None else torch.zeros(layer.out_features)
    writer.macs += layer.in_features * layer.out_features
    weight, bias_at = writer.store(layer.weight), writer.store(bias)
    writer.push(Op(op="linear", shape=[layer.out_features], weight=weight, bias=bias_at))


def _convolution(writer: _Writer, layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    transposed = isinstance(layer, nn.ConvTranspose2d)
    writer.require(not isinstance(layer.padding, str), "padding must be a number")
    writer.require(layer.groups == 1 and set(layer.dilation) == {1}, "groups or dilation")
    writer.require(layer.padding_mode == "zeros", "padding must be with zeros")
    sizes = (layer.kernel_size, layer.stride, layer.padding, layer.output_padding)
    square = all(len(set(size)) == 1 for size in sizes)
    writer.require(square, "kernel, stride and padding must be square")
    kernel, stride, padding, extra = (int(size[0]) for size in sizes)
    writer.require(
        len(writer.shape) == 3 and writer.shape[0] == layer.in_channels,
        f"it needs {layer.in_channels} channels, height and width",
    )
    _, height, width = writer.shape

    def size(n: int) -> int:
        if transposed:
            return (n - 1) * stride - 2 * padding + kernel + extra
        return (n + 2 * padding - kernel) // stride + 1

    per_place = layer.in_channels * layer.out_channels * kernel * kernel
    writer.macs += per_place * (height * width if transposed else size(height) * size(width))
    bias = layer.bias if layer.bias is not None else torch.zeros(layer.out_channels)
    writer.push(
        Op(
            op="conv_transpose" if transposed else "conv",
            shape=[layer.out_channels, size(height), size(width)],
            kernel=kernel,
            stride=stride,
            padding=padding,
            weight=writer.store(layer.weight),
            bias=writer.store(bias),
        )
    )


def _batch_norm(writer: _Writer, layer: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
    """Fold (x - mean) / sqrt(var + eps) * gamma + beta into the weights just before."""
    before = writer.ops[-1] if writer.ops else None
    foldable = before is not None and before["op"] in (
        "linear",
        "conv",
        "conv_transpose",
    )
    writer.require(foldable, "batch norm must follow a linear or convolution layer directly")
    writer.require(layer.running_mean is not None, "batch norm without running statistics")
    assert before is not None and layer.running_mean is not None and layer.running_var is not None
    writer.require(before["shape"][0] == layer.num_features, "sizes differ from the layer before")
    scale = (1.0 / (layer.running_var + layer.eps).sqrt()).cpu().numpy()
    shift = -layer.running_mean.cpu().numpy() * scale
    if layer.affine:
        gamma, beta = (
            layer.weight.detach().cpu().numpy(),
            layer.bias.detach().cpu().numpy(),
        )
        scale, shift = scale * gamma, shift * gamma + beta
    # The last two blocks are the weight and bias of the layer before; out channels come first,
    # except for a transposed convolution, whose weight is (in, out, kernel, kernel).
    weight, bias = writer.numbers[-2:]
    if before["op"] == "conv_transpose":
        per_out = weight.reshape(-1, layer.num_features, before["kernel"] ** 2)
        folded = per_out * scale[None, :, None]
    else:
        folded = weight.reshape(layer.num_features, -1) * scale[:, None]
    writer.numbers[-2] = folded.ravel().astype(np.float32)
    writer.numbers[-1] = (bias * scale + shift).astype(np.float32)


def _upsample(writer: _Writer, layer: nn.Upsample) -> None:
    factors = layer.scale_factor
    factor = factors[0] if isinstance(factors, tuple) else factors
    writer.require(layer.mode == "nearest", f"mode {layer.mode}; only nearest is known")
    same = not isinstance(factors, tuple) or len(set(factors)) == 1
    whole = factor is not None and same and factor == int(factor)
    writer.require(whole, "the factor must be one whole number")
    writer.require(len(writer.shape) == 3, "it needs channels, height and width")
    assert factor is not None
    channels, height, width = writer.shape
    times = int(factor)
    writer.push(Op(op="upsample", shape=[channels, height * times, width * times], factor=times))


def _reshape(writer: _Writer, layer: nn.Flatten | nn.Unflatten) -> None:
    if isinstance(layer, nn.Unflatten):
        shape = [int(n) for n in layer.unflattened_size]
        writer.begin(math.prod(shape))
        writer.require(layer.dim == 1 and len(writer.shape) == 1, "it must unflatten a vector")
    else:
        writer.require(layer.start_dim == 1 and layer.end_dim == -1, "it must flatten all")
        shape = [math.prod(writer.shape)]
    writer.require(math.prod(shape) == math.prod(writer.shape), f"{writer.shape} is not {shape}")
    writer.push(Op(op="reshape", shape=shape))


def _leaky(writer: _Writer, layer: nn.LeakyReLU) -> None:
    writer.push(Op(op="leaky_relu", shape=writer.shape, slope=float(layer.negative_slope)))


def _affine(writer: _Writer, layer: Affine) -> None:
    scale, shift = float(layer.scale), float(layer.shift)
    writer.push(Op(op="affine", shape=writer.shape, scale=scale, shift=shift))


def _clamp(writer: _Writer, layer: Clamp) -> None:
    low, high = float(layer.low), float(layer.high)
    writer.push(Op(op="clamp", shape=writer.shape, low=low, high=high))


def _plain(op: str) -> Callable[[_Writer, nn.Module], None]:
    return lambda writer, _: writer.push(Op(op=op, shape=writer.shape))


# Adding an operation is a line here, one in operations.py and one in decoder.js.
_WRITERS: dict[type[nn.Module], Callable] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _convolution,
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.Upsample: _upsample,
    nn.Flatten: _reshape,
    nn.Unflatten: _reshape,
    nn.ReLU: _plain("relu"),
    nn.Tanh: _plain("tanh"),
    nn.Sigmoid: _plain("sigmoid"),
    nn.LeakyReLU: _leaky,
    Affine: _affine,
    Clamp: _clamp,
}
