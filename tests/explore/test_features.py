"""Gradient ascent on the input: objectives, parameterisations, transforms, lens, film and pool."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genlib.background import Places
from genlib.explore.ascent import imagenet
from genlib.explore.ascent.climb import Ascent, noise
from genlib.explore.ascent.film import Curves, Film, gif, png
from genlib.explore.ascent.knobs import Knobs, octave_size, octaves_that_differ
from genlib.explore.ascent.lens import FORMATS, Lens, Network, tapped
from genlib.explore.ascent.lens import lens as make_lens
from genlib.explore.ascent.live import Live
from genlib.explore.ascent.objectives import OBJECTIVES, Target
from genlib.explore.ascent.parameterisations import PARAMETERISATIONS
from genlib.explore.ascent.pictures import PictureError, decode, sample
from genlib.explore.ascent.surgery import FrozenConv, private_copy
from genlib.explore.ascent.transforms import TRANSFORMS, blur, roll, transform
from genlib.explore.ascent.weights import WeightsError, write
from genlib.explore.attended import TURN_S
from genlib.models.classifier import Classifier, ClassifierSettings

CPU = torch.device("cpu")
TEN = tuple("0123456789")


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def network() -> Network:
    """An untrained classifier whose batch norms have seen something."""
    model = Classifier(ClassifierSettings(width=8, dense=16))
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(torch.randn(p.shape, generator=rng(p.numel())) * 0.3)
        for part in model.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_(generator=rng(1))
                part.running_var.uniform_(0.5, 2.0, generator=rng(2))
    return Network("tiny", "Tiny", model.eval().requires_grad_(False), TEN, (1, 28, 28))


@pytest.fixture(scope="module")
def lens(network: Network) -> Lens:
    return Lens(network, CPU, torch.float32)


def climb(lens: Lens, knobs: Knobs, steps: int, classes: tuple[int, ...] = (3,)) -> Ascent:
    image = noise((len(classes), *lens.network.shape), lens.mean, rng())
    ascent = Ascent(lens, image, classes, knobs, rng(1))
    for _ in range(steps):
        ascent.advance()
    return ascent


# --- the lens ---------------------------------------------------------------------------------


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
    channels: int, size: int, stride: int, padding: int, side: int, packed: bool
) -> None:
    conv = nn.Conv2d(channels, 6, size, stride, padding).requires_grad_(False)
    assert FrozenConv.fits(conv)
    frozen = FrozenConv(conv, torch.Size((1, channels, 16, 16)))  # and used at another size
    if not packed:
        frozen.forwards.packed = frozen.backwards.packed = None
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


# --- objectives -------------------------------------------------------------------------------


def test_the_class_scores_gradient_is_one_for_the_target_and_zero_elsewhere() -> None:
    scores = torch.randn(3, 10, generator=rng(), requires_grad=True)
    target = Target(torch.tensor([4, 0, 9]))
    (g,) = torch.autograd.grad(OBJECTIVES["class score"](scores, target).sum(), scores)
    assert torch.equal(g, F.one_hot(target.classes, 10).float())


def test_layer_activation_sets_the_gradient_to_the_activation_itself(lens: Lens) -> None:
    layer = lens.layers[-1].name
    x = torch.rand(2, 1, 28, 28, generator=rng(), requires_grad=True)
    a = lens.activation(x, layer)
    (lecture,) = torch.autograd.grad(a, x, grad_outputs=a.detach(), retain_graph=True)
    value = OBJECTIVES["layer activation"](a, Target(torch.zeros(2).long()))
    torch.testing.assert_close(value, 0.5 * a.square().sum((1, 2, 3)))
    (ours,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(ours, lecture)


def test_a_channel_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="channel must be between 0 and 3, got 4"):
        OBJECTIVES["channel"](torch.rand(1, 4, 2, 2), Target(torch.zeros(1).long(), 4))


@pytest.mark.parametrize("name", list(OBJECTIVES))
@pytest.mark.parametrize("parameterisation", list(PARAMETERISATIONS))
def test_ascent_raises_every_objective(lens: Lens, name: str, parameterisation: str) -> None:
    layer = lens.layers[-1].name if OBJECTIVES[name].looks_at == "layer" else ""
    knobs = Knobs(name, layer, 0, parameterisation, lr=0.01, normalise=True, clip=False)
    ascent = climb(lens, knobs, 0, (3, 7))
    if layer:  # a channel that is alive; dead ones have a test of their own
        knobs.channel = int(lens.activation(ascent.image, layer).amin(0).mean((1, 2)).argmax())
    before = ascent.frame().value
    for _ in range(20):
        ascent.advance()
    assert (ascent.frame().value > before).all()


def test_a_dead_unit_is_climbed_before_its_relu() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with torch.no_grad():
        module[0].weight.fill_(0.5)
        module[0].bias.copy_(torch.tensor([-9.0, 0.1]))  # channel 0 is off for every picture
    dead = Lens(Network("dead", "Dead", module, TEN[:2], (1, 8, 8)), CPU, torch.float32)
    for knobs in (Knobs(lr=1.0), Knobs("channel", "1", 0, lr=1.0)):
        ascent = Ascent(dead, torch.full((1, 1, 8, 8), 0.2), (0,), knobs, rng())
        ascent.advance()
        assert ascent.grad_norm.item() == 0, "the plain gradient is zero, and shown as such"
        assert (ascent.image > 0.2).all(), "but the picture moves"


# --- parameterisations and transforms ---------------------------------------------------------


@pytest.mark.parametrize("name", list(PARAMETERISATIONS))
@pytest.mark.parametrize("shape", [(2, 1, 28, 28), (1, 3, 15, 22), (1, 3, 9, 7)])
def test_a_picture_survives_the_round_trip(name: str, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape, generator=rng())
    there = PARAMETERISATIONS[name].parameters(x)
    torch.testing.assert_close(
        PARAMETERISATIONS[name].image(there, shape[-1]), x, rtol=0, atol=1e-4
    )


def test_undoing_the_jitter_is_exact() -> None:
    x = torch.randn(2, 3, 9, 11, generator=rng())
    for down, right in ((3, -5), (-8, 2), (0, 10)):
        assert torch.equal(roll(roll(x, down, right), -down, -right), x)


def test_jitter_rolls_the_gradient_back_as_the_lecture_does(lens: Lens) -> None:
    x = torch.rand(1, 1, 28, 28, generator=rng())
    ascent = Ascent(lens, x, (3,), Knobs(lr=1.0, jitter=4, clip=False), rng(5))
    draw = rng(5)
    down, right = torch.randint(-4, 5, (2,), generator=draw).tolist()
    assert (down, right) != (0, 0)
    rolled = roll(x, down, right).requires_grad_()
    (dx,) = torch.autograd.grad(lens.scores(rolled)[0, 3], rolled)
    ascent.advance()
    torch.testing.assert_close(ascent.image, roll(rolled.detach() + dx, -down, -right))


def test_the_step_is_the_lectures(lens: Lens) -> None:
    x = torch.rand(1, 1, 28, 28, generator=rng())
    leaf = x.clone().requires_grad_()
    (dx,) = torch.autograd.grad(lens.scores(leaf)[0, 6], leaf)
    ascent = Ascent(lens, x, (6,), Knobs(lr=0.3, l2=0.1, clip=False), rng())
    ascent.advance()
    torch.testing.assert_close(ascent.image, x + 0.3 * (dx - 2 * 0.1 * x))
    torch.testing.assert_close(ascent.grad_norm, dx.norm()[None])


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_a_transform_keeps_the_size_and_a_constant_picture(name: str) -> None:
    x = torch.full((2, 3, 16, 20), 0.4)
    for seed in range(3):
        y = transform(x, {name: 3 if name == "jitter" else 0.3}, rng(seed))
        torch.testing.assert_close(y, x)


def test_half_a_turn_is_both_flips() -> None:
    x = torch.rand(1, 1, 8, 12, generator=rng())
    # the largest draw of a huge amount is as good as any: compare with the angle it drew
    angle = 2 * float(torch.rand((), generator=rng(3))) - 1
    y = TRANSFORMS["rotate"](x, 180 / abs(angle), rng(3))
    torch.testing.assert_close(y, x.flip(-1, -2), rtol=0, atol=1e-4)


def test_blur_keeps_the_mean_grey_and_is_symmetric() -> None:
    x = torch.zeros(1, 2, 21, 21)
    x[..., 10, 10] = 1
    y = blur(x, 1.3)
    torch.testing.assert_close(y.sum((2, 3)), torch.ones(1, 2))
    torch.testing.assert_close(y, y.flip(-1).flip(-2))
    assert torch.equal(blur(x, 0.0), x)


# --- ascent -----------------------------------------------------------------------------------


def test_changing_the_target_keeps_the_picture(lens: Lens) -> None:
    ascent = climb(lens, Knobs(normalise=True), 5, (3,))
    image = ascent.image.clone()
    ascent.retarget([8])
    assert torch.equal(ascent.image, image) and ascent.step == 5
    ascent.retarget(range(10))
    assert torch.equal(ascent.image, image.expand(10, -1, -1, -1))
    for _ in range(3):
        ascent.advance()
    six = ascent.image[6].clone()
    ascent.retarget([6])
    assert torch.equal(ascent.image[0], six)


def test_one_picture_of_a_batch_does_not_feel_the_others(lens: Lens) -> None:
    start = torch.rand(3, 1, 28, 28, generator=rng())
    knobs = Knobs(lr=0.1)
    together = Ascent(lens, start, (1, 2, 3), knobs, rng())
    alone = Ascent(lens, start[1:2], (2,), knobs, rng())
    for _ in range(5):
        together.advance()
        alone.advance()
    torch.testing.assert_close(together.image[1:2], alone.image, rtol=0, atol=1e-4)


def test_switching_to_fourier_keeps_the_picture_and_clipping_holds(lens: Lens) -> None:
    ascent = climb(lens, Knobs(normalise=True, clip=True), 3)
    before = ascent.image.clone()
    ascent.knobs.parameterisation, ascent.knobs.lr = "fourier", 0.0
    ascent.advance()
    torch.testing.assert_close(ascent.image, before, rtol=0, atol=1e-4)
    ascent.knobs.lr = 0.5
    for _ in range(3):
        ascent.advance()
    assert ascent.image.min() >= -1e-4 and ascent.image.max() <= 1 + 1e-4


def test_bad_knobs_are_named() -> None:
    with pytest.raises(ValueError, match=r"lr must be between 0.0 and 1000000.0, got -1"):
        Knobs(lr=-1).check()
    with pytest.raises(ValueError, match="objective must be one of"):
        Knobs("beauty").check()


def test_octaves_keep_to_sizes_that_the_network_takes(lens: Lens) -> None:
    # A dense layer behind flattened pictures: one size only; the layers before it take less.
    assert lens.smallest() == 28
    first, last = lens.layers[0].name, lens.layers[-1].name
    assert lens.smallest(first) == lens.smallest(last) == lens.network.smallest
    knobs = Knobs(octaves=4, octave_steps=1, lr=0.01, normalise=True)
    assert climb(lens, knobs, 8).step == 8
    in_a_layer = Knobs("layer activation", last, octaves=4, octave_steps=1, lr=0.01)
    assert climb(lens, in_a_layer, 8).step == 8
    with pytest.raises(ValueError, match="layer must be"):
        lens.smallest("no.such")


def test_the_smallest_size_is_found_where_no_number_is_known() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 9), nn.MaxPool2d(4), nn.AdaptiveMaxPool2d(1))
    module.append(nn.Flatten())
    deep = Lens(Network("d", "D", module, TEN[:2], (1, 40, 40), smallest=4), CPU, torch.float32)
    assert deep.smallest() == 12, "9 for the convolution and 3 more for one pool"
    assert deep.smallest("0") == 9
    small = Lens(Network("d", "D", module, TEN[:2], (1, 14, 14), smallest=20), CPU, torch.float32)
    assert small.smallest() == 14, "never above the size it was made for"


def test_only_octaves_that_differ_are_counted() -> None:
    assert octaves_that_differ((28, 28), 28, 4) == 1
    assert octaves_that_differ((32, 32), 12, 4) == 4
    assert octaves_that_differ((32, 48), 20, 6) == 3
    assert octaves_that_differ((10, 10), 28, 4) == 1


def test_octaves_go_from_small_to_large() -> None:
    knobs = Knobs(octaves=3, octave_scale=2.0, octave_steps=2)
    sizes = [octave_size(knobs, step, (80, 120), 10) for step in range(7)]
    assert sizes == [(20, 30)] * 2 + [(40, 60)] * 2 + [(80, 120)] * 2 + [(20, 30)]
    assert octave_size(Knobs(octaves=8), 0, (40, 40), 30) == (30, 30), "never below the smallest"


@pytest.mark.parametrize("dtype", FORMATS.values())
def test_our_classifier_is_convinced_of_every_class(shipped: Path, dtype: torch.dtype) -> None:
    from genlib.store.checkpoint import load

    path = shipped / "classifier.safetensors"
    if not path.exists():
        pytest.skip("the classifier is not built yet")
    network = Network("c", "c", load(path), TEN, (1, 28, 28))
    knobs = Knobs(lr=0.05, l2=0.5, jitter=2, blur_every=5, normalise=True, scale=0.15, rotate=15.0)
    frame = climb(Lens(network, CPU, dtype), knobs, 150, tuple(range(10))).frame()
    assert frame.probability.min() > 0.99


def shipped_classifiers() -> list[str]:
    """Names of the shipped checkpoints that classify."""
    from genlib.environment import shipped_dir
    from genlib.store.checkpoint import listing

    infos = listing(shipped_dir()) if shipped_dir().is_dir() else []
    return [info.name for info in infos if "Classifies" in info.capabilities]


@pytest.mark.parametrize("precision", FORMATS)
@pytest.mark.parametrize("name", shipped_classifiers())
def test_every_shipped_classifier_climbs_in_both_formats(
    shipped: Path, name: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genlib.store.checkpoint import load

    monkeypatch.setenv("GENLIB_PRECISION", precision)
    model = load(shipped / f"{name}.safetensors")
    before = {k: v.clone() for k, v in model.state_dict().items()}
    classes = tuple(map(str, range(model.config.n_classes)))
    made = make_lens(Network(name, name, model, classes, model.config.shape, smallest=12), CPU)
    assert made.dtype == FORMATS[precision]
    for objective in OBJECTIVES:
        layer = made.layers[-1].name if OBJECTIVES[objective].looks_at == "layer" else ""
        # Small steps: what a step promises of the objective holds only nearby.
        knobs = Knobs(objective, layer, 0, lr=0.005, normalise=True, octaves=4, octave_steps=2)
        ascent = climb(made, knobs, 0)
        if layer:  # a channel that is alive
            knobs.channel = int(made.activation(ascent.image, layer).mean((0, 2, 3)).argmax())
        first = ascent.frame().value
        for _ in range(16):
            ascent.advance()
        last = ascent.frame()
        assert last.value.item() > first.item() and last.image.isfinite().all()
    after = model.state_dict()
    assert all(after[k].dtype == v.dtype and torch.equal(after[k], v) for k, v in before.items())


# --- film, curves, live -----------------------------------------------------------------------


def test_the_film_keeps_the_first_and_the_newest_frame_in_bounded_memory() -> None:
    film = Film()
    for step in range(1000):
        film.add(step, (0,), torch.full((1, 1, 2, 2), float(step)))
    steps = [kept.step for kept in film.frames]
    assert len(steps) <= 65 and steps[0] == 0 and steps[-1] > 960 and steps == sorted(set(steps))
    kept = film.go_to(5)
    assert torch.equal(kept.image, torch.full((1, 1, 2, 2), float(kept.step)))
    film.add(kept.step + 500, (0,), torch.zeros(1, 1, 2, 2))
    assert len(film.frames) == 7, "going on from an earlier frame drops the later ones"


def test_curves_have_gaps_where_a_class_was_no_target(lens: Lens) -> None:
    curves, ascent = Curves(), climb(lens, Knobs(), 0, (3,))
    for classes in ((3,), (3,), (8,)):
        ascent.retarget(classes)
        ascent.advance()
        curves.add(classes, ascent.frame())
    seen, steps, table = curves.table()
    assert seen == [3, 8] and steps.tolist() == [1, 2, 3]
    assert np.isnan(table[0]).tolist() == [[False, False, True], [True, True, False]]
    for _ in range(600):
        ascent.step += 1
        curves.add((8,), ascent.frame())
    assert len(curves.points) <= 241 and curves.points[-1][0] == ascent.step


def test_gif_and_png_hold_the_frames() -> None:
    from io import BytesIO

    from PIL import Image

    frames = [np.full((4, 6, 1), value, np.uint8) for value in (0, 120, 255)]
    with Image.open(BytesIO(gif(frames, zoom=3))) as film:
        assert film.n_frames == 3 and film.size == (18, 12)
    with Image.open(BytesIO(png(frames[1], 2))) as picture:
        assert picture.size == (12, 8) and picture.getpixel((3, 3)) == 120


def live_of(lens: Lens, pool: Places) -> Live:
    start = noise((1, 1, 28, 28), lens.mean, rng())
    return Live(Ascent(lens, start, (3,), Knobs(normalise=True), rng()), pool)


def until(condition: object, seconds: float = 5.0) -> bool:
    """Wait until condition() is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False


