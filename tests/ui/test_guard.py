"""Every request passes the guard: headers, the teachers' address, foreign sites, uploads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from genlib.ui.components import frames
from genlib.ui.kit import guard, rights
from genlib.ui.kit.server import is_loopback
from tests.ui.asgi import request

pytestmark = pytest.mark.usefixtures("teachers")

PAGE = {"accept": "text/html,*/*"}


async def _page(request: Request) -> Response:
    return HTMLResponse("a page")


async def _upload(request: Request) -> Response:
    await request.body()
    return PlainTextResponse("kept", 201)


ROUTES = [
    *frames.routes(),
    Route("/_stcore/upload_file/{session}/{file}", _upload, methods=["PUT"]),
    Route("/{path:path}", _page),
]


def ask(
    path: str, headers: Mapping[str, str] = PAGE, body: bytes | None = None
) -> tuple[int, Headers, str]:
    """One request through the guard."""
    app, method = guard.Guard(Starlette(routes=ROUTES)), "GET" if body is None else "PUT"
    answer = asyncio.run(request(app, method, path, {"host": "here:8501", **headers}, body))
    return answer.status, answer.headers, answer.body.decode()


@pytest.mark.parametrize("path", ["/", "/train", "/frames/none", "/?teacher=x"])
def test_every_answer_forbids_framing_and_guessing(path: str) -> None:
    _, headers, _ = ask(path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["content-security-policy"] == (
        "frame-ancestors 'self'; img-src 'self' data: blob:"
    )


def test_the_secret_leaves_the_address_and_a_pass_stays() -> None:
    status, headers, _ = ask("/lab/train?run=vae-1&teacher=blue+tram&x=")
    assert status == 303 and headers["location"] == "/lab/train?run=vae-1&x="
    assert headers["cache-control"] == "no-store"
    cookie = next(c for c in headers.getlist("set-cookie") if c.startswith(rights.COOKIE))
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "blue" not in cookie
    assert rights.is_pass(cookie.partition("=")[2].partition(";")[0])


@pytest.mark.parametrize("wrong", ["", "blue", "blue+tram+", "%F0%9F%98%80", "%00"])
def test_a_wrong_secret_gives_nothing_and_leaves_the_address_too(wrong: str) -> None:
    status, headers, _ = ask(f"/?teacher={wrong}")
    assert status == 303 and headers["location"] == "/"
    assert not any(c.startswith(rights.COOKIE) for c in headers.getlist("set-cookie"))


@pytest.mark.parametrize("path", ["//evil.example/a", "/\\evil.example/a", "/\\/evil.example"])
def test_the_redirect_stays_on_this_server(path: str) -> None:
    _, headers, _ = ask(f"{path}?teacher=x")
    location = headers["location"]
    assert location.startswith("/") and location[1] not in "/\\"


def test_a_browser_gets_one_name_with_its_first_page() -> None:
    _, headers, _ = ask("/")
    (cookie,) = headers.getlist("set-cookie")
    assert cookie.startswith(f"{guard.VISITOR}=") and "HttpOnly" in cookie
    known = {**PAGE, "cookie": cookie.partition(";")[0]}
    assert "set-cookie" not in ask("/", known)[1]
    assert "set-cookie" not in ask("/", {"accept": "image/png"})[1]


def test_frames_are_for_this_site_only() -> None:
    own = [
        {},
        {"origin": "http://here:8501"},
        {"sec-fetch-site": "same-origin"},
        {"origin": "https://proxy.example", "sec-fetch-site": "same-origin"},
    ]
    foreign = [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://here:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ]
    assert [ask("/frames/none", h)[0] for h in own] == [404] * len(own)
    assert [ask("/frames/none", h)[0] for h in foreign] == [403] * len(foreign)
    assert ask("/lab/frames/none", foreign[0])[0] == 403


def test_uploads_need_rights_a_size_and_room(monkeypatch: pytest.MonkeyPatch) -> None:
    path, sized = "/_stcore/upload_file/session/file", {"content-length": "3"}
    assert ask(path, sized, b"abc")[::2] == (403, rights.NOTE)
    passed = {**sized, "cookie": f"{rights.COOKIE}={rights.new_pass()}"}
    assert ask(path, passed, b"abc")[0] == 201
    monkeypatch.setenv("GENLIB_READONLY", "0")
    assert ask(path, sized, b"abc")[0] == 201
    assert ask(path, {}, b"abc")[0] == 411
    chunks = {"content-length": "3", "transfer-encoding": "chunked"}  # whose size nobody knows
    for unsized in ({"content-length": "-3"}, {"content-length": "9" * 5000}, chunks):
        assert ask(path, unsized, b"abc")[0] == 411
    monkeypatch.setenv("GENLIB_MAX_MEMORY", "0.000000002")
    status, _, text = ask(path, sized, b"abc")
    assert status == 507 and "memory" in text


def test_uploads_under_way_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_READONLY", "0")
    monkeypatch.setenv("GENLIB_MAX_MEMORY", "1")
    request = Request({"type": "http", "headers": []})
    assert guard.upload_refusal(request, 400_000_000, 500_000_000) is None
    refused = guard.upload_refusal(request, 600_000_000, 500_000_000)
    assert refused is not None and refused.status_code == 507


def test_only_this_machine_reaches_a_loopback_address() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "localhost", "::1", "[::1]", "127.3.2.1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.4", "lab.example", "")))
