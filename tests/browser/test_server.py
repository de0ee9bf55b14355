"""The server: fast reruns, no delays left."""

from __future__ import annotations

import socket
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from benchmarks import rerun as bench
from genlib.ui.kit import server

ROOT = Path(__file__).resolve().parents[2]
# The smallest delayed acknowledgement on Linux: a server without NODELAY is never faster.
NAGLE_MS = 40.0


def test_the_listening_socket_and_what_it_accepts_get_nodelay() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        option = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not listening.getsockopt(*option)

        assert server.set_nodelay(port) == 1
        assert listening.getsockopt(*option)

        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listening.accept()
            with accepted:
                if sys.platform == "linux":
                    assert accepted.getsockopt(*option), "accepted connections inherit it"
                assert not client.getsockopt(*option), "the other end of the line is not ours"
                assert server.set_nodelay(port) == 2, "the accepted one is bound to the port too"


def test_streamlit_does_not_collect_after_every_run() -> None:
    options = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert options["runner"]["postScriptGC"] is False


def test_no_rerun_of_the_app_waits_for_the_delayed_acknowledgement(app_url: str) -> None:
    address = app_url.replace("http", "ws", 1) + "/_stcore/stream"
    with connect(address, subprotocols=["streamlit"], max_size=None) as client:
        bench.rerun(client)
        # One fast rerun proves it: on a busy machine any may be late, but none beats Nagle.
        for _ in range(200):
            if bench.rerun(client) < NAGLE_MS:
                return
            time.sleep(bench.PAUSE_S)
    pytest.fail(f"none of 200 reruns took less than {NAGLE_MS} ms")


def test_a_bare_rerun_takes_a_few_milliseconds() -> None:
    times = bench.measure(*bench.SETTINGS["ours"], reruns=30)
    assert min(times) < bench.LIMIT_MS, times


def test_the_footer_names_the_device(open_page: Callable[..., Page]) -> None:
    page = open_page("latent-space")
    expect(page.get_by_test_id("stMain")).to_contain_text("CPU ·")
