"""RBM and DBN: watch a Gibbs chain, look at the weights, measure log p, compare ways to train."""

import streamlit as st

from genlib.ui.boltzmann.lessons import RBM
from genlib.ui.boltzmann.rbm import chain, measure, race
from genlib.ui.kit.pickers import choose, pick_model
from genlib.ui.kit.stage import header, how_to_read, stage

header(
    "RBM and DBN",
    "Pixels and hidden units switch each other on and off in turn. This chain draws what the model "
    "has learned.",
    r"p(v, h) = \frac{e^{a v + b h + v W h}}{Z}, \qquad "
    r"F(v) = -a v - \sum_j \log\left(1 + e^{b_j + (v W)_j}\right), \qquad "
    r"\frac{\partial \log p(v)}{\partial W} = \langle v h \rangle_{\text{data}} "
    r"- \langle v h \rangle_{\text{model}}",
    "p(v) = exp(−F(v)) / Z. Slides “Generative taxonomy”; Hinton 2002; Hinton, Osindero & Teh "
    "2006; Tieleman 2008; Salakhutdinov & Murray 2008",
    RBM,
)

VIEWS = {
    "Chain": chain.chain,
    "Weights": chain.weights,
    "Log-likelihood": measure.likelihood,
}
RACE = "Ways to train"
controls, picture = stage()
with controls:
    view = choose("View", [*VIEWS, RACE], "rbm.view", hidden=True, wrap=True)
    if view != RACE:
        info = pick_model(
            "Stacked",
            key="rbm.model",
            default="rbm-500",
            help="Restricted Boltzmann machines and deep belief networks.",
        )
if view == RACE:
    race.training(controls, picture)
else:
    VIEWS[view](info, controls, picture)

HOW_TO_READ = {
    "Chain": "A restricted Boltzmann machine has visible units v, the pixels, and hidden units h, "
    "each 0 or 1. Pairs that like to be on together lower the energy. There are no connections "
    "inside a layer, so all hidden units can be drawn at once, and then all pixels. A deep belief "
    "network puts one such pair on top of another.\n\n"
    "Each step draws all hidden units from the pixels and all pixels from the hidden units. F "
    "falls while the image gets more likely, then wanders at the height of the orange band, "
    "where test digits lie. Log p differs from −F only by log Z, the same for all images. "
    "**Mixing** is slow: a barrier of high F lies between two kinds of digit.",
    "Weights": "Each unit looks for ink where it is red and for paper where it is blue. Hardly any "
    "unit looks like a whole digit: a digit is the sum of many.",
    "Log-likelihood": "F is easy, log Z is not: it sums over 2⁷⁸⁴ images. Annealed importance "
    "sampling walks chains from independent pixels, whose log Z is known, to the model, in small "
    "steps of temperature. Its mean weight is Z without bias, so log Z tends to come out too "
    "low, and the model too good. Look at the spread of the weights.",
    "Ways to train": "Bars and stripes on 4×4 pixels: 30 images out of 65,536, so that log p is "
    "known exactly at every step. The gradient needs samples of the model. **CD-k** makes k Gibbs "
    "steps from the data, too few to get away from it: modes elsewhere are never seen and never "
    "pushed down. **PCD** lets its chains go on from step to step; they must be able to follow, "
    "so the learning rate must be small. The **general machine** also couples pixels with pixels: "
    "it learns in fewer steps and with fewer units, but its units must be drawn one after another, "
    "22 small steps for each sweep where the RBM needs two large ones. That is what the "
    "restriction buys.",
}
with how_to_read():
    st.markdown(HOW_TO_READ[view])
