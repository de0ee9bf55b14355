"""The app: `streamlit run app.py` serves pages/router.py, and frames on a route of their own.

Streamlit runs a main script that has a folder named pages beside it in an old multipage mode until
its first st.navigation call, and the first deep link after a server start then opens on "Page not
found". So the main script lies inside that folder, and this file only names it.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from genlib.ui import frames

app = st.App(Path(__file__).parent / "pages" / "router.py", routes=frames.routes())
