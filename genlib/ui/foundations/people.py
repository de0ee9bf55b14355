"""What both pages about height and weight show: the people, and where their numbers come from."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from genlib.data.adults import COUNT, MEASURED, adults
from genlib.ui.kit import standalone
from genlib.ui.kit.stage import STAGE
from genlib.ui.kit.web import component


def show(name: str, title: str, intro: str, more: Mapping[str, object] | None = None) -> None:
    """The component of web/<name> as the page's stage, and the same as one file below.

    title, intro: plain text at the top of the file. more: JSON values that the component gets next
    to the adults.
    """
    data = {"adults": adults().tolist(), **(more or {})}
    with st.container(key=STAGE), st.container(key=name):
        component(name)(key=f"{name}.lab", data=data)
    standalone.offer(
        lambda: standalone.page(name, title, intro, data), f"{name.replace('_', '-')}.html"
    )


def where_from() -> None:
    """What was measured, by whom, and what is generated."""
    rows = "\n".join(
        f"| {g.name} | {g.people} | {g.height} | {g.height_sd} | {g.weight} | {g.weight_sd} | "
        f"{g.correlation} |"
        for g in MEASURED
    )
    st.markdown(
        f"The {COUNT:,} adults don't exist. Each is drawn from one of two Gaussians, with means, "
        "standard deviations and correlation as computed from the data file of Heinz, Peterson, "
        "Johnson and Kerr 2003, “Exploring Relationships in Body Dimensions”, *Journal of "
        "Statistics Education* 11(2), "
        "[doi:10.1080/10691898.2003.11910711](https://doi.org/10.1080/10691898.2003.11910711): "
        "507 physically active people in California. We computed them from the paper's data as R's "
        "package openintro carries them (`bdims`).\n\n"
        "| | people | height, cm | SD | weight, kg | SD | correlation |\n"
        "|---|--:|--:|--:|--:|--:|--:|\n" + rows + "\n\n"
        "National surveys find heavier people. Real weights are skewed to the right, and a "
        "Gaussian isn't."
    )
