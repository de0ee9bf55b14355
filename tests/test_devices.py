"""Every family, what it can do, its training and its numbers on a GPU that is only pretended.

A GPU must give what the CPU gives: the pretended one computes the same numbers, so they are equal
unless something was drawn, kept or left on the wrong device. ``tests/pretend.py`` says what it
refuses.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_leaves

from genlib import devices
from genlib.data import datasets
from genlib.data.datasets import AUGMENTS
from genlib.evaluate import energy, metrics
from genlib.explore import dossier
from genlib.explore.ascent.climb import Ascent, noise
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens, Network
from genlib.explore.ascent.objectives import OBJECTIVES
from genlib.explore.ascent.parameterisations import PARAMETERISATIONS
from genlib.models import CAPABILITIES, FAMILIES, Model
from genlib.models.capabilities import capabilities
from genlib.models.denoising import CORRUPTIONS
from genlib.settings import TrainSettings
from genlib.training import loop
from tests.helpers import build, rng
from tests.pretend import Pretended

GPUS = ("cuda", "mps")
# Small enough for a second each; every family in its own architecture.
SMALL: dict[str, dict[str, object]] = {
    "autoencoder": {"latent_dim": 4, "hidden": (16,)},
    "boltzmann": {"image_size": 2, "n_hidden": 3, "chains": 8},
    "classifier": {"width": 4, "dense": 8},
    "conv_vae": {"latent_dim": 3, "width": 4},
    "dbn": {"n_hidden": (12, 8), "chains": 8, "layer_images": 48},
    "dcgan_28": {"latent_dim": 8, "width": 8},
    "dcgan_64": {"latent_dim": 8, "ngf": 4, "ndf": 4},
    "denoising": {"latent_dim": 8},
    "ebgan": {"latent_dim": 8, "hidden": (16,), "cost_hidden": (16, 4)},
    "gan_mlp": {"latent_dim": 8, "hidden": (16,)},
    "mixture": {"components": 3, "latent_dim": 4, "warm_up": 32},
    "pca": {"latent_dim": 4},
    "pixelcnn": {"image_size": 8, "width": 4, "blocks": 1},
    "pixelrnn": {"image_size": 8, "width": 4, "layers": 1},
    "rbm": {"n_hidden": 12, "chains": 8},
    "residual_classifier": {"widths": (4, 8, 8)},
    "vae": {"latent_dim": 3, "hidden": (16,)},
}


def small(family: str, **more: object) -> Model:
    return build(family, **{**SMALL.get(family, {}), **more}).eval()


def pictures(model: Model, n: int = 6) -> Tensor:
    return torch.rand(n, *model.config.shape, generator=rng(1))


def bits(model: Model, n: int = 6) -> Tensor:
    return (pictures(model, n) > 0.5).float()


@pytest.fixture
def gpu() -> Iterator[Pretended]:
    """The stricter of the two: what it takes, a pretended CUDA takes too."""
    with Pretended("mps") as pretended:
        yield pretended


@pytest.fixture(params=GPUS)
def either(request: pytest.FixtureRequest) -> Iterator[Pretended]:
    with Pretended(request.param) as pretended:
        yield pretended


@pytest.fixture
def chosen(gpu: Pretended, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pretended]:
    """The pretended GPU, chosen by the user for everything."""
    monkeypatch.setenv("GENLIB_DEVICE", gpu.device.type)
    devices.device.cache_clear()
    yield gpu
    devices.device.cache_clear()


def agree(here: object, there: object, device: torch.device | None) -> None:
    """Both hold the same numbers; those of ``there`` are on ``device`` (None: not asked)."""
    one, two = tree_leaves(here), tree_leaves(there)
    assert len(one) == len(two) > 0
    for a, b in zip(one, two, strict=True):
        if not isinstance(a, Tensor):
            assert a == b
            continue
        assert device is None or b.device == device
        torch.testing.assert_close(a.detach().cpu(), b.detach().cpu(), equal_nan=True)


# What each capability's methods do with a model; images come on the model's own device.
Use = Callable[[Model, Tensor, Tensor], object]
USES: dict[str, Use] = {
    "Encodes": lambda m, x, b: m.embed(x),
    "Decodes": lambda m, x, b: (
        m.decode(torch.ones(2, m.latent_dim).to(x)),
        m.decoder_layers()(torch.zeros(2, m.latent_dim).to(x)),
    ),
    "Reconstructs": lambda m, x, b: m.reconstruct(x),
    "Denoises": lambda m, x, b: m.denoise(x),
    "Samples": lambda m, x, b: m.sample(3, rng()),
    "HasEnergy": lambda m, x, b: m.energy(x),
    "HasKernels": lambda m, x, b: (m.kernels(), m.hidden(x)),
    "Bounds": lambda m, x, b: (m.encode(x), m.decode_logits(m.encode(x).sample(rng()))),
    "Classifies": lambda m, x, b: m.logits(x),
    "Judges": lambda m, x, b: m.verdict(x),
    "StepsApart": lambda m, x, b: (m.verdict(x), m.sample(2, rng())),
    "HasMargin": lambda m, x, b: (m.energy(x), m.rebuild(x), m.margin()),
    "HasLikelihood": lambda m, x, b: m.log_likelihood(b),
    "HasDensity": lambda m, x, b: m.log_density(x),
    "HasComponents": lambda m, x, b: (
        m.responsibilities(x),
        m.component_means(),
        m.weights(),
        m.sample_of(torch.tensor([1, 0, 2]), rng()),
    ),
    "Autoregressive": lambda m, x, b: (
        m.pixel_logits(b),
        m.pixel_nll(b),
        m.draw(torch.rand(2, x[0].numel(), generator=rng()).to(x), b[:2], 50),
    ),
    "GibbsSamples": lambda m, x, b: (
        m.hidden_probabilities(b.flatten(1)),
        m.visible_probabilities(m.hidden(b)),
        m.gibbs(b.flatten(1), 2, rng()),
    ),
    "Stacked": lambda m, x, b: m.pairs(),
    "HasFreeEnergy": lambda m, x, b: m.free_energy(b.flatten(1)),
}


def annealed(model: Model, x: Tensor, b: Tensor) -> object:
    """What AIS weighs (on the CPU, in float64), and what the images weigh."""
    *_, log_w = model.anneal(4, 5, rng())
    assert log_w.dtype == torch.float64 and log_w.device.type == "cpu"
    return [model.unnormalised(b, rng()), log_w.float().to(x.device)]


USES["Annealed"] = annealed


def test_every_capability_is_used_here() -> None:
    assert set(USES) == set(CAPABILITIES)
    assert set().union(*map(capabilities, FAMILIES)) == set(CAPABILITIES)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_every_capability_gives_there_what_it_gives_here(family: str, gpu: Pretended) -> None:
    model = small(family)
    there, x, b = copy.deepcopy(model).to(gpu.device), pictures(model), bits(model)
    for name in capabilities(family):
        expected = USES[name](model, x, b)
        found = USES[name](there, x.to(gpu.device), b.to(gpu.device))
        agree(expected, found, gpu.device)


@pytest.mark.parametrize("family", FAMILIES)
def test_readings_and_energies_are_the_same_numbers(family: str, gpu: Pretended) -> None:
    model = small(family)
    there, x = copy.deepcopy(model).to(gpu.device), pictures(model)
    found = dossier.measure(there, x.to(gpu.device))
    for name, expected in dossier.measure(model, x).items():
        assert found[name] == pytest.approx(expected, rel=1e-4)
    kinds = [*energy.ENERGIES] if "Reconstructs" in capabilities(family) else []
    for kind in [*kinds, *(["own"] if "HasEnergy" in capabilities(family) else [])]:
        found = energy.energies(there, x.to(gpu.device), kind)
        assert found.dtype == "float64"
        assert found == pytest.approx(energy.energies(model, x, kind), rel=1e-4)


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_corruptions_are_drawn_where_their_generator_is(corruption: str, gpu: Pretended) -> None:
    model = small("denoising", corruption=corruption)
    x, y = pictures(model), torch.zeros(6)
    expected = model.losses(x, y, rng())
    found = model.to(gpu.device).losses(x.to(gpu.device), y.to(gpu.device), rng())
    agree(expected, found, gpu.device)


@pytest.mark.parametrize("augment", AUGMENTS)
def test_augmentation_too(augment: str, gpu: Pretended) -> None:
    x = torch.rand(5, 3, 32, 32, generator=rng())
    agree(AUGMENTS[augment](x, rng()), AUGMENTS[augment](x.to(gpu.device), rng()), gpu.device)


# --- training ---------------------------------------------------------------------------------

TRAIN = TrainSettings(
    epochs=2, batch_size=16, limit=48, precision="float32", threads=1, lr=1e-3, seed=3
)


def data_for(family: str, names: bool = False, n: int = 48) -> datasets.Dataset:
    """``n`` random pictures of the family's size."""
    size = small(family).config.image_size
    x = torch.randint(0, 256, (n, 1, size, size), generator=rng(), dtype=torch.uint8)
    y = torch.arange(n) % 10
    return datasets.Dataset("mnist" if names else "tiny", "Tiny", x, y, x, y, tuple("0123456789"))


