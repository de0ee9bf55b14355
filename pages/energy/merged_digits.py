"""Energy of merged digits: which model notices that an image isn't a digit?"""

from __future__ import annotations

import streamlit as st

from genlib.evaluate import energy
from genlib.plots.energy import auc_figure, roc_figure
from genlib.store.checkpoint import Info
from genlib.ui.components import digit_picker
from genlib.ui.components.merged_digits import merged_digits
from genlib.ui.energy import merged_digits as energy_view
from genlib.ui.kit import loading, pickers
from genlib.ui.kit.columns import side_by_side
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header

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

header(
    "Energy of merged digits",
    "An autoencoder has seen only digits. Two digits merged into one are garbage, and a good "
    "energy is **high** on garbage: a model that still reconstructs it well has learned to copy "
    "pixels, not to know digits.",
    r"F(x) = \lVert x - \mathrm{Dec}(\mathrm{Enc}(x)) \rVert^2, \qquad "
    r"x = (1 - \alpha)\, a + \alpha\, b, \qquad "
    r"\mathrm{AUC} = P\,[F(\text{merge}) > F(\text{digit})]",
    "Lecture text “Autoencoders to GANs”, figure 8. The AUC's standard error is DeLong's (1988).",
)

data = loading.dataset()
row = st.container(horizontal=True, gap="medium")
with row.container(width=360):
    way = pickers.choose(
        "How to merge",
        list(HOWS),
        "merged.how",
        "  \n".join(f"**{name}**: {text}." for name, (_, text) in HOWS.items()),
    )
with row.container(width=460):
    choice = pickers.choose(
        "Energy",
        list(KINDS),
        "merged.energy",
        "**Squared error** between image and reconstruction; paler images have less of it.  \n"
        "**Contrast-invariant**: 1 − correlation of the two, which no change of contrast moves.  \n"
        "**Own**: the model's own energy, such as −ELBO in nats for a VAE.",
    )
chosen = pickers.pick_models(
    "Reconstructs", "HasEnergy", key="merged.models", default=("ae-30", "dae-500", "vae-20")
)
shape = tuple(data.test_x.shape[1:])
models = [m for m in chosen if energy_view.takes(m, shape)]
for odd in [m.name for m in chosen if m not in models]:
    st.warning(f"{plain(odd)} works on images of another size, so it is left out.")
if not models:
    st.info("None of the chosen models takes these digits. Choose another model above.")
    st.stop()
(how, what), kind = HOWS[way], KINDS[choice]


@st.fragment
def theatre(infos: list[Info]) -> None:
    """The two digits and the pair at every alpha; while one draws, only this part reruns."""
    pair = st.container(horizontal=True, gap="medium")
    a = digit_picker.pick_digit(
        "merged.a", "Digit a", pair.container(width=420), data=data, default_class=3, default_nth=1
    )
    b = digit_picker.pick_digit(
        "merged.b", "Digit b", pair.container(width=420), data=data, default_class=4, default_nth=7
    )
    first = energy_view.sweep(infos[0], a.image, b.image, how, kind)
    merged_digits(
        "merged.alpha",
        energy_view.to_bytes(first.x),
        first.alpha.tolist(),
        [energy_view.card(info, a.image, b.image, how, kind) for info in infos],
        names=(energy_view.name(a, "a", data), energy_view.name(b, "b", data)),
        merged_name="merges" if how == "max" else "merges, α = 0.5",
        help=f"Share of b, from 0 to 1. {way}: {what}.",
        fixed="The maximum has no alpha: choose alpha or splice to slide." if how == "max" else "",
    )


theatre(models)

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

with st.expander("How to read this", icon=":material/menu_book:"):
    st.markdown(
        "- **Residual**: red is ink of the merge that the model leaves out, blue is ink it adds.\n"
        "- **Histogram**: energies of real test digits (blue) and of merges of two different "
        "classes (orange); the line is the image above. Where the two overlap, energy cannot "
        "tell.\n"
        "- **Curve**: energy on the way from a to b; 90% of real digits lie in the blue band. It "
        "rises in the middle where a model notices.\n"
        "- **AUC**: the chance that a random merge has more energy than a random digit. 0.5 is "
        "guessing, 1 never errs; **below** 0.5 merges look *more* real than digits.\n"
        "- **Contrast** confounds: half and half is paler than any digit, and pale images have "
        "small squared errors whatever they show. The contrast-invariant energy takes that away."
    )
pickers.try_this(
    [
        "Press **Play**. The denoising autoencoder's curve leaves the band in the middle; the "
        "30-unit autoencoder's hardly does: it copies merges as well as digits.",
        "Switch to **Contrast-invariant**. How much of the plain autoencoder's blindness was only "
        "the paleness of the merge?",
        "Choose **Splice** with two digits that share a top, such as 4 and 9. Is the result "
        "garbage at all?",
    ]
)
