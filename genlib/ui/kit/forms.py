"""A form drawn from Settings: one widget a setting, with its bounds, help and place in the link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from genlib.settings import Spec

LABELS = {"lr": "Learning rate", "init_std": "Initial weights' deviation", "kl": "KL"}
PLACEHOLDERS = {"classes": "all classes", "hidden": "none"}
COLUMN = 130  # least width of a widget in CSS pixels; narrower windows get fewer columns


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
