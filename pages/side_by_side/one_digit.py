"""One digit, every model: what each of them says of the same image."""

from __future__ import annotations

import streamlit as st

from genlib import background
from genlib.ui.kit import guard, loading, pickers
from genlib.ui.kit.jobs import polled, within_limits
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first
from genlib.ui.side_by_side.lessons import ONE_DIGIT
from genlib.ui.side_by_side.one_digit import data, view

POLL = 1.0  # seconds

header(
    "One digit, every model",
    "All models look at the same image. The bars show **how strange it is to each, compared with "
    "500 real test digits**.",
    r"\text{strangeness}(x) = P_{x' \sim \text{test digits}}\,[\,E(x') < E(x)\,], \qquad "
    r"\text{saliency}_i = \Big|\frac{\partial\, \text{logit}_c(x)}{\partial x_i}\Big|",
    "Energies: lecture text “Autoencoders to GANs”. Likelihoods: slides “Generative taxonomy”. "
    "Saliency: Simonyan, Vedaldi & Zisserman 2013.",
    ONE_DIGIT,
)
digits = loading.dataset()
infos = data.models_for(digits.shape)
if not infos:
    pickers.no_model("HasEnergy")
real = data.real_digits(infos)

controls, picture = stage()
below = st.empty()  # the cards follow the slider as well
with controls:
    digit = view.pick(digits)


def live() -> bool:
    """The change, who notices, all models; returns whether real digits are still measured."""
    measuring = real.busy
    x = view.change(digit, digits)
    known = real.result if isinstance(real.result, dict) else {}
    found = data.dossiers([i for i in infos if loading.exists(i)], x, known)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        view.seen(x)
        with st.container():
            verdict(found)
    view.show_ranking(found)
    stage_first()
    with below.container():
        cards(found)
    return measuring


def cards(found: list[data.Dossier]) -> None:
    """One card for each model, and how long they took."""
    view.show_cards(found)
    total = 1000 * sum(d.seconds for d in found)
    slowest = max(found, key=lambda d: d.seconds, default=None)
    if slowest is not None:
        st.caption(
            f"{len(found)} models in {total:.0f} ms; the slowest is {plain(slowest.name)} with "
            f"{1000 * slowest.seconds:.0f} ms."
        )


def verdict(found: list[data.Dossier]) -> None:
    """How many models find the digit strange, and how far real digits are measured."""
    st.markdown("**Who finds it strange?** Share of real test digits that are less strange")
    if real.busy:
        st.progress(real.share, f"Measuring {data.N_REAL} real digits: {plain(real.text)}")
    if real.state == "failed":
        st.warning(
            f"Real digits couldn't be ranked. {plain(real.error)}", icon=":material/warning:"
        )
        if st.button("Measure again", key="one_digit.again", icon=":material/refresh:"):
            within_limits(lambda: background.restart(real.name, real.work, owner=guard.visitor()))
            st.rerun()
    caught = view.noticing(found)
    judged = [d for d in found if d.said and d.said[0].strange is not None]
    if judged:
        st.markdown(
            f"**{len(caught)} of {len(judged)}** notice: to them the image is stranger than "
            f"{view.ALARM:.0%} of real digits."
        )


with picture:
    polled("one_digit.polling", live, every=POLL, busy=real.busy)

with how_to_read():
    st.markdown(
        "- **Bars** are ranks among real digits, so they can be compared. The numbers on the cards "
        "are in each model's own unit and can't be compared. An orange bar is above 95%.\n"
        "- **Black and white**: to models of binary pixels, pixels above one half are ink and all "
        "others paper, in this image and in the real digits.\n"
        "- **Nats per pixel** (PixelCNN, PixelRNN): bright pixels surprised the model, given all "
        "pixels above and to the left.\n"
        "- **Saliency**: bright pixels are those where a small change moves the class score most.\n"
        "- **Up to log Z**: an RBM knows its probabilities only up to a constant. Ranks don't need "
        "it.\n"
        "- **Density**: grey pixels as real numbers. It may be above 1, and its nats can't be "
        "compared with those of black and white images."
    )
