"""What gradient ascent moves: the pixels themselves, or the picture's frequencies and colours.

Source: Olah, Mordvintsev & Schubert 2017, "Feature visualization", distill.pub: steps in a Fourier
basis with decorrelated colours favour large smooth shapes over high-frequency noise. Simplified:
no sigmoid at the end, so that the map is linear and can be inverted, and a picture can be carried
from one parameterisation to the other while the ascent runs.

All map centred images x (B, C, H, W) (picture minus the network's mean colour) to parameters and
back; ``image(parameters(x))`` is x up to rounding.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import torch
from torch import Tensor

# How natural colours vary together: a square root of the covariance of red, green and blue over
# photographs, as published with the article above. Largest direction: brightness.
COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


class Parameterisation(Protocol):
    """A linear, invertible map between parameters and pictures."""

    def parameters(self, x: Tensor) -> Tensor:
        """Centred images (B, C, H, W) -> parameters (B, ...)."""

    def image(self, parameters: Tensor, width: int) -> Tensor:
        """Parameters (B, ...) -> centred images (B, C, H, width)."""


class Pixels:
    """The pixels themselves, as in the lecture."""

    def parameters(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        return x

    def image(self, parameters: Tensor, width: int) -> Tensor:
        """(B, C, H, W) -> the same."""
        return parameters


class Fourier:
    """Frequencies scaled by 1 / f, and for colour images decorrelated colours.

    parameters: (B, C, H, W // 2 + 1, 2), real and imaginary parts.
    """

    def parameters(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W // 2 + 1, 2)."""
        spectrum = torch.fft.rfft2(_mix(x, inverse=True), norm="ortho")
        return torch.view_as_real(spectrum / _falloff(x.shape[-2], x.shape[-1], x.device))

    def image(self, parameters: Tensor, width: int) -> Tensor:
        """(B, C, H, W // 2 + 1, 2) -> (B, C, H, W)."""
        height = parameters.shape[2]
        spectrum = torch.view_as_complex(parameters) * _falloff(height, width, parameters.device)
        x = torch.fft.irfft2(spectrum, s=(height, width), norm="ortho")
        return _mix(x, inverse=False)


PARAMETERISATIONS: dict[str, Parameterisation] = {"pixels": Pixels(), "fourier": Fourier()}


@lru_cache(maxsize=16)
def _falloff(height: int, width: int, device: torch.device) -> Tensor:
    """1 / f per frequency, 1 at the lowest: natural pictures' amplitudes fall like that.

    (H, W // 2 + 1); f in cycles per picture of the longer side.
    """
    fy = torch.fft.fftfreq(height, device=device)[:, None]
    fx = torch.fft.rfftfreq(width, device=device)[None, :]
    longer = max(height, width)
    return 1 / ((fy.square() + fx.square()).sqrt() * longer).clamp_min(1.0)


def _mix(x: Tensor, inverse: bool) -> Tensor:
    """Colours to correlated ones, or back; grey images have nothing to decorrelate."""
    if x.shape[1] != 3:
        return x
    matrix = torch.tensor(COLOURS, device=x.device, dtype=x.dtype)
    matrix = matrix / matrix.norm(dim=0).max()
    if inverse:
        matrix = torch.linalg.inv(matrix)
    return torch.einsum("ij,bjhw->bihw", matrix, x)
