"""Receptive fields by gradients, and images drawn together with their predictions."""

from __future__ import annotations

import pytest
import torch

from genlib.explore import pixels
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.models.pixelrnn import PixelRNN, PixelRNNSettings


def cnn(size: int = 16, blocks: int = 2) -> PixelCNN:
    torch.manual_seed(0)
    return PixelCNN(PixelCNNSettings(image_size=size, width=8, blocks=blocks)).eval()


def test_the_field_of_a_pixelcnn_is_that_of_its_masks_with_the_blind_spot() -> None:
    x = torch.zeros(1, 1, 16, 16)
    seen = pixels.field(cnn(blocks=2), x, 10, 8).seen
    # Which inputs a stack of masked kernels reaches, by moving sets of pixels: two 3x3, one 7x7.
    three = {(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 0)}
    seven = {(i, j) for i in range(-3, 1) for j in range(-3, 4) if (i, j) < (0, 0)}
    reached = {(10, 8)}
    for kernel in (three, three, seven):
        reached = {(i + di, j + dj) for i, j in reached for di, dj in kernel}
    expected = torch.tensor([[(i, j) in reached for j in range(16)] for i in range(16)])
    assert torch.equal(seen, expected)
    assert not seen[9, 15] and seen[7, 13]  # to the right above: before it, but not seen


def test_the_state_of_a_pixelrnn_sees_up_to_the_first_row() -> None:
    torch.manual_seed(0)
    rnn = PixelRNN(PixelRNNSettings(image_size=16, width=8, layers=1)).eval()
    seen = pixels.field(rnn, torch.zeros(1, 1, 16, 16), 15, 8).seen
    assert seen[0].all()
    assert not pixels.field(cnn(blocks=2), torch.zeros(1, 1, 16, 16), 15, 8).seen[0].any()


def test_pull_is_the_slope_of_the_logit() -> None:
    model = cnn(8).double()
    x = (torch.rand(1, 1, 8, 8, dtype=torch.float64) < 0.5).double()
    pull = pixels.field(model, x, 4, 4).pull
    for i, j in [(3, 4), (4, 3), (4, 4), (7, 7)]:
        bent = x.clone()
        bent[0, 0, i, j] += 1e-6
        change = (model.pixel_logits(bent) - model.pixel_logits(x))[0, 0, 4, 4] / 1e-6
        assert pull[i, j].item() == pytest.approx(abs(change.item()), abs=1e-5)
    assert all(p.grad is None for p in model.parameters())


def test_grown_images_keep_the_known_rows_and_come_with_their_predictions() -> None:
    model = cnn(8)
    start = (torch.rand(1, 8, 8) < 0.5).float()
    grown = pixels.grow(model, start, rows=3, n=5, temperature=0.7, seed=4)
    assert torch.equal(grown.images[:, :, :3], start[:, :3].expand(5, 1, 3, 8))
    assert len({tuple(i.flatten().tolist()) for i in grown.images}) > 1
    earlier = grown.images.clone()
    earlier[:, :, 5, 4:] = 0  # what pixel (5, 4) cannot have known
    earlier[:, :, 6:] = 0
    with torch.no_grad():
        before = model.pixel_logits(earlier)[:, 0, 5, 4]
    assert torch.allclose(before, grown.logits[:, 0, 5, 4], atol=1e-5)
    noise = torch.rand(5, 64, generator=torch.Generator().manual_seed(4))
    ink = noise[:, 24:] < (grown.logits.flatten(1)[:, 24:] / 0.7).sigmoid()
    assert torch.equal(ink.float(), grown.images.flatten(1)[:, 24:])


@pytest.mark.parametrize(("rows", "temperature"), [(-1, 1.0), (9, 1.0), (0, 0.0)])
def test_what_cannot_be_drawn_is_refused(rows: int, temperature: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        pixels.grow(cnn(8), torch.zeros(1, 8, 8), rows, 1, temperature, 0)


def test_a_pixel_outside_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pixel must lie in 8 x 8, got \(8, 0\)"):
        pixels.field(cnn(8), torch.zeros(1, 1, 8, 8), 8, 0)
