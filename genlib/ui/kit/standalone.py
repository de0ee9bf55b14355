"""A component as one HTML file that needs no server and no network.

The file holds the same modules and styles that the app serves, and the component's data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

from genlib.ui.kit.web import import_map, style_sheet


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
    ``data`` is in reach and may be changed.
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


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
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
<script type="importmap">{modules}</script>
<script type="module">
import draw from "{entry}"
const data = {data}
{script}
draw({{ parentElement: document.getElementById("here"), data }})
</script></body></html>
"""
