"""What the app must not load: torch's compiler, torchvision for MNIST."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from genlib.data import mnist
from genlib.ui.kit import server

LOADED = """
import sys
from pathlib import Path
from genlib.store import checkpoint
for path in sorted(Path(sys.argv[1]).glob("*.safetensors")):
    checkpoint.load(path, "cpu")
    assert "torch._dynamo" not in sys.modules, f"{path.name} loads torch's compiler"
print("done")
"""


def test_no_checkpoint_needs_the_compiler_of_torch(shipped: Path) -> None:
    command = [sys.executable, "-c", LOADED, str(shipped)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr[-500:]


NETWORKS = """
import sys
from genlib.explore.ascent import imagenet
for name in ("squeezenet1_1", "googlenet"):
    imagenet.untrained(name)
for heavy in ("torch._dynamo", "sympy", "torchvision"):
    assert heavy not in sys.modules, heavy
from genlib.data import datasets
from genlib.explore import pca
pca.components(datasets.load("bars").train_x)
import numpy as np
from genlib.explore import density, few_labels
codes = np.random.default_rng(0).standard_normal((100, 4), np.float32)
density.full_gaussian(codes).sample(3, np.random.default_rng(0))
labels = few_labels.Labels(np.arange(10), np.arange(10) % 3, 3)
for name in ("Label spreading", "Nearest neighbour"):
    few_labels.CLASSIFIERS[name](few_labels.Features(codes, codes), labels)
assert "sklearn" not in sys.modules
print("done")
"""


def test_neither_networks_nor_components_need_large_libraries() -> None:
    command = [sys.executable, "-c", NETWORKS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr[-500:]


OPTIMIZERS = """
import sys
import torch
from genlib.models import FAMILIES
for name, family in FAMILIES.items():
    for optimizer in family(family.Config()).optimizers(1e-3, 0.0).values():
        optimizer.zero_grad(set_to_none=True)
        first = optimizer.param_groups[0]["params"][0]
        first.grad = torch.ones_like(first)
        optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
    for heavy in ("torch._dynamo", "triton", "sympy"):
        assert heavy not in sys.modules, f"{name} loads {heavy}"
print("done")
"""

DIAGRAMS = """
import sys
import torch
from genlib.explore.architecture import diagram, drawable
from genlib.models import FAMILIES
from genlib.models.capabilities import capabilities
for name, family in FAMILIES.items():
    if drawable(capabilities(name)):
        with torch.device("meta"):
            outline = family(family.Config())
        assert diagram(outline).parameters > 0
        assert "torch._dynamo" not in sys.modules, f"{name} loads torch's compiler"
print("done")
"""


FROZEN = """
import gc, time, weakref
from genlib import background
from genlib.ui.kit import server
server.SECONDS_FROZEN, server.NEW_MODULES = 0.5, 10**9
class Session:
    pass
session = Session()
session.itself = session
gone = weakref.ref(session)
gc.freeze()
del session
gc.collect()
assert gone() is not None, "what is frozen isn't collected"
background.start(server.keep_house, "housekeeping")
until = time.monotonic() + 60
while gone() is not None and time.monotonic() < until:
    time.sleep(0.05)
print("done" if gone() is None else "kept")
"""


def test_what_was_in_use_when_it_was_frozen_is_freed_later(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FROZEN]
    env = {**os.environ, "GENLIB_RUNS": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr[-500:]


@pytest.mark.skipif(sys.platform != "linux", reason="Linux is told, and says what is resident")
def test_a_file_that_is_let_go_takes_no_memory_and_keeps_what_was_written(tmp_path: Path) -> None:
    size = 1 << 22
    path = tmp_path / "pictures"
    path.write_bytes(b"a" * size)

    def resident() -> int:
        """Bytes in memory of what is mapped of the file."""
        parts = Path("/proc/self/smaps").read_text().split(str(path))[1:]
        return sum(int(part.split("Rss:")[1].split()[0]) * 1024 for part in parts)

    with path.open("r+b") as file:
        mapping = mmap.mmap(file.fileno(), size)
    mapping[0] = ord("b")
    mapping.flush()
    assert mapping[:].count(b"a") == size - 1
    assert resident() >= size
    assert server.let_go(str(path)) >= size
    if resident() == size:
        pytest.skip("a Linux before 5.4")
    assert resident() < size // 4
    assert mapping[0] == ord("b") and mapping[:].count(b"a") == size - 1
    assert server.let_go("no file is called so") == 0


@pytest.mark.parametrize("program", [OPTIMIZERS, DIAGRAMS], ids=["optimizers", "diagrams"])
def test_neither_training_nor_drawing_needs_the_compiler_of_torch(program: str) -> None:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "done\n", done.stderr[-500:]


def idx(values: np.ndarray) -> bytes:
    axes = struct.pack(f">{values.ndim}I", *values.shape)
    return bytes([0, 0, 8, values.ndim]) + axes + values.tobytes()


def test_mnist_files_are_read_and_damaged_ones_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    given = [rng.integers(0, 256, shape, np.uint8) for shape in ((5, 28, 28), (5,), (3, 28, 28), 3)]
    for name, values in zip(mnist.FILES, given, strict=True):
        (raw / name).write_bytes(idx(values))
    assert all(map(np.array_equal, mnist.read(tmp_path), given))
    whole = (raw / mnist.FILES[0]).read_bytes()
    for damaged in (b"", whole[:-1], whole + b"x", whole[:9], b"\x1f\x8b" + whole[2:]):
        (raw / mnist.FILES[0]).write_bytes(damaged)
        with pytest.raises(ValueError, match="is damaged"):
            mnist.read(tmp_path)
