"""Recipes: how each shipped checkpoint was trained, and the lecture texts' own settings.

``python -m genlib train --recipe NAME`` rebuilds one. Number format and threads are fixed, so that
the same seed gives the same weights on the same machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """A family with its settings, how to train it and which epochs to keep.

    ``more``: what a second training changes, which goes on from the result of the first.
    """

    family: str
    text: str  # one line: what this is and where it comes from
    model: dict[str, object] = field(default_factory=dict)
    train: dict[str, object] = field(default_factory=dict)
    dataset: str = "mnist"
    snapshots: tuple[int, ...] = ()  # epochs kept as well as the last; 0 is untrained
    shipped: bool = True
    more: dict[str, object] = field(default_factory=dict)


_EXACT: dict[str, object] = {"precision": "float32", "threads": 1}
_QUICK: dict[str, object] = {"precision": "bfloat16", "threads": 1}
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
        "Over-complete 784-500-784 without noise, to compare with the denoising one.",
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
    "beta-vae-20": Recipe(
        "vae",
        "vae-20 with β = 4: the KL term costs four times as much, so that latents die.",
        {"latent_dim": 20, "hidden": (400,), "beta": 4.0},
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
    "classifier-robust": Recipe(
        "classifier",
        "The same net trained on adversarial examples: its gradients draw digits.",
        {"adversarial_eps": 2.0, "adversarial_steps": 4},
        {"epochs": 6, "lr": 4e-3, "batch_size": 256, "schedule": "onecycle", **_QUICK},
    ),
    "gan-mlp": Recipe(
        "gan_mlp",
        "100-256-512-784 against 784-512-256-1: the lecture text's GAN; G's weights averaged.",
        {"average": 0.999},
        {"epochs": 80, "lr": 2e-4, "batch_size": 128, **_QUICK},
    ),
    "dcgan-28": Recipe(
        "dcgan_28",
        "The article's DCGAN with 32 channels in place of 128, so that a CPU trains it in minutes.",
        {"width": 32},
        {"epochs": 25, "lr": 2e-4, "batch_size": 128, **_EXACT},
        snapshots=(1, 10),
    ),
    "ebgan": Recipe(
        "ebgan",
        "Energy-based GAN: an autoencoder 784-256-32 as the cost, margin 20, samples kept apart.",
        {},
        {"epochs": 25, "lr": 5e-4, "batch_size": 128, **_EXACT},
        snapshots=(1, 5),
    ),
    "rbm-500": Recipe(
        "rbm",
        "784-500 binary units, persistent contrastive divergence; one chain in 500 restarts.",
        {"k": 1, "persistent": True, "restart": 0.002, "momentum": 0.5},
        {"epochs": 20, "lr": 0.05, "schedule": "cosine", "batch_size": 128, **_EXACT},
    ),
    "dbn-500-500": Recipe(
        "dbn",
        "784-500-500: 20 epochs for the first layer, as rbm-500, and 45 for the top pair.",
        {"k": 1, "restart": 0.002, "momentum": 0.5, "layer_images": 1_200_000},
        {"epochs": 65, "lr": 0.05, "batch_size": 128, **_EXACT},
    ),
    "pixelcnn": Recipe(
        "pixelcnn",
        "Masked 7x7, 7 residual blocks of 32 channels; digits binarized again at every visit.",
        {"width": 32, "blocks": 7},
        {"epochs": 9, "lr": 3e-3, "batch_size": 16, "schedule": "cosine", **_EXACT},
        more={"epochs": 3, "lr": 1e-3, "seed": 1},
    ),
    "pixelrnn": Recipe(
        "pixelrnn",
        "Masked 7x7, 2 row LSTMs of 24 features; digits binarized again at every visit.",
        {"width": 24, "layers": 2},
        {"epochs": 5, "lr": 3e-3, "batch_size": 16, "schedule": "cosine", **_EXACT},
    ),
    "pca-50": Recipe(
        "pca",
        "Mean and 50 principal axes: probabilistic PCA, the linear Gaussian model.",
        {"latent_dim": 50},
        {"epochs": 1, "batch_size": 1000, **_EXACT},
    ),
    "mixture-50": Recipe(
        "mixture",
        "50 Gaussians with full covariances on 50 principal axes, by EM.",
        {"components": 50, "latent_dim": 50},
        {"epochs": 8, "batch_size": 1000, **_EXACT},
    ),
    "dcgan-64": Recipe(
        "dcgan_64",
        "Transposed convolutions, ngf = ndf = 32, on CIFAR-10's cars enlarged to 64x64; "
        "differentiable augmentation, G's weights averaged.",
        {"ngf": 32, "ndf": 32, "average": 0.999, "diff_augment": "colour_translation"},
        {
            **{"epochs": 100, "lr": 2e-4, "batch_size": 64},
            **{"classes": "automobile", "augment": "flip"},
            **_QUICK,
        },
        dataset="cifar10-64",
    ),
    "classifier-cifar": Recipe(
        "residual_classifier",
        "Three residual groups behind a fixed whitening, for class images in colour.",
        {"widths": (48, 128, 192)},
        {
            **{"epochs": 33, "lr": 0.4, "batch_size": 256, "weight_decay": 1e-3},
            **{"schedule": "onecycle", "cycles": 3, "augment": "flip_shift"},
            **_EXACT,
        },
        dataset="cifar10",
    ),
    "classifier-cifar-robust": Recipe(
        "residual_classifier",
        "The same net trained on adversarial examples: class images that people can name.",
        {"widths": (48, 128, 192), "adversarial_eps": 0.5, "adversarial_steps": 2},
        {
            **{"epochs": 10, "lr": 0.2, "batch_size": 256, "weight_decay": 1e-3},
            **{"schedule": "onecycle", "augment": "flip_shift"},
            **_QUICK,
        },
        dataset="cifar10",
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
