"""Nearest neighbours among latent codes: how well classes separate.

Distances are Euclidean. Everything is exact (no approximate search): up to 10,000 codes the
distances are a few matrix products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Index = NDArray[np.int64]

_ROWS = 512  # rows of the distance matrix that are in memory at a time


@dataclass(frozen=True)
class Accuracy:
    """A share of right answers, its standard error, and of how many."""

    value: float
    stderr: float
    n: int


def nearest(queries: Array, codes: Array, k: int, *, leave_self: bool = False) -> Index:
    """Find the k nearest codes (n, d) of each query (m, d), nearest first: (m, k).

    leave_self: queries are the codes themselves, and none is its own neighbour.
    Raises ValueError where there are fewer than k others.
    """
    available = len(codes) - leave_self
    if not 1 <= k <= available:
        raise ValueError(f"k must be between 1 and {available}, got {k}")
    found = [
        _smallest(distances, k) for distances in _distances(queries, codes, leave_self=leave_self)
    ]
    return np.concatenate(found) if found else np.zeros((0, k), np.int64)


def _distances(queries: Array, codes: Array, *, leave_self: bool) -> Iterator[Array]:
    """Squared distances, some rows of (m, n) at a time: |q|^2 is left out, it orders nothing."""
    centre = codes.mean(axis=0)  # small numbers lose fewer digits in the subtraction below
    codes = codes - centre
    lengths = np.einsum("nd,nd->n", codes, codes)
    for begin in range(0, len(queries), _ROWS):
        part = queries[begin : begin + _ROWS] - centre
        distances = lengths - 2 * part @ codes.T
        if leave_self:
            rows = np.arange(len(part))
            distances[rows, begin + rows] = np.inf
        yield distances


def _smallest(distances: Array, k: int) -> Index:
    if k < distances.shape[1]:
        chosen = np.argpartition(distances, k - 1, axis=1)[:, :k]
    else:
        chosen = np.broadcast_to(np.arange(k), (len(distances), k))
    order = np.take_along_axis(distances, chosen, axis=1).argsort(axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)


def knn_accuracy(z: Array, labels: Index, k: int = 10) -> Accuracy:
    """Leave-one-out accuracy of k-nearest-neighbour voting among z (n, d) with labels (n,).

    Each code is classified by the other n - 1; a tie goes to the class of the nearer neighbours.
    The standard error is that of a share: sqrt(p (1 - p) / n).
    """
    around = labels[nearest(z, z, k, leave_self=True)]  # (n, k)
    votes = np.zeros((len(z), int(labels.max()) + 1))
    rows = np.arange(len(z))
    for rank in range(k):
        # One vote each, and a little more for the nearer: enough only to break a tie.
        votes[rows, around[:, rank]] += 1 + (k - rank) / (2 * k * k)
    share = float((votes.argmax(axis=1) == labels).mean())
    return Accuracy(share, float(np.sqrt(share * (1 - share) / len(z))), len(z))
