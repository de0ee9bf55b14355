"""What the app does to the server it runs in: imports first, fast reruns, style and footer.

Two delays that every Streamlit app has are mended here, for `streamlit run app.py` as for
`make app` (benchmarks/rerun.py measures both):

1. Nagle. Streamlit binds its listening socket itself, with protocol number 0, and asyncio sets
   TCP_NODELAY only on sockets whose protocol number says TCP. So each rerun's last small packet
   waits some 40 ms for the browser's delayed acknowledgement. We find the socket in this process
   and set the option; on Linux, connections accepted later inherit it.
2. Garbage. Streamlit collects all generations after every run (switched off by
   runner.postScriptGC in .streamlit/config.toml), and Python by itself whenever enough was
   allocated, which falls into somebody's drag. With torch imported a full collection walks half a
   million objects that never die. We freeze those (gc.freeze) and collect what is left while no
   script is running; now and then we thaw them, since some of them do die.

What all pages need is imported before the server answers, 1.4 s; who comes meanwhile waits. In a
thread, while the first visitor's browser fetches Streamlit's own files, it would hold up both.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import ipaddress
import logging
import signal
import socket
import sys
import threading
import time
from functools import cache
from pathlib import Path
from types import FrameType

import streamlit as st
import uvicorn

from genlib import background, environment
from genlib.runs import queue
from genlib.ui.kit import rights
from genlib.ui.kit.plain import plain

LOG = logging.getLogger(__name__)

# Allocations minus deallocations between two young collections (Python's default is 700).
YOUNG = 50_000
QUIET_SECONDS = 0.4
# Of malloc.h: numbers of mallopt's parameters.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGE = 1 << 18  # bytes of a block that goes back to the system when it is freed
MADV_PAGEOUT = 21  # of Linux 5.4's mman.h; Python doesn't name it
# Parts of the paths of libraries that nothing calls where there is no CUDA device, 150 MB.
OF_CUDA = ("/nvidia/", "/libtorch_cuda")
LONGEST_SECONDS_BETWEEN_COLLECTIONS = 60.0
# Modules that must have come in before the frozen heap is worth renewing; else it is renewed in the
# first quiet moment after so many seconds, until that long after the last page.
NEW_MODULES = 50
SECONDS_FROZEN = 180.0  # longer than Streamlit keeps the session of a browser that has gone


def tune() -> None:
    """Fix the server's two delays. Call at the top of the router. Does its work once a process."""
    serving = _tune_process()
    # Where accepted connections do not inherit the option, each session sets it on its own.
    if serving and sys.platform != "linux" and "server.nodelay" not in st.session_state:
        st.session_state["server.nodelay"] = set_nodelay(st.get_option("server.port"))


def serving() -> bool:
    """Whether a server of ours runs in this process, so that somebody may look."""
    return _tune_process()


@cache
def _tune_process() -> bool:
    """True if a server of ours runs in this process (not under AppTest: nothing to tune)."""
    mended = set_nodelay(st.get_option("server.port"))
    if not mended:
        return False
    gc.set_threshold(YOUNG, 20, 1000)
    background.start(keep_house, "genlib-housekeeping", polite=False)
    return True


def set_nodelay(port: int) -> int:
    """Set TCP_NODELAY on each TCP socket of this process bound to `port`; return how many.

    Streamlit hands out no reference to its socket, so we look among the objects that the garbage
    collector tracks. Works the same under asyncio and uvloop, on Linux, macOS and Windows.
    """
    mended = 0
    for thing in gc.get_objects():
        # type() and not isinstance(): a lazy proxy would answer for what it stands for.
        if not issubclass(type(thing), socket.socket) or thing.fileno() < 0:
            continue
        if thing.family not in (socket.AF_INET, socket.AF_INET6):
            continue
        try:
            if thing.type == socket.SOCK_STREAM and thing.getsockname()[1] == port:
                thing.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                mended += 1
        except OSError as error:  # closed by its own thread meanwhile: there is nothing to mend
            LOG.debug("no TCP_NODELAY on %r: %s", thing, error)
    return mended