def test_it_runs_until_paused_and_goes_back_to_an_earlier_frame(lens: Lens) -> None:
    live = live_of(lens, Places(1))
    live.start()
    assert until(lambda: live.shown.step > 5)
    live.pause()
    step, image = live.shown.step, live.shown.images.copy()
    time.sleep(0.1)
    assert live.shown.step == step and np.array_equal(live.shown.images, image)
    live.step_once()
    assert live.shown.step == step + 1 and not live.running
    live.go_to(0)
    assert live.shown.step == 0
    expected = (live.original.clamp(0, 1) * 255).round().byte()
    assert np.array_equal(live.shown.images[0, ..., 0], expected[0, 0].numpy())


def test_knobs_and_target_change_while_it_runs_without_a_restart(lens: Lens) -> None:
    live = live_of(lens, Places(1))
    live.start()
    assert until(lambda: live.shown.step > 3)
    live.set_knobs(Knobs(normalise=True, lr=0.0))
    frozen, step = live.shown.images.copy(), live.shown.step
    live.retarget((8,))
    assert live.shown.classes == (8,) and until(lambda: live.shown.step > step + 3)
    assert live.running, "nothing stopped it"
    live.pause()
    assert np.array_equal(live.shown.images, frozen), "with lr 0 the picture stayed as it was"
    with pytest.raises(ValueError, match="jitter"):
        live.set_knobs(Knobs(jitter=-2))


