"""Gradient ascent on the input: what must a picture look like for a network to say "eight"?

Source: overview text "Generative models", class visualization with jitter, clipping and blurring,
and DeepDream. One step, as in the text:

    X += lr * (dX - 2 * l2 * X)

X is the picture minus the network's base colour. ``keep`` is a term of ours for photographs:
-2 * keep * (X - X0) pulls towards the picture X0 that the ascent began with, so that a normalised
gradient moves a typical pixel by about 1 / (2 * keep) at most. All images of a batch climb at once,
each towards its own class. Nothing restarts by itself: every knob may change between two steps.
Octaves simplify DeepDream's: instead of restarting at each size, a few steps in turn look at the
picture in each size, and the gradient is carried to the full picture.

Small random changes before every step, so that a picture cannot rely on single pixels.

Source: jitter as in the overview text (roll, step, roll back); scale and rotate as in Olah,
Mordvintsev & Schubert 2017, "Feature visualization". A transform is one function
``(x, amount, rng) -> x`` that autograd can follow: because its gradient is the transform undone,
the picture itself never moves, and the lecture's "undo the jitter" comes by itself.

One draw serves the whole batch, as in the lecture. All take x (B, C, H, W).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.explore.ascent.knobs import Knobs, octave_size
from genlib.explore.ascent.lens import Lens
from genlib.explore.ascent.objectives import OBJECTIVES, Objective, Target, before_relu
from genlib.explore.ascent.parameterisations import PARAMETERISATIONS


@dataclass(frozen=True)
class AscentFrame:
    """The picture after a step, and what was measured on it.

    image: (B, C, H, W), in [0, 1] when clipping is on; value: (B,) the objective; probability:
    (B,) of the target class, NaN when a layer is climbed; grad_norm: (B,) L2 norm of the
    objective's gradient at the last step, NaN before the first.
    """

    step: int
    image: Tensor
    value: Tensor
    probability: Tensor
    grad_norm: Tensor


class AscentError(RuntimeError):
    """The ascent cannot go on; the message is one sentence for the user."""


class Ascent:
    """One running ascent: a batch of pictures, their targets and the knobs."""

    def __init__(
        self, lens: Lens, image: Tensor, classes: Sequence[int], knobs: Knobs, rng: torch.Generator
    ) -> None:
        """``image`` (B, C, H, W) in [0, 1]; one class per image; ``rng`` on the CPU."""
        if len(classes) != len(image):
            raise ValueError(f"classes must name one class for each of {len(image)} images")
        self.lens, self.knobs, self.rng = lens.view(), knobs, rng
        self.classes = torch.as_tensor(classes, device=lens.device)
        self.grad_norm = torch.full((len(image),), torch.nan, device=lens.device)
        self.begin(image)

    @property
    def groups(self) -> tuple[str, ...]:
        """The title of the network, for each of those that climb: one."""
        return (self.lens.network.title,)

    @property
    def names(self) -> tuple[str, ...]:
        """What the classes are called."""
        return self.lens.network.classes

    def begin(self, image: Tensor) -> None:
        """Start at step 0 from this picture, to which ``keep`` pulls: (B, C, H, W) in [0, 1]."""
        self.step = 0
        self._first = image.to(self.lens.device, torch.float32) - self.lens.base
        self.put(image)

    def put(self, image: Tensor) -> None:
        """Go on from this picture: (B, C, H, W) in [0, 1]."""
        x = image.to(self.lens.device, torch.float32) - self.lens.base
        self._map, self._width = self.knobs.parameterisation, x.shape[-1]
        self._parameters = PARAMETERISATIONS[self._map].parameters(x)

    @property
    def image(self) -> Tensor:
        """The picture now: (B, C, H, W)."""
        return self._centred() + self.lens.base

    def retarget(self, classes: Sequence[int]) -> None:
        """Aim at other classes without losing the pictures.

        Each class wanted goes on from its own picture if it has one, else from the first.
        """
        have, image = self.classes.tolist(), self.image
        rows = [have.index(c) if c in have else 0 for c in classes]
        if len(rows) == len(have) == 1 or list(classes) != have:
            self.put(image[rows])
            self.classes = torch.as_tensor(classes, device=self.lens.device)
            self.grad_norm, self._first = self.grad_norm[rows], self._first[rows]

    def frames(self) -> Iterator[AscentFrame]:
        """One frame per step, for ever."""
        while True:
            self.advance()
            yield self.frame()

    def frame(self) -> AscentFrame:
        """The picture now, measured as it is, without jitter."""
        image = self.image
        if self.step:
            value, probability = self._measure(image)
        else:  # every visitor's ascent begins with the same picture
            knobs = self.knobs
            seen = hashlib.sha256(image.cpu().numpy().tobytes()).digest()
            aim = (knobs.objective, knobs.layer, knobs.channel, tuple(self.classes.tolist()))
            value, probability = self.lens.remember((seen, aim), lambda: self._measure(image))
        return AscentFrame(self.step, image, value, probability, self.grad_norm)

    @torch.no_grad()
    def _measure(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The objective's value, and the probability of each picture's class where there is one."""
        out = self._look(image)
        value = self._objective()(out, self._target())
        probability = torch.full_like(value, torch.nan)
        if self._objective().looks_at == "scores":
            probability = out.softmax(1).gather(1, self.classes[:, None])[:, 0]
        return value, probability

    def advance(self) -> None:
        """Make one step. Raises AscentError where there is nothing to climb or numbers overflow."""
        knobs = self.knobs
        knobs.check()
        if knobs.parameterisation != self._map:
            self.put(self.image)
        gradient = self._gradient(knobs)
        if knobs.normalise:
            mean_square = gradient.flatten(1).square().mean(1)
            gradient = gradient / (mean_square.sqrt() + 1e-12).view(-1, *[1] * (gradient.dim() - 1))
        # X += lr * (dX - 2 * l2 * X)
        moved = (1 - 2 * knobs.lr * knobs.l2) * self._parameters + knobs.lr * gradient
        if knobs.keep:
            first = PARAMETERISATIONS[self._map].parameters(self._first)
            moved = moved - 2 * knobs.lr * knobs.keep * (self._parameters - first)
        if not bool(torch.isfinite(moved.sum())):
            raise AscentError(
                "The picture's numbers grew too large: go back to an earlier frame, then lower "
                "the learning rate or L2, or clip."
            )
        self._parameters = moved
        if knobs.clip or knobs.blur_every:
            self._regularise(knobs)
        self.step += 1

    def _regularise(self, knobs: Knobs) -> None:
        """Blur now and then, and keep the picture in [0, 1]."""
        x = self._centred()
        if knobs.blur_every and self.step % knobs.blur_every == 0:
            x = blur(x, knobs.blur_sigma)
        if knobs.clip:
            x = x.clamp(-self.lens.base, 1 - self.lens.base)
        self._parameters = PARAMETERISATIONS[self._map].parameters(x)

    def _gradient(self, knobs: Knobs) -> Tensor:
        """d objective / d parameters, one picture's gradient not depending on the others."""
        leaf = self._parameters.detach().requires_grad_()
        x = self._seen(leaf, knobs)
        value = self._objective()(self._look(x), self._target())
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
        self.grad_norm = gradient.flatten(1).norm(dim=1)
        if bool((self.grad_norm != 0).all()):
            return gradient
        return self._revive(gradient, knobs)

    def _revive(self, gradient: Tensor, knobs: Knobs) -> Tensor:
        """Use the value before the last ReLU for the pictures whose unit gives no gradient."""
        leaf = self._parameters.detach().requires_grad_()
        looks_at = self._objective().looks_at
        out, pre = self.lens.before_relu(self._seen(leaf, knobs), _layer(knobs))
        try:
            if pre is None:
                raise ValueError("this unit has no ReLU before it")
            value = before_relu(out, pre, self._target(), looks_at)
        except ValueError:
            return gradient  # nothing to fall back on: the zero norm is shown
        (other,) = torch.autograd.grad(value.sum(), leaf)
        dead = self.grad_norm == 0
        return torch.where(dead.view(-1, *[1] * (gradient.dim() - 1)), other, gradient)

    def _seen(self, leaf: Tensor, knobs: Knobs) -> Tensor:
        """The picture as this step sees it: in its octave, jittered, scaled and turned."""
        x = PARAMETERISATIONS[self._map].image(leaf, self._width)
        if knobs.octaves > 1:
            full = (x.shape[-2], x.shape[-1])
            size = octave_size(knobs, self.step, full, self.lens.smallest(_layer(knobs)))
            if size != full:
                x = F.interpolate(x, size, mode="bilinear", antialias=True)
        x = transform(x, {name: getattr(knobs, name) for name in TRANSFORMS}, self.rng)
        return x + self.lens.base

    def _look(self, image: Tensor) -> Tensor:
        if self._objective().looks_at == "scores":
            return self.lens.scores(image)
        return self.lens.activation(image, self.knobs.layer)

    def _centred(self) -> Tensor:
        return PARAMETERISATIONS[self._map].image(self._parameters, self._width)

    def _objective(self) -> Objective:
        return OBJECTIVES[self.knobs.objective]

    def _target(self) -> Target:
        return Target(self.classes, self.knobs.channel)


