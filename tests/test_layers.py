"""Who may import whom: the table of packages, enforced over the syntax trees of genlib and pages.

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
ALL = ("*",)
SHARED = ("settings", "losses", "background", "devices", "environment", "files")

# package -> what of genlib it may import, besides itself. The longest key that a module's name
# starts with counts.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "background": ("environment",),
    "environment": (),
    "losses": (),
    "settings": ("environment",),
    "devices": ("environment", "settings"),
    "files": ("environment",),
    "plots": (),
    "models": ("settings", "losses"),
    "data": ("settings", "background", "environment", "files"),
    "store": ("models", "settings", "environment", "files"),
    "training": ("models", "data", "store", *SHARED),
    "evaluate": ("models", "data", "store", *SHARED),
    "runs": ("store", "settings", "background", "environment", "files"),
    "runs.worker": ("runs", "training", "evaluate", "models", "data", "store", *SHARED),
    "tracking": ("models", "runs", "store", *SHARED),
    "explore": (
        *("models.base", "models.capabilities", "models.layers", "models.optimizers"),
        *SHARED,
    ),
    "explore.maps": ("data", "store"),  # computes what ships next to a checkpoint
    "export": ("models.base", "models.capabilities", "models.layers"),
    "cli": ALL,
    "__main__": ("cli",),
    "__init__": (),
    "ui": ALL,  # and the tables below
}
BELOW_UI = tuple(key for key in MAY_IMPORT if key not in ("ui", "cli", "__main__", "__init__"))
# Third-party packages that a layer must do with, of those that are slow to import.
ONLY_OUTSIDE: dict[str, set[str]] = {
    "plots": {"numpy", "plotly"},
    "settings": set(),
    "store.recipes": set(),
}
HEAVY = {"torch", "torchvision", "sklearn", "numpy", "plotly", "cv2", "openTSNE"}
LIBRARY = sorted((ROOT / "genlib").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))


def dotted(path: Path, root: Path) -> str:
    """The module's name below ``root``: genlib/models/vae.py -> models.vae."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def rule_of(module: str) -> str | None:
    """The longest key of MAY_IMPORT that a module's name starts with."""
    found = [key for key in MAY_IMPORT if within(module, (key,))]
    return max(found, key=len, default=None)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every (line, absolute dotted name) that a file imports; `from a import b` gives a.b."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            up = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*up, *(node.module.split(".") if node.module else ())))
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def of_genlib(path: Path) -> list[tuple[int, str]]:
    """The (line, name below genlib) that a file imports of genlib."""
    return [
        (line, name.removeprefix("genlib").lstrip("."))
        for line, name in imports(path)
        if name.split(".")[0] == "genlib"
    ]


def allowed_in_ui(module: str) -> tuple[str, ...]:
    """What a module of ui may import: kit below components below sections, never another section.

    ``menu`` stands alone, above everything that draws pages and below nothing.
    """
    parts = module.split(".")
    section = parts[1] if len(parts) > 1 else ""
    if section == "kit":
        return (*BELOW_UI, "ui.kit", "ui.menu")
    if section == "components":
        return (*BELOW_UI, "ui.kit", "ui.components", "ui.menu")
    if section in ("", "menu"):
        return BELOW_UI
    return (*BELOW_UI, "ui.kit", "ui.components", "ui.menu", f"ui.{section}")


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: dotted(path, ROOT))
def test_module_imports_only_what_its_package_may(path: Path) -> None:
    module = dotted(path, ROOT / "genlib")
    rule = rule_of(module)
    assert rule is not None, f"name the package of {module} in MAY_IMPORT"
    package = rule.split(".")[0]
    allowed = (
        allowed_in_ui(module)
        if rule == "ui"
        else (*MAY_IMPORT[package], *MAY_IMPORT[rule], package)
    )
    if MAY_IMPORT[rule] == ALL and rule != "ui":
        return
    wrong = [f"line {n}: {name}" for n, name in of_genlib(path) if not within(name, allowed)]
    assert not wrong, f"{module} may not import {wrong}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: dotted(path, ROOT))
def test_a_page_imports_its_section_and_never_another_page(path: Path) -> None:
    section = path.parent.name
    allowed = (*BELOW_UI, "ui.kit", "ui.components", "ui.menu", f"ui.{section}")
    wrong = [f"line {n}: {name}" for n, name in of_genlib(path) if not within(name, allowed)]
    assert not wrong, f"pages/{section}/{path.name} may not import {wrong}"
    assert not {name.split(".")[0] for _, name in imports(path)} & {"pages", "app"}


def test_only_the_command_line_and_the_pages_start_at_the_top() -> None:
    above = [
        f"{dotted(path, ROOT)}: {name}"
        for path in LIBRARY
        if rule_of(dotted(path, ROOT / "genlib")) not in ("cli", "__main__")
        for _, name in of_genlib(path)
        if within(name, ("cli",))
    ]
    assert not above


def test_no_two_public_classes_share_a_name_across_packages() -> None:
    packages: dict[str, set[str]] = {}
    for path in LIBRARY:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                packages.setdefault(node.name, set()).add(dotted(path.parent, ROOT))
    shared = {name: sorted(found) for name, found in packages.items() if len(found) > 1}
    assert not shared


@pytest.mark.parametrize("path", LIBRARY, ids=lambda path: dotted(path, ROOT))
def test_third_party_packages_stay_in_their_layer(path: Path) -> None:
    module = dotted(path, ROOT / "genlib")
    outside = {name.split(".")[0] for _, name in imports(path)}
    if not within(module, ("ui",)):
        assert "streamlit" not in outside, "only genlib/ui, pages and app.py import streamlit"
    for package, few in ONLY_OUTSIDE.items():
        if within(module, (package,)):
            assert outside & HEAVY <= few


def test_first_paint_needs_no_torch() -> None:
    """What the router and Home import at the top must not pull torch in (first paint under 3 s)."""
    code = (
        "import sys\n"
        "import genlib.ui.kit.server, genlib.ui.start.gallery\n"
        "print([m for m in ('torch', 'torchvision', 'sklearn') if m in sys.modules])\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert found.stdout.strip() == "[]"
