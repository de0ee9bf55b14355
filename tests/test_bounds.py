"""Every cache has a bound, in entries and, where Streamlit counts them, in bytes."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [*sorted((ROOT / "genlib").rglob("*.py")), *sorted((ROOT / "pages").rglob("*.py"))]
BOUND_OF = {"cache_data": "max_entries", "cache_resource": "max_entries", "lru_cache": "maxsize"}
# Cached for each component, of which there are as many as folders.
BY_COMPONENT = {"genlib/ui/kit/web.py"}


def decorated(path: Path) -> Iterator[tuple[ast.FunctionDef, str, dict[str, object]]]:
    """Each cached function of a file: the function, the decorator's name, its constant settings."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        for mark in node.decorator_list if isinstance(node, ast.FunctionDef) else []:
            call = mark if isinstance(mark, ast.Call) else None
            name = ast.unparse(call.func if call else mark).rpartition(".")[2]
            given = {k.arg: k.value for k in call.keywords} if call else {}
            settings = {k: v.value for k, v in given.items() if isinstance(v, ast.Constant) and k}
            yield node, name, settings


CACHED = [
    pytest.param(path, *found, id=f"{path.relative_to(ROOT)}:{found[0].name}")
    for path in SOURCES
    for found in decorated(path)
    if found[1] in BOUND_OF or found[1] == "cache"
]


@pytest.mark.parametrize(("path", "function", "cache", "settings"), CACHED)
def test_every_cache_has_a_bound(
    path: Path, function: ast.FunctionDef, cache: str, settings: dict[str, object]
) -> None:
    if not function.args.args or str(path.relative_to(ROOT)) in BY_COMPONENT:
        return  # one entry, or as many as components
    assert cache in BOUND_OF, "functools.cache has no bound"
    bound = settings.get(BOUND_OF[cache])
    assert isinstance(bound, int) and bound > 0


def test_streamlit_bounds_the_bytes_of_its_data_caches() -> None:
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    size = config["server"]["maxCacheDataSize"]
    assert size.endswith("mb") and 0 < int(size[:-2]) <= 100
