"""The road of the packets: an address is its content, and what nobody names is forgotten."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest
from starlette.applications import Starlette

from genlib.ui.components import packets
from tests.ui.asgi import Answer, request


def ask(path: str, **headers: str) -> Answer:
    app = Starlette(routes=packets.routes())
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(request(app, "GET", f"/{path}", named))


def test_a_packet_is_at_the_address_of_its_content_for_good() -> None:
    address = packets.address(b"weights")
    assert address.endswith(hashlib.sha256(b"weights").hexdigest())
    assert packets.address(bytes(bytearray(b"weights"))) == address
    assert packets.address(b"other weights") != address
    for base in ("", "under/a/path/"):
        answer = ask(base + address)
        assert (answer.status, answer.body) == (200, b"weights")
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers["content-encoding"] == "identity"


def test_what_is_not_there_is_not_kept_as_missing() -> None:
    answer = ask("packets/" + "0" * 64)
    assert answer.status == 404
    assert answer.headers["cache-control"] == "no-store"


def test_other_sites_get_nothing() -> None:
    address = packets.address(b"weights")
    assert ask(address, sec_fetch_site="cross-site").status == 403
    assert ask(address, origin="http://elsewhere.example", host="here.example").status == 403


def test_what_nobody_names_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "MOST", 100)
    monkeypatch.setattr(packets, "IN_USE", 0.0)
    old, kept = packets.address(b"a" * 40), packets.address(b"b" * 40)
    assert packets.address(b"a" * 40) == old  # named again
    packets.address(b"c" * 40)
    assert [ask(address).status for address in (old, kept)] == [200, 404]
    large = packets.address(b"d" * 200)  # larger than all that may be kept: still there at once
    assert ask(large).status == 200


def test_what_a_page_has_named_a_moment_ago_is_there_however_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A page names several packets before its browser asks for the first of them."""
    monkeypatch.setattr(packets, "MOST", 100)
    addresses = [packets.address(letter * 90) for letter in (b"e", b"f", b"g")]
    assert [ask(address).status for address in addresses] == [200, 200, 200]
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 2 * packets.IN_USE)
    assert packets.address(b"g" * 90) == addresses[2]
    assert [ask(address).status for address in addresses] == [404, 404, 200]


def test_however_much_is_named_in_a_moment_the_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packets, "MOST", 100)
    monkeypatch.setattr(packets, "LIMIT", 200)
    addresses = [packets.address(letter * 90) for letter in (b"h", b"i", b"j")]
    assert [ask(address).status for address in addresses] == [404, 200, 200]
    large = packets.address(b"k" * 300)
    assert [ask(address).status for address in (*addresses, large)] == [404, 404, 404, 200]