def _layer(knobs: Knobs) -> str:
    """The layer that is climbed, "" for the scores."""
    return knobs.layer if OBJECTIVES[knobs.objective].looks_at == "layer" else ""


def noise(
    shape: tuple[int, ...], base: Tensor, rng: torch.Generator, amount: float = 0.1
) -> Tensor:
    """A start: the base colour (1, C, 1, 1) plus normal noise, kept in [0, 1]: (B, C, H, W)."""
    x = amount * torch.randn(shape, generator=rng)
    return (x.to(base.device) + base).clamp(0, 1)


Transform = Callable[[Tensor, float, torch.Generator], Tensor]


def roll(x: Tensor, down: int, right: int) -> Tensor:
    """Shift an image, what leaves on one side enters on the other; exact, undone by (-, -)."""
    return torch.roll(x, (down, right), (-2, -1))


def jitter(x: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """Roll by up to ``amount`` pixels, each direction drawn uniformly from whole numbers."""
    most = int(amount)
    down, right = torch.randint(-most, most + 1, (2,), generator=rng).tolist()
    return roll(x, down, right) if down or right else x


def scale(x: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """Zoom about the centre by a factor drawn uniformly from 1 - amount to 1 + amount."""
    factor = 1 + amount * _uniform(rng)
    return _affine(x, [[1 / factor, 0.0, 0.0], [0.0, 1 / factor, 0.0]])


def rotate(x: Tensor, amount: float, rng: torch.Generator) -> Tensor:
    """Turn about the centre by an angle drawn uniformly from -amount to amount degrees."""
    angle = math.radians(amount) * _uniform(rng)
    c, s = math.cos(angle), math.sin(angle)
    ratio = x.shape[-1] / x.shape[-2]  # grid_sample's axes both run from -1 to 1
    return _affine(x, [[c, -s / ratio, 0.0], [s * ratio, c, 0.0]])


# In the order they are applied; each name is the knob that holds the amount.
TRANSFORMS: dict[str, Transform] = {"jitter": jitter, "scale": scale, "rotate": rotate}


def transform(x: Tensor, amounts: dict[str, float], rng: torch.Generator) -> Tensor:
    """Apply every transform whose amount is not 0: (B, C, H, W) -> (B, C, H, W)."""
    for name, function in TRANSFORMS.items():
        if amounts.get(name):
            x = function(x, amounts[name], rng)
    return x


def blur(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with standard deviation ``sigma`` in pixels, edges repeated; 0 does nothing."""
    if sigma <= 0:
        return x
    radius = min(max(1, round(3 * sigma)), x.shape[-1] - 1, x.shape[-2] - 1)
    ticks = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    weights = torch.exp(-0.5 * (ticks / sigma).square())
    weights = (weights / weights.sum()).expand(x.shape[1], 1, -1)
    padded = F.pad(x, (radius, radius, radius, radius), mode="replicate")
    rows = F.conv2d(padded, weights[:, :, None, :], groups=x.shape[1])
    return F.conv2d(rows, weights[:, :, :, None], groups=x.shape[1])


def _uniform(rng: torch.Generator) -> float:
    """A number from -1 to 1."""
    return 2 * float(torch.rand((), generator=rng)) - 1


def _affine(x: Tensor, matrix: list[list[float]]) -> Tensor:
    theta = torch.tensor(matrix, device=x.device, dtype=x.dtype).expand(len(x), 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)
