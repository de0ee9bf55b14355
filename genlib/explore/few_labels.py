"""Learning with few labels: a thousand pictures without a class, a handful with one.

Features come from a model that has seen no label (codes of a VAE, principal components) or are the
pixels themselves. Three classifiers learn from the labelled pictures of a *pool*; label spreading
also uses the pool's other pictures. Accuracy is that on a *test* set which is not in the pool.

Sources: Kingma, Rezende, Mohamed & Welling 2014, arXiv:1406.5298 (features of a VAE: their model
M1); Zhou et al. 2003, "Learning with local and global consistency" (label spreading); Lewis & Gale
1994 (label the least certain next); slides "Generative taxonomy" (p(x, y) by Bayes' rule).

Simplified: Kingma et al. put a transductive SVM on M1's codes, and train M2 with the labels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags

from genlib.explore.neighbours import Accuracy, Array, Index, nearest
from genlib.models.base import Model
from genlib.models.capabilities import Classifies

NEIGHBOURS = 7  # that a picture passes its label on to
ROUNDS = 60  # of label spreading; what a 61st would change is below 0.2%
ALPHA = 0.9  # of label spreading: the share of a picture's class that its neighbours decide
AXES = 10  # at most, of a class's own principal components
TINY = 1e-30
PART = 250  # pictures that a network reads at once; with 1,000 it takes more than twice the time
SIZES = (10, 20, 50, 100, 200, 500, 1000)  # numbers of labels of the curve
DRAWS = 20  # random choices of the labelled pictures for each


@dataclass(frozen=True, eq=False)
class Features:
    """What a classifier sees of each picture: pool (n, d) and test (m, d)."""

    pool: Array
    test: Array

    @property
    def distances(self) -> Array:
        """Euclidean distances within the pool: (n, n)."""
        return _distances(self)

    @cached_property
    def graph(self) -> csr_matrix:
        """S = D^-1/2 W D^-1/2 of the pool, where W joins each picture to its 7 nearest: (n, n)."""
        near = nearest(self.pool, self.pool, NEIGHBOURS, leave_self=True)
        n, k = near.shape
        ones = np.ones(n * k, np.float64)
        starts = np.arange(0, n * k + 1, k)
        joined = csr_matrix((ones, near.ravel(), starts), (n, n))
        joined = joined.maximum(joined.T)
        root = diags(1 / np.sqrt(np.asarray(joined.sum(axis=1)).ravel()))
        return csr_matrix(root @ joined @ root).astype(np.float32)

    @cached_property
    def around_test(self) -> Index:
        """The pictures of the pool nearest to each test picture: (m, 7)."""
        return nearest(self.test, self.pool, NEIGHBOURS)


@dataclass(frozen=True)
class Labels:
    """Labelled pictures: rows (k,) of the pool and their classes y (k,), out of ``classes``."""

    rows: Index
    y: Index
    classes: int

    @property
    def known(self) -> Index:
        """The classes that have a label."""
        return np.unique(self.y)


@dataclass(frozen=True)
class Guess:
    """Class probabilities of the pool (n, C) and of the test pictures (m, C); rows sum to 1."""

    pool: Array
    test: Array


Classifier = Callable[[Features, Labels], Guess]


def spread(x: Features, labels: Labels) -> Guess:
    """Label spreading: F <- a S F + (1 - a) Y, 60 times, along the pool's neighbours.

    Each test picture takes the mean of the 7 pictures of the pool that are nearest to it.
    """
    given = np.zeros((len(x.pool), labels.classes), np.float32)
    given[labels.rows, labels.y] = 1 - ALPHA
    flow, found = ALPHA * x.graph, given
    for _ in range(ROUNDS):
        found = flow @ found + given
    pool = _shares(found)
    return Guess(pool, pool[x.around_test].mean(axis=1))


def nearest_label(x: Features, labels: Labels) -> Guess:
    """The class of the nearest labelled picture; probabilities fall as 1 / squared distance."""

    def shares(of: Array) -> Array:
        square = _squares(of, x.pool[labels.rows])
        close = np.full((len(of), labels.classes), np.inf, np.float32)
        for y in labels.known:
            close[:, y] = square[:, labels.y == y].min(axis=1)
        return _shares(1 / np.maximum(close, 1e-9))

    return Guess(shares(x.pool), shares(x.test))


def logistic(x: Features, labels: Labels) -> Guess:
    """Multinomial logistic regression with L2 penalty (C = 1) on the labelled pictures alone."""
    # Here, and not above: it takes 50 MB of a server whose visitors mostly choose other methods.
    from sklearn.linear_model import LogisticRegression

    known = labels.known
    if len(known) == 1:  # nothing to tell apart
        return _certain(x, int(known[0]), labels.classes)
    fitted = LogisticRegression(max_iter=300).fit(x.pool[labels.rows], labels.y)

    def shares(of: Array) -> Array:
        found = np.zeros((len(of), labels.classes), np.float32)
        found[:, known] = fitted.predict_proba(of)
        return found

    return Guess(shares(x.pool), shares(x.test))


CLASSIFIERS: dict[str, Classifier] = {
    "Label spreading": spread,
    "Nearest neighbour": nearest_label,
    "Logistic regression": logistic,
}


def bayes(x: Features, labels: Labels) -> Guess:
    """Bayes' rule with one generative model for each class: p(y | x) ~ p(x | y) p(y).

    p(x | y) is a probabilistic PCA of the class's labelled pictures: their mean, up to 10 axes
    (one less than there are pictures), and the same noise for all classes, the mean variance of a
    feature. p(y) is the share of the class among the labels. No picture without a label is used.
    """
    seen = x.pool[labels.rows]
    noise = max(float(seen.var(axis=0).mean()), 1e-3)
    models = [_ppca(seen[labels.y == y], noise) for y in labels.known]
    prior = np.log([np.mean(labels.y == y) for y in labels.known])

    def shares(of: Array) -> Array:
        logs = np.full((len(of), labels.classes), -np.inf)
        # One product for all classes: pictures x (means, axes).
        products = np.split(
            of @ np.concatenate([np.vstack((m.mean, m.axes)) for m in models]).T,
            np.cumsum([1 + len(m.axes) for m in models])[:-1],
            axis=1,
        )
        square = np.einsum("md,md->m", of, of)
        for y, m, product, log_prior in zip(labels.known, models, products, prior, strict=True):
            logs[:, y] = m.log_density(square, product) + log_prior
        return _softmax(logs)

    return Guess(shares(x.pool), shares(x.test))


@dataclass(frozen=True)
class _PPCA:
    """N(mean, W W' + noise I): mean (d,), orthonormal axes (k, d) and the variance along each."""

    mean: Array
    axes: Array
    variance: Array
    noise: float

    def log_density(self, square: Array, product: Array) -> Array:
        """Up to a constant that all classes share, in nats: (m,).

        square: |x|^2 (m,); product: x times mean and axes (m, 1 + k).
        """
        along = product[:, 1:] - self.axes @ self.mean
        away = square - 2 * product[:, 0] + self.mean @ self.mean
        inside = along**2 * (1 / self.variance - 1 / self.noise)
        log_det = np.log(self.variance / self.noise).sum()
        found: Array = -0.5 * (inside.sum(axis=1) + away / self.noise + log_det)
        return found


def _ppca(own: Array, noise: float) -> _PPCA:
    mean = own.mean(axis=0)
    _, s, axes = np.linalg.svd(own - mean, full_matrices=False)
    kept = min(AXES, len(own) - 1, len(axes))
    return _PPCA(mean, axes[:kept], np.maximum(s[:kept] ** 2 / len(own), noise), noise)


def by_components(parts: Features, labels: Labels) -> Guess:
    """Bayes' rule with a mixture whose components are shared by the classes.

    ``parts``: p(k | x) of a mixture that was fitted without labels, (n, K). The labels say only
    what each component is: p(y | x) = sum_k p(k | x) p(y | k), with p(y | k) the labels' share,
    pulled a little towards even.
    """
    weight = parts.pool[labels.rows]
    one_hot = np.eye(labels.classes, dtype=np.float32)[labels.y]
    little = 0.1
    of = weight.T @ one_hot + little / labels.classes  # (K, C)
    of /= weight.sum(axis=0)[:, None] + little
    return Guess(_shares(parts.pool @ of), _shares(parts.test @ of))


def train_network(
    model: Model, x: torch.Tensor, y: torch.Tensor, steps: int, rng: torch.Generator
) -> Iterator[int]:
    """Train a fresh classifier on the labelled pictures alone; yields the steps done.

    x: (k, C, H, W) in [0, 1]; y: (k,). Batches of up to 64 are drawn with replacement. Adam,
    learning rate 0.003. The model ends in evaluation mode.
    """
    optimizers = model.optimizers(3e-3, 1e-4)
    model.train()
    for step in range(1, steps + 1):
        some = torch.randint(len(x), (min(64, max(len(x), 2)),), generator=rng)
        model.step(x[some], y[some], rng, optimizers, nullcontext)
        yield step
    model.eval()


def network_shares(model: Model, x: torch.Tensor) -> Array:
    """Class probabilities (m, C) of pictures (m, C, H, W) in [0, 1], in evaluation mode."""
    if not isinstance(model, Classifies):
        raise TypeError(f"{model.family} does not classify")
    with torch.no_grad():
        parts = [model.logits(part).softmax(1) for part in x.split(PART)]
    found: Array = torch.cat(parts).numpy()
    return found


def accuracy(shares: Array, y: Index) -> Accuracy:
    """The share of pictures whose likeliest class (m, C) is the true one (m,)."""
    right = float((shares.argmax(axis=1) == y).mean())
    return Accuracy(right, math.sqrt(right * (1 - right) / len(y)), len(y))


# ------------------------------------------------------------------------- which one comes next


@dataclass(frozen=True)
class Suggestion:
    """A picture of the pool to label next, and why.

    first, second: the likeliest classes and their probabilities, where the rule asks a classifier;
    closer: how many pictures it is nearer to than any labelled one.
    """

    row: int
    first: tuple[int, float] | None = None
    second: tuple[int, float] | None = None
    closer: int = 0


def least_certain(guess: Guess, labels: Labels) -> Suggestion:
    """The picture whose two likeliest classes are nearest to each other (smallest margin)."""
    order = np.sort(guess.pool, axis=1)
    margin = order[:, -1] - order[:, -2]
    margin[labels.rows] = np.inf
    row = int(margin.argmin())
    a, b = (int(c) for c in guess.pool[row].argsort(kind="stable")[:-3:-1])
    return Suggestion(row, (a, float(guess.pool[row, a])), (b, float(guess.pool[row, b])))


def most_typical(x: Features, labels: Labels) -> Suggestion:
    """The picture that stands for the most others: it lowers the pool's distances to labels most.

    Greedy k-medoids: the first is the pool's medoid; each further one is where labels are missing.
    """
    far = x.distances
    if not len(labels.rows):
        return Suggestion(int(far.sum(axis=1).argmin()), closer=len(far) - 1)
    now = far[:, labels.rows].min(axis=1)
    gain = np.maximum(now - far, 0)  # row: candidate
    gain[labels.rows] = 0
    row = int(gain.sum(axis=1).argmax())
    return Suggestion(row, closer=int((gain[row] > 0).sum()))


# ---------------------------------------------------------------------------------- the curve


def balanced(y: Index, classes: int, size: int, rng: np.random.Generator) -> Labels:
    """``size`` labels at random, equally many of each class (at least one), as Kingma et al. do.

    y (n,): the pictures' classes out of ``classes``, not all of which need to occur.
    """
    groups = [np.flatnonzero(y == c) for c in np.unique(y)]
    each = max(1, size // len(groups))
    chosen = np.concatenate([rng.choice(own, min(each, len(own)), replace=False) for own in groups])
    return Labels(chosen, y[chosen], classes)


@dataclass(frozen=True)
class Band:
    """Accuracy of one method against the number of labels: means, and the spread of the draws.

    mean, low, high: (len(sizes),); low and high are one standard deviation of the draws away.
    """

    sizes: tuple[int, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    draws: int

    def after(self, size: int, found: list[float]) -> Band:
        """The same with one more number of labels."""
        mean, spread = float(np.mean(found)), float(np.std(found))
        return Band(
            (*self.sizes, size),
            (*self.mean, mean),
            (*self.low, mean - spread),
            (*self.high, min(1.0, mean + spread)),
            len(found),
        )


@lru_cache(maxsize=1)  # 16 MB for 2,000 pictures: only those that were asked for last
def _distances(x: Features) -> Array:
    found: Array = np.sqrt(_squares(x.pool, x.pool)).astype(np.float32)
    np.fill_diagonal(found, 0)
    return found


def _squares(a: Array, b: Array) -> NDArray[np.float64]:
    """Squared Euclidean distances of (m, d) and (n, d): (m, n); in float64, so that those of equal
    pictures are nearly 0."""
    p, q = a.astype(np.float64), b.astype(np.float64)
    found = (p**2).sum(axis=1)[:, None] + (q**2).sum(axis=1) - 2 * p @ q.T
    square: NDArray[np.float64] = np.maximum(found, 0)
    return square


def _shares(weights: NDArray[np.floating]) -> Array:
    """Rows that sum to 1; where nothing arrived, even."""
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1 / weights.shape[1])
    found: Array = np.where(total > TINY, weights / np.maximum(total, TINY), even)
    return found.astype(np.float32)


def _softmax(logs: NDArray[np.float64]) -> Array:
    found = np.exp(logs - logs.max(axis=1, keepdims=True))
    return (found / found.sum(axis=1, keepdims=True)).astype(np.float32)


def _certain(x: Features, y: int, classes: int) -> Guess:
    one = np.eye(classes, dtype=np.float32)[y]
    return Guess(np.tile(one, (len(x.pool), 1)), np.tile(one, (len(x.test), 1)))
