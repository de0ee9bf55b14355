"""Flat maps and nearest neighbours: alignment keeps distances, blobs separate, points stay put."""

from __future__ import annotations

import numpy as np
import pytest

from genlib.explore import neighbours
from genlib.explore.projection import TSNE, Frame, Linear, pca, plain, procrustes
from tests.helpers import blend

N = 150


def blobs(dims: int = 6, count: int = N, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three far-apart Gaussian blobs and which blob each point is of."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = rng.normal(size=(3, dims)) * 12
    return (centres[labels] + rng.normal(size=(count, dims))).astype(np.float32), labels


@pytest.fixture(scope="module")
def solved() -> tuple[TSNE, list[Frame], np.ndarray, np.ndarray]:
    """A whole t-SNE of the blobs: optimiser, frames, codes, labels."""
    z, labels = blobs()
    tsne = TSNE(z, perplexity=10, seed=1)
    return tsne, list(tsne.frames()), z, labels


def pairwise(points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None] - points[None], axis=2)


def test_procrustes_undoes_a_turn_flip_and_shift_and_keeps_distances():
    rng = np.random.default_rng(0)
    fixed = rng.normal(size=(40, 2))
    angle = 1.1
    turn = np.array([[np.cos(angle), np.sin(angle)], [np.sin(angle), -np.cos(angle)]])
    moving = fixed @ turn + [3.0, -7.0]
    found, shift = procrustes(moving, fixed)
    aligned = moving @ found + shift
    assert np.allclose(aligned, fixed, atol=1e-9)
    assert np.allclose(pairwise(aligned), pairwise(moving))
    assert np.allclose(found @ found.T, np.eye(2))


def test_procrustes_is_no_worse_than_any_turn():
    rng = np.random.default_rng(1)
    moving, fixed = rng.normal(size=(30, 2)), rng.normal(size=(30, 2))
    turn, shift = procrustes(moving, fixed)
    best = ((moving @ turn + shift - fixed) ** 2).sum()
    here, there = moving - moving.mean(0), fixed - fixed.mean(0)
    for angle in np.linspace(0, 2 * np.pi, 60):
        c, s = np.cos(angle), np.sin(angle)
        for other in ([[c, s], [-s, c]], [[c, s], [s, -c]]):
            assert best <= ((here @ np.array(other) - there) ** 2).sum() + 1e-9


def test_procrustes_refuses_other_shapes():
    with pytest.raises(ValueError, match="fixed must be"):
        procrustes(np.zeros((5, 2)), np.zeros((4, 2)))


def lift(plane: Linear, positions: np.ndarray) -> np.ndarray:
    """The codes (m, d) in the plane that lie at these positions (m, 2)."""
    return (positions - plane.origin) @ plane.axes + plane.mean


def test_pca_finds_the_plane_and_lift_undoes_place():
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(7, 2)))[0].T
    flat = rng.normal(size=(80, 2)) * [5, 2]
    z = (flat @ axes + rng.normal(size=7)).astype(np.float32)
    found = pca(z)
    assert found.explained == pytest.approx(1.0, abs=1e-5)
    assert np.allclose(lift(found, found.positions), z, atol=1e-3)
    assert np.allclose(found.place(z), found.positions, atol=1e-3)
    assert np.allclose(pairwise(found.positions), pairwise(z), atol=1e-2)
    assert found.positions[:, 0].var() > found.positions[:, 1].var()


def test_aligned_pca_is_the_same_plane_and_still_places_and_lifts():
    z, _ = blobs()
    found = pca(z)
    angle = 2.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = (found.positions @ turn + [4, 1]).astype(np.float32)
    aligned = found.aligned(target)
    assert np.allclose(aligned.positions, target, atol=1e-2)
    assert np.allclose(aligned.place(z), aligned.positions, atol=1e-2)
    assert np.allclose(lift(aligned, aligned.positions), lift(found, found.positions), atol=1e-2)


def test_two_latents_are_their_own_map():
    z, _ = blobs(dims=2)
    found = plain(z)
    assert np.array_equal(found.positions, z)
    assert np.array_equal(lift(found, z[:3]), z[:3])
    with pytest.raises(ValueError, match="must be 2"):
        plain(blobs(dims=3)[0])


def test_tsne_frames_count_up_to_the_end_and_kl_falls(solved):
    tsne, frames, _, labels = solved
    assert [f.iteration for f in frames] == list(range(10, tsne.iterations + 1, 10))
    assert all(f.total == tsne.iterations for f in frames)
    assert all(np.isfinite(f.positions).all() and f.positions.shape == (N, 2) for f in frames)
    assert 0 < frames[-1].kl < 0.5 * frames[0].kl
    assert neighbours.knn_accuracy(frames[-1].positions, labels).value == 1.0