def test_two_take_turns_by_themselves(lens: Lens) -> None:
    pool = Places(1, TURN_S)
    one, two = live_of(lens, pool), live_of(lens, pool)
    one.start()
    two.start()

    def both_at(step: int) -> bool:
        one.beat()
        two.beat()
        assert len(pool._running) <= 1, "one at a time"
        return min(one.shown.step, two.shown.step) >= step

    assert until(lambda: both_at(1))
    done = max(one.shown.step, two.shown.step)
    assert until(lambda: both_at(done + 1)), "more than one turn each"
    one.pause()
    two.pause()
    assert until(lambda: not any(t.name == "live" for t in threading.enumerate()))


def test_it_stops_when_the_browser_is_gone_and_resumes_when_it_is_back(
    lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("genlib.explore.ascent.live.Live.gone_s", 0.2)
    live = live_of(lens, Places(1))
    live.start()
    assert until(lambda: not any(t.name == "live" for t in threading.enumerate()))
    step = live.shown.step
    assert step > 0 and live.running
    live.beat()
    assert until(lambda: live.shown.step > step)
    live.close()
    gc.collect()


def test_an_overflow_stops_it_with_a_sentence(lens: Lens) -> None:
    live = live_of(lens, Places(1))
    live.set_knobs(Knobs(lr=1e6, l2=1e3, clip=False))
    live.start()
    assert until(lambda: not live.running)
    assert "grew too large" in live.error and np.isfinite(live.shown.value[0])
    live.go_to(0)
    live.set_knobs(Knobs(normalise=True))
    live.step_once()
    assert not live.error and np.isfinite(live.shown.value[0])


# --- ImageNet networks and pictures -----------------------------------------------------------


@pytest.mark.parametrize("name", imagenet.SOURCES)
def test_the_networks_are_torchvisions(name: str) -> None:
    import torchvision

    few = {"aux_logits": False, "transform_input": True, "init_weights": False}
    build = getattr(torchvision.models, name)
    theirs = build(weights=None, **(few if name == "googlenet" else {})).eval()
    network = imagenet.untrained(name)
    assert [n for n, _ in network.module.named_modules()] == [n for n, _ in theirs.named_modules()]
    theirs.load_state_dict(network.module.state_dict())
    x = torch.randn(2, 3, 96, 64, generator=rng())
    torch.testing.assert_close(network.module(x), theirs(x))
    weights = torchvision.models.get_model_weights(name).DEFAULT
    assert list(network.classes) == weights.meta["categories"]


def test_a_lens_keeps_its_weights_once() -> None:
    """What it was made from may be forgotten: nothing else holds the memory."""
    network = imagenet.untrained("squeezenet1_1")
    weak = weakref.ref(network.module)
    lens = Lens(network, CPU, torch.bfloat16)
    del network
    gc.collect()
    assert weak() is None
    assert lens.network.module is lens.module and len(lens.network.classes) == 1000


def test_weights_go_through_a_file_and_foreign_ones_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save

    made = imagenet.untrained("squeezenet1_1")
    assert not made.trained and len(made.classes) == 1000
    again = imagenet.untrained("squeezenet1_1").module.state_dict()
    assert all(torch.equal(v, again[k]) for k, v in made.module.state_dict().items())
    state = made.module.state_dict()
    path = imagenet.keep("squeezenet1_1", save(state), tmp_path)
    assert imagenet.find("squeezenet1_1", tmp_path) == path
    loaded = imagenet.load("squeezenet1_1", path)
    x = torch.rand(1, 3, 64, 64, generator=rng())
    assert loaded.trained and torch.equal(loaded.module(x), made.module(x))
    for data, says in (
        (b"not a file", "not a readable"),
        (save({"a": torch.zeros(2)}), "is missing or"),
        (save({**state, "extra": torch.zeros(1)}), "also has extra"),
    ):
        with pytest.raises(WeightsError, match=says):
            imagenet.keep("squeezenet1_1", data, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_torchvisions_own_file_is_checked_and_nothing_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_WEIGHTS", str(tmp_path))
    state: dict[str, Tensor] = imagenet.untrained("squeezenet1_1").module.state_dict()
    torch.save(state, tmp_path / "squeezenet1_1.pth")
    found = imagenet.find("squeezenet1_1")
    assert found is not None and imagenet.load("squeezenet1_1", found).trained
    torch.save(state, tmp_path / imagenet.SOURCES["squeezenet1_1"].file)
    found = imagenet.find("squeezenet1_1")
    assert found is not None
    with pytest.raises(WeightsError, match="wrong checksum"):
        imagenet.load("squeezenet1_1", found)
    torch.save(nn.Linear(1, 1), tmp_path / "resnet18.pth")  # a pickled object, not plain tensors
    with pytest.raises(WeightsError, match="not a file of plain weights"):
        imagenet.load("resnet18", tmp_path / "resnet18.pth")


def test_offline_is_one_sentence_and_a_damaged_download_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imagenet, "HOST", "http://127.0.0.1:9/")
    with pytest.raises(WeightsError, match="could not be downloaded"):
        imagenet.download("resnet18", lambda share: None)
    with pytest.raises(WeightsError, match="damaged"):
        write(tmp_path / "w.pth", iter([b"abc"]), "00000000")
    assert not list(tmp_path.iterdir())


def test_a_lens_folds_resnets_norms_and_names_its_layers() -> None:
    network = imagenet.untrained("resnet18")
    lens = Lens(network, CPU, torch.float32)
    assert {"layer1", "layer2", "layer3", "layer4"} <= {layer.name for layer in lens.layers}
    x = torch.rand(1, 3, 64, 64, generator=rng())
    plain = network.module((x - lens.mean) / lens.std)
    torch.testing.assert_close(lens.scores(x), plain, rtol=1e-3, atol=1e-3 * float(plain.std()))


def test_pictures_are_decoded_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    flower = decode(sample("flower"), 100)
    assert flower.shape == (1, 3, 67, 100)
    assert flower.min() >= 0 and flower.max() <= 1
    assert decode(sample("china"), 60, grey=True).shape[1] == 1
    for data in (b"", b"GIF89a broken", b"<svg/>"):
        with pytest.raises(PictureError, match="can't be read as an image"):
            decode(data, 100)
    monkeypatch.setattr("genlib.explore.ascent.pictures.MAX_PIXELS", 1000)
    with pytest.raises(PictureError, match="megapixels"):
        decode(sample("flower"), 100)


def test_a_tiny_picture_is_enlarged_to_what_the_network_needs_and_a_line_is_refused() -> None:
    dot, line = (png(np.zeros(shape, np.uint8)) for shape in ((1, 1, 3), (2, 3000, 3)))
    assert decode(dot, 224, smallest=33).shape == (1, 3, 33, 33)
    assert decode(sample("flower"), 40, smallest=33).shape[2] == 33
    with pytest.raises(PictureError, match="too narrow"):
        decode(line, 224, smallest=33)
