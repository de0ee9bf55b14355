"""Modules over HTTP: named by their content, kept for good, asked for early."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from genlib.ui.kit import modules, web
from tests.helpers import browse
from tests.ui.asgi import Answer, request

DRAW = "/_stcore/bidi-components/genlib.draw"
DOCUMENT = {"accept": "text/html,*/*"}


PAGE = "<html><head><title>é</title></head><body>a page</body></html>".encode()


async def _app(request: Request) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        saved = {"content-disposition": "attachment"} if request.url.path == "/saved" else None
        return HTMLResponse(PAGE, headers=saved)
    return PlainTextResponse("the app")


def ask(path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    """One request through the middleware."""
    app = Starlette(routes=[Route("/{path:path}", _app, methods=["GET", "PUT"])])
    given = {"host": "here:8501", **(headers or {})}
    return asyncio.run(request(modules.Modules(app), method, path, given))


@pytest.mark.parametrize(
    "path", [str(p.relative_to(web.WEB)) for p in sorted(web.WEB.glob("*/*.js"))]
)
def test_every_import_is_named_by_the_content_that_is_served_for_it(path: str) -> None:
    found = modules.module(path)
    assert found is not None
    text = found.text.decode()
    named = re.findall(r'from "(\.[^"]+)\?v=(\w+)"', text)
    assert len(named) == len(modules.IMPORT.findall(web.read(path)))
    for name, version in named:
        other = re.sub(r"^\./", f"{path.partition('/')[0]}/", name).removeprefix("../")
        imported = modules.module(other)
        assert imported is not None and imported.hash == version and other in found.imports
    assert re.sub(r"\?v=\w+", "", text) == web.read(path)


def test_a_browser_keeps_what_is_named_by_its_content_and_asks_about_the_rest() -> None:
    view = ask(f"{DRAW}/draw/view.js")
    assert view.status == 200 and view.headers["content-type"].startswith("text/javascript")
    assert view.headers["cache-control"] == "no-cache"
    name = re.search(r'from "\.\.(/shared/hand\.js\?v=\w+)"', view.body.decode())
    assert name is not None
    hand = ask(DRAW + name[1])
    assert hand.status == 200 and "immutable" in hand.headers["cache-control"]
    assert ask(f"{DRAW}/shared/hand.js?v=older").headers["cache-control"] == "no-cache"
    again = ask(f"{DRAW}/draw/view.js", {"if-none-match": view.headers["etag"]})
    assert again.status == 304 and not again.body
    assert ask(f"{DRAW}/draw/view.js", {"if-none-match": '"other"'}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"{DRAW}/draw/none.js",
        f"{DRAW}/../../pyproject.js",
        "/_stcore/bidi-components/other.draw/draw/view.js",
        "/static/js/none.js",
        "/static/js/../index.js",
        "/few-labels",
    ],
)
def test_everything_else_goes_on_to_the_app(path: str) -> None:
    assert ask(path).body == b"the app"
    assert ask(f"{DRAW}/draw/view.js", method="PUT").body == b"the app"


def test_a_path_from_the_root_of_the_disk_is_no_module(tmp_path: Path) -> None:
    (tmp_path / "secret.js").write_text("export const secret = 1\n")
    for path in (f"{tmp_path}/secret.js", f"/{tmp_path}/secret.js", f"draw/{tmp_path}/secret.js"):
        assert ask(f"{DRAW}/{path}").body == b"the app", path


def test_a_document_that_is_saved_stays_as_it_was_made() -> None:
    answer = ask("/saved", DOCUMENT)
    assert answer.body == PAGE and "content-disposition" in answer.headers


def test_streamlits_own_files_come_as_they_are() -> None:
    file = next(modules.STATIC.glob("BidiComponent.*.js"))
    answer = ask(f"/static/js/{file.name}")
    assert answer.body == file.read_bytes() and "immutable" in answer.headers["cache-control"]


def test_changed_modules_change_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "WEB", tmp_path)
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "view.js").write_text('import { a } from "./a.js"\n')
    (tmp_path / "some" / "a.js").write_text("export const a = 1\n")
    before = modules.module("some/view.js")
    (tmp_path / "some" / "a.js").write_text("export const a = 22\n")
    after = modules.module("some/view.js")
    assert before is not None and after is not None and before.hash != after.hash
    (tmp_path / "some" / "a.js").write_text('import "x" from "./view.js"\n')
    with pytest.raises(ValueError, match=r"import each other, got some/view\.js -> some/a\.js"):
        modules.module("some/view.js")


def test_a_page_that_was_shown_before_names_its_modules_with_the_document() -> None:
    browse("foundations/gaussians.py")
    assert {"gaussians", "present", "history"} <= set(web.components_of("gaussians"))
    answer = ask("/gaussians", DOCUMENT)
    assert int(answer.headers["content-length"]) == len(answer.body)
    head, _, rest = answer.body.decode().partition("</head>")
    assert head.startswith("<html><head><title>é</title>") and rest.endswith("</html>")
    found = re.findall(r'<link rel="modulepreload" href="([^"]+)"', head)
    assert any(a.endswith("genlib.gaussians/gaussians/view.js") for a in found)
    assert any("/static/js/BidiComponent." in a for a in found)
    for address in found:
        assert ask(address).body != b"the app", address
    assert ask("/gaussians").body == b"the app"  # not a document
    hostile = ask('/"><script>/gaussians', DOCUMENT)
    assert b"script" not in hostile.body and b"modulepreload" in hostile.body
