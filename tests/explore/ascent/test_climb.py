"""An ascent: knobs and targets that change while it climbs, octaves, the shipped classifiers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from genlib.explore.ascent.climb import Ascent
from genlib.explore.ascent.knobs import Knobs, octave_size, octaves_that_differ
from genlib.explore.ascent.lens import FORMATS, Lens, Network
from genlib.explore.ascent.lens import lens as make_lens
from genlib.explore.ascent.objectives import OBJECTIVES
from tests.explore.ascent.climbing import CPU, TEN, climb
from tests.helpers import rng


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


def test_the_first_frame_is_measured_once_for_all_who_begin_alike(
    lens: Lens, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, scores_of = [], Lens.scores

    def counted(self: Lens, x: torch.Tensor) -> torch.Tensor:
        looks.append(x)
        return scores_of(self, x)

    monkeypatch.setattr(Lens, "scores", counted)

    def first(seed: int, cls: int) -> tuple[float, float]:
        start = torch.rand(1, 1, 28, 28, generator=rng(seed))
        frame = Ascent(lens, start, (cls,), Knobs(), rng()).frame()
        with torch.no_grad():
            scores = scores_of(lens, start)[0]
        assert float(frame.value) == pytest.approx(float(scores[cls]), rel=1e-5)
        assert float(frame.probability) == pytest.approx(float(scores.softmax(0)[cls]), rel=1e-5)
        return float(frame.value), float(frame.probability)

    assert first(901, 3) == first(901, 3) and len(looks) == 1
    first(901, 4)
    first(902, 3)
    assert len(looks) == 3, "another class, another picture"


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


def test_keep_pulls_towards_the_picture_it_began_with(lens: Lens) -> None:
    def drift(keep: float, parameterisation: str = "pixels") -> float:
        knobs = Knobs(lr=0.05, normalise=True, keep=keep, parameterisation=parameterisation)
        start = torch.rand(1, 1, 28, 28, generator=rng())
        ascent = Ascent(lens, start, (3,), knobs, rng())
        for _ in range(30):
            ascent.advance()
        return float((ascent.image - start).square().mean().sqrt())

    assert drift(5.0) < 0.11 < drift(0.0), "about 1 / (2 * keep)"
    assert drift(5.0, "fourier") < drift(0.0, "fourier")


def test_a_base_colour_is_where_a_blank_start_is_and_where_l2_pulls(network: Network) -> None:
    grey = Lens(replace(network, base=(0.5,)), CPU, torch.float32)
    assert float(grey.base) == 0.5 and float(grey.mean) == 0.0
    knobs = Knobs(lr=5e-4, l2=1e3, normalise=True)  # X += ... takes all of X away
    ascent = Ascent(grey, torch.rand(1, 1, 28, 28, generator=rng()), (3,), knobs, rng())
    ascent.advance()
    torch.testing.assert_close(ascent.image, torch.full((1, 1, 28, 28), 0.5), rtol=0, atol=0.02)
