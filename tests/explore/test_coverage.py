"""Coverage, collapse and copies: known cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from genlib.data import datasets
from genlib.explore.coverage import Coverage, half_tones, nearest_images, variety
from genlib.ui.adversarial.gan.data import covered

NAMES = tuple("0123456789")


def test_even_classes_show_no_sign() -> None:
    even = Coverage((100,) * 10, 1.0)
    assert even.effective == pytest.approx(10) and even.missing == () and even.signs(NAMES) == []
    assert even.shares.sum() == pytest.approx(1)
    assert even.stderrs[0] == pytest.approx(np.sqrt(0.1 * 0.9 / 1000))


def test_one_class_alone_is_a_collapse() -> None:
    one = Coverage((0, 1000, *[0] * 8), 0.9)
    assert one.effective == pytest.approx(1) and len(one.missing) == 9
    assert "0, 2, 3" in one.signs(NAMES)[0] and len(one.signs(NAMES)) == 2


def test_a_class_counts_from_a_tenth_of_its_fair_share() -> None:
    assert Coverage((9, *[110] * 9), 1.0).missing == (0,)  # fair share 99.9
    assert Coverage((10, *[110] * 9), 1.0).missing == ()


def test_only_classes_of_the_data_are_missed() -> None:
    three = Coverage((0, 50, 0, 50, 0, 3, *[0] * 4), 1.0, expected=(1, 3, 5))
    assert three.missing == (5,)  # fair share 34.3
    assert Coverage((0, 100, *[0] * 8), 1.0, expected=(1,)).signs(NAMES) == []


def test_half_tones_are_the_grey_part_of_the_ink() -> None:
    x = torch.tensor([0.0, 0.05, 0.5, 0.2, 1.0, 0.95]).view(1, 1, 2, 3)
    assert half_tones(x) == pytest.approx(0.5)
    assert half_tones(torch.zeros(1, 1, 2, 2)) == 0


def test_alike_samples_of_all_classes_are_a_collapse_too() -> None:
    signs = Coverage((100,) * 10, 0.2).signs(NAMES)
    assert len(signs) == 1 and "20%" in signs[0]


def test_variety_is_the_ratio_of_mean_squared_distances() -> None:
    rng = torch.Generator().manual_seed(0)
    x, data = (torch.rand(40, 1, 3, 3, generator=rng) for _ in range(2))

    def mean_square(images: torch.Tensor) -> float:
        distances = torch.cdist(images.flatten(1).double(), images.flatten(1).double()) ** 2
        n = len(images)
        return float(distances.sum() / (n * (n - 1)))

    assert variety(x, data) == pytest.approx(mean_square(x) / mean_square(data))
    assert variety(x[:1].repeat(9, 1, 1, 1), data) == pytest.approx(0)
    with pytest.raises(ValueError, match="two images"):
        variety(x[:1], data)


def test_what_looks_like_noise_covers_nothing() -> None:
    noise = Coverage((0,) * 10, 1.0, unlike=(*[0] * 8, 1000, 0), chance=(0.0,) * 10)
    assert len(noise.missing) == 10 and noise.effective == 0 and noise.shares.sum() == 0
    assert "hardly any sample shows 0, 1, 2" in noise.signs(NAMES)[0]
    some = Coverage((60,) * 10, 1.0, unlike=(40,) * 10, chance=(0.07, *[0.0] * 9))
    assert some.n == 1000 and some.missing == (0,), "noise gets more of class 0"
    assert some.signs(NAMES) == ["samples show 0 no more often than noise does"]
    assert some.effective == pytest.approx(10) and some.shares[0] == pytest.approx(0.06)


def test_the_page_counts_no_class_of_noise_and_all_of_real_digits(shipped: Path) -> None:
    """A classifier is certain that uniform noise is an 8."""
    data, judge = datasets.load("digits"), shipped / "classifier.safetensors"
    rng = torch.Generator().manual_seed(1)
    noise = covered(judge, torch.rand(500, *data.shape, generator=rng), data)
    assert max(noise.unlike) > 250 and len(noise.missing) == 10
    real = covered(judge, datasets.to_float(data.train_x[:500]), data)
    assert real.missing == () and sum(real.unlike) < 250


def test_nearest_images_agree_with_brute_force_and_find_copies() -> None:
    rng = torch.Generator().manual_seed(0)
    data = torch.randint(0, 256, (5000, 1, 4, 4), generator=rng).byte()
    x = torch.rand(3, 1, 4, 4, generator=rng)
    x[1] = data[4321].float() / 255
    found = nearest_images(x, data, 4)
    distances = torch.cdist(x.flatten(1).double(), data.flatten(1).double() / 255)
    expected, order = distances.topk(4, largest=False)
    assert np.array_equal(found.index, order.numpy())
    assert np.allclose(found.distance, expected.numpy(), atol=1e-4)
    assert found.index[1, 0] == 4321 and found.distance[1, 0] == pytest.approx(0, abs=1e-6)
    with pytest.raises(ValueError, match="k must be between 1 and 5000"):
        nearest_images(x, data, 0)
