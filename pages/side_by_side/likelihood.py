"""Likelihood bench: every model that knows or bounds log p(x), on one axis."""

from __future__ import annotations

import streamlit as st

from genlib.evaluate.bench import LIKELIHOODS
from genlib.store.checkpoint import Info
from genlib.ui.kit import guard, likelihoods, pickers
from genlib.ui.kit.dot_plot import dot_plot
from genlib.ui.kit.jobs import polled, within_limits
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first
from genlib.ui.side_by_side.lessons import LIKELIHOOD

SIZES = (100, 200, 500, 1000, 2000, 5000, 10_000)

header(
    "Likelihood bench",
    "How probable are digits that a model has never seen? **Only numbers in the same panel can be "
    "compared**.",
    r"-\log p(x) \;\le\; -\log \tfrac1k \sum_{i=1}^k \frac{p(x, z_i)}{q(z_i|x)} "
    r"\;\le\; -\mathrm{ELBO}(x), \qquad "
    r"-\log p(v) = F(v) + \log Z, \qquad -\log p(x) = -\sum_i \log p(x_i | x_{<i})",
    "Slides “Generative taxonomy”; lecture text “Autoencoders to GANs”. Bounds: in expectation.",
    LIKELIHOOD,
)
infos = likelihoods.contenders()
if not infos:
    pickers.no_model("Bounds")
names = {info.name: info for info in infos}

controls, picture = stage()
sets = sorted({likelihoods.images_of(info) for info in infos}, key=lambda n: (n != "mnist", n))
chosen_set = sets[0]
with controls:
    if len(sets) > 1:
        why = "Models of different datasets can't be compared."
        chosen_set = pickers.choose("Test images", sets, "likelihood.data", why, wrap=True)
    shown = [info for info in infos if likelihoods.images_of(info) == chosen_set]
    name = st.selectbox(
        "Model", [i.name for i in shown], key="likelihood.model", bind="query-params"
    )
    chosen = names.get(str(name), shown[0])
    metrics = likelihoods.able(chosen)
    metric = st.selectbox(
        "Number",
        metrics,
        key="likelihood.metric",
        bind="query-params",
        format_func=likelihoods.shown,
        help="Exact, an estimate, or a bound: see “How to read it”.",
    )
    n = st.select_slider(
        "Test images",
        SIZES,
        500,
        key="likelihood.n",
        bind="query-params",
        help="How many test images are drawn at random. Four times as many halve the standard "
        "error.",
    )


def measure(info: Info, metric: str, n: int) -> None:
    """Start to measure, unless the visitor has too much under way."""
    within_limits(lambda: likelihoods.start(info, metric, n, guard.visitor()))


def running() -> list:
    """The measurements under way, of any visitor."""
    found = [
        likelihoods.newest(info, metric) for info in infos for metric in likelihoods.able(info)
    ]
    return [job for job in found if job is not None and job.busy]


def progress() -> bool:
    """How far it is, and a way to end it; returns whether anything is measured."""
    busy = running()
    for job in busy:
        with st.container(horizontal=True, vertical_alignment="center"):
            _, path, _, metric = job.name.rsplit(" ", 3)
            waiting = job.state == "waiting"
            said = "waiting for a free core" if waiting else job.text or "starting"
            st.progress(job.share, f"{metric} of {plain(path.rsplit('/', 1)[-1])}: {said}")
            st.button(
                "Cancel",
                key=f"likelihood.cancel.{job.name}",
                on_click=job.cancel,
                icon=":material/close:",
            )
    return bool(busy)


def bench() -> bool:
    """The button, what it found, and what is under way; returns whether anything is."""
    asked = str(metric or metrics[0])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Measure here",
            icon=":material/speed:",
            type="primary",
            key="likelihood.go",
            on_click=measure,
            args=(chosen, asked, int(n)),
            disabled=any(job.busy for job in running()),
            help="Runs in the background, one at a time.",
        )
        st.markdown(likelihoods.sentence(chosen, asked))
    return progress()


def panel(pixels: str) -> None:
    """The chart of the numbers of one kind of pixels, if there are any."""
    points = likelihoods.points(rows, pixels, chosen_set == "mnist")
    if points:
        st.subheader(likelihoods.PANELS[pixels].title)
        st.caption(likelihoods.PANELS[pixels].text)
        dot_plot(points, "nats per image; less is better")


rows = likelihoods.rows_of(shown)
first, *others = likelihoods.PANELS
with picture, st.container(key="tall"):
    polled("likelihood.polling", bench)
    panel(first)
    if not rows:
        st.info(
            "No checkpoint has a measured likelihood yet. Choose a model and measure it.",
            icon=":material/info:",
        )
stage_first()
for info in shown:
    for able in likelihoods.able(info):
        job = likelihoods.newest(info, able)
        if job is not None and job.state == "failed":
            st.warning(plain(f"{info.name}, {able}: {job.error}"), icon=":material/warning:")
for pixels in others:
    panel(pixels)

with st.expander("Table", icon=":material/table:", expanded=bool(rows)):
    st.dataframe(
        [
            {
                "Model": r.model,
                "Number": LIKELIHOODS[r.metric].name,
                "Nats": round(r.value, 2),
                "± standard error": round(r.stderr, 2),
                "Images": r.n,
                "Pixels": r.pixels,
                "From": r.origin,
                "Data": r.data,
            }
            for r in sorted(rows, key=lambda r: (list(likelihoods.PANELS).index(r.pixels), r.value))
        ],
        hide_index=True,
    )
    pickers.download(
        "Table (CSV)",
        likelihoods.as_csv(rows),
        "likelihoods.csv",
        "All numbers and the published ones with their sources.",
        key="likelihood.csv",
    )

with how_to_read():
    st.markdown(
        "- Each number is −log p(x) in nats per image: exact, an estimate, or a bound. Those in "
        "one panel are of the same pixels.\n"
        "- **Left is better**: a model that gives unseen digits more probability needs fewer nats. "
        "One nat is a factor of 2.7 for *each image*.\n"
        "- **Error bars** are two standard errors over test images; for annealing, of log Z too.\n"
        "- A **bound** (triangle) says that the true number is there or further left. Most of the "
        "gap between −ELBO and 200 samples is due to the VAE's approximate posterior.\n"
        "- **Annealed importance sampling** estimates log Z of Boltzmann machines. If a run is too "
        "short, log Z comes out too small and the model looks too good.\n"
        "- **GANs and autoencoders are missing**: they have no likelihood.\n"
        "- **Open** circles, squares and triangles were measured here, full ones when the model "
        "was trained. Open diamonds are published numbers."
    )
