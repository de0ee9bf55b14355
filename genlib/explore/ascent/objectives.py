"""What to climb: a number per image that gradient ascent makes larger.

Source: overview text "Generative models", class visualization (dscore = 1 for the target class,
0 elsewhere: the gradient of the target's score) and DeepDream (the gradient at a layer is set to
the layer's own activation); channel objectives as in Olah, Mordvintsev & Schubert 2017, "Feature
visualization", distill.pub.

An objective is one function ``(out, target) -> (B,)``; ``out`` is what the network gave, either
the class scores (B, K) or the activation of the layer asked for (B, C, H, W). Declaring it with
``@objective`` offers it everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

LooksAt = Literal["scores", "layer"]


@dataclass(frozen=True)
class Target:
    """What an objective aims at.

    classes: (B,) int64, the class wanted of each image; channel: index in the layer, or -1.
    """

    classes: Tensor
    channel: int = -1


Function = Callable[[Tensor, Target], Tensor]


@dataclass(frozen=True)
class Objective:
    """An objective by name, with what it looks at."""

    name: str
    looks_at: LooksAt
    function: Function

    def __call__(self, out: Tensor, target: Target) -> Tensor:
        """One number per image: (B, ...) -> (B,)."""
        return self.function(out, target)


OBJECTIVES: dict[str, Objective] = {}


def objective(name: str, looks_at: LooksAt) -> Callable[[Function], Function]:
    """Offer a function as an objective under a name."""

    def declare(function: Function) -> Function:
        OBJECTIVES[name] = Objective(name, looks_at, function)
        return function

    return declare


@objective("class score", "scores")
def class_score(scores: Tensor, target: Target) -> Tensor:
    """The target's score before the softmax; its gradient is the lecture's dscore_target = 1."""
    return scores.gather(1, target.classes[:, None])[:, 0]


@objective("log-probability", "scores")
def log_probability(scores: Tensor, target: Target) -> Tensor:
    """log p(target | image) in nats: also pushes the other classes' scores down."""
    return F.log_softmax(scores, 1).gather(1, target.classes[:, None])[:, 0]


@objective("layer activation", "layer")
def layer_activation(activation: Tensor, target: Target) -> Tensor:
    """0.5 * ||a||^2 of a layer (DeepDream): its gradient at the layer is a itself."""
    return 0.5 * activation.square().flatten(1).sum(1)


@objective("channel", "layer")
def channel_mean(activation: Tensor, target: Target) -> Tensor:
    """Mean activation of one channel of a layer. Raises ValueError if the layer has no such."""
    if not 0 <= target.channel < activation.shape[1]:
        raise ValueError(
            f"channel must be between 0 and {activation.shape[1] - 1}, got {target.channel}"
        )
    return activation[:, target.channel].flatten(1).mean(1)


def before_relu(out: Tensor, pre: Tensor, target: Target, looks_at: LooksAt) -> Tensor:
    """What to climb when a dead unit gives no gradient: its value before the ReLU, (B,).

    A ReLU that is off has gradient 0, so that the picture would never move. The value that went
    into the last ReLU, ``pre`` (B, C, H, W), still has a slope. Raises ValueError when ``pre``
    does not belong to ``out``.
    """
    if pre.dim() < 2 or pre.shape[:2] != out.shape[:2]:
        raise ValueError("no value before the last ReLU belongs to this unit")
    if looks_at == "scores":
        rows = torch.arange(len(pre), device=pre.device)
        return pre[rows, target.classes].reshape(len(pre), -1).mean(1)
    chosen = pre if target.channel < 0 else pre[:, target.channel : target.channel + 1]
    return chosen.flatten(1).mean(1)