def test_tsne_frames_are_copies(solved):
    _, frames, _, _ = solved
    assert not np.array_equal(frames[0].positions, frames[-1].positions)


def test_tsne_is_cancelled_by_not_continuing():
    z, _ = blobs()
    frames = TSNE(z, perplexity=10).frames()
    first = next(frames)
    frames.close()
    assert first.iteration == 10
    with pytest.raises(StopIteration):
        next(frames)


def test_the_same_seed_gives_the_same_map(solved):
    _, frames, z, _ = solved
    again = next(TSNE(z, perplexity=10, seed=1).frames())
    assert np.array_equal(again.positions, frames[0].positions)


def test_a_map_from_a_start_stays_nearer_to_it_than_one_from_scratch():
    rng = np.random.default_rng(5)
    # Ten blobs: which lies next to which on a flat map is chance.
    centres = 10 * rng.normal(size=(10, 20))
    codes = (centres[np.arange(300) % 10] + rng.normal(size=(300, 20))).astype(np.float32)
    start = list(TSNE(codes, perplexity=15).frames())[-1].positions
    # A later epoch: some latents grew and some shrank, and each code changed a little.
    later = codes * rng.uniform(0.3, 2.0, 20) + 0.3 * rng.normal(size=codes.shape)
    later = later.astype(np.float32)
    warm = list(TSNE(later, perplexity=15, start=start).frames())[-1].positions
    cold = list(TSNE(later, perplexity=15).frames())[-1].positions
    turn, shift = procrustes(cold, start)
    moved = np.linalg.norm(warm - start, axis=1).mean()
    jumped = np.linalg.norm(cold @ turn + shift - start, axis=1).mean()
    assert moved < 0.8 * jumped


def test_a_training_point_is_placed_near_itself(solved):
    tsne, frames, z, _ = solved
    placed = tsne.place(z[:20])
    final = frames[-1].positions
    off = np.linalg.norm(placed - final[:20], axis=1)
    assert np.median(off) < 0.1 * final.std()
    assert np.array_equal(frames[-1].positions, final), "placing moves no point of the map"


@pytest.mark.parametrize(
    ("z", "words"),
    [
        (np.zeros((50, 4), np.float32), "same"),
        (np.zeros((5, 4), np.float32), "at least 10"),
        (np.full((50, 4), np.nan, np.float32), "finite"),
        (np.zeros((10_001, 2), np.float32), "at most 10000"),
    ],
)
def test_tsne_refuses_what_it_cannot_map(z, words):
    with pytest.raises(ValueError, match=words):
        TSNE(z)


def test_perplexity_is_lowered_where_points_are_few():
    z, _ = blobs(count=31)
    assert TSNE(z, perplexity=30).perplexity == 10


def test_nearest_is_what_brute_force_finds():
    rng = np.random.default_rng(0)
    codes, queries = rng.normal(size=(700, 5)), rng.normal(size=(600, 5))
    found = neighbours.nearest(queries.astype(np.float32), codes.astype(np.float32), 4)
    distances = np.linalg.norm(queries[:, None] - codes[None], axis=2)
    assert np.array_equal(found, distances.argsort(axis=1)[:, :4])


def test_nearest_leaves_the_point_itself_out():
    z, _ = blobs()
    found = neighbours.nearest(z, z, 3, leave_self=True)
    assert not (found == np.arange(N)[:, None]).any()
    with pytest.raises(ValueError, match="k must be"):
        neighbours.nearest(z[:4], z[:4], 4, leave_self=True)


def test_knn_accuracy_is_one_on_blobs_and_chance_on_noise():
    z, labels = blobs()
    assert neighbours.knn_accuracy(z, labels) == neighbours.Accuracy(1.0, 0.0, N)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(1500, 6)).astype(np.float32)
    found = neighbours.knn_accuracy(noise, rng.integers(0, 3, 1500))
    assert abs(found.value - 1 / 3) < 4 * found.stderr
    assert found.stderr == pytest.approx(np.sqrt(found.value * (1 - found.value) / 1500))


def test_blend_is_exact_at_a_point_and_between_two_their_mean():
    positions = np.array([[0, 0], [2, 0], [50, 50]], np.float32)
    z = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    at = blend(np.array([2, 0], np.float32), positions, z, k=3)
    assert np.allclose(at, z[1], atol=1e-6)
    middle = blend(np.array([1, 0], np.float32), positions, z, k=2)
    assert np.allclose(middle, [0.5, 0.5, 0])
