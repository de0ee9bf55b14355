"""A model's block diagram, read off the model itself: layers, shapes, noise, losses.

::

    x -> [Encoder] -> mu, log var -> z -> [Decoder] -> x_hat        circles: numbers; boxes: layers
                           |         |                   |
                           KL        eps                 C(x, x_hat)

What a model can do says which diagram it has; its modules say what is in the boxes. They are
watched with hooks while the model runs once, so that shapes are true; the model that is watched is
a copy, since shared models must never have hooks. Without an image that copy has weights that take
no memory, and nothing is said of numbers.

Sources: lecture text "Autoencoders to GANs", whose figures these diagrams redraw (AE, DAE, VAE,
GAN, energy-based GAN); its counterfeiters, police and spies are Goodfellow et al. 2014's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from genlib.models.base import Model
from genlib.models.capabilities import (
    Autoregressive,
    Bounds,
    Classifies,
    Decodes,
    Encodes,
    HasComponents,
    HasMargin,
    Judges,
    Stacked,
    capabilities,
)
from genlib.models.layers import Affine, Clamp, standard_normal

Values = NDArray[np.float32]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class DrawnLayer:
    """One module as it ran: its name in the model, kind, shapes without the batch, and rule."""

    name: str
    kind: str
    shape_in: Shape
    shape_out: Shape
    parameters: int
    equation: str
    noisy: bool = False  # draws random numbers in training


@dataclass(frozen=True)
class Bar:
    """A layer with weights and what follows it elementwise; ``values``: what came out, if any."""

    layers: tuple[DrawnLayer, ...]
    values: Values | None = None

    @property
    def parameters(self) -> int:
        """Numbers that are learnt."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def shape(self) -> Shape:
        """The shape that it gives on."""
        return self.layers[-1].shape_out


@dataclass(frozen=True)
class Part:
    """A box: a network of blocks, at (column, row) of the diagram."""

    key: str
    title: str
    role: str
    blocks: tuple[Bar, ...]
    column: float
    row: float

    @property
    def parameters(self) -> int:
        """Numbers that are learnt."""
        return sum(block.parameters for block in self.blocks)


@dataclass(frozen=True)
class Dot:
    """A circle: numbers that flow, noise that enters, or a loss that acts.

    role: "data", "noise", "code", "output" or "loss".
    """

    key: str
    symbol: str
    title: str
    role: str
    text: str
    column: float
    row: float
    shape: Shape = ()
    values: Values | None = None


@dataclass(frozen=True)
class Wire:
    """An arrow; ``under``: it goes below everything, as the target of a loss does."""

    start: str
    end: str
    under: bool = False


@dataclass(frozen=True)
class Diagram:
    """All of it. ``parameters``: numbers that the drawn parts learn."""

    title: str
    parts: tuple[Part, ...]
    dots: tuple[Dot, ...]
    wires: tuple[Wire, ...]
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """Numbers that are learnt, over all parts."""
        return sum(part.parameters for part in self.parts)


# -------------------------------------------------------------------------------- single layers


