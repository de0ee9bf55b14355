"""The form of a new run: family, dataset, recipe, settings, start.

Its settings draw themselves: one widget per setting, with its bounds, help and place in the link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.data import datasets
from genlib.environment import LimitError
from genlib.explore.architecture import diagram, drawable
from genlib.models import FAMILIES, Model
from genlib.models.capabilities import capabilities
from genlib.runs import queue
from genlib.runs.directory import RunSpec
from genlib.runs.launch import HERE, chosen
from genlib.runs.launchers import here, spare
from genlib.settings import Spec, TrainSettings
from genlib.store.recipes import RECIPES, Recipe
from genlib.training import loop
from genlib.ui.components.architecture import architecture
from genlib.ui.kit import guard, loading, rights, server
from genlib.ui.kit.plain import note_of, plain
from genlib.ui.train.actions import WATCHED
from genlib.ui.train.dataset import choose_brought, own_pictures, ready, strip

FROM_DATA = ("channels", "image_size", "n_classes")  # settings that follow from the dataset
MAIN = ("epochs", "batch_size", "lr", "schedule")  # of training; the others are folded away
OWN = "own settings"
LABELS = {"lr": "Learning rate", "init_std": "Std of the initial weights", "kl": "KL"}
PLACEHOLDERS = {"classes": "all classes", "hidden": "none"}
COLUMN = 130  # least width of a widget in CSS pixels; narrower windows get fewer columns


def model_specs(family: type[Model]) -> list[Spec]:
    """The settings of a family that a person chooses."""
    return [spec for spec in family.Config.specs() if spec.name not in FROM_DATA]


def new_run(controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """Draw the form, next to it the images to learn from and the button that starts the run."""
    if not rights.may_change():
        with picture:
            rights.note()
        return
    with controls:
        family, dataset, recipe = _choose()
        _warm()
    own_pictures()
    with picture:
        known = ready(dataset)
    if not known:
        return
    data = loading.dataset(dataset)
    with controls:
        model, train = _settings(family)
    errors = [*model.errors, *train.errors]
    errors = errors or _check(family, data, model.values, train.values)
    with picture:
        _start_button(errors)
        for error in errors:
            st.error(plain(f"{error}."), icon=":material/error:")
        if not errors:
            st.caption(_size(data, train.values))
        has_diagram = drawable(capabilities(family.family))
        if has_diagram and not errors:
            _show_architecture(family, data, model.values)
    with st.container() if has_diagram else picture:  # two pictures are too tall for the stage
        strip(data)
        if data.note:
            st.caption(f":material/info: {note_of(data)}")
        if "mnist" not in datasets.available():
            _offer_mnist()
        if recipe in RECIPES:
            st.caption(f":material/menu_book: {RECIPES[recipe].text}")


@st.fragment(run_every=spare.BEAT_S)
def _warm() -> None:
    """While the form is open, a process waits for its run, if the next one could start at once."""
    if server.serving() and chosen() == HERE and queue.working() < queue.max_runs():
        here.warm()


def _settings(family: type[Model]) -> tuple[Filled, Filled]:
    """The settings of the model and those of its training."""
    key = f"train.{family.family}"
    st.markdown(f"**{family.title}**", help=f"Source: {family.source}." if family.source else None)
    model = fill(model_specs(family), key, {})
    st.markdown("**Training**")
    specs = TrainSettings.specs()
    main = fill([s for s in specs if s.name in MAIN], key, family.defaults)
    with st.expander("More training settings", icon=":material/tune:"):
        rest = fill([s for s in specs if s.name not in MAIN], key, family.defaults)
    values = {**family.defaults, **main.values, **rest.values}
    return model, Filled(values, [*main.errors, *rest.errors])


def _show_architecture(
    family: type[Model], data: datasets.Dataset, values: Mapping[str, object]
) -> None:
    """The block diagram of what these settings build."""
    drawn = diagram(loop.outline(family.family, values, data))
    st.markdown(f"**What these settings build**: {drawn.parameters:,} parameters")
    architecture("train.architecture", drawn)


def _offer_mnist() -> None:
    """Offer to download MNIST, which is not on this machine."""
    if not st.button("Download MNIST", icon=":material/download:", key="train.download"):
        return
    text = "Downloading MNIST (11 MB) …"
    bar = st.progress(0.0, text)

    def show(share: float) -> None:
        bar.progress(share, text)

    try:
        datasets.download_mnist(show)
    except (ValueError, OSError) as error:  # no network, no room
        bar.empty()
        st.error(plain(str(error)), icon=":material/cloud_off:")
        return
    st.rerun()


def _choose() -> tuple[type[Model], str, str]:
    family = st.selectbox(
        "Family",
        list(FAMILIES),
        format_func=lambda name: FAMILIES[name].title,
        key="train.family",
        bind="query-params",
        help="The kind of model. Each is one file in genlib/models.",
    )
    cls = FAMILIES[family or next(iter(FAMILIES))]
    choose_brought()
    known = datasets.available()
    if st.session_state.get("train.dataset") not in (None, *known):
        del st.session_state["train.dataset"]  # removed meanwhile
    dataset = st.selectbox(
        "Dataset", known, key="train.dataset", bind="query-params", help="The images to learn from."
    )
    fitting = [name for name, r in RECIPES.items() if r.family == cls.family]
    key = f"train.{cls.family}.recipe"
    recipe = st.selectbox(
        "Recipe",
        [OWN, *fitting],
        format_func=lambda name: name if name == OWN else f"{name}: {_short(RECIPES[name])}",
        key=key,
        help="Fills the form with the settings of a lecture text or a shipped model.",
        on_change=_take_recipe,
        args=(cls, key),
    )
    return cls, dataset or known[0], recipe or OWN


def _short(recipe: Recipe) -> str:
    return recipe.text.split(":")[0].rstrip(".")


def _take_recipe(family: type[Model], key: str) -> None:
    """Put a recipe's settings into the form, or the defaults."""
    recipe = RECIPES.get(st.session_state[key])
    model = {} if recipe is None else recipe.model
    train = {} if recipe is None else recipe.train
    stem = f"train.{family.family}"
    if recipe is not None and recipe.dataset in datasets.available():
        st.session_state["train.dataset"] = recipe.dataset
    apply(model_specs(family), stem, model)
    apply(TrainSettings.specs(), stem, {**family.defaults, **train})


