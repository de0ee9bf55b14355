"""Recipes: how each shipped checkpoint was trained, and the lecture texts' own settings.

``python -m genlib train --recipe NAME`` rebuilds one. float32 on one thread, so that the same
seed gives the same weights on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """A family with its settings, how to train it and which epochs to keep."""

    family: str
    text: str  # one line: what this is and where it comes from
    model: dict[str, object] = field(default_factory=dict)
    train: dict[str, object] = field(default_factory=dict)
    dataset: str = "mnist"
    snapshots: tuple[int, ...] = ()  # epochs kept beside the last; 0 is untrained
    shipped: bool = True


_EXACT: dict[str, object] = {"precision": "float32", "threads": 1}
_TRAVEL = (0, 1, 2, 5, 10)

RECIPES: dict[str, Recipe] = {
    "ae-30": Recipe(
        "autoencoder",
        "Under-complete 784-30-784, tanh, pixels in [-1, 1], MSE: the lecture text's autoencoder.",
        {"latent_dim": 30},
        {"epochs": 20, "lr": 1e-3, "batch_size": 256, **_EXACT},
        snapshots=_TRAVEL,
    ),
    "ae-500": Recipe(
        "autoencoder",
        "Over-complete 784-500-784 without noise, beside the denoising one of the same size.",
        {"latent_dim": 500},
        {"epochs": 20, "lr": 1e-3, **_EXACT},
    ),
    "ae-slides-2d": Recipe(
        "autoencoder",
        "The slides' 784-500-300-2, tanh, linear code and output, Adam 1e-4, digits 1, 5 and 6.",
        {"latent_dim": 2, "hidden": (500, 300), "latent_activation": "linear", "output": "linear"},
        {"epochs": 30, "lr": 1e-4, "batch_size": 50, "classes": "1,5,6", **_EXACT},
    ),
    "dae-500": Recipe(
        "denoising",
        "784-500-784, half of the pixels dropped, the clean image as target: the lecture's DAE.",
        {"latent_dim": 500, "corruption": "dropout", "strength": 0.5},
        {"epochs": 20, "lr": 1e-3, **_EXACT},
        snapshots=_TRAVEL,
    ),
    "vae-20": Recipe(
        "vae",
        "784-400-20, log-variance, BCE + KL: the lecture text's VAE.",
        {"latent_dim": 20, "hidden": (400,)},
        {"epochs": 40, "lr": 1e-3, "schedule": "cosine", **_EXACT},
        snapshots=(*_TRAVEL, 25),
    ),
    "vae-2": Recipe(
        "vae",
        "784-400-2: two latents, so that the whole latent space is one picture.",
        {"latent_dim": 2, "hidden": (400,)},
        {"epochs": 40, "lr": 1e-3, "schedule": "cosine", **_EXACT},
    ),
    "conv-vae-20": Recipe(
        "conv_vae",
        "Convolutions of 16 and 32 channels with stride 2, 20 latents: the overview text's VAE.",
        {"latent_dim": 20, "width": 16},
        {"epochs": 20, "lr": 1e-3, "schedule": "cosine", **_EXACT},
    ),
    "classifier": Recipe(
        "classifier",
        "A small convolutional net, for class images.",
        {},
        {"epochs": 8, "lr": 1e-2, "schedule": "onecycle", **_EXACT},
    ),
    "article-latent-2": Recipe(
        "autoencoder",
        "The article's autoencoder: one ReLU layer, ReLU code of 2, sigmoid output.",
        {
            "latent_dim": 2,
            "hidden": (512,),
            "activation": "relu",
            "latent_activation": "relu",
            "output": "sigmoid",
        },
        {"epochs": 10, "lr": 1e-3},
        shipped=False,
    ),
    "article-vae-2": Recipe(
        "vae",
        "The article's VAE: 784-512-2, squared error summed over pixels plus KL.",
        {"latent_dim": 2, "hidden": (512,), "likelihood": "mse"},
        {"epochs": 10, "lr": 1e-3},
        shipped=False,
    ),
}
