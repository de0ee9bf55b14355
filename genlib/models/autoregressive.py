"""What PixelCNN and PixelRNN share: log p(x) = sum_i log p(x_i | x_1 .. x_{i-1}), pixel by pixel.

Source: van den Oord, Kalchbrenner & Kavukcuoglu 2016, arXiv:1601.06759. Images are binarized: grey
values are probabilities of ink. Simplified: one channel. Added: a learned bias for every place of
the first layer's output, since digits are centred and a small net does not see where it is (six
nats on MNIST after 600 steps; a place-dependent bias is in van den Oord et al. 2016,
arXiv:1606.05328). A subclass gives the logits of a whole image at once (training) and a cache that
gives them one by one (sampling).

    mask A (first layer)     mask B (later layers)     kept of the kernel: the rows above and
      1 1 1 1 1 1 1              1 1 1                 the pixels to the left; the zero rows below
      1 1 1 1 1 1 1              1 1 0                 are not even stored, so that a 7x7 costs
      1 1 1 1 1 1 1              0 0 0                 4 rows and a 3x3 costs 2.
      1 1 1 0 0 0 0
      0 0 0 0 0 0 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib import losses
from genlib.models.base import Model, ModelSettings
from genlib.models.layers import binarize
from genlib.settings import setting

REACH = 3  # of the first layer's 7x7 kernel


class MaskedConv(nn.Conv2d):
    """A convolution that sees the rows above and the pixels to the left (and, type B, itself)."""

    mask: Tensor

    def __init__(self, n_in: int, n_out: int, size: int, kind: str) -> None:
        super().__init__(n_in, n_out, (size // 2 + 1, size))
        mask = torch.ones(1, 1, size // 2 + 1, size)
        mask[..., -1, size // 2 + (kind == "B") :] = 0
        self.register_buffer("mask", mask, persistent=False)
        self.reach = size // 2

    def forward(self, x: Tensor) -> Tensor:
        r, height = self.reach, x.shape[2]
        seen = F.conv2d(x, self.weight * self.mask, self.bias, padding=r)
        return seen[:, :, :height]  # padding below too is quicker than a padded copy

    def taps(self) -> tuple[Tensor, Tensor]:
        """Unmasked weights in reading order of the kernel, (taps * n_in, n_out), and the bias."""
        rows, cols = self.mask[0, 0].nonzero(as_tuple=True)
        weight = self.weight[:, :, rows, cols].transpose(1, 2).flatten(1)
        assert self.bias is not None
        return weight.t().contiguous(), self.bias


@dataclass(frozen=True)
class AutoregressiveSettings(ModelSettings):
    """The width that PixelCNN and PixelRNN share."""

    width: int = setting(32, 4, 256, "Channels h inside a residual block; 2h between blocks.")


class AutoregressiveModel(Model):
    """Mask A 7x7, a subclass's layers, two 1x1: one logit a pixel. Energy: exact -log p in nats."""

    config: AutoregressiveSettings

    def __init__(self, config: AutoregressiveSettings) -> None:
        super().__init__(config)
        if config.channels != 1:
            raise ValueError(f"channels must be 1 for a {self.title}, got {config.channels}")
        h, size = config.width, config.image_size
        self.first = MaskedConv(1, 2 * h, 7, "A")
        self.place = nn.Parameter(torch.zeros(1, 2 * h, size, size))
        self.add_between()  # here: the weights follow from the seed in this order
        self.head = nn.Conv2d(2 * h, 2 * h, 1)
        self.last = nn.Conv2d(2 * h, 1, 1)

    def add_between(self) -> None:
        """Make the modules between the first and the last convolutions, named by the subclass."""
        raise NotImplementedError

    def layers(self, hidden: Tensor) -> Tensor:
        """What is between the first and the last convolutions: (B, 2h, H, W) -> same."""
        raise NotImplementedError

    def columns(self, start: Tensor) -> Columns:
        """An empty cache for drawing pixel by pixel from ``start`` (n, 1, H, W)."""
        raise NotImplementedError

    def pixel_logits(self, x: Tensor) -> Tensor:
        """Logits of p(x_i = 1 | earlier pixels): binary (B, 1, H, W) -> (B, 1, H, W)."""
        return self.last(self.head(self.layers(self.first(x) + self.place).relu()).relu())

    def pixel_nll(self, x: Tensor) -> Tensor:
        """-log p(x_i | earlier pixels) of each pixel, in nats: binary (B, 1, H, W) -> same."""
        return F.binary_cross_entropy_with_logits(self.pixel_logits(x).float(), x, reduction="none")

    def log_likelihood(self, x: Tensor) -> Tensor:
        """Exact log p(x) of binary images, in nats: (B, 1, H, W) -> (B,)."""
        return -losses.bernoulli_nll(self.pixel_logits(x).float(), x)

    def energy(self, x: Tensor) -> Tensor:
        """-log p of the image rounded to black and white, in nats: (B,)."""
        return -self.log_likelihood((x > 0.5).float())

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """-log p(x) in nats of the image binarized again at every visit, batch mean."""
        return {"loss": -self.log_likelihood(binarize(x, rng)).mean()}

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Binary images (n, 1, H, W), drawn pixel by pixel with cached activations."""
        size = self.config.image_size
        like = self.first.weight
        noise = torch.rand(n, size * size, generator=rng, device=rng.device).to(like)
        return self.draw(noise, torch.zeros(n, 1, size, size, device=like.device))

    def draw(
        self, noise: Tensor, start: Tensor, known: int = 0, temperature: float = 1.0
    ) -> Tensor:
        """Draw all pixels after the first ``known`` of ``start`` in reading order.

        Each new pixel computes one column of activations in each layer, from cached earlier ones.
        ``noise`` (n, H * W) uniform in [0, 1): pixel i is ink where noise < p. ``temperature``
        divides the logits. Same uniforms, same image as by a whole pass of the net for each pixel.
        """
        size = self.config.image_size
        # Thousands of small operations: this mode saves a sixth of the time.
        with torch.inference_mode():
            columns = self.columns(start)
            uniforms = noise.t().contiguous().unbind()
            for index in range(size * size):
                i, j = divmod(index, size)
                logit = columns.logit(i, j)
                if index >= known:
                    columns.put(j, uniforms[index] < (logit / temperature).sigmoid())
        return columns.image().clone()  # an ordinary tensor again


class Columns:
    """What drawing pixel by pixel keeps, so that a pixel costs one column of activations.

    What the rows above contribute is computed for a whole row at once, when it begins; a pixel
    then adds what is to its left and itself. Tensors of one row are (W, n, c), so that each
    pixel's part is one block of memory. Here the first and the last layers; a subclass does those
    between.
    """

    def __init__(self, net: AutoregressiveModel, start: Tensor) -> None:
        self.ink = F.pad(start[:, 0], (REACH, REACH, REACH, 0))  # (n, H + 3, W + 6)
        weight, self.first_bias = net.first.taps()
        self.first_above, self.first_left = weight[:-REACH], weight[-REACH:]
        self.place = net.place[0].permute(1, 2, 0)[:, :, None]  # (H, W, 1, 2h)
        self.ends = [pointwise(net.head), pointwise(net.last)]
        self.above: Sequence[Tensor] = ()  # first layer's part of the rows above, for each pixel
        self.row = self.ink[:, REACH]

    def begin_row(self, i: int) -> None:
        """Get ready for the pixels of row i; all rows above are drawn."""
        windows = self.ink[:, i : i + REACH].unfold(2, 2 * REACH + 1, 1)  # (n, 3, W, 7)
        taps = windows.permute(2, 0, 1, 3).flatten(2)
        self.above = (taps @ self.first_above + self.first_bias + self.place[i]).unbind()
        self.row = self.ink[:, i + REACH]

    def layers(self, x: Tensor, j: int) -> Tensor:
        """The column of pixel j of this row after the model's layers: (n, 2h) -> (n, 2h)."""
        raise NotImplementedError

    def logit(self, i: int, j: int) -> Tensor:
        """Logit of pixel (i, j), given all earlier ones: (n,). To be asked in reading order."""
        if j == 0:
            self.begin_row(i)
        x = torch.addmm(self.above[j], self.row.narrow(1, j, REACH), self.first_left)
        (head, head_bias), (last, last_bias) = self.ends
        x = torch.addmm(head_bias, self.layers(x, j).relu_(), head).relu_()
        return torch.addmm(last_bias, x, last).squeeze(1)

    def put(self, j: int, ink: Tensor) -> None:
        """Write pixel j of this row: (n,)."""
        self.row.select(1, j + REACH).copy_(ink)

    def image(self) -> Tensor:
        """The image so far: (n, 1, H, W)."""
        return self.ink[:, None, REACH:, REACH:-REACH]


def neighbours(row: Sequence[Tensor]) -> Tensor:
    """Each place of a row with the one to its left and to its right: W of (n, c) -> (W, n, 3c)."""
    padded = F.pad(torch.stack(list(row)), (0, 0, 0, 0, 1, 1))
    return torch.cat([padded[t : t + len(row)] for t in range(3)], 2)


def pointwise(conv: nn.Conv2d) -> tuple[Tensor, Tensor]:
    """A 1x1 convolution as a matrix (n_in, n_out) and its bias."""
    assert conv.bias is not None
    return conv.weight.flatten(1).t().contiguous(), conv.bias
