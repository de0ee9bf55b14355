"""Every page runs without an exception: with the shipped checkpoints, and with none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 120


def listed() -> list[str]:
    """The page files that the router puts into the menu, read from its PAGES table."""
    tree = ast.parse((ROOT / "pages" / "router.py").read_text())
    tables = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PAGES"
    ]
    table = ast.literal_eval(tables[0])
    return [entry[0] for entries in table.values() for entry in entries]


def run(page: str) -> AppTest:
    """Open the app on its first page, then go to `page`, as a click in the menu does."""
    app = AppTest.from_file(str(ROOT / "pages" / "router.py"), default_timeout=SECONDS).run()
    return app.switch_page(f"{page}").run()


def errors(app: AppTest) -> list[str]:
    return [f"{box.message}\n{box.stack_trace}" for box in app.exception]


def test_the_menu_lists_files_that_exist() -> None:
    pages = listed()
    assert len(pages) == len(set(pages)) >= 9
    assert all((ROOT / "pages" / page).is_file() for page in pages)


def test_the_router_runs() -> None:
    app = AppTest.from_file(str(ROOT / "pages" / "router.py"), default_timeout=SECONDS).run()
    assert not errors(app)
    assert app.title[0].value


@pytest.mark.parametrize("page", listed())
def test_page_with_shipped_checkpoints(page: str, shipped: Path) -> None:
    app = run(page)
    assert not errors(app)
    assert app.title, "a page starts with its title"


@pytest.mark.parametrize("page", listed())
def test_page_without_any_checkpoint(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path / "none"))
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    app = run(page)
    assert not errors(app)
    assert app.title, "a page starts with its title, also when there is nothing to show"
