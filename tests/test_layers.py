"""Who may import whom: the table of the design, enforced over the syntax trees of genlib and pages.

Imports inside functions count too: a layer is a layer when the import is lazy.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ALL = frozenset({"*"})

# layer -> what of genlib it may import, beside itself. A layer is the longest key that a module's
# name starts with; runs* (runs.py and its helpers runs_files.py, runs_events.py ...) are one.
MAY_IMPORT: dict[str, frozenset[str]] = {
    "text": frozenset(),
    "background": frozenset(),
    "environment": frozenset(),
    "settings": frozenset({"environment", "text"}),
    "losses": frozenset(),
    "devices": frozenset(),
    "limits": frozenset(),
    "files": frozenset({"limits"}),
    "bars": frozenset(),
    "recipes": frozenset({"settings"}),
    "augment": frozenset(),
    "mnist": frozenset({"files"}),
    "folders": frozenset({"checkpoint", "files", "limits", "tensorfile", "text"}),
    "datasets": frozenset({"bars", "folders", "mnist", "settings", "text"}),
    "plots": frozenset(),
    "models": frozenset({"settings", "losses"}),
    "tensorfile": frozenset({"files", "text"}),
    "checkpoint": frozenset({"models", "settings", "tensorfile", "text"}),
    "arithmetic": frozenset({"devices", "models", "datasets", "settings"}),
    "training": frozenset(
        {"models", "datasets", "arithmetic", "augment", "checkpoint", "tensorfile", "settings"}
        | {"devices", "environment"}
    ),
    "frechet": frozenset({"models", "checkpoint"}),
    "evaluate": frozenset(
        {"models", "datasets", "losses", "checkpoint", "settings", "devices", "explore.energy"}
        | {"frechet"}
    ),
    "bench": frozenset({"checkpoint", "datasets", "devices", "evaluate", "models"}),
    "upload": frozenset({"checkpoint", "datasets", "models", "text"}),
    "runs": frozenset(
        {"settings", "checkpoint", "files", "limits", "tensorfile", "recipes", "text", "upload"}
    ),
    "worker": frozenset(
        {"checkpoint", "datasets", "devices", "evaluate", "files", "limits", "models", "recipes"}
        | {"runs", "settings", "training"}
    ),
    "explore": frozenset({"background", "environment", "files", "limits", "losses", "models.base"}),
    "maps": frozenset({"checkpoint", "datasets", "explore", "files", "models.base"}),
    "operations": frozenset(),
    "export": frozenset({"models.base", "operations"}),
    "ui": ALL,
    "cli": frozenset(
        {"checkpoint", "datasets", "devices", "evaluate", "models", "recipes", "runs", "settings"}
        | {"training", "worker", "folders", "environment", "maps"}
    ),
    "__main__": frozenset({"cli"}),
    "__init__": frozenset(),
}
# Third-party packages that a layer must do with, and nothing else.
ONLY_OUTSIDE = {"plots": {"numpy", "plotly"}, "settings": set(), "recipes": set()}


def layer_of(module: str) -> str:
    """The layer of `module` ("models.vae" -> "models", "runs_files" -> "runs")."""
    head = module.split(".")[0]
    for stem in ("runs", "cli", "training", "folders", "evaluate"):
        if head.startswith(stem):
            return stem
    return head if head else "__init__"


def imports(path: Path, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Every (line, absolute dotted name) that `path` imports; `from a import b` gives a.b."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*up, *(node.module.split(".") if node.module else ())))
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def library() -> list[Path]:
    return sorted((ROOT / "genlib").rglob("*.py"))


def allowed(layer: str, target: str) -> bool:
    rules = MAY_IMPORT[layer]
    if rules == ALL or layer_of(target) == layer:
        return True
    return any(target == rule or target.startswith(f"{rule}.") for rule in rules) or (
        layer_of(target) in rules
    )


def test_every_module_has_a_layer() -> None:
    unknown = {
        str(path.relative_to(ROOT))
        for path in library()
        if layer_of(path.relative_to(ROOT / "genlib").parts[0].removesuffix(".py"))
        not in MAY_IMPORT
    }
    assert not unknown, f"name the layer of {sorted(unknown)} in MAY_IMPORT"


@pytest.mark.parametrize("path", library(), ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_its_layer_may(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    layer = layer_of(parts[1])
    wrong = [
        f"line {line}: {name}"
        for line, name in imports(path, parts[:-1])
        if name.split(".")[0] == "genlib"
        and not allowed(layer, name.removeprefix("genlib").lstrip("."))
    ]
    assert not wrong, f"{layer} may import {sorted(MAY_IMPORT[layer])} only; {wrong}"


@pytest.mark.parametrize("path", library(), ids=lambda path: str(path.relative_to(ROOT)))
def test_third_party_packages_stay_in_their_layer(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    layer = layer_of(parts[1])
    outside = {name.split(".")[0] for _, name in imports(path, parts[:-1])}
    if layer != "ui":
        assert "streamlit" not in outside, "only genlib/ui, pages and app.py import streamlit"
    if layer in ONLY_OUTSIDE:
        heavy = outside & {"torch", "torchvision", "sklearn", "numpy", "plotly", "cv2", "openTSNE"}
        assert heavy <= ONLY_OUTSIDE[layer]


def test_runs_never_imports_training() -> None:
    found = {
        name
        for path in (ROOT / "genlib").glob("runs*.py")
        for _, name in imports(path, ("genlib",))
    }
    assert not any(name.startswith("genlib.training") for name in found)


@pytest.mark.parametrize("path", sorted((ROOT / "pages").rglob("*.py")), ids=lambda path: path.stem)
def test_pages_do_not_import_each_other(path: Path) -> None:
    names = {name.split(".")[0] for _, name in imports(path, ("pages",))}
    assert "pages" not in names and "app" not in names


def test_first_paint_needs_no_torch() -> None:
    """What the router and Home import at the top must not pull torch in (first paint under 3 s)."""
    code = (
        "import sys\n"
        "import genlib.ui.server, genlib.ui.gallery\n"
        "print([m for m in ('torch', 'torchvision', 'sklearn') if m in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert found.stdout.strip() == "[]"
