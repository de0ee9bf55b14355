"""What surrounds the map of the Few labels page: controls, the suggestion, the table, the curve."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from plotly.graph_objects import Figure

from genlib import background
from genlib.explore import few_labels
from genlib.explore.few_labels import CLASSIFIERS, Band, Guess, Labels, Suggestion
from genlib.plots.curves import Line, accuracy_curves
from genlib.store.checkpoint import Info
from genlib.ui.components.few_labels import LabelMap, packet
from genlib.ui.foundations.few_labels import data, methods, state
from genlib.ui.foundations.few_labels.data import FEATURES, Task
from genlib.ui.foundations.few_labels.state import Given
from genlib.ui.kit import standalone
from genlib.ui.kit.jobs import start_button, watch
from genlib.ui.kit.pickers import choose, download, pick_model
from genlib.ui.kit.plain import plain

WHO = ("You", "The dataset")
RULES = ("Least certain", "Most typical")
AT_ONCE = 10  # labels that the button gives
IN_BROWSER = ("Label spreading", "Nearest neighbour")  # as in learn.js
TITLE = "Few labels"
INTRO = (
    "A model has sorted these digits without being told what any of them is. Click a digit to "
    "label it; a classifier colours the rest, and is measured on digits that are not on the map."
)


@dataclass(frozen=True)
class Setting:
    """What the controls say."""

    info: Info
    features: str
    classifier: str
    oracle: bool
    rule: str

    @property
    def in_browser(self) -> bool:
        """Whether the browser has this classifier too, so that colours follow a click at once."""
        return self.classifier in IN_BROWSER


def pick() -> Setting:
    """Draw the controls and return what they say; stops the page without a model."""
    info = pick_model(
        "Encodes",
        key="few.model",
        default="vae-20",
        help="Its codes are the features, and the map shows them. Its training used no labels, "
        "except to choose classes.",
    )
    features = choose(
        "Features",
        list(FEATURES),
        "few.features",
        "What the classifier sees of a digit: the model's code, as many principal components, or "
        "all pixels. The map stays the same.",
    )
    classifier = st.selectbox(
        "Classifier",
        list(CLASSIFIERS),
        key="few.classifier",
        bind="query-params",
        help="Label spreading also uses the digits without a label: labels flow to near digits. "
        "The others learn from the labelled digits alone.",
    )
    who = choose(
        "Who labels",
        WHO,
        "few.who",
        "You: a click asks you for the class. The dataset: a click gives the true class at once.",
    )
    rule = choose(
        "Next digit to label",
        RULES,
        "few.rule",
        "Least certain: the two likeliest classes are nearly equal. Most typical: many digits are "
        "near it that have no labelled digit nearby.",
    )
    return Setting(info, str(features), str(classifier), who == WHO[1], str(rule))


def guess(choice: Setting, labels: Labels) -> Guess | None:
    """What the classifier makes of the labels; None before the first one."""
    if not len(labels.rows):
        return None
    return CLASSIFIERS[choice.classifier](FEATURES[choice.features](choice.info), labels)


def field(choice: Setting, some: Task, found: Guess | None, pictures: str) -> LabelMap:
    """What the map shows."""
    place, _ = data.positions(choice.info)
    sure = np.zeros(len(some.rows), np.float32) if found is None else found.pool.max(axis=1)
    return LabelMap(
        place,
        some.numbers,
        some.y,
        None if found is None else found.pool.argmax(axis=1),
        sure,
        some.classes,
        space=f"{choice.info.stamp}:{some.name}",
        pictures=pictures,
        material=data.material_name(choice.info, choice.features, choice.classifier)
        if choice.in_browser
        else "",
        classifier=choice.classifier,
    )


def as_file(choice: Setting, shown: LabelMap, labels: Labels) -> str:
    """The map as one HTML file that learns by itself, with the features of the page."""
    of = (choice.info, choice.features, data.NEAREST)  # enough for the other classifier, too
    found = packet(
        replace(shown, material=data.material_name(*of)),
        list(zip(labels.rows.tolist(), labels.y.tolist(), strict=True)),
        revision=0,
        score="",
        suggested=-1,
        why="",
        oracle=choice.oracle,
        alone=True,
    )
    pictures = data.pictures_message(shown.pictures, data.task(choice.info).pictures)
    learnt_from = data.material_message(*of)
    return standalone.packet_page("few_labels", TITLE, INTRO, found, (pictures, learnt_from))


def score(some: Task, found: Guess | None, labels: Labels) -> str:
    """The line above the map: the accuracy on the digits that are not on it."""
    n = len(labels.rows)
    if found is None:
        return "No label yet: click a digit."
    hit = few_labels.accuracy(found.test, some.test_y)
    count = f"{n} label" + ("s" if n > 1 else "")
    return f"{count}: {hit.value:.1%} ± {hit.stderr:.1%} of {hit.n:,} other digits right"


# ------------------------------------------------------------------------- which one comes next


def suggest(choice: Setting, labels: Labels, found: Guess | None) -> Suggestion | None:
    """The digit to label next by the chosen rule; None when all have a label.

    Before two classes have a label nothing is uncertain: then the most typical one.
    """
    pool = data.task(choice.info).rows
    if len(labels.rows) >= len(pool):
        return None
    if choice.rule == RULES[0] and found is not None and len(labels.known) > 1:
        return few_labels.least_certain(found, labels)
    return few_labels.most_typical(FEATURES[choice.features](choice.info), labels)


def reason(some: Task, made: Suggestion) -> str:
    """Why this one, in a sentence or two."""
    if made.first is None or made.second is None:
        return f"{made.closer:,} digits are nearer to it than to any labelled digit."
    (a, pa), (b, pb) = made.first, made.second
    first, second = some.classes[a], some.classes[b]
    return f"No digit is less certain: {first} with {pa:.0%}, {second} with {pb:.0%}."


def label_ten(key: str, choice: Setting) -> None:
    """Give the next ten digits by the rule their true classes; the callback of a button."""
    some, held = data.task(choice.info), st.session_state[f"{key}.held"]
    pairs: state.Pairs = held.pairs
    for _ in range(AT_ONCE):
        labels = state.labels(pairs, some)
        made = suggest(choice, labels, guess(choice, labels))
        if made is None:
            break
        pairs = (*pairs, (int(some.numbers[made.row]), int(some.y[made.row])))
    state.add(key, pairs)


def below_controls(key: str, choice: Setting, some: Task, held: Given, why: str) -> None:
    """The reason for the suggestion, ten labels at once, and the download."""
    st.caption(plain(why))
    st.button(
        f"Label {AT_ONCE} from the dataset, by this rule",
        icon=":material/playlist_add:",
        key="few.ten",
        on_click=label_ten,
        args=(key, choice),
        help="The dataset gives ten digits their true classes, even if you label by hand "
        "otherwise. Undo takes them back at once.",
    )
    download(
        "Labels (CSV)",
        state.as_csv(held.pairs, some),
        "labels.csv",
        "Test image, label and true class of each label.",
        key="few.csv",
        disabled=not held.pairs,
    )
    _, how = data.positions(choice.info)
    st.caption(f":material/map: The map is {how}.")


# ----------------------------------------------------------------------------- the same labels


def table(choice: Setting, some: Task, labels: Labels) -> None:
    """Every method on the labels of the page, best first, and the published numbers."""
    st.subheader("The same labels, other ways", anchor=False)
    if not len(labels.rows):
        st.caption("Label a digit, and all methods learn from it.")
        return
    rows = []
    for method in methods.quick(choice.info, choice.classifier):
        hit = few_labels.accuracy(method.guess(labels).test, some.test_y)
        rows.append((method.name, method.sees, hit.value))
    trained = methods.network_result(choice.info, labels)
    if trained is not None:
        rows.append((methods.network_name(), methods.SUPERVISED, trained))
    rows.sort(key=lambda row: -row[2])
    st.html(_as_html(rows))
    _network(choice, labels)
    errors = methods.PUBLISHED.items()
    numbers = ", ".join(f"{name} {e:.2f} ± {s:.2f}%" for name, (e, s) in errors)
    st.caption(
        f"Published **errors** for {methods.PUBLISHED_LABELS} labels of MNIST, on all 10,000 test "
        f"images: {numbers} ({methods.PUBLISHED_SOURCE}). M1 is a VAE's code with a support vector "
        "machine; M1 + M2 also trains a VAE with the labels. A PixelCNN for each class would be a "
        "further generative classifier; this page trains none."
    )


def _as_html(rows: list[tuple[str, str, float]]) -> str:
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(sees)}</td>"
        f'<td><div style="width:{100 * value:.1f}%"></div></td><td>{value:.1%}</td></tr>'
        for name, sees, value in rows
    )
    return (
        "<style>.few{border-collapse:collapse;width:100%;font-size:.95rem}"
        ".few td,.few th{padding:.25rem .5rem;text-align:left;"
        "border-bottom:1px solid var(--border-color,#8884)}"
        ".few td:nth-child(3){width:26%}.few td:last-child{font-variant-numeric:tabular-nums}"
        ".few div{height:.8rem;background:#0b8a76;border-radius:3px}"
        "@media(max-width:640px){.few td:nth-child(3),.few th:nth-child(3){display:none}}</style>"
        '<table class="few"><tr><th>Method</th><th>Use of unlabelled digits</th>'
        f"<th></th><th>Right</th></tr>{cells}</table>"
    )


def _network(choice: Setting, labels: Labels) -> None:
    if methods.network_info(choice.info) is None or len(labels.known) < 2:
        return
    name, work = methods.network_job(choice.info, labels)
    job = background.find(name)
    if job is not None and job.state == "done":
        return
    start_button(name, "few.network", "Train a network on these labels alone", work)
    if job is not None:
        watch(name, lambda result: None, "")


def curve(choice: Setting) -> None:
    """Accuracy against the number of labels: as shipped, or a background job."""
    st.subheader("How many labels are enough", anchor=False)
    name = methods.curve_name(choice.info, choice.classifier)
    kept = methods.stored(choice.info, choice.classifier)
    if kept is not None:
        return _show_figure(_figure(f"{name} stored", kept, _of_mnist(choice)))
    start_button(
        name, "few.curve", "Compute the curve", methods.curve(choice.info, choice.classifier)
    )
    watch(
        name,
        _show_curve(choice),
        f"Each method learns from {few_labels.DRAWS} random choices of 10 to 1,000 labels, equally "
        "many of each class. The network takes longest, some minutes; you see each method as it "
        "comes.",
    )


def _of_mnist(choice: Setting) -> bool:
    return choice.info.dataset == "mnist" and not choice.info.train.get("classes", "")


def _show_curve(choice: Setting) -> Callable[[object], None]:
    def show(result: object) -> None:
        assert isinstance(result, dict)
        bands = {name: band for name, band in result.items() if isinstance(band, Band)}
        _show_figure(_drawn(bands, _of_mnist(choice)))

    return show


# Drawing it takes longer than the rest of the page, and each click runs this part again.
@st.cache_resource(max_entries=4, show_spinner=False)
def _figure(name: str, _bands: Mapping[str, Band], published: bool) -> Figure:
    return _drawn(_bands, published)


def _drawn(bands: Mapping[str, Band], published: bool) -> Figure:
    lines = {name: Line(b.sizes, b.mean, b.low, b.high) for name, b in bands.items()}
    known = methods.published() if published else {}
    return accuracy_curves(lines, known, methods.PUBLISHED_LABELS)


def _show_figure(figure: Figure) -> None:
    st.plotly_chart(figure, width="stretch", key="few.curve.figure")
    st.caption(
        f"Lines are means over {few_labels.DRAWS} random choices, bands one standard deviation "
        "of the choices. All methods are measured on the same digits, those that are not on the "
        "map. Diamonds are published numbers, with other features, other classifiers and all "
        "10,000 test images."
    )
