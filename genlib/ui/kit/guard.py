"""What every HTTP request passes before the app sees it: who asks, and what is never allowed.

1. Every answer carries headers that keep other sites from framing the app and browsers from
   guessing content types.
2. ``/?teacher=<secret>`` is answered with a redirect without the secret and a pass in a cookie
   (``genlib.ui.kit.rights``).
3. A browser gets a random name in a cookie, so that its own second tab isn't "other people" and
   limits count per visitor, not per tab.
4. Uploads are refused where the visitor may not upload, or when the memory for them is used up.
   Streamlit takes files for any open session, whatever widgets its page shows.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.stats import CacheStat
from streamlit.runtime.uploaded_file_manager import UploadedFile

from genlib import environment
from genlib.ui.kit import rights

VISITOR = "genlib_visitor"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    # Images only from here: a second line of defence should a name ever escape ``plain``.
    "Content-Security-Policy": "frame-ancestors 'self'; img-src 'self' data: blob:",
    "Referrer-Policy": "same-origin",
}
UPLOADS = "/_stcore/upload_file/"
Endpoint = Callable[[Request], Awaitable[Response]]


class Guard:
    """The middleware; see the module's text."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._arriving = 0  # bytes of uploads under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it to the app."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _complete(request, message)
            await send(message)

        if request.method == "GET" and "teacher" in request.query_params:
            await _let_in(request)(scope, receive, send_guarded)
        elif request.method == "PUT" and UPLOADS in request.url.path:
            await self._upload(request, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    async def _upload(self, request: Request, receive: Receive, send: Send) -> None:
        size = said_size(request.headers)
        refusal = upload_refusal(request, size, self._arriving)
        if refusal is not None:
            await refusal(request.scope, receive, send)
            return
        self._arriving += size
        try:
            await self._app(request.scope, receive, send)
        finally:
            self._arriving -= size


def _complete(request: Request, message: MutableMapping[str, object]) -> None:
    """Add our headers to an answer, and to a page a name for a browser without one."""
    headers = MutableHeaders(scope=message)
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if page and VISITOR not in request.cookies:
        headers.append("Set-Cookie", _cookie(request, VISITOR, secrets.token_urlsafe(16), "Lax"))


def _cookie(request: Request, name: str, value: str, same_site: str) -> str:
    """A cookie until the browser is closed, which scripts can't read."""
    secure = "; Secure" if request.url.scheme == "https" else ""
    return f"{name}={value}; Path=/; HttpOnly; SameSite={same_site}{secure}"


def _let_in(request: Request) -> Response:
    """Redirect to the same page without the secret; with a pass where the secret is right."""
    asked = urlsplit(str(request.url))
    rest = [(k, v) for k, v in parse_qsl(asked.query, keep_blank_values=True) if k != "teacher"]
    # Only a path of this server: "//host" at its start would name another one.
    target = "/" + asked.path.lstrip("/\\")
    answer = RedirectResponse(target + (f"?{urlencode(rest)}" if rest else ""), 303)
    answer.headers["Cache-Control"] = "no-store"
    if rights.is_secret(request.query_params["teacher"]):
        answer.headers.append(
            "Set-Cookie", _cookie(request, rights.COOKIE, rights.new_pass(), "Strict")
        )
    return answer


def said_size(headers: Headers) -> int:
    """How many bytes follow, by the headers; -1 where they don't say it.

    What comes in chunks may be of any size, whatever else is said.
    """
    length = headers.get("content-length", "")
    whole = "transfer-encoding" not in headers and re.fullmatch("[0-9]{1,15}", length)
    return int(length) if whole else -1


def upload_refusal(request: Request, size: int, arriving: int) -> Response | None:
    """The answer to an upload of ``size`` bytes (-1: not said) that isn't accepted, else None."""
    if not rights.allows(request.cookies):
        return Response(rights.NOTE, 403)
    if size < 0:
        return Response("An upload must say how large it is.", 411)
    try:
        environment.check_memory(held_uploads() + arriving, size)
    except environment.LimitError as error:
        return Response(str(error), 507)
    return None


def held_uploads() -> int:
    """Bytes of uploaded files that Streamlit holds in memory for all sessions."""
    if not runtime.exists():
        return 0
    families = runtime.get_instance().uploaded_file_mgr.get_stats()
    found = [stat for stats in families.values() for stat in stats]
    return sum(stat.byte_length for stat in found if isinstance(stat, CacheStat))


def uploaded(key: str) -> UploadedFile | None:
    """The file that a file uploader holds, for its callback.

    None where there is none, and where it was taken already: Streamlit calls back once more if the
    browser says something else before it has heard of the first answer.
    """
    file = st.session_state.get(key)
    return file if isinstance(file, UploadedFile) else None


def forget_upload(key: str) -> None:
    """Drop the uploaded file of a file uploader from memory, which Streamlit keeps until the
    session ends, once its content was used."""
    file, ctx = st.session_state.get(key), get_script_run_ctx(suppress_warning=True)
    if file is None or ctx is None:
        return
    if isinstance(ctx.uploaded_file_mgr, MemoryUploadedFileManager):
        ctx.uploaded_file_mgr.remove_file(ctx.session_id, file.file_id)


def visitor() -> str:
    """The name of this session's browser; the session's own where it takes no cookies."""
    ctx = get_script_run_ctx(suppress_warning=True)
    return rights.cookie(VISITOR) or (ctx.session_id if ctx else "")


def owner() -> str:
    """The visitor as runs on the disk may name them: the cookie can't be derived from it."""
    return hashlib.sha256(visitor().encode()).hexdigest()[:32]


def is_foreign(headers: Headers) -> bool:
    """Whether a page of another site made this request.

    Browsers say it in Sec-Fetch-Site on secure addresses, else in Origin where a script of another
    site asks; programs that aren't browsers say nothing.
    """
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


def own_routes(path: str, endpoint: Endpoint, method: str = "GET") -> list[Route]:
    """A route for this site's own pages, also under a base path (server.baseUrlPath).

    Pages of other sites get 403.
    """
    guarded = own_site(endpoint)
    return [Route(base + path, guarded, methods=[method]) for base in ("", "/{base:path}")]


def own_site(endpoint: Endpoint) -> Endpoint:
    """Make an endpoint answer only to this site's own pages."""

    async def guarded(request: Request) -> Response:
        if is_foreign(request.headers):
            return Response("Only this app's own pages may ask.", 403)
        return await endpoint(request)

    return guarded
