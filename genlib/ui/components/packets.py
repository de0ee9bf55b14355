"""The route by which decoders, codes and pictures reach the browser, which keeps them for good.

In a component's data a packet of a megabyte is sent to each session, and what the page shows waits
behind it. Here it has an address that names its content, so that a browser asks once and keeps it:

    GET packets/<hash>    packet.py's bytes; under a hash there is never anything else
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from genlib.ui.kit import guard

MOST = 1 << 24  # bytes that are held; what nobody has named for longest is forgotten
IN_USE = 60.0  # seconds from its last naming for which a packet is held beyond MOST
LIMIT = 8 * MOST  # bytes that are never exceeded, but by a single packet
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Encoding": "identity",  # weights and PNG don't get smaller
}

_held: OrderedDict[str, tuple[bytes, float]] = OrderedDict()  # and when it was named last
_lock = threading.Lock()


def address(packet: bytes) -> str:
    """Where this packet is, relative to the page; name it again on every run that needs it."""
    name = hashlib.sha256(packet).hexdigest()
    now = time.monotonic()
    with _lock:
        kept, _ = _held.pop(name, (packet, now))
        _held[name] = kept, now
        total = sum(len(held) for held, _ in _held.values())
        for other, (held, named) in list(_held.items())[:-1]:
            if total <= MOST or (total <= LIMIT and named >= now - IN_USE):
                break
            del _held[other]
            total -= len(held)
    return f"packets/{name}"


def routes() -> list[Route]:
    """The route for ``st.App``."""
    return guard.own_routes("/packets/{name}", _packet)


async def _packet(request: Request) -> Response:
    held = _held.get(request.path_params["name"])
    if held is None:
        return Response("This packet is gone.", 404, {"Cache-Control": "no-store"})
    return Response(held[0], 200, HEADERS, "application/octet-stream")