def _check(
    family: type[Model],
    data: datasets.Dataset,
    model: Mapping[str, object],
    train: Mapping[str, object],
) -> list[str]:
    """Sentences for settings that are fine one by one and impossible together."""
    try:
        loop.check(family.family, model, data, TrainSettings.from_dict(train))
    except ValueError as error:
        return [str(error)]
    return []


def _spec(
    family: type[Model],
    dataset: str,
    recipe: str,
    model: Mapping[str, object],
    train: Mapping[str, object],
) -> RunSpec:
    made = RECIPES.get(recipe)
    named = ""
    if made is not None:  # still what the recipe says? A changed field makes it one's own.
        # A list equals no tuple: compare what the form would show.
        chosen = {**model, **train}
        texts = {spec.name: spec for spec in [*model_specs(family), *TrainSettings.specs()]}
        same = all(
            as_shown(texts[name], chosen[name]) == as_shown(texts[name], value)
            for name, value in {**made.model, **made.train}.items()
        )
        named = recipe if same and dataset == made.dataset else ""
    return RunSpec(family.family, dataset, dict(model), dict(train), recipe=named)


def _start_button(errors: list[str]) -> None:
    waiting = len([run for run in queue.listing() if run.alive or run.state == "queued"])
    room = max(0, queue.max_runs() - waiting)
    st.button(
        "Start training" if room else f"Queue, place {waiting - queue.max_runs() + 1}",
        type="primary",
        icon=":material/play_arrow:",
        key="train.start",
        disabled=bool(errors),
        help=plain(errors[0])
        if errors
        else "Training runs in the background: you can close this page and come back."
        if room
        else "Another run is training. This one starts automatically when its turn comes.",
        on_click=_start,
    )


def _asked_for() -> RunSpec:
    """What the form holds now; raises ValueError for what can't be trained."""
    family = FAMILIES[st.session_state["train.family"]]
    key, dataset = f"train.{family.family}", str(st.session_state["train.dataset"])
    model = held(model_specs(family), key, {})
    train = held(TrainSettings.specs(), key, family.defaults)
    errors = [*model.errors, *train.errors]
    errors = errors or _check(family, loading.dataset(dataset), model.values, train.values)
    if errors:
        raise ValueError(errors[0])
    recipe = str(st.session_state.get(f"{key}.recipe", OWN))
    return _spec(family, dataset, recipe, model.values, train.values)


@rights.needed
def _start() -> None:
    try:
        spec = _asked_for()
    except ValueError as error:
        rights.say(f"{error}.")
        return
    try:  # of a double click, the second one shows what the first one started
        run = queue.at_work_on(spec) or queue.start(spec, guard.owner())
    except LimitError as error:
        rights.say(str(error))
        return
    st.session_state["train.show"] = "Watch"
    st.session_state[WATCHED] = run.id


def _size(data: datasets.Dataset, train: Mapping[str, object]) -> str:
    settings = TrainSettings.from_dict(train)
    images = len(data.only(settings.classes).first(settings.limit).train_x)
    steps = len(datasets.batch_sizes(images, settings.batch_size))
    return (
        f"{images:,} training images, {steps:,} steps per epoch, "
        f"{steps * settings.epochs:,} steps in total."
    )


