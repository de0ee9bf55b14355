"""A mixture of Gaussians on principal components.

Sources: slides "Generative taxonomy" (the first entry of its timeline); Dempster, Laird & Rubin
1977 (EM); Liang & Klein 2009, "Online EM for unsupervised models" (a step for each batch).

    p(x) = sum_k pi_k N(U'(x - mu); m_k, C_k) * N(rest of x; 0, s I)

The axes U, the mean mu and the noise s are a probabilistic PCA's. The first epoch's images go into
it (or ``warm_up`` images, but never more than half of the training); then the axes stay, k-means on
one batch places the components, and every further batch is one step of EM. As in scikit-learn's
GaussianMixture, covariances are full and get a small ridge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from genlib.models.base import Model, ModelSettings
from genlib.models.layers import standard_normal
from genlib.models.pca import PCA, PCASettings
from genlib.settings import setting

RIDGE = 1e-3  # added to each variance, so that a component of few images has a density
UNPLANNED = 60_000  # images that set the axes when the length of the training isn't given
FORGET = 0.6  # EM's step t weighs (t + 2)^-FORGET; between 0.5 and 1 it converges


@dataclass(frozen=True)
class MixtureSettings(ModelSettings):
    """Sizes of a Gaussian mixture."""

    components: int = setting(50, 1, 500, "Gaussians in the mixture.")
    latent_dim: int = setting(50, 1, 256, "Principal axes that the Gaussians live on.")
    warm_up: int = setting(
        0,
        0,
        10_000_000,
        "Images that set the axes before EM begins, at most half of the training. 0: one epoch.",
    )


class Mixture(Model):
    """50 Gaussians on 50 axes by default. Energy: -log p(x) of grey pixels in nats, a density."""

    family = "mixture"
    title = "Gaussian mixture"
    source = "Slides “Generative taxonomy”; Dempster et al. 1977"
    Config = MixtureSettings
    config: MixtureSettings
    defaults: ClassVar[dict[str, object]] = {"epochs": 6, "batch_size": 1000}
    steps: Tensor

    def __init__(self, config: MixtureSettings) -> None:
        super().__init__(config)
        k, d = config.components, config.latent_dim
        sizes = {"channels": config.channels, "image_size": config.image_size, "latent_dim": d}
        self.pca = PCA(PCASettings(**sizes))
        self.log_weights = nn.Parameter(torch.full((k,), -math.log(k)))
        self.means = nn.Parameter(torch.zeros(k, d))
        # Lower triangular: covariance C_k = factor factor'.
        factors = torch.zeros(k, d, d)
        factors.diagonal(dim1=1, dim2=2).fill_(1.0)
        self.factors = nn.Parameter(factors)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.warm_up = config.warm_up or UNPLANNED

    def plan(self, images: int, epochs: int, steps: int) -> None:
        """Leave at least half of the training to EM; raises ValueError for a single step."""
        if steps < 2:
            raise ValueError(
                "A mixture needs at least 2 training steps, one for its axes and one for EM; use "
                "more epochs or a smaller batch_size"
            )
        self.warm_up = min(self.config.warm_up or images, images * epochs // 2)

    def log_joint(self, along: Tensor) -> Tensor:
        """log pi_k N(c; m_k, C_k), in nats: coordinates (B, d) -> (B, K)."""
        centred = along.t()[None] - self.means[:, :, None]  # (K, d, B)
        white = torch.linalg.solve_triangular(self.factors, centred, upper=False)
        log_det = self.factors.diagonal(dim1=1, dim2=2).log().sum(1)
        constant = 0.5 * along.shape[1] * math.log(2 * math.pi)
        log_normal = -0.5 * white.square().sum(1) - (log_det + constant)[:, None]
        return (log_normal + self.log_weights[:, None]).t()

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) of grey pixels in [0, 1], in nats: (B, C, H, W) -> (B,)."""
        along = self.pca.project(x)
        return self.log_joint(along).logsumexp(1) + self.pca.log_residual(x, along)

    def energy(self, x: Tensor) -> Tensor:
        """-log p(x), in nats: (B,)."""
        return -self.log_density(x)

    def responsibilities(self, x: Tensor) -> Tensor:
        """p(k | x): (B, C, H, W) -> (B, K)."""
        return self.log_joint(self.pca.project(x)).softmax(1)

    def component_means(self) -> Tensor:
        """The mean image of each component, in [0, 1]: (K, C, H, W)."""
        return self._pixels(self.means)

    def weights(self) -> Tensor:
        """pi_k, the share of each component: (K,)."""
        return self.log_weights.exp()

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw a component, then a code from it, without pixel noise: (n, C, H, W) in [0, 1]."""
        weights = self.weights().to(rng.device)
        return self.sample_of(torch.multinomial(weights, n, replacement=True, generator=rng), rng)

    def sample_of(self, component: Tensor, rng: torch.Generator) -> Tensor:
        """Draw a code from each of these components (n,): (n, C, H, W) in [0, 1]."""
        component = component.to(self.means.device)
        noise = standard_normal((len(component), self.means.shape[1]), rng, self.means)
        spread = (self.factors[component] @ noise[:, :, None])[..., 0]
        return self._pixels(self.means[component] + spread)

    def _pixels(self, along: Tensor) -> Tensor:
        flat = self.pca.linear.bias + along @ self.pca.axes()
        return flat.clamp(0, 1).view(-1, *self.config.shape)

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """-log p(x) in nats, batch mean."""
        return {"loss": -self.log_density(x).mean()}

    @torch.no_grad()
    def step(self, x: Tensor, y: Tensor, *others: object) -> dict[str, Tensor]:
        """Merge a batch into the axes, or, once they stay, one step of EM; no gradient is taken."""
        if int(self.pca.seen) < self.warm_up:
            self.pca.absorb(x)
            self.factors.copy_(self.pca.variances().sqrt().diag().expand_as(self.factors))
        else:
            along = self.pca.project(x)
            if int(self.steps) == 0:
                self._place(along)
            self._expect_and_maximise(along)
        return {"loss": -self.log_density(x).mean()}

    def _place(self, along: Tensor) -> None:
        """Put the components where k-means finds groups among the coordinates (B, d)."""
        k = self.config.components
        if len(along) <= k:  # fewer images than components: one on each image, several times over
            self.means.copy_(along[torch.arange(k) % len(along)])
            return
        from sklearn.cluster import KMeans

        found = KMeans(k, n_init=1, random_state=0).fit(along.cpu().numpy())
        centres = torch.from_numpy(found.cluster_centers_).to(along)
        group = torch.from_numpy(found.labels_).to(along.device).long()
        within = (along - centres[group]).square().mean(0) + RIDGE
        self.means.copy_(centres)
        self.factors.copy_(within.sqrt().diag().expand_as(self.factors))
        self.log_weights.fill_(-math.log(k))

    def _expect_and_maximise(self, along: Tensor) -> None:
        """One step of EM on coordinates (B, d): moments of old and new images are averaged.

        The moments before are read off the parameters, so nothing else has to be kept.
        """
        share = (int(self.steps) + 2) ** -FORGET
        p = self.log_joint(along).softmax(1)  # (B, K)
        weights, covariances = self.weights(), self.factors @ self.factors.mT
        outer = self.means[:, :, None] * self.means[:, None, :]
        zeroth = (1 - share) * weights + share * p.mean(0)
        first = (1 - share) * weights[:, None] * self.means + share * p.t() @ along / len(along)
        seen = torch.einsum("bk,bi,bj->kij", p, along, along) / len(along)
        # The ridge comes with the new images only: added to the whole it would pile up.
        seen += RIDGE * p.mean(0)[:, None, None] * torch.eye(along.shape[1], device=along.device)
        second = (1 - share) * weights[:, None, None] * (covariances + outer) + share * seen
        safe = zeroth.clamp_min(1e-8)
        means = first / safe[:, None]
        covariances = second / safe[:, None, None] - means[:, :, None] * means[:, None, :]
        factors, bad = torch.linalg.cholesky_ex(covariances)
        good = bad == 0  # a component that lost all its images keeps its old shape
        self.factors[good] = factors[good]
        self.means.copy_(means)
        self.log_weights.copy_((safe / safe.sum()).log())
        self.steps.add_(1)