def end_with_status_0() -> None:
    """Make Ctrl-C end the server as its user means it; call once, when the server starts.

    uvicorn shuts down and then raises the signal again, which Streamlit's command line reports as
    "Aborted!" with status 1.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    runs_here = getattr(signal.getsignal(signal.SIGINT), "__self__", None)
    if not isinstance(runs_here, uvicorn.Server):
        return

    def stop(number: int, frame: FrameType | None) -> None:
        # The second time, don't wait for connections to close.
        runs_here.force_exit = runs_here.should_exit
        runs_here.should_exit = True

    signal.signal(signal.SIGINT, stop)


def say_who_may_what() -> None:
    """Print who can do what if other machines can reach this server."""
    address = str(st.get_option("server.address") or "0.0.0.0")
    if not is_loopback(address):
        print(rights.who_may_what(f"{address}:{st.get_option('server.port')}"), flush=True)


def is_loopback(address: str) -> bool:
    """Whether only this machine itself can reach a server at that address or name."""
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return address.lower() == "localhost"


def keep_memory_small() -> None:
    """Make the C library hand freed memory back; call once, when the server starts.

    glibc gives up to 8 heaps per core to threads, and Streamlit runs each script in a new thread;
    it also raises the size from which a block is a mapping of its own, which goes back when freed,
    up to 32 MB. Images of a page then stay in unused heaps. Elsewhere than with glibc
    nothing happens.
    """
    if libc := _glibc():
        libc.mallopt(M_ARENA_MAX, 2)
        libc.mallopt(M_MMAP_THRESHOLD, LARGE)
        libc.mallopt(M_TRIM_THRESHOLD, 4 * LARGE)


@cache
def _glibc() -> ctypes.CDLL | None:
    """The C library of this process if it is GNU's."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def let_go(*parts: str) -> int:
    """Tell Linux that mapped files with one of these parts in their paths won't be read soon.

    They stay mapped, but take no memory until they are touched; nothing that was written is lost.
    Returns how many bytes of them are mapped, 0 on other systems.
    """
    libc = _glibc()
    if libc is None or not hasattr(libc, "madvise"):
        return 0
    found = 0
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, *_, path = line.split(None, 5)
        if not any(part in path for part in parts):
            continue
        begin, end = (int(number, 16) for number in place.split("-"))
        # Refused by a Linux before 5.4: then it stays in memory.
        libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), MADV_PAGEOUT)
        found += end - begin
    return found


def _let_go_of_files() -> None:
    """Decoded datasets, of which a page has read a few pictures, and CUDA where there is none."""
    import torch

    from genlib.data.datasets import find_mnist

    unused: tuple[str, ...] = () if torch.cuda.is_available() else OF_CUDA
    if mnist := find_mnist():
        unused += (f"{mnist.resolve()}/",)
    let_go(f"{environment.user_cache().resolve()}/", *unused)


def _script_is_running() -> bool:
    return any("ScriptRunner" in thread.name for thread in threading.enumerate())


def keep_house() -> None:
    """Collect garbage in quiet moments, until the process ends."""
    queue.tidy()
    frozen_at = 0
    last = frozen_when = quiet_since = time.monotonic()
    while not background.ending.wait(0.1):
        now = time.monotonic()
        if _script_is_running():
            quiet_since = now
        quiet = now - quiet_since >= QUIET_SECONDS
        if not quiet and now - last < LONGEST_SECONDS_BETWEEN_COLLECTIONS:
            continue
        new = len(sys.modules) >= frozen_at + NEW_MODULES
        # What was in use when it was frozen, a visitor's session say, is garbage only once thawed.
        left = frozen_when < quiet_since + SECONDS_FROZEN
        old = quiet and left and now - frozen_when > SECONDS_FROZEN
        if new or old:
            gc.unfreeze()
            gc.collect()
            gc.freeze()
            frozen_at, frozen_when = len(sys.modules), now
        elif sum(gc.get_count()) > 1000:
            gc.collect()
        else:
            continue
        if libc := _glibc():
            libc.malloc_trim(0)
            _let_go_of_files()
        last = time.monotonic()


def import_needed() -> None:
    """Import torch, all families and what every page needs, before the server answers."""
    print("Loading PyTorch …", flush=True)  # from a cold disk it takes many seconds
    importlib.import_module("genlib.ui.kit.loading")
    _ = importlib.import_module("genlib.models").FAMILIES  # which imports every family


def style() -> None:
    """Add the logo, which leads to Home, and our few rules: crisp pixels, equations, the stage."""
    here = Path(__file__).parent
    st.logo(here / "logo.svg", size="large")
    st.html(here / "style.css")


def check_environment() -> None:
    """Say which of genlib's environment variables has a bad value, instead of any page."""
    try:
        environment.check()
    except ValueError as error:
        st.error(plain(str(error)), icon=":material/settings:")
        st.stop()


def footer() -> None:
    """Write the device that models run on at the end of the page."""
    from genlib import devices

    try:
        st.caption(
            f":material/memory: {devices.describe()}",
            help="The device that models run on. Set GENLIB_DEVICE to cpu, cuda or mps to choose.",
        )
    except ValueError as error:
        st.error(plain(str(error)), icon=":material/memory:")
