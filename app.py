"""The app: `streamlit run app.py` serves pages/router.py, and frames and packets by themselves.

Streamlit runs a main script with a folder named pages next to it in an old multipage mode until
its first st.navigation call, and the first deep link after a server start then opens on "Page not
found". So the main script lies inside that folder, and this file only names it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from genlib import background
from genlib.ui.components import frames, packets
from genlib.ui.kit import downloads, guard, modules, outbox, server


@asynccontextmanager
async def told(_: st.App) -> AsyncIterator[dict[str, object]]:
    """Import what all pages need, and say in the terminal who can do what from other machines.

    At the end, whatever works behind the pages ends first.
    """
    server.end_with_status_0()
    server.keep_memory_small()
    outbox.install()
    server.say_who_may_what()
    server.import_needed()
    yield {}
    background.end_all()


downloads.install()
app = st.App(
    Path(__file__).parent / "pages" / "router.py",
    routes=[*frames.routes(), *packets.routes()],
    middleware=[Middleware(guard.Guard), Middleware(modules.Modules)],
    lifespan=told,
)
