"""The table of pages: the only place that lists them and knows their addresses.

The router, Home and its pictures, "Open it in", the map of models and the tests read it. A new page
is a script in pages/<section>/, a row here and its lessons. Nothing here imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from genlib.evaluate.bench import LIKELIHOODS
from genlib.store.checkpoint import Info

Test = Callable[[Info], bool]

DIGITS = (1, 28)  # channels and side of the images that some pages take


@dataclass(frozen=True)
class FirstClick:
    """One of the numbered suggestions at the top of Home.

    query: parameters of the page, left out without a checkpoint of that name.
    """

    number: int
    title: str
    text: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One page of the app.

    file: its script below pages/, in the folder of its section. path: in the address bar. idea:
    the sentence on its card on Home, without which it has no card; place: where that card stands.
    drawing: the picture on the card, a key of thumbnails.DRAWINGS. models: which checkpoints it can
    show, by the query parameter that chooses one ("" if it shows all of them at once). images: its
    query parameter for the test images of a model, if it sorts models by them. control: the key of
    the widget or container that moves its picture, "" for pages without a stage.
    """

    file: str
    path: str
    title: str
    icon: str
    idea: str = ""
    place: int = 100
    drawing: str = ""
    models: Mapping[str, Test] = field(default_factory=dict)
    images: str = ""
    long_title: str = ""  # on the card, where it differs from the menu's
    first_click: FirstClick | None = None
    control: str = ""

    @property
    def stem(self) -> str:
        """The name of its script: latent_map."""
        return PurePosixPath(self.file).stem

    @property
    def section(self) -> str:
        """The section of the menu: "Side by side" for a script in side_by_side/."""
        return PurePosixPath(self.file).parent.name.replace("_", " ").capitalize()


def _able(*capabilities: str) -> Test:
    wanted = frozenset(capabilities)
    return lambda info: wanted <= info.capabilities


def _sees_digits(info: Info) -> bool:
    return (info.config.get("channels"), info.config.get("image_size")) == DIGITS


def _has_likelihood(info: Info) -> bool:
    return any(kind.needs in info.capabilities for kind in LIKELIHOODS.values())


def _has_diagram(info: Info) -> bool:
    shown = ("Decodes", "Classifies", "HasComponents", "Autoregressive", "Stacked")
    return any(name in info.capabilities for name in shown)


def _able_with_digits(*capabilities: str) -> Test:
    able = _able(*capabilities)
    return lambda info: _sees_digits(info) and able(info)


