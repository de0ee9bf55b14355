"""Torchvision's ImageNet classifiers: their layers, and weights found here, given or downloaded.

The four networks are written out here, with torchvision's names, because importing torchvision's
own also loads torch's compiler: 280 MB and several seconds in the process that serves all visitors.
Sources: Simonyan & Zisserman 2014 (VGG), Szegedy et al. 2014 (GoogLeNet), He et al. 2015 (ResNet),
Iandola et al. 2016 (SqueezeNet). GoogLeNet's two auxiliary classifiers are left out: they are only
used in training.

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
import torch.nn.functional as F
from torch import Tensor, nn

from genlib.environment import DiskFullError
from genlib.explore.ascent.lens import Network
from genlib.explore.ascent.weights import WeightsError, chunks, read, write

N_CLASSES = 1000


class VGG16(nn.Module):
    """Thirteen convolutions of 3x3 between five poolings, then three dense layers."""

    widths = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for width in self.widths:  # 0: a pooling
            if width == 0:
                layers.append(nn.MaxPool2d(2, 2))
            else:
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
                before = width
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(4096, N_CLASSES),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> class scores (B, 1000)."""
        scores: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return scores


class Fire(nn.Module):
    """Few channels, then many: by 1x1 and by 3x3, side by side."""

    def __init__(self, before: int, few: int, many: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(before, few, 1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(few, many, 1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(few, many, 3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) -> (B, 2 many, H, W)."""
        x = self.squeeze_activation(self.squeeze(x))
        small = self.expand1x1_activation(self.expand1x1(x))
        return torch.cat([small, self.expand3x3_activation(self.expand3x3(x))], 1)


class SqueezeNet(nn.Module):
    """Version 1.1: eight fire modules; the classifier is a convolution, averaged."""

    def __init__(self) -> None:
        super().__init__()

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, ceil_mode=True)

        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 3, stride=2),
            nn.ReLU(inplace=True),
            pool(),
            Fire(64, 16, 64),
            Fire(128, 16, 64),
            pool(),
            Fire(128, 32, 128),
            Fire(256, 32, 128),
            pool(),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            Fire(512, 64, 256),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Conv2d(512, N_CLASSES, 1),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d((1, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> class scores (B, 1000)."""
        scores: Tensor = self.classifier(self.features(x)).flatten(1)
        return scores


class BasicBlock(nn.Module):
    """Two convolutions and what they are added to."""

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride > 1:
            narrow = nn.Conv2d(before, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(narrow, nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) -> (B, width, H / stride, W / stride)."""
        kept = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        summed: Tensor = self.relu(self.bn2(self.conv2(x)) + kept)
        return summed


class ResNet18(nn.Module):
    """Four stages of two blocks; each but the first halves the sides and doubles the width."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> class scores (B, 1000)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        scores: Tensor = self.fc(self.avgpool(x).flatten(1))
        return scores


class BasicConv2d(nn.Module):
    """A convolution, its batch norm and a ReLU; 3x3 with padding unless said otherwise."""

    def __init__(self, before: int, width: int, size: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, width, size, stride, size // 2, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) -> (B, width, H / stride, W / stride)."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


class Inception(nn.Module):
    """Four branches side by side; the third has 3x3 where the paper has 5x5, as in torchvision."""

    def __init__(self, before: int, one: int, in3: int, out3: int, in5: int, out5: int, pool: int):
        super().__init__()
        self.branch1 = BasicConv2d(before, one, 1)
        self.branch2 = nn.Sequential(BasicConv2d(before, in3, 1), BasicConv2d(in3, out3))
        self.branch3 = nn.Sequential(BasicConv2d(before, in5, 1), BasicConv2d(in5, out5))
        pooled = nn.MaxPool2d(3, 1, 1, ceil_mode=True)
        self.branch4 = nn.Sequential(pooled, BasicConv2d(before, pool, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, H, W) -> (B, one + out3 + out5 + pool, H, W)."""
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(x) for branch in branches], 1)


class GoogLeNet(nn.Module):
    """Nine inception modules. Its weights came from another colour scaling: see ``forward``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = BasicConv2d(3, 64, 7, 2)
        self.maxpool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, 1)
        self.conv3 = BasicConv2d(64, 192)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception3a = Inception(192, 64, 96, 128, 16, 32, 32)
        self.inception3b = Inception(256, 128, 128, 192, 32, 96, 64)
        self.maxpool3 = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.inception4a = Inception(480, 192, 96, 208, 16, 48, 64)
        self.inception4b = Inception(512, 160, 112, 224, 24, 64, 64)
        self.inception4c = Inception(512, 128, 128, 256, 24, 64, 64)
        self.inception4d = Inception(512, 112, 144, 288, 32, 64, 64)
        self.inception4e = Inception(528, 256, 160, 320, 32, 128, 128)
        self.maxpool4 = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.inception5a = Inception(832, 256, 160, 320, 32, 128, 128)
        self.inception5b = Inception(832, 384, 192, 384, 48, 128, 128)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(1024, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W), ImageNet's mean and deviation taken out -> class scores (B, 1000)."""
        # From (x - mean) / std of ImageNet to 2 x - 1.
        scale = x.new_tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1) / 0.5
        shift = (x.new_tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1) - 0.5) / 0.5
        x = x * scale + shift
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4c(self.inception4b(self.inception4a(x)))
        x = self.maxpool4(self.inception4e(self.inception4d(x)))
        x = self.avgpool(self.inception5b(self.inception5a(x)))
        scores: Tensor = self.fc(self.dropout(x.flatten(1)))
        return scores


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "squeezenet1_1": SqueezeNet,
    "resnet18": ResNet18,
    "googlenet": GoogLeNet,
    "vgg16": VGG16,
}


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
    # Not ``to_empty``, for which torch imports sympy: 36 MB.
    room = {key: torch.empty(t.shape, dtype=t.dtype) for key, t in module.state_dict().items()}
    module.load_state_dict(room, assign=True)
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
