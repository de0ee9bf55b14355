"""The route by which frames of an ascent reach the browser without Streamlit's reruns.

A rerun per frame makes React look at the whole page for each: ten frames a second. These routes of
app.py cost a fraction of a millisecond and wake nothing else:

    GET  frames/<token>?after=<version>  waits for a newer frame, at most WAIT_S; packet.py's bytes
    POST frames/<token>   {"lr": 0.1}    sets knobs while they are dragged

Nothing blocks a thread: a request that waits is a coroutine which the ascent wakes. The token is
drawn at random for each ascent and known to its page alone; it ends with the ascent.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genlib.ui.kit import guard

if TYPE_CHECKING:  # it imports torch, for which the first paint does not wait
    from genlib.explore.ascent.live import Live

WAIT_S = 1.0  # a request waits at most so long; the browser then asks again
MOST = 256  # ascents that can be asked for; what no page has named for longest is forgotten
LARGEST_BODY = 1024  # bytes
HEADERS = {
    "Cache-Control": "no-store",
    # Says to the gzip around every answer that there is nothing to do: pixels are in a hurry.
    "Content-Encoding": "identity",
}

_by_token: WeakValueDictionary[str, Live] = WeakValueDictionary()
_tokens: WeakKeyDictionary[Live, str] = WeakKeyDictionary()
_lock = threading.Lock()


def address(live: Live) -> str:
    """Where this ascent's frames are, relative to the page. The same as long as it lives."""
    with _lock:
        token = _tokens.setdefault(live, secrets.token_urlsafe(24))
        _by_token.pop(token, None)
        _by_token[token] = live
        while len(_by_token) > MOST:
            _by_token.pop(next(iter(_by_token)), None)
    return f"frames/{token}"


def routes() -> list[Route]:
    """The routes for ``st.App``."""
    path = "/frames/{token}"
    return guard.own_routes(path, _frame) + guard.own_routes(path, _knobs, "POST")


async def _frame(request: Request) -> Response:
    """The newest frame, as soon as there is one that the browser has not."""
    live = _by_token.get(request.path_params["token"])
    if live is None:
        return Response("This ascent is gone.", 404, HEADERS)
    from genlib.ui.components.film_packet import Ask, packet

    try:
        ask = Ask.read(request.query_params)
    except ValueError:
        return Response("after must be a whole number.", 400, HEADERS)
    live.beat()
    await _news(live, ask.after)
    body = await asyncio.to_thread(packet, live, ask) if ask.heavy else packet(live, ask)
    return Response(body, 200, HEADERS, "application/octet-stream")


async def _news(live: Live, after: int) -> None:
    """Wait until a newer version than ``after`` is shown, it no longer moves, or time is up.

    -1 asks for what is shown now. Any other number that was never a version waits like the newest.
    """
    loop, news = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        loop.call_soon_threadsafe(news.set)

    live.listen(tell)
    try:
        behind = -1 <= after < live.version
        if live.moving and not behind:
            async with asyncio.timeout(WAIT_S):
                await news.wait()
    except TimeoutError:
        return
    finally:
        live.unlisten(tell)


async def _knobs(request: Request) -> Response:
    """Move knobs; 422 with one sentence for what cannot be."""
    live = _by_token.get(request.path_params["token"])
    if live is None:
        return Response("This ascent is gone.", 404, HEADERS)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            return Response("Too long.", 413, HEADERS)
    try:
        amounts = json.loads(body)
        if not isinstance(amounts, dict):
            raise ValueError("knobs must be an object of numbers")
        live.turn({str(name): float(amount) for name, amount in amounts.items()})
    except (ValueError, TypeError, OverflowError) as problem:
        return Response(str(problem), 422, HEADERS)
    except RecursionError:
        return Response("knobs must be an object of numbers", 422, HEADERS)
    return Response(None, 204, HEADERS)