def trained(family: str, device: torch.device, state: Path | None = None) -> Model:
    """Two epochs; with ``state``, interrupted after the first, in a process that drew since."""
    data = data_for(family)
    torch.manual_seed(TRAIN.seed)
    model = loop.build(family, SMALL.get(family, {}), data, TRAIN.seed).to(device)
    begun = loop.start(model, TRAIN)
    for event in loop.train(model, data, TRAIN, begun):
        if state and event.kind == "epoch":
            loop.save_state(state, model, begun)
            break
    else:
        return model
    torch.manual_seed(99)
    model = loop.build(family, SMALL.get(family, {}), data, 5).to(device)
    list(loop.train(model, data, TRAIN, loop.load_state(state, model, TRAIN)))
    return model


# Settings that add another kind of step.
MORE: dict[str, dict[str, object]] = {
    "classifier": {"adversarial_eps": 0.5, "adversarial_steps": 2},
    "gan_mlp": {"average": 0.9, "diff_augment": "colour_translation_cutout"},
    "rbm": {"persistent": True, "restart": 0.1},
}


@pytest.mark.parametrize("family", [*FAMILIES, *(f"{family} with more" for family in MORE)])
def test_training_there_and_going_on_with_it(
    family: str, gpu: Pretended, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family, _, more = family.partition(" ")
    if more:
        monkeypatch.setitem(SMALL, family, {**SMALL[family], **MORE[family]})
    whole = trained(family, gpu.device)
    resumed = trained(family, gpu.device, tmp_path / "state.safetensors")
    assert all(p.device == gpu.device for p in whole.parameters())
    agree(whole.state_dict(), resumed.state_dict(), None)


def test_a_training_of_a_cpu_goes_on_on_a_gpu(tmp_path: Path) -> None:
    data, path = data_for("classifier"), tmp_path / "state.safetensors"
    model = loop.build("classifier", SMALL["classifier"], data, 0)
    loop.save_state(path, model, loop.start(model, TRAIN))
    with Pretended("cuda") as gpu:
        there = loop.build("classifier", SMALL["classifier"], data, 1).to(gpu.device)
        state = loop.load_state(path, there, TRAIN)
        agree(model.state_dict(), there.state_dict(), None)
        list(loop.train(there, data, TRAIN, state))
        assert state.epoch == TRAIN.epochs


class Clocked(Model):
    """A model whose losses take as long as it is told, by a clock of its own."""

    def __init__(self, seconds: dict[str, float]) -> None:
        super().__init__(Model.Config(image_size=2))
        self.seconds, self.now, self.passes = seconds, 0.0, 0
        self.weight = torch.nn.Parameter(torch.ones(()))

    def losses(self, x: Tensor, y: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        self.passes += 1
        self.now += self.seconds[self.format(x.device)]
        return {"loss": (self.weight * x).sum()}

    @staticmethod
    def format(device: torch.device) -> str:
        """The number format that holds now."""
        return "bfloat16" if torch.is_autocast_enabled(device.type) else "float32"


def chosen_format(
    gpu: Pretended, monkeypatch: pytest.MonkeyPatch, precision: str, half: float
) -> tuple[str, int]:
    """What ``choose_arithmetic`` takes where bfloat16 takes ``half`` seconds and float32 one, and
    how many passes it timed."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # or autocast is a warning
    model = Clocked({"float32": 1.0, "bfloat16": half}).to(gpu.device)
    monkeypatch.setattr(loop.time, "perf_counter", lambda: model.now)
    x = torch.zeros(4, 1, 2, 2, dtype=torch.uint8).to(gpu.device)
    autocast = loop.choose_arithmetic(
        model, x, torch.zeros(4).to(gpu.device), TrainSettings(precision=precision)
    )
    with autocast():
        return model.format(gpu.device), model.passes


@pytest.mark.parametrize(("half", "expected"), [(0.5, "bfloat16"), (2.0, "float32")])
def test_the_number_format_on_a_gpu_is_measured(
    half: float, expected: str, either: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, passes = chosen_format(either, monkeypatch, "auto", half)
    assert found == expected
    assert passes >= 6 and either.waits >= 2 * passes  # the clock is read when the GPU is done


@pytest.mark.parametrize("kind", GPUS)
def test_a_gpu_without_bfloat16_is_not_given_any(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Pretended(kind, bfloat16=False) as gpu:
        assert chosen_format(gpu, monkeypatch, "auto", 0.1) == ("float32", 0)
        with pytest.raises(ValueError, match=f"bfloat16 is not available on {kind}"):
            chosen_format(gpu, monkeypatch, "bfloat16", 0.1)


def test_a_format_asked_for_is_taken_without_timing(
    either: Pretended, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen_format(either, monkeypatch, "bfloat16", 2.0) == ("bfloat16", 0)
    assert chosen_format(either, monkeypatch, "float32", 0.5) == ("float32", 0)


def test_timing_leaves_the_gpus_random_numbers_alone(either: Pretended) -> None:
    model = small("classifier").train().to(either.device)
    before = devices.random_state(either.device)
    x = (pictures(model) * 255).byte().to(either.device)
    loop.choose_arithmetic(model, x, torch.arange(6).to(either.device), TrainSettings())
    assert torch.equal(devices.random_state(either.device), before)


# --- ascent -----------------------------------------------------------------------------------


def climbed(network: Network, device: torch.device, knobs: Knobs) -> list[object]:
    lens = Lens(network, device, torch.float32)
    if OBJECTIVES[knobs.objective].looks_at == "layer":
        knobs.layer, knobs.channel = lens.layers[-1].name, 0
    image = noise((2, *network.shape), lens.mean, rng())
    ascent = Ascent(lens, image, (3, 7), knobs, rng(1))
    for _ in range(3):
        ascent.advance()
    ascent.retarget((3, 1))
    ascent.advance()
    frame = ascent.frame()
    return [frame.image, frame.value, frame.probability, frame.grad_norm]


@pytest.mark.parametrize("family", ["classifier", "residual_classifier"])
@pytest.mark.parametrize("parameterisation", PARAMETERISATIONS)
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_ascent_there_climbs_as_here(
    objective: str, parameterisation: str, family: str, gpu: Pretended
) -> None:
    model, ten = small(family), tuple("0123456789")
    network = Network("tiny", "Tiny", model, ten, model.config.shape)
    knobs = {
        **{"lr": 0.01, "l2": 0.01, "jitter": 2, "scale": 0.1, "rotate": 5.0, "blur_every": 2},
        **{"normalise": True, "parameterisation": parameterisation},
    }
    here = climbed(network, torch.device("cpu"), Knobs(objective, **knobs))
    there = climbed(
        Network("tiny", "Tiny", copy.deepcopy(model).to(gpu.device), ten, model.config.shape),
        gpu.device,
        Knobs(objective, **knobs),
    )
    for a, b in zip(here, there, strict=True):
        assert b.device == gpu.device
        torch.testing.assert_close(a, b.cpu(), rtol=1e-2, atol=1e-3, equal_nan=True)


# --- evaluate ---------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_every_number_can_be_measured_there(
    family: str, gpu: Pretended, shipped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "AIS_TEMPERATURES", 20)
    monkeypatch.setattr(metrics, "IWAE_K", 5)
    n = 66  # a Fréchet distance takes more images than the 64 features of its judge
    model, data = small(family), data_for(family, family != "boltzmann", n)
    here = metrics.evaluate(model, data, n=n)
    there = metrics.evaluate(copy.deepcopy(model).to(gpu.device), data, n=n)
    assert set(here) == set(there) and here
    assert ("frechet" in here) == ("Samples" in capabilities(family) and data.name == "mnist")
    for name, metric in here.items():
        assert there[name].value == pytest.approx(metric.value, rel=1e-3, abs=1e-4)
        assert there[name].stderr == pytest.approx(metric.stderr, rel=1e-2, abs=1e-4)


# --- the choice of a device -------------------------------------------------------------------


@pytest.mark.parametrize("wish", ["meta", "xpu", "gpu", "meta:0"])
def test_a_device_that_cannot_run_models_is_refused(
    wish: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_DEVICE", wish)
    devices.device.cache_clear()
    with pytest.raises(ValueError, match="GENLIB_DEVICE must be cpu, cuda"):
        devices.device()
    devices.device.cache_clear()


def test_a_device_that_is_there_is_taken(chosen: Pretended) -> None:
    assert devices.device().type == chosen.device.type


# --- torch's own fake GPU ---------------------------------------------------------------------


# Not these: they read numbers back, keep a real tensor in a cache, or make one on the CPU to be
# moved with the model, which fake models can't be.
NOT_FAKED = {"dbn", "mixture", "boltzmann", "residual_classifier"}


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - NOT_FAKED))
def test_torchs_fake_cuda_agrees_about_the_losses(family: str) -> None:
    """Where nothing is read back, torch's own rules of what may be mixed can be asked too."""
    with FakeTensorMode(), torch.device("cuda"):
        model = FAMILIES[family](FAMILIES[family].Config.from_dict(SMALL[family])).eval()
        x, y = torch.rand(6, *model.config.shape), torch.arange(6) % 10
        for name, value in model.losses(x, y, rng()).items():
            assert value.device.type == "cuda", name
