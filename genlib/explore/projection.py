"""Flat maps of latent codes: t-SNE frame by frame, PCA, or two latents as they are.

t-SNE places similar codes near each other by minimising KL(P || Q), where P are Gaussian
similarities of the codes and Q Student-t similarities of the map's points.
Sources: van der Maaten & Hinton 2008 (JMLR 9:2579); Barnes-Hut: van der Maaten 2014 (JMLR
15:3221); library openTSNE: Policar, Strazar & Zupan 2024 (JSS 109:3), whose recommended settings
(PCA start, learning rate N / exaggeration) are used. One thread, so that a page never takes the
whole machine.

Maps of one model at several epochs are comparable: each starts from a map that is already there
and is turned onto it (Procrustes), so that points move rather than jump.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # the optimiser is imported when a map is made: half a second
    from openTSNE import TSNEEmbedding

Array = NDArray[np.float32]

MAX_POINTS = 10_000
MIN_POINTS = 10
CHUNK = 10  # iterations between two frames
# Stages: (iterations, exaggeration of attraction, theta). A coarse theta, the accuracy of
# Barnes-Hut, does while points still travel far; it halves the time, and the last stage mends it.
COLD = ((150, 12.0, 0.8), (250, 1.0, 0.8), (100, 1.0, 0.5))
# From a given start the clusters are there: a gentler gathering lets points change clusters
# without tearing the arrangement apart. Without any gathering, points stay in the clusters they
# started in and an untrained model looks sorted (10-NN of the map 0.77 where its codes have 0.68;
# with this one 0.68).
WARM = ((80, 4.0, 0.8), (170, 1.0, 0.8), (50, 1.0, 0.5))
PLACE_NEIGHBOURS = 15
PLACE_STEPS = 25


@dataclass(frozen=True)
class Frame:
    """A t-SNE map on its way: positions (n, 2), iterations done and to do, KL(P || Q) in nats."""

    positions: Array
    iteration: int
    total: int
    kl: float


@dataclass(frozen=True)
class Linear:
    """A map by a plane: position = (z - mean) @ axes.T + origin.

    axes (2, d) are orthonormal rows, mean (d,), origin (2,), positions (n, 2); `explained` is
    the share of the codes' variance that lies in the plane, 0 to 1.
    """

    positions: Array
    axes: Array
    mean: Array
    origin: Array
    explained: float

    def place(self, z: Array) -> Array:
        """Positions (m, 2) of new codes (m, d)."""
        return ((z - self.mean) @ self.axes.T + self.origin).astype(np.float32)

    def aligned(self, fixed: Array) -> Linear:
        """The same plane, turned, flipped and shifted within itself onto `fixed` (n, 2)."""
        turn, shift = procrustes(self.positions, fixed)
        return replace(
            self,
            positions=(self.positions @ turn + shift).astype(np.float32),
            axes=(turn.T @ self.axes).astype(np.float32),
            origin=(self.origin @ turn + shift).astype(np.float32),
        )


def pca(z: Array) -> Linear:
    """The plane of largest variance of z (n, d), d >= 2; each axis's largest weight is positive.

    Raises ValueError for fewer than 10 codes or fewer than 2 latents.
    """
    z = _checked(z)
    mean = z.mean(axis=0)
    # Eigenvectors of the covariance: for many codes far cheaper than an SVD of the codes.
    variance, vectors = np.linalg.eigh(np.cov((z - mean).astype(np.float64), rowvar=False))
    axes = vectors[:, [-1, -2]].T
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])[:, None]
    explained = float(variance[-2:].sum() / max(variance.sum(), 1e-30))
    positions = ((z - mean) @ axes.T).astype(np.float32)
    zero = np.zeros(2, np.float32)
    return Linear(positions, axes.astype(np.float32), mean.astype(np.float32), zero, explained)


def plain(z: Array) -> Linear:
    """The two latents themselves, z (n, 2). Raises ValueError where there are not two."""
    z = _checked(z)
    if z.shape[1] != 2:
        raise ValueError(f"latents must be 2 to be a map themselves, got {z.shape[1]}")
    zero = np.zeros(2, np.float32)
    return Linear(z, np.eye(2, dtype=np.float32), zero, zero, 1.0)


class TSNE:
    """One t-SNE optimisation: iterate over `frames()`; to cancel, stop iterating.

    z: codes (n, d). perplexity: about how many neighbours a point has; lowered to (n - 1) / 3
    where there are too few points. seed: of the start and of the neighbour search. start: (n, 2)
    positions to set out from and to stay aligned with; None sets out from PCA.

    Raises ValueError for fewer than 10 or more than 10,000 codes, or codes that are all the same.
    """

    def __init__(
        self, z: Array, perplexity: float = 30.0, seed: int = 0, start: Array | None = None
    ) -> None:
        self.z = _checked(z)
        n = len(self.z)
        if n > MAX_POINTS:
            raise ValueError(f"points must be at most {MAX_POINTS}, got {n}")
        if np.ptp(self.z, axis=0).max() == 0:
            raise ValueError("codes must differ for t-SNE, but all are the same")
        if start is not None and start.shape != (n, 2):
            raise ValueError(f"start must be ({n}, 2), got {start.shape}")
        self.perplexity = min(perplexity, (n - 1) / 3)
        self.seed = seed
        self.start = start
        self._map: TSNEEmbedding | None = None
        self._settled: Array | None = None
        self._chunks = [
            (exaggeration, theta)
            for iterations, exaggeration, theta in (COLD if start is None else WARM)
            for _ in range(iterations // CHUNK)
        ]

    @property
    def iterations(self) -> int:
        """Iterations that a whole run takes."""
        return CHUNK * len(self._chunks)

    def frames(self) -> Iterator[Frame]:
        """Optimise, yielding the map every 10 iterations."""
        from openTSNE import initialization

        if self.start is None:
            begin = initialization.pca(self.z, random_state=self.seed)
        else:
            begin = self.start.astype(np.float64)
        self._map = self._embedding(begin)
        for done, (exaggeration, theta) in enumerate(self._chunks, start=1):
            self._map.optimize(
                CHUNK,
                inplace=True,
                exaggeration=exaggeration,
                learning_rate=max(len(self.z) / exaggeration, 10.0),
                theta=theta,
                momentum=0.8,
            )
            kl = float(self._map.kl_divergence)
            yield Frame(self._positions(), done * CHUNK, self.iterations, kl)
        self._map.affinities.P = None  # to place new codes, only the neighbours are needed

    @classmethod
    def settled(cls, z: Array, positions: Array, perplexity: float, seed: int) -> TSNE:
        """A map that was finished earlier, at positions (n, 2); it only places new codes."""
        found = cls(z, perplexity, seed)
        if positions.shape != (len(z), 2):
            raise ValueError(f"positions must be ({len(z)}, 2), got {positions.shape}")
        found._settled = positions
        return found

    def _embedding(self, begin: NDArray[np.float64]) -> TSNEEmbedding:
        from openTSNE import TSNEEmbedding, affinity

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openTSNE warns of what is intended here
            similar = affinity.PerplexityBasedNN(
                self.z, perplexity=self.perplexity, n_jobs=1, random_state=self.seed
            )
        return TSNEEmbedding(
            begin, similar, negative_gradient_method="bh", n_jobs=1, random_state=self.seed
        )

    def _turn(self, points: Array) -> Array:
        """Turn points of the optimiser's map onto `start`; without one, leave them."""
        if self.start is None:
            return points.astype(np.float32)
        turn, shift = procrustes(np.asarray(self._map), self.start)
        return (points @ turn + shift).astype(np.float32)

    def _positions(self) -> Array:
        return self._turn(np.array(self._map))

    def place(self, z: Array) -> Array:
        """Positions (m, 2) of new codes (m, d) on the map as it stands; a few ms.

        Each new point starts at the median of its nearest neighbours' positions and is then moved
        a few steps by t-SNE's own forces, while the map stays as it is. The first call on a
        ``settled`` map finds the codes' neighbours first, which takes a second or two.
        """
        if self._map is None:
            if self._settled is None:
                raise RuntimeError("no map to place codes on yet: go through frames() first")
            self._map = self._embedding(self._settled.astype(np.float64))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            new = self._map.prepare_partial(
                np.ascontiguousarray(z, dtype=np.float64),
                initialization="median",
                k=min(PLACE_NEIGHBOURS, len(self.z) - 1),
                perplexity=min(5.0, self.perplexity),
            )
        new.optimize(
            PLACE_STEPS,
            inplace=True,
            learning_rate=0.1,
            exaggeration=1.5,
            momentum=0.8,
            max_grad_norm=0.25,
        )
        return self._turn(np.array(new))


def procrustes(moving: Array, fixed: Array) -> tuple[Array, Array]:
    """Find the turn or flip (2, 2) and shift (2,) so that moving @ turn + shift is nearest fixed.

    Distances within `moving` are kept: no scaling. Least squares over the points (n, 2).
    Source: Schoenemann 1966, Psychometrika 31:1.
    """
    if moving.shape != fixed.shape:
        raise ValueError(f"fixed must be {moving.shape} like moving, got {fixed.shape}")
    here, there = moving.mean(axis=0), fixed.mean(axis=0)
    u, _, vt = np.linalg.svd((moving - here).T.astype(np.float64) @ (fixed - there))
    turn = u @ vt
    return turn, there - here @ turn


def _checked(z: Array) -> Array:
    if z.ndim != 2 or len(z) < MIN_POINTS or z.shape[1] < 2:
        raise ValueError(f"codes must be at least {MIN_POINTS} of 2 latents, got shape {z.shape}")
    if not np.isfinite(z).all():
        raise ValueError("codes must be finite numbers, but some are not")
    return np.ascontiguousarray(z, dtype=np.float32)
