"""What the facts behind lessons are computed from: shipped models, test digits, a reader of digits.

Classes of generated images are those that the shipped ``classifier`` sees (99.4% right on test
digits).
"""

from __future__ import annotations

import torch
from torch import Tensor

from genlib.data.datasets import to_float
from genlib.models.capabilities import Classifies
from genlib.store.checkpoint import Info
from genlib.ui.kit import loading


def named(name: str) -> Info:
    """The checkpoint of this name. Raises LookupError where there is none."""
    for info in loading.checkpoints():
        if info.name == name:
            return info
    raise LookupError(f"no checkpoint is called {name}")


def digit(cls: int, nth: int = 0) -> Tensor:
    """The nth test digit of a class, as the digit picker counts: (1, 28, 28) in [0, 1]."""
    data = loading.dataset()
    return to_float(data.test_x[(data.test_y == cls).nonzero().flatten()[nth]])


def digits(n: int) -> tuple[Tensor, Tensor]:
    """The first n test digits (n, 1, 28, 28) in [0, 1] and their classes (n,)."""
    data = loading.dataset()
    return to_float(data.test_x[:n]), data.test_y[:n]


@torch.no_grad()
def probabilities(x: Tensor) -> Tensor:
    """What the shipped classifier says of images (N, 1, 28, 28) in [0, 1]: (N, 10)."""
    judge = loading.model(named("classifier"))
    assert isinstance(judge, Classifies)
    device = judge.device  # type: ignore[attr-defined]
    return torch.cat([judge.logits(part.to(device)).softmax(1).cpu() for part in x.split(500)])


def read(x: Tensor) -> Tensor:
    """The class that the shipped classifier sees in each of x (N, 1, 28, 28): (N,)."""
    return probabilities(x).argmax(1)
