"""Block diagrams follow the true modules: shapes, parameters, values; and leave no trace."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from genlib.explore import architecture
from genlib.explore.architecture import Diagram, diagram
from genlib.models import FAMILIES, Model
from genlib.models.capabilities import capabilities
from genlib.ui import menu
from tests.helpers import build

SMALL = {
    "autoencoder": {"latent_dim": 3, "hidden": (6, 5)},
    "denoising": {"latent_dim": 7, "corruption": "gaussian", "strength": 0.25},
    "vae": {"latent_dim": 4, "hidden": (9,), "beta": 2.0},
    "conv_vae": {"latent_dim": 4, "width": 3},
    "gan_mlp": {"latent_dim": 5, "hidden": (6, 8), "generator_loss": "minimax"},
    "dcgan_28": {"latent_dim": 5, "width": 8, "average": 0.9, "diff_augment": "translation"},
    "ebgan": {"latent_dim": 5, "hidden": (6, 8), "cost_hidden": (7, 2), "margin": 3.0},
    "pca": {"latent_dim": 3},
    "mixture": {"latent_dim": 3, "components": 4},
    "pixelcnn": {"width": 4, "blocks": 2},
    "pixelrnn": {"width": 4, "layers": 1},
    "rbm": {"n_hidden": 6, "chains": 2},
    "dbn": {"n_hidden": (6, 5), "chains": 2},
    "classifier": {"n_classes": 4, "width": 2, "dense": 5},
}
DRAWN = [name for name in FAMILIES if architecture.drawable(capabilities(name))]


def small(family: str) -> Model:
    return build(family, image_size=8, **SMALL[family]).eval()


def shapes(drawn: Diagram) -> dict[str, list[tuple[int, ...]]]:
    return {part.key: [block.shape for block in part.blocks] for part in drawn.parts}


@pytest.mark.parametrize("family", SMALL)
def test_a_diagram_without_an_image_has_the_shapes_of_one_with(family: str) -> None:
    model = small(family)
    x = torch.rand(model.config.shape)
    blank, seen = diagram(model), diagram(model, x)
    assert shapes(blank) == shapes(seen) and blank.parameters == seen.parameters
    assert all(block.values is None for part in blank.parts for block in part.blocks)
    for part in seen.parts:
        for block in part.blocks:
            assert block.values is not None and block.values.shape == block.shape
    keys = {one.key for one in (*seen.parts, *seen.dots)}
    assert len(keys) == len(seen.parts) + len(seen.dots)
    assert all({wire.start, wire.end} <= keys for wire in seen.wires)
    assert any(dot.role == "loss" for dot in seen.dots)


@pytest.mark.parametrize("family", SMALL)
def test_parameters_are_all_those_that_are_used(family: str) -> None:
    model = small(family)
    place = 8 * 8 * 8  # a bias for each place, in no layer
    unused = {"pca": 1, "pixelcnn": place, "pixelrnn": place + 4 * 16 * 3}.get(family, 0)
    if getattr(model, "averaged", None) is not None:  # G is drawn as it draws: by its average
        unused = sum(p.numel() for p in model.generator.parameters())
    assert diagram(model).parameters == sum(p.numel() for p in model.parameters()) - unused


def test_shapes_are_those_of_the_modules() -> None:
    assert shapes(diagram(small("autoencoder"))) == {
        "encoder": [(6,), (5,), (3,)],
        "decoder": [(5,), (6,), (1, 8, 8)],
    }
    assert shapes(diagram(small("conv_vae"))) == {
        "encoder": [(3, 4, 4), (6, 2, 2), (8,)],
        "decoder": [(6, 2, 2), (3, 4, 4), (1, 8, 8)],
    }
    assert shapes(diagram(small("ebgan")))["cost"] == [(7,), (2,), (7,), (1, 8, 8)]


def test_values_are_what_the_model_computes() -> None:
    model, x = small("vae"), torch.rand(1, 8, 8)
    drawn = diagram(model, x, seed=3)
    dots = {dot.key: dot for dot in drawn.dots}
    with torch.no_grad():
        q = model.encode(x[None])
        hidden = model.encoder[:3](x[None])[0]
        z = q.mu + torch.from_numpy(dots["eps"].values) * (0.5 * q.logvar).exp()
        x_hat = model.decode(z)[0]
    found = drawn.parts[0].blocks[0].values
    assert torch.allclose(torch.from_numpy(found), hidden, atol=1e-6)
    assert torch.allclose(torch.from_numpy(dots["x_hat"].values), x_hat, atol=1e-6)
    assert "weight 2" in dots["kl"].title
    other = {dot.key: dot for dot in diagram(model, x, seed=4).dots}
    assert not (other["eps"].values == dots["eps"].values).all()


def test_verdicts_are_those_of_the_discriminator() -> None:
    model, x = small("gan_mlp"), torch.rand(1, 8, 8)
    drawn = diagram(model, x)
    fake = torch.from_numpy(next(d for d in drawn.dots if d.key == "fake").values)
    with torch.no_grad():
        d_x, d_gz = model.verdict(torch.stack([x, fake])).sigmoid().tolist()
    assert drawn.facts == pytest.approx({"d_x": d_x, "d_gz": d_gz}, abs=1e-5)
    rule = next(d.text for d in drawn.dots if d.key == "g_loss")
    assert rule.startswith("log(1 − D(G(z)))")
    noisy = [layer.noisy for b in drawn.parts[1].blocks for layer in b.layers]
    assert any(noisy)  # dropout


@pytest.mark.parametrize("family", SMALL)
def test_the_model_is_left_as_it_was(family: str) -> None:
    model = small(family).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    diagram(model, torch.rand(model.config.shape))
    diagram(model)
    assert (model.training and all(p.requires_grad for p in model.parameters() if p.is_leaf)) or (
        getattr(model, "averaged", None) is not None
    )
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks
        assert all(p.device.type == "cpu" and p.grad is None for p in module.parameters())


def test_rules_name_sizes_and_numbers() -> None:
    rule = architecture.equation
    assert rule(nn.Linear(3, 2)) == "y = W x + b,  W: 2×3"
    assert rule(nn.Linear(3, 2, bias=False)) == "y = W x,  W: 2×3"
    assert rule(nn.Conv2d(1, 4, 3, 2, 1)) == "y = K ∗ x + b,  K: 4×1×3×3, stride 2, padding 1"
    assert rule(nn.ConvTranspose2d(5, 2, 4, 2, 1)).startswith("y = Kᵀ ∗ x + b,  K: 5×2×4×4")
    assert rule(nn.LeakyReLU(0.2)) == "y = max(x, 0.2 x)"
    assert "0.3" in rule(nn.Dropout(0.3))
    assert rule(nn.Softplus()) == ""


def test_every_kind_of_layer_that_is_drawn_has_a_rule() -> None:
    for family in DRAWN:
        if family in SMALL:
            drawn = diagram(small(family))
            layers = [layer for p in drawn.parts for b in p.blocks for layer in b.layers]
            assert [layer.kind for layer in layers if not layer.equation] == []


def test_the_menu_knows_which_models_have_a_diagram() -> None:
    test = menu.page("architectures").models["architectures.model"]
    for family in FAMILIES:
        info = type("Info", (), {"capabilities": capabilities(family)})()
        assert test(info) == architecture.drawable(capabilities(family))


def test_a_model_without_one_says_so() -> None:
    with pytest.raises(ValueError, match="no diagram for a model"):
        diagram(build("boltzmann", image_size=2, n_hidden=3, chains=8))
