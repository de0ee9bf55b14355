"""A component as one HTML file that needs no server and no network.

The file holds the same modules and styles that the app serves, the component's data, and the state
of the link at the moment of the click.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from urllib.parse import urlencode

import streamlit as st

from genlib.ui.kit.web import component as web_component
from genlib.ui.kit.web import import_map, style_sheet

LABEL = "This page as one HTML file"
HELP = (
    "Works without a server and without a network, also from a USB stick. It opens as the page "
    "stands now. Lessons stay in the app."
)


def page(
    component: str,
    title: str,
    intro: str,
    data: Mapping[str, object],
    *,
    modules: tuple[str, ...] = (),
    script: str = "",
) -> str:
    """The component of web/<component> as a page of its own.

    title, intro: plain text. data: what the component gets as its data, JSON values. modules: paths
    below genlib/web that ``script``, which runs before the component is drawn, imports; there
    ``data`` is in reach and may be changed or replaced.
    """
    entry = f"{component}/view.js"
    names = json.dumps({"imports": import_map(entry, *modules)})
    # "</" would end the script element early if a name contained it.
    given = json.dumps(data).replace("</", "<\\/")
    return _PAGE.format(
        title=escape(title),
        intro=escape(intro),
        css=style_sheet(f"{component}/style.css"),
        modules=names,
        entry=entry,
        script=script,
        data=given,
    )


def packet_page(
    component: str, title: str, intro: str, packet: bytes, stored: Sequence[bytes] = ()
) -> str:
    """The same for a component whose data is a packet; ``stored``: what its store holds."""
    packed, *brought = (base64.b64encode(one).decode() for one in (packet, *stored))
    given = {"packet": packed, "stored": brought}
    return page(
        component,
        title,
        intro,
        given,
        modules=("store/view.js", "shared/packet.js"),
        script=_PACKETS,
    )


_PACKETS = """
import { shareUnpacked } from "store/view.js"
import { fromText, unpack } from "shared/packet.js"
for (const one of data.stored) shareUnpacked(unpack(fromText(one)))
data = fromText(data.packet)
"""


def opening_at(text: str, state: Mapping[str, str]) -> str:
    """A file of ``page`` that opens on this state, query parameters of the app's page.

    Only names with a dot are a component's; others are the app's (lesson, answer, present).
    """
    own = {name: value for name, value in state.items() if "." in name}
    return text.replace(_NO_STATE, f'data-state="{escape(urlencode(own))}"', 1)


@st.fragment
def offer(make: Callable[[], str], name: str) -> None:
    """A button that saves what ``make``, a call of ``page``, returns as ``name``.

    The file opens on the state of the page that it was saved from. A click runs this fragment
    alone; the address, which the browser writes, comes with it. A download button would not tell
    the address.
    """
    if st.button(LABEL, icon=":material/html:", key="page_file", help=HELP):
        count = int(st.session_state.get("page_file.made", 0)) + 1
        st.session_state["page_file.made"] = count
        text = opening_at(make(), st.query_params.to_dict())
        web_component("page_file", styled=False)(
            key="page_file.save", data={"made": count, "name": name, "text": text}
        )


_NO_STATE = 'data-state=""'
_PAGE = """<!doctype html>
<html lang="en" data-state=""><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ --st-primary-color: #0b6b74; --st-background-color: #ffffff; --st-text-color: #10201f;
  --st-secondary-background-color: #eef3f3; --st-border-color: #c9d5d4; --st-link-color: #0b6b74; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --st-primary-color: #12808a; --st-background-color: #0f1717; --st-text-color: #eef5f4;
    --st-secondary-background-color: #1b2727; --st-border-color: #344646; --st-link-color: #5cc9d1;
    --st-chart-categorical-colors: #6ea4ff, #ff9d45, #4fd07f, #ff6f75, #b794ff,
      #c99a83, #ff8fd3, #a9b8be, #e0d43c, #3fd6e8; }} }}
body {{ background: var(--st-background-color); color: var(--st-text-color);
  font-family: system-ui, sans-serif; margin: 1rem 2rem; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
{css}
</style></head><body>
<h1>{title}</h1>
<p>{intro}</p>
<div id="here"></div>
<script>
// The state that the file was saved with, unless its address names another.
const {{ state }} = document.documentElement.dataset
if (state && !location.hash) location.replace(`#${{state}}`)
</script>
<script type="importmap">{modules}</script>
<script type="module">
import draw from "{entry}"
let data = {data}
{script}
draw({{ parentElement: document.getElementById("here"), data }})
</script></body></html>
"""
