"""Energy of merged digits: which model notices that an image isn't a digit?"""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from genlib.evaluate import energy
from genlib.plots.energy import auc_figure, roc_figure
from genlib.plots.kernels import MODEL_COLOURS
from genlib.store.checkpoint import Info
from genlib.ui.components import digit_picker
from genlib.ui.components.merged_digits import merged_digits
from genlib.ui.energy import merged_digits as energy_view
from genlib.ui.energy.lessons import MERGED_DIGITS
from genlib.ui.kit import loading, pickers
from genlib.ui.kit.columns import side_by_side
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import (
    header,
    how_to_read,
    stage,
    stage_first,
    wait_for_drawing,
    whole_page,
)

HOWS = {  # on screen and in the link -> (key of the merge, what it does)
    "Alpha": ("alpha", "(1 − α) a + α b: both digits at once, but paler"),
    "Max": ("max", "the brighter of the two pixels: both digits at full contrast"),
    "Splice": ("splice", "the top of a over the bottom of b; α is b's share of the rows"),
}
KINDS = {  # on screen and in the link -> key of the energy
    "Squared error": "squared error",
    "Contrast-invariant": "1 - correlation",
    "Own": energy.OWN,
}


class Settings(NamedTuple):
    """What the charts below the stage follow as well."""

    way: str
    choice: str
    models: list[Info]


header(
    "Energy of merged digits",
    "A good energy is **high** on anything that isn't a digit, such as two digits merged into one.",
    r"F(x) = \lVert x - \mathrm{Dec}(\mathrm{Enc}(x)) \rVert^2, \qquad "
    r"x = (1 - \alpha)\, a + \alpha\, b, \qquad "
    r"\mathrm{AUC} = P\,[F(\text{merge}) > F(\text{digit})]",
    "Lecture text “Autoencoders to GANs”, figure 8. The AUC's standard error is DeLong's (1988).",
    MERGED_DIGITS,
)
data = loading.dataset()


def pick_settings() -> tuple[str, str]:
    """How to merge, and which energy; keys of HOWS and KINDS."""
    way = pickers.choose(
        "How to merge",
        list(HOWS),
        "merged.how",
        "  \n".join(f"**{name}**: {text}." for name, (_, text) in HOWS.items()),
    )
    choice = pickers.choose(
        "Energy",
        list(KINDS),
        "merged.energy",
        "**Squared error** between image and reconstruction, summed over pixels. Paler images "
        "have less of it.  \n"
        "**Contrast-invariant**: 1 − correlation of the two. Contrast doesn't change it.  \n"
        "**Own**: the model's own energy, such as −ELBO in nats for a VAE.",
        wrap=True,
    )
    return way, choice


def pick_models() -> list[Info]:
    """The models that take these digits; without any, the page ends."""
    chosen = pickers.pick_models(
        "Reconstructs", "HasEnergy", key="merged.models", default=("ae-30", "dae-500", "vae-20")
    )
    models = [m for m in chosen if loading.takes(m, data.shape)]
    for odd in [m.name for m in chosen if m not in models]:
        st.warning(f"{plain(odd)} works on other images than these, so it is left out.")
    if not models:
        st.info("None of the chosen models takes these digits. Choose another model above.")
    return models


@st.fragment
def theatre(drawn: list[object]) -> None:
    """The stage. While somebody draws, only this part reruns."""
    controls, picture = stage()
    with controls:
        way, choice = pick_settings()
        a = digit_picker.pick_digit("merged.a", "Digit a", data=data, default_nth=1, waits=True)
        b = digit_picker.pick_digit("merged.b", "Digit b", data=data, default_class=8, waits=True)
        models = pick_models()
    whole_page(Settings(way, choice, models), drawn)
    with picture:
        if a.stand_in or b.stand_in:
            wait_for_drawing()
        elif models:
            show(a, b, way, KINDS[choice], models)


def show(
    a: digit_picker.Digit, b: digit_picker.Digit, way: str, kind: str, models: list[Info]
) -> None:
    """The pair at every alpha, as the models see it."""
    how, what = HOWS[way]
    alpha, x = energy.merges(a.image, b.image, how, energy_view.FRAMES[how])
    merged_digits(
        "merged.alpha",
        energy_view.to_bytes(x),
        alpha.tolist(),
        [
            energy_view.card(info, a.image, b.image, how, kind, colour)
            for info, colour in zip(models, MODEL_COLOURS * len(models), strict=False)
        ],
        names=(energy_view.name(a, "a", data), energy_view.name(b, "b", data)),
        merged_name="merges" if how == "max" else "merges, α = 0.5",
        help=f"Share of b, from 0 to 1. {way}: {what}.",
        fixed="The maximum has no α: choose Alpha or Splice." if how == "max" else "",
    )


drawn: list[object] = []
theatre(drawn)
settings = drawn[0]
assert isinstance(settings, Settings)
models, how, kind = settings.models, HOWS[settings.way][0], KINDS[settings.choice]
if not models:
    st.stop()

stage_first()
hows = [merge for merge, _ in HOWS.values()]
curves = {merge: [energy_view.curve(m, merge, kind) for m in models] for merge in hows}
count = len(energy_view.energies(models[0], kind))
st.subheader(f"Over {count:,} digits and as many merges")
areas, rates = side_by_side(460, 460, gap="small")
areas.markdown("**Who notices which merge?**")
areas.plotly_chart(auc_figure(curves, how), key="merged.aucs")
rates.markdown(f"**ROC for {how}**, AUC ± standard error")
rates.plotly_chart(roc_figure(curves[how]), key="merged.roc")
st.markdown(energy_view.summary(curves[how], how))

with how_to_read():
    st.markdown(
        "- **The idea**: these autoencoders were trained on digits alone. A model that "
        "reconstructs a merge as well as a digit has learned to copy pixels.\n"
        "- **Residual**: reconstruction − merge. Red is ink that the model adds, blue is ink of "
        "the merge that it leaves out.\n"
        "- **Histogram**: energies of real test digits (blue) and of merges of two different "
        "classes (orange). The line marks the image above. Where the two overlap, energy can't "
        "tell them apart.\n"
        "- **Curve**: energy on the way from a to b; 90% of real digits lie in the blue band. It "
        "rises in the middle if the model notices.\n"
        "- **AUC**: the chance that a random merge has more energy than a random digit. 0.5 is "
        "guessing, 1 is perfect. **Below** 0.5, merges look *more* real than digits.\n"
        "- **Contrast** misleads: half and half is paler than any digit, and pale images have "
        "small squared errors whatever they show. The contrast-invariant energy removes that."
    )
