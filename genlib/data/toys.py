"""Bars and stripes: the small set of pictures on which Boltzmann machines can be judged exactly.

Source: MacKay 2003, "Information Theory, Inference, and Learning Algorithms", section 43.1 (after
Hinton & Sejnowski 1986). A picture has either some of its columns inked (bars) or some of its rows
(stripes):

    1 0 1 0        0 0 0 0
    1 0 1 0        1 1 1 1
    1 0 1 0        1 1 1 1
    1 0 1 0        0 0 0 0

The empty and the full picture are both; they count as bars, once.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor


def bars_and_stripes(side: int = 4) -> tuple[Tensor, Tensor]:
    """All 2 * 2^side - 2 different pictures: bool (N, side, side), 0 bars and 1 stripes (N,)."""
    lines = torch.tensor(list(itertools.product([False, True], repeat=side)))
    bars = lines[:, None, :].expand(-1, side, -1)
    stripes = lines[1:-1, :, None].expand(-1, -1, side)
    y = torch.tensor([0] * len(bars) + [1] * len(stripes))
    return torch.cat([bars, stripes]), y