# ----------------------------------------------------------------------------- a widget per setting


@dataclass
class Filled:
    """What a form holds now: the values by name, and a sentence for each that cannot be used."""

    values: dict[str, object] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def label(name: str) -> str:
    """A setting's name as a person reads it."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def fill(specs: Iterable[Spec], key: str, defaults: Mapping[str, object]) -> Filled:
    """Draw the form; ``defaults`` go before the settings' own. Widgets are keyed ``key.name``."""
    filled = Filled()
    with st.grid(min_column_width=COLUMN, gap="small"):
        for spec in specs:
            given = WIDGETS[spec.kind](spec, f"{key}.{spec.name}", defaults.get(spec.name))
            try:
                filled.values[spec.name] = read(spec, given)
            except ValueError as error:
                filled.errors.append(str(error))
    return filled


def held(specs: Iterable[Spec], key: str, defaults: Mapping[str, object]) -> Filled:
    """What the widgets of ``fill`` hold at this moment, drawn or not; for callbacks.

    What was bound to a button when it was drawn is older: a number typed just before the click
    arrives together with it.
    """
    filled = Filled()
    for spec in specs:
        shown = _default(spec, defaults.get(spec.name))
        try:
            given = st.session_state.get(f"{key}.{spec.name}", shown)
            filled.values[spec.name] = read(spec, given)
        except ValueError as error:
            filled.errors.append(str(error))
    return filled


def apply(specs: Iterable[Spec], key: str, values: Mapping[str, object]) -> None:
    """Put values into the form's widgets; names that are missing go back to the default.

    For callbacks, which run before the widgets are drawn.
    """
    for spec in specs:
        value = values.get(spec.name, spec.default)
        st.session_state[f"{key}.{spec.name}"] = as_shown(spec, value)


def read(spec: Spec, given: object) -> object:
    """A widget's value as plain JSON; raises ValueError for what the setting does not allow."""
    if spec.kind is tuple:
        parsed = spec.parse(str(given or ""))
        return list(parsed) if isinstance(parsed, tuple) else parsed
    if spec.kind is str and not spec.choices:
        return str(given or "").strip()
    return spec.check(given)


def as_shown(spec: Spec, value: object) -> object:
    """A setting's value as its widget holds it: tuples as text, "500, 300"."""
    if spec.kind is tuple and isinstance(value, tuple | list):
        return ", ".join(str(item) for item in value)
    return float(str(value)) if spec.kind is float else value


def _help(spec: Spec) -> str:
    limits = "" if spec.low is None and spec.high is None else f" Allowed: {spec.range_text()}."
    return f"{spec.help}{limits} On the command line: `--set {spec.name}=…`"


def _default(spec: Spec, given: object) -> object:
    return as_shown(spec, spec.default if given is None else given)


def _int(spec: Spec, key: str, given: object) -> object:
    return st.number_input(
        label(spec.name),
        None if spec.low is None else int(spec.low),
        None if spec.high is None else int(spec.high),
        int(str(_default(spec, given))),
        1,
        key=key,
        help=_help(spec),
        bind="query-params",
    )


def _float(spec: Spec, key: str, given: object) -> object:
    value = float(str(_default(spec, given)))
    return st.number_input(
        label(spec.name),
        spec.low,
        spec.high,
        value,
        0.05 if value >= 0.05 else value / 10 or 1e-4,
        format="%g",
        key=key,
        help=_help(spec),
        bind="query-params",
    )


def _str(spec: Spec, key: str, given: object) -> object:
    value = str(_default(spec, given))
    if not spec.choices:
        return _text(spec, key, value)
    return st.selectbox(
        label(spec.name),
        spec.choices,
        spec.choices.index(value),
        format_func=lambda choice: choice.replace("_", " "),
        key=key,
        help=_help(spec),
        bind="query-params",
    )


def _bool(spec: Spec, key: str, given: object) -> object:
    value = bool(_default(spec, given))
    return st.toggle(label(spec.name), value, key=key, help=_help(spec), bind="query-params")


def _tuple(spec: Spec, key: str, given: object) -> object:
    return _text(spec, key, str(_default(spec, given)))


def _text(spec: Spec, key: str, value: str) -> object:
    return st.text_input(
        label(spec.name),
        value,
        key=key,
        help=_help(spec),
        placeholder=PLACEHOLDERS.get(spec.name, ""),
        bind="query-params",
    )


WIDGETS: dict[type, Callable[[Spec, str, object], object]] = {
    int: _int,
    float: _float,
    str: _str,
    bool: _bool,
    tuple: _tuple,
}