def _size(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "1"


def _linear(m: nn.Linear) -> str:
    bias = " + b" if m.bias is not None else ""
    return f"y = W x{bias},  W: {m.out_features}×{m.in_features}"


def _convolution(m: nn.Conv2d | nn.ConvTranspose2d) -> str:
    across = isinstance(m, nn.ConvTranspose2d)
    kernel = (m.in_channels, m.out_channels) if across else (m.out_channels, m.in_channels)
    bias = " + b" if m.bias is not None else ""
    rule = f"y = K{'ᵀ' if across else ''} ∗ x{bias}"
    shape = _size((*kernel, *m.kernel_size))
    return f"{rule},  K: {shape}, stride {m.stride[0]}, padding {m.padding[0]}"


def _norm(m: nn.BatchNorm1d | nn.BatchNorm2d) -> str:
    return f"y = γ (x − mean) / √(variance + {m.eps:g}) + β, for each channel"


def _dropout(m: nn.Dropout) -> str:
    return f"in training y = 0 with probability {m.p:g}, else x / {1 - m.p:g}; in use y = x"


EQUATIONS: dict[type, Callable[..., str]] = {
    nn.Linear: _linear,
    nn.Conv2d: _convolution,
    nn.ConvTranspose2d: _convolution,
    nn.BatchNorm1d: _norm,
    nn.BatchNorm2d: _norm,
    nn.Dropout: _dropout,
    nn.ReLU: lambda m: "y = max(0, x)",
    nn.LeakyReLU: lambda m: f"y = max(x, {m.negative_slope:g} x)",
    nn.GELU: lambda m: "y = x Φ(x)",
    nn.Tanh: lambda m: "y = tanh x",
    nn.Sigmoid: lambda m: "y = 1 / (1 + e⁻ˣ)",
    nn.Identity: lambda m: "y = x",
    nn.Flatten: lambda m: "the same numbers in one row",
    nn.Unflatten: lambda m: "the same numbers as maps",
    nn.Upsample: lambda m: f"each pixel becomes {m.scale_factor:g}×{m.scale_factor:g}",
    nn.MaxPool2d: lambda m: f"the largest of each {m.kernel_size}×{m.kernel_size} pixels",
    Affine: lambda m: f"y = {m.scale:g} x + {m.shift:g}",
    Clamp: lambda m: f"y = min(max(x, {m.low:g}), {m.high:g})",
}
STARTS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Upsample)  # each begins a block


def equation(module: nn.Module) -> str:
    """What a layer computes, in one line; "" for a kind that has no line here."""
    rule = next((EQUATIONS[kind] for kind in type(module).__mro__ if kind in EQUATIONS), None)
    return rule(module) if rule else ""


@dataclass(frozen=True)
class _Seen:
    layer: DrawnLayer
    starts: bool
    out: Tensor


