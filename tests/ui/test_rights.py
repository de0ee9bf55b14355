"""Who may change things: passes, secrets, and that every callback that changes something asks."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from genlib.ui.kit import rights

pytestmark = pytest.mark.usefixtures("teachers")

ROOT = Path(__file__).resolve().parents[2]
CHANGING = {
    "genlib.runs.queue": {
        *("start", "create", "pause", "proceed", "stop", "set_lr", "resume_run", "rename"),
        *("delete", "undo_delete", "to_trash"),
    },
    "genlib.ui.train.upload": {"keep", "bring_back"},
    "genlib.data.pictures.registry": {"keep_zip", "register", "remove", "restore"},
}
WITHIN_A_PAGE = {  # drawn and done in one run of the script, which ends first for other visitors
    "genlib.data.datasets": {"download_mnist"},
    "genlib.explore.ascent.imagenet": {"keep", "download"},
}


def test_readonly_is_on_unless_it_is_clearly_off(monkeypatch: pytest.MonkeyPatch) -> None:
    for said, expected in {"1": True, "on": True, "yes": True, "": False, "0": False}.items():
        monkeypatch.setenv("GENLIB_READONLY", said)
        assert rights.readonly() is expected, said
    monkeypatch.delenv("GENLIB_READONLY")
    assert not rights.readonly() and rights.allows({})


def test_only_the_secret_opens_and_no_secret_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rights.is_secret("blue tram")
    assert not any(map(rights.is_secret, ("", "blue", "Blue tram", "blue tram ", "\ud800", "ß")))
    monkeypatch.setenv("GENLIB_TEACHER", "")
    assert not rights.is_secret("") and not rights.is_pass(rights.new_pass())


def test_a_pass_opens_until_it_ends_or_the_secret_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = rights.new_pass()
    assert rights.allows({rights.COOKIE: mine}) and not rights.allows({})
    ends, _, signature = mine.partition(".")
    for forged in (f"{int(ends) + 1}.{signature}", f"{ends}.{'0' * 64}", ends, "", ".", "x.y"):
        assert not rights.allows({rights.COOKIE: forged}), forged
    monkeypatch.setattr(rights, "PASS_HOURS", -1)
    assert not rights.is_pass(rights.new_pass()), "over"
    monkeypatch.setenv("GENLIB_TEACHER", "red tram")
    assert not rights.is_pass(mine)


def test_a_callback_does_nothing_for_those_who_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []
    callback = rights.needed(done.append)
    callback(1)
    assert done == []
    monkeypatch.setenv("GENLIB_READONLY", "0")
    callback(2)
    assert done == [2]


def test_the_terminal_says_who_can_do_what(monkeypatch: pytest.MonkeyPatch) -> None:
    said = rights.who_may_what("0.0.0.0:8501")
    assert "0.0.0.0:8501" in said and "/?teacher=" in said and "blue tram" not in said
    monkeypatch.delenv("GENLIB_TEACHER")
    assert "No one can start" in rights.who_may_what("")
    monkeypatch.delenv("GENLIB_READONLY")
    assert "Everyone can look" in rights.who_may_what("")
    assert "No one can start" not in rights.who_may_what("")


def imported(tree: ast.AST) -> dict[str, str]:
    """Name in a file -> what was imported under it: a module, or a function of one."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def calls(
    tree: ast.AST, changing: dict[str, set[str]], names: dict[str, str]
) -> list[ast.Attribute | ast.Name]:
    """Mentions of functions that change something: queue.stop, called or handed on."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, dot, rest = ast.unparse(node).partition(".")
            module, _, name = f"{names.get(first, first)}{dot}{rest}".rpartition(".")
            if name in changing.get(module, ()):
                found.append(node)
    return found


def functions(tree: ast.AST) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def test_everything_that_changes_something_asks_first() -> None:
    seen = 0
    for path in [*(ROOT / "genlib/ui").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        own = {function.name: f"{module}.{function.name}" for function in functions(tree)}
        names = {**own, **imported(tree)}
        guarded = {
            id(call)
            for function in functions(tree)
            if any(ast.unparse(d) == "rights.needed" for d in function.decorator_list)
            for call in calls(function, CHANGING, names)
        }
        for call in calls(tree, CHANGING, names):
            seen += 1
            assert id(call) in guarded, f"{path}:{call.lineno} {ast.unparse(call)}"
        if calls(tree, WITHIN_A_PAGE, names):
            assert "rights.may_change()" in path.read_text(encoding="utf-8"), path
    assert seen >= 16, "the test still finds them"
