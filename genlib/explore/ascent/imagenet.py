"""Torchvision's ImageNet classifiers, with weights found here, given as a file, or downloaded.

Where weights are looked for, in this order: ``$GENLIB_WEIGHTS`` (a file or a folder), the folder
where a page keeps files it was given, torch's own cache of downloads. Names:
torchvision's file name (``resnet18-f37072fd.pth``), ``resnet18.pth`` or ``resnet18*.safetensors``.
A file is only ever read as tensors: ``.safetensors``, or ``.pth`` with ``weights_only=True``, and
torchvision's own names carry the first digits of their SHA-256, which must agree.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from genlib.environment import DiskFullError
from genlib.explore.ascent.imagenet_layers import NETWORKS
from genlib.explore.ascent.lens import Network
from genlib.explore.ascent.weights import WeightsError, chunks, read, write

HOST = "https://download.pytorch.org/models/"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, pictures in [0, 1]
MAX_UPLOAD = 128_000_000  # bytes that a page takes; VGG-16 has 528 MB and comes by another way
SEED = 0
CLASSES = Path(__file__).with_name("imagenet_classes.txt")  # torchvision's names, in its order


@dataclass(frozen=True)
class Download:
    """One of torchvision's networks. size: megabytes to download; smallest: shortest side."""

    name: str
    title: str
    file: str
    size: float
    smallest: int

    @property
    def digest(self) -> str:
        """First 8 hexadecimal digits of the file's SHA-256, from torchvision's file name."""
        return self.file.rpartition("-")[2].removesuffix(".pth")


SOURCES: dict[str, Download] = {
    s.name: s
    for s in (
        Download("squeezenet1_1", "SqueezeNet 1.1", "squeezenet1_1-b8a52dc0.pth", 4.7, 33),
        Download("resnet18", "ResNet-18", "resnet18-f37072fd.pth", 44.7, 33),
        Download("googlenet", "GoogLeNet", "googlenet-1378be20.pth", 49.7, 33),
        Download("vgg16", "VGG-16", "vgg16-397923af.pth", 527.8, 33),
    )
}


def find(name: str, kept: Path | None = None) -> Path | None:
    """The weights of a network on this computer, or None. ``kept``: folder of files given."""
    given = os.environ.get("GENLIB_WEIGHTS", "").strip()
    for folder in (Path(given) if given else None, kept, _cache()):
        if folder is None:
            continue
        if folder.is_file() and folder.name.startswith(name):
            return folder
        for pattern in (SOURCES[name].file, f"{name}.pth", f"{name}*.safetensors"):
            if found := sorted(folder.glob(pattern), key=lambda p: p.stat().st_mtime_ns):
                return found[-1]
    return None


def untrained(name: str) -> Network:
    """The network with random weights, always the same ones: it has learnt nothing."""
    module = _empty(name)
    rng = torch.Generator().manual_seed(SEED)
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu", generator=rng)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
    return _network(name, module, trained=False)


def load(name: str, path: Path) -> Network:
    """The network with weights from a file.

    Raises WeightsError if the file is damaged or belongs to another network.
    """
    return _network(
        name,
        _filled(
            name,
            read(path, SOURCES[name].digest if path.name == SOURCES[name].file else ""),
            path.name,
        ),
        trained=True,
    )


def keep(name: str, data: bytes, folder: Path) -> Path:
    """Check weights given as the bytes of a .safetensors file and keep them in a folder.

    Raises WeightsError with one sentence if they are not this network's; then nothing is kept.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load as from_bytes

    if len(data) > MAX_UPLOAD:
        raise WeightsError(f"The file is larger than {MAX_UPLOAD // 1_000_000} MB.")
    try:
        state = from_bytes(data)
    except (SafetensorError, ValueError, KeyError):
        raise WeightsError(
            "This is not a readable .safetensors file; save the state dict with safetensors."
        ) from None
    _filled(name, state, "the file")
    return write(folder / f"{name}.safetensors", iter([data]))


def download(name: str, progress: Callable[[float], None]) -> Path:
    """Fetch torchvision's weights into torch's cache, checked; ``progress`` gets 0 to 1.

    Raises WeightsError without a network connection, or when the file is not what it should be.
    """
    source = SOURCES[name]
    target = _cache() / source.file
    try:
        with urllib.request.urlopen(HOST + source.file, timeout=15) as answer:
            total = int(answer.headers.get("Content-Length") or source.size * 1e6)
            return write(target, chunks(answer.read, total, progress), source.digest)
    except DiskFullError as error:
        raise WeightsError(str(error)) from None
    except (OSError, urllib.error.URLError):
        raise WeightsError(
            f"{source.title}'s weights ({source.size:.0f} MB) could not be downloaded: this "
            f"computer cannot reach download.pytorch.org. Put {source.file} into {_cache()}, or "
            "give them as a .safetensors file."
        ) from None


def _filled(name: str, state: dict[str, Tensor], origin: str) -> nn.Module:
    """The network with these weights. Raises WeightsError if any is missing or misshapen."""
    module = _empty(name)
    wanted = module.state_dict()
    # GoogLeNet's file also holds two auxiliary classifiers, used only in training.
    state = {k: v for k, v in state.items() if not k.startswith(("aux1.", "aux2."))}
    counts = {k for k in wanted if k.endswith("num_batches_tracked")}  # older files have none
    for key in wanted.keys() - counts:
        if key not in state or state[key].shape != wanted[key].shape:
            raise WeightsError(
                f"{origin} does not hold {SOURCES[name].title}'s weights: {key} is missing or "
                "has another shape."
            )
    if extra := state.keys() - wanted.keys():
        raise WeightsError(
            f"{origin} does not hold {SOURCES[name].title}'s weights: it also has {min(extra)}."
        )
    module.load_state_dict(
        {k: v.float() for k, v in state.items() if k not in counts}, strict=False
    )
    return module


def _empty(name: str) -> nn.Module:
    """The network with memory for its weights, not yet filled: no global random numbers used."""
    if name not in NETWORKS:
        raise ValueError(f"name must be one of {', '.join(NETWORKS)}, got {name!r}")
    with torch.device("meta"):
        module = NETWORKS[name]()
    module = module.to_empty(device="cpu")
    for key, buffer in module.named_buffers():
        buffer.fill_(1 if key.endswith("running_var") else 0)
    return module.eval().requires_grad_(False)


def _network(name: str, module: nn.Module, trained: bool) -> Network:
    source = SOURCES[name]
    title = source.title if trained else f"{source.title}, untrained"
    return Network(
        name if trained else f"{name}-untrained",
        title,
        module,
        tuple(CLASSES.read_text("utf-8").splitlines()),
        (3, 224, 224),
        MEAN,
        STD,
        trained,
        source.smallest,
    )


def _cache() -> Path:
    """Torch's folder of downloaded weights."""
    return Path(torch.hub.get_dir()) / "checkpoints"