# In the order of the menu.
PAGES = (
    Page("start/home.py", "home", "Home", ":material/home:", control="home.clicks"),
    Page(
        "foundations/gaussians.py",
        "gaussians",
        "Gaussians",
        ":material/bubble_chart:",
        "Height and weight under a bell curve that you drag, turn and stretch.",
        place=18,
        drawing="ellipses",
        control="gaussians",
    ),
    Page(
        "foundations/linear_regression.py",
        "linear-regression",
        "Linear regression",
        ":material/show_chart:",
        "A line predicts; with an error around it, it generates. And when does it overfit?",
        place=19,
        drawing="regression",
        control="linear_regression",
    ),
    Page(
        "foundations/sampling.py",
        "sampling",
        "Sampling",
        ":material/casino:",
        "Noise goes in, samples come out: by the inverse of F, and by a GAN that learns it.",
        place=19,
        drawing="inverse",
        control="sampling.stage",
    ),
    Page(
        "foundations/gan_plane.py",
        "gan-plane",
        "GAN in the plane",
        ":material/scatter_plot:",
        "Train a GAN in seconds, and watch it succeed, collapse and recover.",
        place=9,
        drawing="ring",
        control="gan_plane.stage",
    ),
    Page(
        "foundations/few_labels.py",
        "few-labels",
        "Few labels",
        ":material/sell:",
        "Thousands of unlabelled digits. Label ten, and see how many of the others follow.",
        place=17,
        drawing="labelled",
        models={"few.model": _able("Encodes")},
        control="few.map",
    ),
    Page(
        "foundations/transposed_convolution.py",
        "transposed-convolution",
        "Transposed convolution",
        ":material/grid_4x4:",
        "How a generator makes a large image out of a small one: cells stamp their kernel.",
        place=18,
        drawing="stamps",
        control="tconv.bar",
    ),
    Page(
        "foundations/architectures.py",
        "architectures",
        "Architectures",
        ":material/schema:",
        "The block diagram of every model here. Point at a layer: what it computes, on a digit.",
        place=18,
        drawing="blocks",
        models={"architectures.model": _has_diagram},
        control="architectures.model",
    ),
    Page(
        "train/train.py",
        "train",
        "Train",
        ":material/model_training:",
        "Four digits through a model: untrained, after one epoch, and trained. Train your own.",
        place=15,
        drawing="epochs",
        control="train.start",
    ),
    Page(
        "train/runs.py",
        "runs",
        "Runs",
        ":material/stacked_line_chart:",
        "Compare the loss curves of several runs, and sweep a setting.",
        place=16,
        drawing="curves",
        control="runs.first",
    ),
    Page(
        "latents/latent_space.py",
        "latent-space",
        "Latent space",
        ":material/tune:",
        "A handful of numbers make a digit. Drag each of them and watch the digit change.",
        place=1,
        drawing="manifold",
        models={"latent_space.model": _able("Encodes", "Decodes")},
        control="latent_space.pad_box",
        first_click=FirstClick(
            1,
            "Drag a digit into another",
            "Two numbers draw every digit. Move from one digit to another: where is it neither?",
            {"latent_space.model": "vae-2"},
        ),
    ),
    Page(
        "latents/latent_map.py",
        "latent-map",
        "Latent map",
        ":material/scatter_plot:",
        "Thousands of digits as points. The model never saw the classes. Look for them.",
        place=2,
        drawing="scatter",
        models={"map.model": _able("Encodes")},
        control="map.epoch",
        first_click=FirstClick(
            3,
            "Find the lost digits",
            "Look for a 4 among the 9s, point at it or tap it, and judge for yourself.",
        ),
    ),
    Page(
        "latents/reconstructions.py",
        "reconstructions",
        "Reconstructions",
        ":material/compare:",
        "Input, output and what gets lost, and the kernels behind it.",
        place=5,
        drawing="difference",
        models={"reconstructions.models": _able("Reconstructs")},
        control="reconstructions.other",
    ),
    Page(
        "energy/denoise.py",
        "denoise",
        "Denoise",
        ":material/auto_fix_high:",
        "Drop half of the pixels and let a model restore them.",
        place=4,
        drawing="denoised",
        models={"denoise.model": _able_with_digits("Denoises")},
        control="denoise.strength",
    ),
    Page(
        "energy/merged_digits.py",
        "merged-digits",
        "Merged digits",
        ":material/join_inner:",
        "Merge two digits. A good model finds the merge strange, and says so in its energy.",
        place=3,
        drawing="merged",
        models={"merged.models": _able_with_digits("Reconstructs", "HasEnergy")},
        control="merged.alpha",
        first_click=FirstClick(
            2,
            "Merge two digits",
            "Which model notices that half a 3 and half an 8 isn't a digit, and which believes "
            "anything?",
        ),
    ),
    Page(
        "adversarial/gan.py",
        "gan",
        "GAN",
        ":material/swords:",
        "A counterfeiter and the police. Walk through z, or train them one step at a time.",
        place=8,
        drawing="generated",
        models={"gan.model": _able("Judges", "StepsApart", "Decodes")},
        control="gan.grid",
    ),
    Page(
        "adversarial/gan_vs_vae.py",
        "gan-against-vae",
        "GAN against VAE",
        ":material/compare_arrows:",
        "Both learn the same digits, epoch by epoch. Whose are greyer, whose are more varied?",
        place=8,
        drawing="versus",
        models={
            "versus.gan": _able("Judges", "Samples"),
            "versus.vae": _able("Bounds", "Samples"),
        },
        control="versus.new",
    ),
    Page(
        "adversarial/ebgan.py",
        "energy-based-gan",
        "Energy-based GAN",
        ":material/bolt:",
        "A judge that reconstructs digits and fails on generated ones. What does it make of noise?",
        place=9,
        drawing="rebuilt",
        models={"ebgan.model": _able("HasMargin", "Samples")},
        control="ebgan.epoch",
    ),
    Page(
        "boltzmann/rbm.py",
        "rbm",
        "RBM and DBN",
        ":material/hub:",
        "Hide half a digit and let the chain finish it, or start from noise.",
        place=9,
        drawing="dreamt",
        models={"rbm.model": _able("Stacked")},
        control="rbm.chain",
    ),
    Page(
        "autoregressive/pixelcnn.py",
        "pixelcnn",
        "PixelCNN",
        ":material/grid_on:",
        "Watch a digit appear pixel by pixel, and see which of them was a surprise.",
        place=10,
        drawing="pixel_by_pixel",
        models={"pixelcnn.model": _able("Autoregressive")},
        control="pixelcnn.stage",
    ),
    Page(
        "side_by_side/one_digit.py",
        "one-digit",
        "One digit",
        ":material/view_module:",
        "Give one digit to every model at once. Which of them notice that you turned it?",
        place=11,
        drawing="one_digit",
        models={"": _sees_digits},
        control="one_digit.changes",
        long_title="One digit, every model",
    ),
    Page(
        "side_by_side/likelihood.py",
        "likelihood",
        "Likelihood bench",
        ":material/leaderboard:",
        "Exact, estimated or bounded: every model's likelihood on one axis.",
        place=13,
        drawing="bench",
        models={"likelihood.model": _has_likelihood},
        images="likelihood.data",
        control="likelihood.go",
    ),
    Page(
        "side_by_side/pca.py",
        "pca",
        "PCA and mixtures",
        ":material/scatter_plot:",
        "The oldest generative models: eigen-digits, and Gaussians that share the work.",
        place=12,
        drawing="eigen",
        models={"pca.mixture": _able_with_digits("HasComponents", "Samples")},
        control="pca.axes",
    ),
    Page(
        "side_by_side/map_of_models.py",
        "map-of-models",
        "Map of models",
        ":material/account_tree:",
        "What each model can say about p(x), and when it appeared. Click one to open it.",
        place=14,
        drawing="many",
        control="map.tree",
    ),
    Page(
        "classifiers/class_images.py",
        "class-images",
        "Class images",
        ":material/landscape:",
        "Climb a classifier's score until noise becomes its idea of a 3, or stripes.",
        place=6,
        drawing="classes",
        models={"class_images.network": _able("Classifies")},
        control="class_images.transport",
    ),
    Page(
        "classifiers/deep_dream.py",
        "deep-dream",
        "DeepDream",
        ":material/nights_stay:",
        "Let a network see more of what it sees already, until a dog looks out of the trees.",
        place=7,
        drawing="dream",
        models={"deep_dream.network": _able("Classifies")},
        control="deep_dream.transport",
    ),
)
_BY_STEM = {page.stem: page for page in PAGES}


def page(stem: str) -> Page:
    """The page whose script has this name: page("latent_map"). KeyError if there is none."""
    return _BY_STEM[stem]
