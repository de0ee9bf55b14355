"""What a model may be able to do: a capability is a method, seen through a runtime Protocol.

Pages ask for capabilities, never for families.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from genlib.models.base import Autocast, Model
from genlib.models.layers import Gaussian


@runtime_checkable
class Encodes(Protocol):
    """Maps images to codes."""

    latent_dim: int

    def embed(self, x: Tensor) -> Tensor:
        """The deterministic code of each image (z, or mu of q(z|x)): (B, C, H, W) -> (B, d)."""


@runtime_checkable
class Decodes(Protocol):
    """Maps codes to images."""

    latent_dim: int

    def decode(self, z: Tensor) -> Tensor:
        """(B, d) -> (B, C, H, W) in [0, 1]."""

    def decoder_layers(self) -> nn.Sequential:
        """The decoder as plain layers, so that another program can run it."""


@runtime_checkable
class Reconstructs(Protocol):
    """Gives back its input as well as it can."""

    def reconstruct(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W) in [0, 1], deterministic."""


@runtime_checkable
class Denoises(Protocol):
    """Was trained to give the clean image for a corrupted one."""

    def denoise(self, x_bad: Tensor) -> Tensor:
        """(B, C, H, W) corrupted -> (B, C, H, W) in [0, 1]."""


@runtime_checkable
class Samples(Protocol):
    """Draws new images."""

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, C, H, W) in [0, 1]."""


@runtime_checkable
class HasEnergy(Protocol):
    """Says how little it believes in an image."""

    def energy(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B,); low on the data, in the unit the family's docstring states."""


@runtime_checkable
class HasKernels(Protocol):
    """Its first layer sees the whole image, so that its weights are pictures."""

    def kernels(self) -> Tensor:
        """First-layer weights: (n_hidden, H, W) for grey images."""

    def hidden(self, x: Tensor) -> Tensor:
        """Activations of that first layer: (B, C, H, W) -> (B, n_hidden)."""


@runtime_checkable
class Bounds(Protocol):
    """Has a variational posterior, and so a bound on log p(x)."""

    latent_dim: int

    def encode(self, x: Tensor) -> Gaussian:
        """Parameters of q(z|x)."""

    def decode_logits(self, z: Tensor) -> Tensor:
        """Bernoulli logits of p(x|z): (B, d) -> (B, C, H, W)."""


@runtime_checkable
class Classifies(Protocol):
    """Tells classes apart."""

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised log-probabilities: (B, C, H, W) -> (B, n_classes)."""


@runtime_checkable
class Judges(Protocol):
    """Has a discriminator that tells data from samples."""

    def verdict(self, x: Tensor) -> Tensor:
        """Logit of D(x), positive for "real": (B, C, H, W) in [0, 1] -> (B,)."""


@runtime_checkable
class StepsApart(Protocol):
    """A judge and a sampler that can be trained one at a time."""

    def without_average(self) -> Model:
        """A copy to train whose samples follow every step."""

    def verdict(self, x: Tensor) -> Tensor:
        """Logit of D(x): (B, C, H, W) in [0, 1] -> (B,)."""

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """(n, C, H, W) in [0, 1]."""

    def step_d(
        self,
        x: Tensor,
        fake_x: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of D on images and samples, (B, C, H, W) each."""

    def step_g(
        self,
        fake_x: Tensor,
        rng: torch.Generator,
        optimizers: dict[str, torch.optim.Optimizer],
        autocast: Autocast,
    ) -> dict[str, Tensor]:
        """One step of G on its samples, drawn with gradient."""


@runtime_checkable
class HasMargin(Protocol):
    """Pushes the energy of its samples up to a margin."""

    def energy(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B,)."""

    def margin(self) -> float:
        """The margin m, in the unit of ``energy``."""

    def rebuild(self, x: Tensor) -> Tensor:
        """What the energy compares x with: (B, C, H, W) in [0, 1] -> same."""


@runtime_checkable
class HasLikelihood(Protocol):
    """Knows log p(x) of binary images exactly."""

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Exact log p(x), in nats: binary (B, C, H, W) -> (B,)."""


