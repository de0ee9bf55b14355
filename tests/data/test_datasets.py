"""Datasets: framing as MNIST was made, batches, the order in which data is looked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.data import datasets
from genlib.data.mnist import frame_digit


def test_embedded_digits_look_like_mnist() -> None:
    data = datasets.load("digits")
    assert data.train_x.shape == (1437, 1, 28, 28) and data.train_x.dtype == torch.uint8
    assert len(data.test_x) == len(data.test_y) == 360
    ink = data.train_x[:, 0].float()
    rows = (ink.sum((1, 2)) > 0).all()
    centre = (ink * torch.arange(28.0)[:, None]).sum((1, 2)) / ink.sum((1, 2))
    assert rows and (centre - 13.5).abs().max() < 1.0


def test_without_mnist_the_digits_serve_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "folders", lambda: [tmp_path])
    data = datasets.DATASETS["mnist"]()
    assert data.name == "digits" and "MNIST was not found" in data.note
    monkeypatch.setattr(datasets, "find_mnist", lambda: None)
    assert datasets.available() == ["digits", "bars"]


def test_given_folder_is_looked_in_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_DATA", "/somewhere")
    assert datasets.folders()[0] == Path("/somewhere")


@pytest.mark.parametrize("shape", [(5, 5), (40, 10), (9, 80)])
def test_framing_fits_a_20_box_centred_by_mass(shape: tuple[int, int]) -> None:
    image = np.zeros((100, 100), np.float32)
    image[3 : 3 + shape[0], 7 : 7 + shape[1]] = 1
    out = frame_digit(image)
    rows, cols = np.nonzero(out > 0.5)
    assert max(np.ptp(rows), np.ptp(cols)) + 1 == 20
    assert abs(rows.mean() - 13.5) <= 0.5 and abs(cols.mean() - 13.5) <= 0.5


def test_framing_an_empty_picture_gives_an_empty_picture() -> None:
    assert not frame_digit(np.zeros((30, 30))).any()


def test_an_epoch_gives_every_image_once() -> None:
    x = torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1)
    seen = torch.cat([b for b, _ in datasets.batches(x, torch.zeros(10), 3, torch.Generator())])
    assert sorted((seen.flatten() * 255).round().tolist()) == list(range(10))


@pytest.mark.parametrize("size", [2, 3, 64])
def test_no_batch_holds_a_single_image(size: int) -> None:
    for n in range(2, 200):
        x = torch.zeros(n, 1, 1, 1, dtype=torch.uint8)
        lengths = [len(b) for b, _ in datasets.batches(x, torch.zeros(n), size, None)]
        assert lengths == datasets.batch_sizes(n, size)
        assert sum(lengths) == n and min(lengths) > 1
        if n % size != 1:  # then nothing is different from plain batches
            assert lengths == [min(size, n - start) for start in range(0, n, size)]


def test_only_keeps_the_named_classes() -> None:
    data = datasets.load("digits", "1,5,6")
    assert set(data.train_y.tolist()) == {1, 5, 6} == set(data.test_y.tolist())
    assert len(data.first(7).train_x) == 7
    with pytest.raises(ValueError, match="class 'x' is not one of"):
        datasets.load("digits", "x")
    with pytest.raises(ValueError, match="unknown dataset"):
        datasets.load("imagenet")
