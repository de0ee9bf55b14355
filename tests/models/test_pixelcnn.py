"""PixelCNN and PixelRNN: densities, causal, and cached sampling that equals naive sampling."""

from __future__ import annotations

import itertools

import pytest
import torch

from genlib.models.autoregressive import AutoregressiveModel
from genlib.models.capabilities import capabilities
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.models.pixelrnn import PixelRNN, PixelRNNSettings, RowLSTM

NETS = {
    "pixelcnn": lambda size: PixelCNN(PixelCNNSettings(image_size=size, width=6, blocks=3)),
    "pixelrnn": lambda size: PixelRNN(PixelRNNSettings(image_size=size, width=5, layers=2)),
}
both = pytest.mark.parametrize("family", NETS)


def net(family: str, size: int) -> AutoregressiveModel:
    torch.manual_seed(0)
    model = NETS[family](size).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.mul_(3 if name != "last.bias" else 0)  # far from uniform, so that mistakes show
    return model


@both
@pytest.mark.parametrize("size", [2, 3])
def test_density_sums_to_one_over_all_images(family: str, size: int) -> None:
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=size**2)))
    p = net(family, size).log_likelihood(images.view(-1, 1, size, size)).exp()
    assert p.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert p.max() > 2 * p.mean()  # and it is not the uniform one


@both
def test_a_pixel_does_not_see_itself_or_later_ones(family: str) -> None:
    model = net(family, 9)
    x = torch.rand(1, 1, 9, 9, requires_grad=True)
    for i, j in [(0, 0), (4, 5), (8, 8), (3, 0), (3, 8)]:
        (grad,) = torch.autograd.grad(model.pixel_logits(x)[0, 0, i, j], x)
        assert not grad.flatten()[i * 9 + j :].any()
        assert i + j == 0 or grad.flatten()[: i * 9 + j].any()


@torch.no_grad()
def draw_naively(
    model: AutoregressiveModel,
    noise: torch.Tensor,
    start: torch.Tensor,
    known: int,
    temperature: float,
) -> torch.Tensor:
    """What ``draw`` does, by a whole pass of the net for every pixel: the slow reference."""
    size = start.shape[-1]
    x = start.clone()
    for index in range(known, size * size):
        i, j = divmod(index, size)
        p = (model.pixel_logits(x)[:, 0, i, j] / temperature).sigmoid()
        x[:, 0, i, j] = (noise[:, index] < p).to(x)
    return x


@both
def test_cached_sampling_equals_naive_sampling(family: str) -> None:
    model = net(family, 8)
    noise = torch.rand(5, 64, generator=torch.Generator().manual_seed(1))
    start = (torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(2)) < 0.5).float()
    for known, temperature in [(0, 1.0), (30, 1.0), (0, 0.5), (17, 2.0)]:
        fast = model.draw(noise, start, known, temperature)
        assert torch.equal(fast, draw_naively(model, noise, start, known, temperature))
        assert torch.equal(fast.flatten(1)[:, :known], start.flatten(1)[:, :known])
        assert not torch.equal(fast[0], fast[1])


@both
def test_drawn_images_are_ordinary_tensors(family: str) -> None:
    model = net(family, 4)
    x = model.sample(2, torch.Generator().manual_seed(0))
    assert x.is_contiguous() and set(x.unique().tolist()) <= {0.0, 1.0}
    x.requires_grad_(True)
    (grad,) = torch.autograd.grad(model.log_likelihood(x).sum(), x)
    assert grad.any()


@both
def test_likelihood_is_the_sum_of_the_pixels(family: str) -> None:
    model = net(family, 6)
    x = (torch.rand(3, 1, 6, 6) < 0.5).float()
    total = model.pixel_nll(x).flatten(1).sum(1)
    assert torch.allclose(model.log_likelihood(x), -total, atol=1e-4)
    assert torch.allclose(model.energy(x), total, atol=1e-4)


@both
def test_the_family_can_all_that_an_autoregressive_model_can(family: str) -> None:
    assert capabilities(family) >= {"Autoregressive", "HasLikelihood", "HasEnergy", "Samples"}
    with pytest.raises(ValueError, match=r"channels must be 1 for a Pixel.NN, got 3"):
        type(net(family, 4))(type(net(family, 4)).Config(channels=3))


def test_the_state_of_a_row_sees_the_whole_triangle_above_and_the_pixels_to_the_left() -> None:
    torch.manual_seed(0)
    layer = RowLSTM(3)
    x = torch.randn(1, 6, 7, 9, requires_grad=True)
    (grad,) = torch.autograd.grad(layer(x)[0, :, 5, 4].sum(), x)
    for i, row in enumerate(grad.abs().sum((0, 1)) > 0):
        rise = 5 - i
        seen = range(4 - rise - 1, 4 + rise + 1) if rise >= 0 else range(0)
        assert row.tolist() == [j in seen for j in range(9)]


def test_the_row_lstm_is_the_papers_recurrence() -> None:
    torch.manual_seed(0)
    h, layer = 2, RowLSTM(2).double()
    x = torch.randn(1, 2 * h, 3, 4, dtype=torch.float64)
    k_is, k_ss = layer.of_input, layer.of_state
    state = torch.zeros(4 + 2, h, dtype=torch.float64)  # padded by one on either side
    cell = torch.zeros(4, h, dtype=torch.float64)
    for i in range(3):
        before = state.clone()
        for j in range(4):
            left = x[0, :, i, j - 1] if j else torch.zeros(2 * h, dtype=torch.float64)
            gates = k_is.weight[:, :, 0, 0] @ left + k_is.weight[:, :, 0, 1] @ x[0, :, i, j]
            gates = gates + k_is.bias + sum(k_ss.weight[:, :, t] @ before[j + t] for t in range(3))
            o, f, i_, g = gates.view(4, h)
            cell[j] = f.sigmoid() * cell[j] + i_.sigmoid() * g.tanh()
            state[j + 1] = o.sigmoid() * cell[j].tanh()
            up = layer.up.weight[:, :, 0, 0] @ state[j + 1] + layer.up.bias
            assert torch.allclose(layer(x)[0, :, i, j], x[0, :, i, j] + up)
