"""Few labels: label a handful of digits on a map without colours; a classifier does the rest."""

import streamlit as st

from genlib.ui.components.decoder_store import store
from genlib.ui.components.few_labels import few_labels
from genlib.ui.foundations.few_labels import data, panels, state
from genlib.ui.foundations.lessons.shipped import FEW_LABELS
from genlib.ui.kit import loading, standalone
from genlib.ui.kit.pickers import no_model
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first

KEY = "few.map"

header(
    panels.TITLE,
    "A model has sorted thousands of digits without being told what any of them is. **Label a "
    "handful**, and see how far that goes.",
    r"F = (1 - \alpha)\,(I - \alpha S)^{-1} Y, \qquad S = D^{-1/2} W D^{-1/2}, \qquad "
    r"p(y \mid x) = \frac{p(x \mid y)\, p(y)}{\sum_{y'} p(x \mid y')\, p(y')}",
    "Label spreading: Zhou et al. 2003, with W joining each digit to its 7 nearest and α = 0.9. "
    "Few labels with a VAE: Kingma et al. 2014, arXiv:1406.5298. Slides “Generative taxonomy”",
    FEW_LABELS,
)

if not loading.checkpoints("Encodes"):
    no_model("Encodes")


@st.fragment
def live() -> None:
    """The map with its controls, and what the labels are worth."""
    controls, picture = stage()
    with controls:
        choice = panels.pick()
    some = data.task(choice.info)
    pictures = f"pictures:{some.name}"
    store(pictures, data.pictures_message(pictures, some.pictures))
    held = state.current(KEY, some)
    labels = state.labels(held.pairs, some)
    found = panels.guess(choice, labels)
    made = panels.suggest(choice, labels, found)
    why = panels.reason(some, made) if made else "Every digit has a label."
    shown = panels.field(choice, some, found, pictures)
    with picture:
        few_labels(
            KEY,
            shown,
            given=list(zip(labels.rows.tolist(), labels.y.tolist(), strict=True)),
            revision=held.revision,
            score=panels.score(some, found, labels),
            suggested=made.row if made else -1,
            why=why,
            oracle=choice.oracle,
        )
    if choice.in_browser:  # it is large, and nothing needs it before the first click
        message = data.material_message(choice.info, choice.features, choice.classifier)
        store(shown.material, message)
    with controls:
        panels.below_controls(KEY, choice, some, held, why)
    stage_first()
    panels.table(choice, some, labels)
    panels.curve(choice)
    standalone.offer(lambda: panels.as_file(choice, shown, labels), "few-labels.html")


live()

with how_to_read():
    st.markdown(
        "The map shows 2,000 test digits. A strong colour is a certain guess, a pale one is not; "
        "the large digits are the ones that you have labelled. The accuracy is measured on up to "
        "8,000 **other** test digits, which are not on the map. The autoencoders, the principal "
        "components and the mixture were fitted to training images alone, without labels. That is "
        "what **semi-supervised** means: a lot of data, few labels. One exception: if a model was "
        "trained on some of the classes, such as ae-slides-2d, labels chose its images."
    )
