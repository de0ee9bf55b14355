"""JavaScript over HTTP: answered at once, kept by browsers, asked for early, and never stale.

Streamlit opens and reads each file in threads, which wait for the script that runs meanwhile, and
names no time for which a browser may keep a component's modules: every fresh tab asked for some
fifteen of them again, first for the component and, once that was read, for what it imports.

Here they are answered in the server's own thread, ours from memory. What a module imports gets the
hash of its content written behind its name,

    import { keepPinned } from "./pin.js?v=3f2a9c01d2e4"

so that browsers keep it for good and ask for it again only when it has changed. The component's
own module has no such name; a browser asks whether it has changed (ETag).

What a page has used before, for whomever, a browser is told when it opens that page: with the
document or, inside the app, with the first message (``follow_keys`` of stage.py). Of
Streamlit's own parts, which it fetches when the first of a kind is drawn, those that all pages have
and those of pages where a model is picked.
"""

from __future__ import annotations

import hashlib
import html
import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genlib.ui import menu
from genlib.ui.kit import web

OURS = "/_stcore/bidi-components/genlib."
ADDRESS = re.compile(re.escape(OURS) + r"\w+/((?:\w+/)*\w+\.js)$")
STREAMLITS = re.compile(r"/static/js/([\w.-]+\.js)$")  # their names hold a hash of their content
STATIC = Path(st.__file__).parent / "static" / "static" / "js"
IMPORT = re.compile(r'from "(\.[^"?]+)"')
FOR_GOOD, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
PARTS = ("BidiComponent", "Html", "Button")  # Streamlit's files, on every page
PICKERS = ("Selectbox", "ButtonGroup")
STATIC_IMPORT = re.compile(r'(?:from|import)"\./([\w.-]+\.js)"')
LARGEST = 1 << 18  # bytes of a file that the server's own thread reads


@dataclass(frozen=True)
class Module:
    """A module as browsers get it, the hash of that, and the paths of all that it imports."""

    text: bytes
    hash: str
    imports: tuple[str, ...]


Stamps = tuple[tuple[str, int], ...]  # of a module and all that it imports: path, time of change


def module(path: str) -> Module | None:
    """The module at a path below genlib/web; None where there is none.

    Raises ValueError for modules that import each other: their hashes would have no end.
    """
    stamps: dict[str, int] = {}
    _look(path, stamps, ())
    return _module(path, tuple(sorted(stamps.items()))) if path in stamps else None


def _look(path: str, stamps: dict[str, int], above: tuple[str, ...]) -> None:
    if path in above:
        raise ValueError(f"modules must not import each other, got {' -> '.join([*above, path])}")
    if path in stamps or not (web.WEB / path).is_file():
        return
    stamp = (web.WEB / path).stat().st_mtime_ns
    for other in _imports(path, stamp):
        _look(other, stamps, (*above, path))
    stamps[path] = stamp


@lru_cache(maxsize=1000)  # modules; all of them are half a megabyte
def _imports(path: str, stamp: int) -> tuple[str, ...]:
    return tuple(_beside(path, name) for name in IMPORT.findall(web.read(path)))


@lru_cache(maxsize=1000)
def _module(path: str, stamps: Stamps) -> Module:
    imports: dict[str, None] = {}

    def named(match: re.Match[str]) -> str:
        other = _beside(path, match[1])
        found = module(other)
        if found is None:
            return match[0]
        imports.update(dict.fromkeys((other, *found.imports)))
        return f'from "{match[1]}?v={found.hash}"'

    text = IMPORT.sub(named, web.read(path)).encode()
    return Module(text, hashlib.sha256(text).hexdigest()[:12], tuple(imports))


def _beside(path: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), name))


def addresses(path: str) -> list[str]:
    """What browsers fetch to show a page of the menu, as far as it is known: from the server's
    root, "/_stcore/bidi-components/genlib.draw/shared/hand.js?v=3f2a9c01d2e4"."""
    found = []
    for name in web.components_of(path):
        whole = module(f"{name}/view.js")
        if whole is None:
            continue
        found.append(f"{OURS}{name}/{name}/view.js")
        for imported in whole.imports:
            part = module(imported)
            found += [f"{OURS}{name}/{imported}?v={part.hash}"] if part else []
    picks = any(page.models for page in menu.PAGES if page.path == path)
    return found + [f"/static/js/{name}" for name in _streamlits(PARTS + PICKERS * picks)]


@lru_cache(maxsize=8)
def _streamlits(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The files of these parts and what they import, without those that its document names.

    A part that is called differently in another version is left out: it comes later then.
    """
    document = (STATIC.parents[1] / "index.html").read_text(encoding="utf-8")
    waiting = [file.name for part in parts for file in STATIC.glob(f"{part}.*.js")]
    found: dict[str, None] = {}
    while waiting:
        name = waiting.pop(0)
        if name in found or name in document or not (STATIC / name).is_file():
            continue
        found[name] = None
        waiting += STATIC_IMPORT.findall((STATIC / name).read_text(encoding="utf-8"))
    return tuple(found)


class Modules:
    """The middleware; see the module's text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for a module, or hand it to the app."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        request = Request(scope)
        answer = _answer(request)
        if answer is not None:
            return await answer(scope, receive, send)
        links = _links(request)
        if not links:
            return await self._app(scope, receive, send)
        # Not compressed: it is two kilobytes, into which the links are written.
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": plain}, receive, _Document(links, send))


class _Document:
    """Sends an answer on; a document gets links at the end of its head."""

    def __init__(self, links: str, send: Send) -> None:
        self._links, self._send = links.encode(), send
        self._start: Message | None = None  # of a document, until its whole text is here
        self._text = b""

    async def __call__(self, message: Message) -> None:
        """Send a message, or keep it until the document is complete."""
        if message["type"] == "http.response.start" and _is_document(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._text += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish(self._start)
        else:
            await self._send(message)

    async def _finish(self, start: Message) -> None:
        text = self._text.replace(b"</head>", self._links + b"</head>", 1)
        MutableHeaders(scope=start)["content-length"] = str(len(text))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": text})


def _is_document(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    page = headers.get("content-type", "").startswith("text/html")
    return bool(message["status"] == 200) and page and "content-disposition" not in headers


def _answer(request: Request) -> Response | None:
    """The module asked for; None for everything else."""
    if asked := ADDRESS.search(request.url.path):
        found = module(asked[1])
        return None if found is None else _ours(request, found)
    if asked := STREAMLITS.search(request.url.path):
        file = STATIC / asked[1]
        if file.is_file() and file.stat().st_size <= LARGEST:
            headers = {"Cache-Control": FOR_GOOD}
            return Response(file.read_bytes(), media_type="text/javascript", headers=headers)
    return None


def _ours(request: Request, found: Module) -> Response:
    etag = f'"{found.hash}"'
    kept = request.query_params.get("v") == found.hash
    headers = {"Cache-Control": FOR_GOOD if kept else ASK_AGAIN, "ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(found.text, media_type="text/javascript", headers=headers)


def _links(request: Request) -> str:
    """What a page will need, as elements for the head of a document; "" for other requests."""
    if "text/html" not in request.headers.get("accept", ""):
        return ""
    root = str(st.get_option("server.baseUrlPath") or "").strip("/")
    place = f"/{root}" if root else ""
    path = request.url.path.rpartition("/")[2]
    return "".join(
        f'<link rel="modulepreload" href="{html.escape(place + address)}" fetchpriority="low">'
        for address in addresses(path or "home")
    )