def watch(network: nn.Module, run: Callable[[], Tensor], names: Mapping[int, str]) -> list[Bar]:
    """The blocks of a network while ``run`` runs it; hooks are gone when it returns.

    names: id of a module -> its name in the model. The network must be used by no one else.
    """
    seen: list[_Seen] = []

    def note(module: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        layer = DrawnLayer(
            names.get(id(module), ""),
            type(module).__name__,
            tuple(given[0].shape[1:]),
            tuple(out.shape[1:]),
            sum(p.numel() for p in module.parameters()),
            equation(module),
            isinstance(module, nn.Dropout) and module.p > 0,
        )
        seen.append(_Seen(layer, isinstance(module, STARTS), out))

    leaves = [m for m in network.modules() if not any(m.children())]
    hooks = [m.register_forward_hook(note) for m in dict.fromkeys(leaves)]
    try:
        with torch.no_grad():
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return _blocks(seen)


def _blocks(seen: list[_Seen]) -> list[Bar]:
    """Group layers: each with weights begins a block; flattening goes with what comes after it."""
    groups: list[list[_Seen]] = []
    for one in seen:
        begins = one.starts or one.layer.kind == nn.Flatten.__name__
        if not groups or (begins and any(other.starts for other in groups[-1])):
            groups.append([])
        groups[-1].append(one)
    return [Bar(tuple(one.layer for one in g), values(g[-1].out)) for g in groups]


def values(out: Tensor) -> Values:
    """The numbers of the first of a batch."""
    found: Values = out[0].detach().float().cpu().numpy()
    return found


# ---------------------------------------------------------------------------------- the diagrams


def _empty(model: nn.Module) -> None:
    """Put one zero, seen from everywhere, in the place of each weight: shapes without memory.

    The meta device does the same, but torch imports its compiler for it: 150 MB.
    """
    for module in model.modules():
        for name, p in list(module.named_parameters(recurse=False)):
            zeros = torch.zeros((), dtype=p.dtype).expand(p.shape)
            setattr(module, name, nn.Parameter(zeros, requires_grad=False))
        for name, kept in list(module.named_buffers(recurse=False)):
            setattr(module, name, torch.zeros(kept.shape, dtype=kept.dtype))


class Reader:
    """Watches a copy of a model at one image, or a copy without numbers at a blank one."""

    def __init__(self, model: Model, x: Tensor | None = None, seed: int = 0) -> None:
        # A copy: shared models must never have hooks, not even for a moment.
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        if x is None:
            _empty(self.model)
            self.x = torch.zeros(1, *model.config.shape)
        else:
            self.x = x.reshape(1, *model.config.shape).to(self.model.device)
        self.seed = seed
        self.names = {id(m): name for name, m in self.model.named_modules()}

    def noise(self, *shape: int) -> Tensor:
        """N(0, I) from the seed."""
        return standard_normal((1, *shape), torch.Generator().manual_seed(self.seed), self.x)

    def blocks(self, run: Callable[[], Tensor]) -> tuple[Bar, ...]:
        """The blocks of the model that ``run`` goes through."""
        return tuple(watch(self.model, run, self.names))

    def decoder(self, z: Tensor) -> tuple[tuple[Bar, ...], Tensor]:
        """The decoder's blocks and the image that it makes of z (1, d)."""
        assert isinstance(self.model, Decodes)
        layers = self.model.decoder_layers()
        found: list[Tensor] = []

        def run() -> Tensor:
            found.append(layers(z))
            return found[-1]

        blocks = tuple(watch(layers, run, self.names))
        return blocks, found[-1]

    def setting(self, name: str, otherwise: object) -> object:
        """A setting of the model, where it has one of that name."""
        return getattr(self.model.config, name, otherwise)


def _image(key: str, symbol: str, title: str, role: str, x: Tensor, at: tuple[float, float]) -> Dot:
    text = f"{_size(tuple(x.shape[1:]))} pixels in [0, 1]"
    return Dot(key, symbol, title, role, text, *at, tuple(x.shape[1:]), values(x))


def _code(key: str, symbol: str, title: str, z: Tensor, at: tuple[float, float], text: str) -> Dot:
    return Dot(key, symbol, title, "code", text, *at, tuple(z.shape[1:]), values(z))


def _loss(key: str, symbol: str, title: str, text: str, at: tuple[float, float]) -> Dot:
    return Dot(key, symbol, title, "loss", text, *at)


def autoencoder(r: Reader) -> Diagram:
    """x -> Encoder -> z -> Decoder -> x_hat; the loss compares x_hat with x."""
    m = r.model
    assert isinstance(m, Encodes)
    z = m.embed(r.x)
    encoder = r.blocks(lambda: m.embed(r.x))
    decoder, x_hat = r.decoder(z)
    return Diagram(
        "Autoencoder",
        (
            Part("encoder", "Encoder", "makes the code", encoder, 1, 0),
            Part("decoder", "Decoder", "draws from the code", decoder, 3, 0),
        ),
        (
            _image("x", "x", "Image", "data", r.x, (0, 0)),
            _code("z", "z", "Code", z, (2, 0), f"{m.latent_dim} numbers for an image"),
            _image("x_hat", "x̂", "Reconstruction", "output", x_hat, (4, 0)),
            _loss(
                "cost",
                "C",
                "Reconstruction loss",
                "C(x, x̂) = ‖x̂ − x‖²: trains both",
                (4, 1.15),
            ),
        ),
        (
            *_chain("x", "encoder", "z", "decoder", "x_hat", "cost"),
            Wire("x", "cost", under=True),
        ),
    )


def denoising(r: Reader) -> Diagram:
    """x + noise -> Encoder -> z -> Decoder -> x_hat; the loss compares x_hat with the clean x."""
    m = r.model
    assert isinstance(m, Encodes)
    kind, strength = str(r.setting("corruption", "noise")), r.setting("strength", "")
    z = m.embed(r.x)
    encoder = r.blocks(lambda: m.embed(r.x))
    decoder, x_hat = r.decoder(z)
    damage = f"{kind.replace('_', ' ')} {strength}, in training only; here the image stays whole"
    return Diagram(
        "Denoising autoencoder",
        (
            Part("encoder", "Encoder", "makes the code", encoder, 2, 0),
            Part("decoder", "Decoder", "draws from the code", decoder, 4, 0),
        ),
        (
            _image("x", "x", "Image", "data", r.x, (0, 0)),
            Dot("noise", "ε", "Noise", "noise", damage, 1, -0.9),
            Dot("bad", "x̃", "Damaged image", "data", damage, 1, 0, tuple(r.x.shape[1:])),
            _code("z", "z", "Code", z, (3, 0), f"{m.latent_dim} numbers for an image"),
            _image("x_hat", "x̂", "Clean guess", "output", x_hat, (5, 0)),
            _loss(
                "cost",
                "C",
                "Reconstruction loss",
                "C(x, x̂) = ‖x̂ − x‖², with the clean x: it trains both parts",
                (5, 1.15),
            ),
        ),
        (
            *_chain("x", "bad", "encoder", "z", "decoder", "x_hat", "cost"),
            Wire("noise", "bad"),
            Wire("x", "cost", under=True),
        ),
    )


def variational(r: Reader) -> Diagram:
    """x -> Encoder -> mu, log var -> z = mu + sigma eps -> Decoder -> x_hat; C and KL."""
    m = r.model
    assert isinstance(m, Bounds)
    q = m.encode(r.x)
    encoder = r.blocks(lambda: m.encode(r.x).mu)
    eps = r.noise(m.latent_dim)
    z = q.mu + eps * (0.5 * q.logvar).exp()
    decoder, x_hat = r.decoder(z)
    beta = r.setting("beta", 1.0)
    kl = "KL(q(z|x) ‖ N(0, I)) = ½ Σ (μ² + σ² − log σ² − 1): it trains the encoder"
    # Laid out by hand, a node on each line where it fits, as in the other diagrams.
    return Diagram(
        "Variational autoencoder",
        (
            Part("encoder", "Encoder", "q(z | x)", encoder, 1, 0),
            Part("decoder", "Decoder", "p(x | z)", decoder, 4, 0),
        ),
        (
            _image("x", "x", "Image", "data", r.x, (0, 0)),
            _code("mu", "μ", "Mean of q(z | x)", q.mu, (2, -0.42), "half of the encoder's output"),
            _code("logvar", "log σ²", "Log-variance of q(z | x)", q.logvar, (2, 0.35), "the rest"),
            Dot(
                "eps", "ε", "Noise", "noise", "ε ~ N(0, I): drawn again at each step", 3, 0.85,
                tuple(eps.shape[1:]), values(eps),
            ),
            _code("z", "z", "Code", z, (3, 0), "z = μ + σ ⊙ ε, so that gradients reach μ and σ"),
            _image("x_hat", "x̂", "Mean of p(x | z)", "output", x_hat, (5, 0)),
            _loss("kl", "KL", f"KL divergence, weight {beta:g}", kl, (2, -1.25)),
            _loss(
                "cost", "C", "Reconstruction loss", "C(x, x̂) = −log p(x | z): trains both parts",
                (5, 1.3),
            ),
        ),
        (
            *_chain("x", "encoder", "mu", "z", "decoder", "x_hat", "cost"),
            Wire("encoder", "logvar"), Wire("logvar", "z"), Wire("eps", "z"), Wire("logvar", "kl"),
            Wire("mu", "kl"), Wire("x", "cost", under=True),
        ),
    )  # fmt: skip


GENERATOR_LOSSES = {"non_saturating": "−log D(G(z))", "minimax": "log(1 − D(G(z)))"}


def _start(z: Tensor) -> Dot:
    text, shape = "z ~ N(0, I): all that G starts from", tuple(z.shape[1:])
    return Dot("z", "z", "Noise", "noise", text, 0, -0.75, shape, values(z))


def _facts(x: Tensor, fake: Tensor, of: Callable[[Tensor], Tensor], *keys: str) -> dict[str, float]:
    """One number each for the image and for the sample."""
    return dict(zip(keys, of(torch.cat([x, fake])).tolist(), strict=True))


def adversarial(r: Reader) -> Diagram:
    """z -> G -> G(z); D sees G(z) and x in turn; one loss for each of them."""
    m = r.model
    assert isinstance(m, Judges) and isinstance(m, Decodes)
    z = r.noise(m.latent_dim)
    generator, fake = r.decoder(z)
    discriminator = r.blocks(lambda: m.verdict(fake))
    changes = str(r.setting("diff_augment", "none"))
    verdict = "p(real), for real and generated images in turn"
    if changes != "none":
        verdict += f", seen through random changes ({changes.replace('_', ' ')}) in training"
    facts = _facts(r.x, fake, lambda y: m.verdict(y).sigmoid(), "d_x", "d_gz")
    if facts:
        verdict += f". Here D(x) = {facts['d_x']:.2f}, D(G(z)) = {facts['d_gz']:.2f}"
    for_d = "−log D(x) − log(1 − D(G(z))): trains D, the police"
    rule = GENERATOR_LOSSES.get(str(r.setting("generator_loss", "")), "its loss")
    for_g = f"{rule}: its gradient goes back through D, like a spy, and trains G"
    return Diagram(
        "Generative adversarial network",
        (
            Part("generator", "Generator G", "the counterfeiter", generator, 1, -0.75),
            Part("discriminator", "Discriminator D", "the police", discriminator, 3, 0),
        ),
        (
            _start(z),
            _image("fake", "G(z)", "Counterfeit", "output", fake, (2, -0.75)),
            _image("x", "x", "Real image", "data", r.x, (2, 0.75)),
            Dot("verdict", "D", "Verdict", "code", verdict, 4, 0, (1,)),
            _loss("d_loss", "ℓ_D", "D's loss", for_d, (5, 0.6)),
            _loss("g_loss", "ℓ_G", "G's loss", for_g, (5, -0.6)),
        ),
        (
            *_chain("z", "generator", "fake", "discriminator", "verdict", "d_loss"),
            *(Wire("x", "discriminator"), Wire("verdict", "g_loss")),
        ),
        facts,
    )


def energy_based(r: Reader) -> Diagram:
    """z -> G -> G(z); the judge reconstructs G(z) and x; its error is the energy."""
    m = r.model
    assert isinstance(m, HasMargin) and isinstance(m, Decodes)
    z = r.noise(m.latent_dim)
    generator, fake = r.decoder(z)
    cost = r.blocks(lambda: m.rebuild(fake))
    apart = r.setting("pull_away", 0.0)
    also = f" + {apart:g} m PT, which keeps samples apart" if apart else ""
    energy = "C(y) = ‖Dec(Enc(y)) − y‖²: low on real images"
    facts = _facts(r.x, fake, m.energy, "c_x", "c_gz")
    if facts:
        energy += f". Here C(x) = {facts['c_x']:.1f}, C(G(z)) = {facts['c_gz']:.1f}"
    hinge = f"C(x) + max(0, {m.margin():g} − C(G(z))): data down, samples up to the margin"
    return Diagram(
        "Energy-based GAN",
        (
            Part("generator", "Generator G", "the counterfeiter", generator, 1, -0.75),
            Part("cost", "Judge", "Dec(Enc(y))", cost, 3, 0),
        ),
        (
            _start(z),
            _image("fake", "G(z)", "Sample", "output", fake, (2, -0.75)),
            _image("x", "x", "Real image", "data", r.x, (2, 0.75)),
            _image("rebuilt", "ŷ", "Reconstructed sample", "output", m.rebuild(fake), (4, 0)),
            Dot("energy", "C(y)", "Energy", "code", energy, 5, 0, (1,)),
            _loss("c_loss", "ℓ_C", "Judge's loss", hinge, (6, 0.6)),
            _loss("g_loss", "ℓ_G", "G's loss", f"C(G(z)){also}: samples down", (6, -0.6)),
        ),
        (
            *_chain("z", "generator", "fake", "cost", "rebuilt", "energy", "c_loss"),
            *(Wire("x", "cost"), Wire("energy", "g_loss")),
        ),
        facts,
    )


def classifier(r: Reader) -> Diagram:
    """x -> layers -> logits; cross-entropy with the class y."""
    m = r.model
    assert isinstance(m, Classifies)
    logits = m.logits(r.x)
    layers = r.blocks(lambda: m.logits(r.x))
    return Diagram(
        "Classifier",
        (Part("layers", "Layers", "p(y | x)", layers, 1, 0),),
        (
            _image("x", "x", "Image", "data", r.x, (0, 0)),
            _code("logits", "logits", "Logits", logits, (2, 0), "softmax turns them into p(y | x)"),
            Dot("y", "y", "Class", "data", "the label", 2, 1),
            _loss("cost", "C", "Cross-entropy", "−log p(y | x): trains all layers", (3, 0.5)),
        ),
        (*_chain("x", "layers", "logits", "cost"), Wire("y", "cost")),
    )


def principal(r: Reader) -> Diagram:
    """x -> axes -> z -> the same axes -> x_hat; the loss is minus the log of one Gaussian."""
    drawn = autoencoder(r)
    encoder, decoder = drawn.parts
    *others, cost = drawn.dots
    text = "−log N(x; μ, W Wᵀ + s I): the widest directions of the data make it smallest"
    return replace(
        drawn,
        parts=(
            replace(encoder, title="Onto axes", role="z = (WᵀW)⁻¹ Wᵀ (x − μ)"),
            replace(decoder, title="To pixels", role="x̂ = μ + W z"),
        ),
        dots=(*others, replace(cost, title="Minus the log-likelihood", text=text)),
    )


def mixture(r: Reader) -> Diagram:
    """x -> K Gaussians -> p(k | x) -> the mean of the likeliest; the loss is -log p(x)."""
    m = r.model
    assert isinstance(m, HasComponents)
    share = m.responsibilities(r.x)
    likeliest = m.component_means()[share.argmax(1)]
    count, learnt = share.shape[1], sum(p.numel() for p in r.model.parameters())
    rule = "p(k | x) = πₖ N(x; μₖ, Σₖ) / Σⱼ πⱼ N(x; μⱼ, Σⱼ)"
    layer = DrawnLayer(
        "", f"{count} Gaussians", tuple(r.x.shape[1:]), tuple(share.shape[1:]), learnt, rule
    )
    return Diagram(
        "Gaussian mixture",
        (Part("gaussians", "Gaussians", "p(x | k)", (Bar((layer,), values(share)),), 1, 0),),
        (
            _image("x", "x", "Image", "data", r.x, (0, 0)),
            _code("k", "k", "Which Gaussian", share, (2, 0), "p(k | x) of each: they sum to 1"),
            _image("mean", "μₖ", "Mean of the likeliest", "output", likeliest, (3, 0)),
            _loss("cost", "ℓ", "Minus the log-likelihood", "−log Σₖ πₖ N(x; μₖ, Σₖ): EM", (2, 1.2)),
        ),
        (*_chain("x", "gaussians", "k", "mean"), Wire("gaussians", "cost")),
    )


def autoregressive(r: Reader) -> Diagram:
    """x -> masked layers -> p of each pixel given those before it; the loss is exact."""
    m = r.model
    assert isinstance(m, Autoregressive)
    x = (r.x > 0.5).to(r.x)
    layers = r.blocks(lambda: m.pixel_logits(x))
    p = m.pixel_logits(x).sigmoid()
    rest = sum(q.numel() for q in r.model.parameters())
    rest -= sum(block.parameters for block in layers)
    text = "p(xᵢ = 1 | x₁ … xᵢ₋₁): each pixel from those above it and to its left"
    if rest:
        text += f". {rest:,} parameters are in no block, such as a bias for each place"
    shown = _image("p", "p", "Probability of ink", "output", p, (2, 0))
    return Diagram(
        r.model.title,
        (Part("layers", "Masked layers", "see earlier pixels only", layers, 1, 0),),
        (
            _image("x", "x", "Black and white image", "data", x, (0, 0)),
            replace(shown, text=text),
            _loss("cost", "ℓ", "Minus the log-likelihood", "−Σᵢ log p(xᵢ | x₁ … xᵢ₋₁)", (2, 1.2)),
        ),
        (*_chain("x", "layers", "p", "cost"), Wire("x", "cost", under=True)),
    )


def stacked(r: Reader) -> Diagram:
    """v -> W -> h (-> W2 -> h2 ...) -> the same weights -> v'; each pair is an RBM."""
    m = r.model
    assert isinstance(m, Stacked)
    pairs, v = m.pairs(), (r.x > 0.5).to(r.x)
    parts: list[Part] = []
    dots = [_image("v", "v", "Visible units: black and white", "data", v, (0, 0))]
    state = v.flatten(1)
    for k, (weight, a, b) in enumerate(pairs, 1):
        n = str(k) if len(pairs) > 1 else ""
        up = (state @ weight + b).sigmoid()
        size = weight.numel() + a.numel() + b.numel()
        rule = "p(h = 1 | v) = σ(v W + b), and back p(v = 1 | h) = σ(W h + a)"
        layer = DrawnLayer("", "Weights both ways", state.shape[1:], up.shape[1:], size, rule)
        bars = (Bar((layer,), values(up)),)
        parts.append(Part(f"pair{k}", f"W{n}", "no direction of its own", bars, 2 * k - 1, 0))
        text = "p(h = 1) of each unit; chains draw 0 or 1"
        dots.append(_code(f"h{k}", f"h{n}", "Hidden units", up, (2 * k, 0), text))
        state = up
    for weight, a, _ in reversed(pairs):
        state = (state @ weight.t() + a).sigmoid()
    end = 2 * len(pairs) + 1
    parts.append(Part("back", "Back down", "the same weights", (), end, 0))
    below = _image("v2", "v′", "Visible units again", "output", state.view_as(r.x), (end + 1, 0))
    dots.append(replace(below, text="p(v = 1 | h); one round of the chain"))
    each = "" if len(pairs) == 1 else ", pair by pair from below"
    loss = f"F(v) − F(v′), the free energy after k rounds of the chain{each}"
    dots.append(_loss("cost", "CD", "Contrastive divergence", loss, (end + 1, 1.2)))
    chain = [key for k in range(1, len(pairs) + 1) for key in (f"pair{k}", f"h{k}")]
    wires = (*_chain("v", *chain, "back", "v2", "cost"), Wire("v", "cost", under=True))
    return Diagram(r.model.title, tuple(parts), tuple(dots), wires)


def _chain(*keys: str) -> tuple[Wire, ...]:
    return tuple(Wire(a, b) for a, b in pairwise(keys))


# The first whose capabilities a model has: what sets a model apart comes before what it shares.
DIAGRAMS: tuple[tuple[frozenset[str], Callable[[Reader], Diagram]], ...] = (
    (frozenset({"Bounds", "Decodes"}), variational),
    (frozenset({"HasMargin", "Decodes"}), energy_based),
    (frozenset({"Judges", "Decodes"}), adversarial),
    (frozenset({"Denoises", "Encodes", "Decodes"}), denoising),
    (frozenset({"HasDensity", "Encodes", "Decodes"}), principal),
    (frozenset({"Reconstructs", "Encodes", "Decodes"}), autoencoder),
    (frozenset({"HasComponents"}), mixture),
    (frozenset({"Autoregressive"}), autoregressive),
    (frozenset({"Stacked"}), stacked),
    (frozenset({"Classifies"}), classifier),
)


def drawable(has: frozenset[str]) -> bool:
    """Whether models with these capabilities have a diagram."""
    return any(needs <= has for needs, _ in DIAGRAMS)


def _without_numbers(drawn: Diagram) -> Diagram:
    parts = (
        replace(p, blocks=tuple(replace(b, values=None) for b in p.blocks)) for p in drawn.parts
    )
    dots = (replace(dot, values=None) for dot in drawn.dots)
    return replace(drawn, parts=tuple(parts), dots=tuple(dots), facts={})


def diagram(model: Model, x: Tensor | None = None, seed: int = 0) -> Diagram:
    """The diagram of a model, with what every block makes of x (C, H, W) in [0, 1] where given.

    seed: of the noise that a generator or a sampler draws. The model itself isn't touched. Raises
    ValueError for one that has no diagram.
    """
    has = capabilities(model.family)
    for needs, draw in DIAGRAMS:
        if needs <= has:
            reader = Reader(model, x, seed)
            with torch.no_grad():
                drawn = replace(draw(reader), title=model.title)
            return drawn if x is not None else _without_numbers(drawn)
    raise ValueError(f"no diagram for a model that can do no more than {', '.join(sorted(has))}")
