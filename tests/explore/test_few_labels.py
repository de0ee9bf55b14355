"""Few labels: classifiers, suggestions, and what they are worth on three clouds of points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.semi_supervised import LabelSpreading

from genlib.explore import few_labels
from genlib.explore.few_labels import CLASSIFIERS, Features, Labels
from tests.helpers import build, rng

CENTRES = np.array([[0, 0, 0], [6, 0, 0], [0, 6, 0]], np.float32)


def clouds(n: int, seed: int, spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    y = draw.integers(0, 3, n)
    return (CENTRES[y] + spread * draw.normal(size=(n, 3))).astype(np.float32), y


@pytest.fixture(scope="module")
def points() -> tuple[Features, np.ndarray, np.ndarray]:
    pool, y = clouds(300, 0)
    test, test_y = clouds(200, 1)
    return Features(pool, test), y, test_y


def one_each(y: np.ndarray) -> Labels:
    return few_labels.balanced(y, 3, 3, np.random.default_rng(0))


LEARNERS = {**CLASSIFIERS, "bayes": few_labels.bayes}


@pytest.mark.parametrize("name", LEARNERS)
def test_a_label_for_each_cloud_names_nearly_all_points(name: str, points: tuple) -> None:
    x, y, test_y = points
    found = LEARNERS[name](x, one_each(y))
    for shares, truth in ((found.pool, y), (found.test, test_y)):
        assert shares.shape == (len(truth), 3)
        assert np.allclose(shares.sum(axis=1), 1, atol=1e-5) and (shares >= 0).all()
        assert few_labels.accuracy(shares, truth).value > 0.9


@pytest.mark.parametrize("name", LEARNERS)
def test_with_labels_of_one_class_all_points_are_of_that_class(name: str, points: tuple) -> None:
    x, y, _ = points
    rows = np.flatnonzero(y == 2)[:2]
    found = LEARNERS[name](x, Labels(rows, y[rows], 3))
    told = found.test.max(axis=1) > 0.5  # an island without a label stays even
    assert told.mean() > 0.3 and (found.test[told].argmax(axis=1) == 2).all()


def test_label_spreading_is_that_of_scikit_learn() -> None:
    pool, y = clouds(200, 2, spread=2.0)
    x, labels = Features(pool, pool[:5]), few_labels.balanced(y, 3, 12, np.random.default_rng(0))
    given = np.full(len(y), -1)
    given[labels.rows] = labels.y
    graph = x.graph
    # Its kernel gives W; ours keeps the normalised S, whose own normalisation is that of W again.
    theirs = LabelSpreading(kernel=lambda a, b: _joined(pool), alpha=few_labels.ALPHA, max_iter=500)
    theirs.fit(pool, given)
    assert graph.shape == (200, 200)
    ours = few_labels.spread(x, labels).pool
    assert np.abs(ours - theirs.label_distributions_).max() < 0.02
    assert (ours.argmax(1) == theirs.label_distributions_.argmax(1)).mean() > 0.99


def _joined(pool: np.ndarray) -> np.ndarray:
    far = ((pool[:, None] - pool[None]) ** 2).sum(-1)
    np.fill_diagonal(far, np.inf)
    near = np.zeros_like(far)
    nearest = far.argsort(axis=1)[:, : few_labels.NEIGHBOURS]
    np.put_along_axis(near, nearest, 1.0, axis=1)
    return np.maximum(near, near.T)


def test_the_nearest_label_decides() -> None:
    x = Features(np.array([[0.0], [1], [5]], np.float32), np.array([[0.4], [4]], np.float32))
    found = few_labels.nearest_label(x, Labels(np.array([0, 2]), np.array([1, 0]), 2))
    assert found.test.argmax(1).tolist() == [1, 0]
    square = 4.6**2, 0.4**2  # to class 0 and class 1; shares fall as 1 / square
    assert found.test[0, 1] == pytest.approx(square[0] / sum(square), abs=1e-4)


def test_bayes_rule_is_the_ratio_of_gaussian_densities() -> None:
    draw = np.random.default_rng(0)
    pool = draw.normal(size=(40, 5)).astype(np.float32)
    pool[20:] += 1
    labels = Labels(np.arange(40), np.repeat([0, 1], 20), 2)
    found = few_labels.bayes(Features(pool, pool), labels).test
    noise, logs = float(pool.var(axis=0).mean()), []
    for y in (0, 1):
        own = pool[labels.y == y]
        value, axes = np.linalg.eigh(np.cov(own.T, bias=True))
        covariance = axes @ np.diag(np.maximum(value, noise)) @ axes.T  # all 5 axes are kept
        away = pool - own.mean(axis=0)
        _, log_det = np.linalg.slogdet(covariance)
        inside = np.einsum("md,de,me->m", away, np.linalg.inv(covariance), away)
        logs.append(-0.5 * (inside + log_det))
    right = 1 / (1 + np.exp(logs[1] - logs[0]))
    assert np.abs(found[:, 0] - right).max() < 1e-3


def test_components_take_the_class_of_their_labels() -> None:
    parts = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    labels = Labels(np.array([0, 1]), np.array([1, 0]), 2)
    found = few_labels.by_components(Features(parts, parts), labels).test
    assert found[0, 1] > 0.9 and found[1, 0] > 0.9
    assert np.allclose(found[2], 0.5)  # a component without a label says nothing


def test_the_least_certain_point_has_two_classes_alike_and_no_label(points: tuple) -> None:
    x, y, _ = points
    labels = one_each(y)
    guess = few_labels.spread(x, labels)
    made = few_labels.least_certain(guess, labels)
    assert made.first is not None and made.second is not None
    margins = np.sort(guess.pool, axis=1)
    margins = margins[:, -1] - margins[:, -2]
    others = np.setdiff1d(np.arange(len(y)), labels.rows)
    assert made.row in others and margins[made.row] == margins[others].min()
    assert made.first[1] - made.second[1] == pytest.approx(margins[made.row], abs=1e-6)


def test_typical_points_go_to_one_cloud_after_another(points: tuple) -> None:
    x, y, _ = points
    rows: list[int] = []
    for _ in range(3):
        labels = Labels(np.array(rows, np.int64), y[rows], 3)
        made = few_labels.most_typical(x, labels)
        assert made.row not in rows and made.closer > 20
        rows.append(made.row)
    assert set(y[rows]) == {0, 1, 2}


def test_balanced_labels_have_each_class_equally_often() -> None:
    y = np.repeat([0, 1, 2], [50, 40, 10])
    labels = few_labels.balanced(y, 3, 24, np.random.default_rng(0))
    assert np.bincount(labels.y).tolist() == [8, 8, 8]
    assert (y[labels.rows] == labels.y).all() and len(set(labels.rows)) == 24


def test_classes_without_a_picture_take_no_share_of_the_labels() -> None:
    y = np.repeat([1, 5, 6], [50, 40, 60])
    labels = few_labels.balanced(y, 10, 90, np.random.default_rng(0))
    assert np.bincount(labels.y)[[1, 5, 6]].tolist() == [30, 30, 30] and len(labels.y) == 90
    assert labels.classes == 10


def test_a_network_learns_its_labels_and_ends_in_evaluation_mode() -> None:
    model = build("classifier", image_size=8, n_classes=2, width=2, dense=8)
    x = torch.zeros(8, 1, 8, 8)
    x[4:] = 1
    y = torch.arange(8) // 4
    steps = list(few_labels.train_network(model, x, y, 30, rng()))
    assert steps == list(range(1, 31)) and not model.training
    shares = few_labels.network_shares(model, x)
    assert few_labels.accuracy(shares, y.numpy()).value == 1.0
