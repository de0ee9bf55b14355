"""A lens: what the network computes, in its own format, with nothing of the shared one changed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import FORMATS, Lens, Network, tapped
from genlib.explore.ascent.lens import lens as make_lens
from genlib.explore.ascent.surgery import FrozenConv, private_copy
from genlib.models.classifier import Classifier, ClassifierSettings
from tests.explore.ascent.climbing import CPU, TEN, climb
from tests.helpers import rng


def test_the_lens_computes_what_the_network_computes(network: Network, lens: Lens) -> None:
    x = torch.rand(5, 1, 28, 28, generator=rng())
    assert not any(isinstance(m, nn.BatchNorm2d) for m in lens.module.modules())
    torch.testing.assert_close(lens.scores(x), network.module.logits(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", FORMATS.values())
def test_climbing_leaves_the_shared_network_bitwise_as_it_was(
    network: Network, dtype: torch.dtype
) -> None:
    before = {k: v.clone() for k, v in network.module.state_dict().items()}
    names = [n for n, _ in network.module.named_modules()]
    climb(Lens(network, CPU, dtype), Knobs(jitter=2, blur_every=2), 5)
    after = network.module.state_dict()
    for k, v in before.items():
        assert after[k].dtype == v.dtype and after[k].stride() == v.stride()
        assert torch.equal(v, after[k])
    assert [n for n, _ in network.module.named_modules()] == names
    assert not network.module.training
    for part in network.module.modules():
        assert not part._forward_hooks
    assert all(p.grad is None for p in network.module.parameters())


def test_a_lens_freezes_its_own_parameters_and_no_others() -> None:
    module = Classifier(ClassifierSettings(width=2, dense=4)).train()
    Lens(Network("n", "N", module, TEN, (1, 28, 28)), CPU, torch.float32)
    assert module.training and all(p.requires_grad for p in module.parameters())


def test_a_private_copy_shares_memory_only_where_nothing_changes(network: Network) -> None:
    def places(module: nn.Module) -> list[int]:
        return [t.data_ptr() for t in module.state_dict().values() if t.is_floating_point()]

    mine = places(network.module)
    assert places(private_copy(network.module, CPU)) == mine
    assert places(private_copy(network.module, CPU, torch.float32)) == mine
    half = private_copy(network.module, CPU, torch.bfloat16)
    assert set(places(half)).isdisjoint(mine)
    # The count of batches stays a whole number.
    assert half.state_dict()["layers.1.num_batches_tracked"].dtype == torch.int64
    laid_out = private_copy(network.module, CPU, layout=torch.channels_last)
    wide = "layers.4.weight"
    assert laid_out.state_dict()[wide].data_ptr() != network.module.state_dict()[wide].data_ptr()


@pytest.mark.parametrize("precision", FORMATS)
def test_the_environment_forces_the_format(
    network: Network, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_PRECISION", precision)
    made = make_lens(network, CPU)
    assert made.dtype == FORMATS[precision]
    assert all(p.dtype == made.dtype for p in made.module.parameters())
    assert made.scores(torch.rand(1, 1, 28, 28)).dtype == torch.float32
    monkeypatch.setenv("GENLIB_PRECISION", "float16")
    with pytest.raises(ValueError, match=r"GENLIB_PRECISION must be one of .*, got 'float16'"):
        make_lens(network, CPU)


def test_the_environment_forces_the_layout(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand(2, 1, 28, 28, generator=rng())
    scores = []
    for layout, order in (
        ("channels_last", torch.channels_last),
        ("contiguous", torch.contiguous_format),
    ):
        monkeypatch.setenv("GENLIB_LAYOUT", layout)
        made = Lens(network, CPU, torch.bfloat16)
        wide = made.module.get_submodule("layers.4").weight
        assert wide.is_contiguous(memory_format=order)
        scores.append(made.scores(x))
    torch.testing.assert_close(scores[0], scores[1], rtol=0.05, atol=0.05)


def test_hooks_are_gone_afterwards_also_after_an_error(lens: Lens) -> None:
    view = lens.view()
    layer = lens.layers[0].name
    view.activation(torch.rand(1, 1, 28, 28), layer)
    with pytest.raises(RuntimeError, match="boom"), tapped(view.module, layer):
        raise RuntimeError("boom")
    with pytest.raises(ValueError, match="layer must be"), tapped(view.module, "no.such"):
        pass
    assert not any(part._forward_hooks for part in view.module.modules())


def test_a_view_shares_weights_but_not_modules(lens: Lens) -> None:
    one, two = lens.view(), lens.view()
    pairs = zip(one.module.parameters(), two.module.parameters(), strict=True)
    assert all(p is q for p, q in pairs)
    frozen = [[m for m in v.module.modules() if isinstance(m, FrozenConv)] for v in (one, two)]
    assert len(frozen[0]) == 2
    assert all(a is not b and a.forwards is b.forwards for a, b in zip(*frozen, strict=True))
    x, layer = torch.rand(1, 1, 28, 28), lens.layers[0].name
    with tapped(one.module, layer):
        two.scores(x)  # would stop half way if the hook were on shared modules


def test_a_layer_asked_for_is_that_layers_output(network: Network, lens: Lens) -> None:
    x = torch.rand(2, 1, 28, 28, generator=rng())
    for layer in lens.layers:
        index = int(layer.name.split(".")[1])
        expected = network.module.layers[: index + 1](x)
        assert expected.shape[1:] == (layer.channels, layer.height, layer.width)
        torch.testing.assert_close(lens.activation(x, layer.name), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize(
    ("channels", "size", "stride", "padding", "side"),
    [
        (3, 7, 2, 3, 30),
        (3, 3, 2, 0, 29),
        (20, 3, 1, 1, 17),
        (5, 5, 3, 2, 20),
        (4, 1, 1, 0, 9),
        (1, 3, 1, 1, 8),
    ],
)
def test_a_frozen_convolutions_gradient_is_the_convolutions(
    monkeypatch: pytest.MonkeyPatch,
    channels: int,
    size: int,
    stride: int,
    padding: int,
    side: int,
    packed: bool,
) -> None:
    if not packed:  # as in a build of torch without oneDNN
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    conv = nn.Conv2d(channels, 6, size, stride, padding).requires_grad_(False)
    assert FrozenConv.fits(conv)
    frozen = FrozenConv(conv, torch.Size((1, channels, 16, 16)))  # and used at another size
    assert packed or not (frozen.forwards.packed or frozen.backwards.packed)
    x = torch.randn(2, channels, side, side + 1, requires_grad=True)
    out = conv(x)
    g = torch.randn_like(out)
    (expected,) = torch.autograd.grad(out, x, g)
    fast = frozen(x)
    torch.testing.assert_close(fast, out, rtol=1e-4, atol=1e-4)
    (found,) = torch.autograd.grad(fast, x, g)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_what_a_frozen_convolution_cannot_do_is_left_alone() -> None:
    for conv in (
        nn.Conv2d(4, 4, 3, groups=2),
        nn.Conv2d(4, 4, 3, dilation=2),
        nn.Conv2d(4, 4, (3, 1)),
        nn.Conv2d(4, 4, 1, stride=2),
    ):
        assert not FrozenConv.fits(conv)
