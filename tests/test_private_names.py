"""Tests go through public names, so that what a module hides can change without them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import ROOT


def named(path: Path) -> Iterator[tuple[int, str]]:
    """(line, name) of whatever a file asks another object or module for, by code or in a string."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) != "self":
            yield node.lineno, node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((node.lineno, word) for word in re.findall(r"\b_\w+", node.value))


def hidden() -> set[str]:
    """Every name beginning with one underscore that genlib gives a function, class or value."""
    found = set()
    for path in (ROOT / "genlib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(), str(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return {name for name in found if re.match(r"_[^_]", name)}


HIDDEN = hidden()


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda p: p.stem)
def test_a_test_uses_public_names(path: Path) -> None:
    wrong = [f"line {line}: {name}" for line, name in named(path) if name in HIDDEN]
    assert not wrong, f"{path.name} uses {wrong}"