@runtime_checkable
class HasDensity(Protocol):
    """Knows the density of grey images exactly; its nats are not those of binary images."""

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) with pixels as real numbers in [0, 1], in nats: (B, C, H, W) -> (B,)."""


@runtime_checkable
class HasComponents(Protocol):
    """Is a mixture: each image belongs to one of its components."""

    def responsibilities(self, x: Tensor) -> Tensor:
        """p(k | x): (B, C, H, W) -> (B, K)."""

    def component_means(self) -> Tensor:
        """The mean image of each component, in [0, 1]: (K, C, H, W)."""

    def weights(self) -> Tensor:
        """The share of each component: (K,), sums to 1."""

    def sample_of(self, component: Tensor, rng: torch.Generator) -> Tensor:
        """Draw an image from each of these components (n,): (n, C, H, W) in [0, 1]."""


@runtime_checkable
class Autoregressive(Protocol):
    """Predicts each pixel from the earlier ones in reading order."""

    def pixel_logits(self, x: Tensor) -> Tensor:
        """Logits of p(x_i = 1 | earlier pixels): binary (B, 1, H, W) -> (B, 1, H, W)."""

    def pixel_nll(self, x: Tensor) -> Tensor:
        """-log p(x_i | earlier pixels) of each pixel, in nats: binary (B, 1, H, W) -> same."""

    def draw(
        self, noise: Tensor, start: Tensor, known: int = 0, temperature: float = 1.0
    ) -> Tensor:
        """Draw all pixels after the first ``known`` of ``start``: (n, 1, H, W) of 0 and 1."""


@runtime_checkable
class GibbsSamples(Protocol):
    """Visible and hidden binary units that are drawn in turn."""

    def hidden_probabilities(self, v: Tensor) -> Tensor:
        """p(h_j = 1 | v): (B, n_visible) -> (B, n_hidden)."""

    def visible_probabilities(self, h: Tensor) -> Tensor:
        """p(v_i = 1 | h): (B, n_hidden) -> (B, n_visible)."""

    def gibbs(self, v: Tensor, steps: int, rng: torch.Generator) -> Tensor:
        """``steps`` rounds of h ~ p(h|v), v ~ p(v|h): binary (B, n_visible) -> same."""


@runtime_checkable
class Stacked(Protocol):
    """Layers of binary units: the top two undirected, drawn in turn; those below lead down."""

    def pairs(self) -> list[tuple[Tensor, Tensor, Tensor]]:
        """(W, a, b) of each pair of layers, bottom first: (n, m), (n,), (m,)."""


@runtime_checkable
class HasFreeEnergy(Protocol):
    """Knows log p(v) up to the constant log Z."""

    def free_energy(self, v: Tensor) -> Tensor:
        """F(v) = -log p(v) - log Z, in nats: binary (B, n_visible) -> (B,)."""


@runtime_checkable
class Annealed(Protocol):
    """Its log Z can be estimated by annealed importance sampling."""

    def unnormalised(self, x: Tensor, rng: torch.Generator) -> Tensor:
        """log p*(x) = log p(x) + log Z (or a bound on it), in nats: binary (B, C, H, W) -> (B,)."""

    def anneal(self, chains: int, temperatures: int, rng: torch.Generator) -> Iterator[Tensor]:
        """Run AIS; yields log importance weights (chains,) so far, about 100 times.

        The last ones include log Z of the base: log Z = logsumexp(last) - log(chains).
        """


CAPABILITIES: dict[str, type] = {
    p.__name__: p
    for p in (
        Encodes,
        Decodes,
        Reconstructs,
        Denoises,
        Samples,
        HasEnergy,
        HasKernels,
        Bounds,
        Classifies,
        Judges,
        StepsApart,
        HasMargin,
        HasLikelihood,
        HasDensity,
        HasComponents,
        Autoregressive,
        GibbsSamples,
        Stacked,
        HasFreeEnergy,
        Annealed,
    )
}


def capabilities(family: str) -> frozenset[str]:
    """Names of the Protocols that a family's models fulfil."""
    from genlib.models import FAMILIES  # which imports this module, too

    cls: type = FAMILIES[family]
    return fulfilled(cls)


@lru_cache(maxsize=64)  # families; each page asks for those of every checkpoint
def fulfilled(cls: type) -> frozenset[str]:
    """Names of the Protocols that a class of models fulfils."""
    found = set()
    for name, protocol in CAPABILITIES.items():
        methods = [m for m in list(vars(protocol)) if not m.startswith("_")]
        if all(callable(getattr(cls, m, None)) for m in methods):
            found.add(name)
    return frozenset(found)
