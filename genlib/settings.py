"""Settings: frozen dataclasses whose fields know their default, bounds and help.

``Control`` and ``Event`` are what a training hears and says while it follows its settings.

One description serves three readers: the page draws its form from it, the command line its
``--set field=value``, and ``__post_init__`` refuses bad values with one clear ``ValueError``.

Text from strangers is checked here too: which characters are kept, and how much of it an error
message repeats.
"""

from __future__ import annotations

import math
import re
import reprlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Self, TypeVar, cast, get_type_hints

from genlib import environment

MAX_ITEMS = 16  # of a setting that is a list, such as the widths of layers
Value = int | float | str | bool | tuple[int, ...]
T = TypeVar("T", bound=Value)

KINDS: dict[object, type] = {
    int: int,
    float: float,
    str: str,
    bool: bool,
    tuple[int, ...]: tuple,
}


def setting(
    default: T | Callable[[], T],
    low: float | None = None,
    high: float | None = None,
    help: str = "",
    choices: tuple[str, ...] = (),
) -> T:
    """Declare a dataclass field with bounds (inclusive; for tuples: of each item) and help.

    A function as ``default`` is asked whenever the default is needed.
    """
    meta = {"low": low, "high": high, "help": help, "choices": choices}
    if callable(default):
        return field(default_factory=default, metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Spec:
    """What a form or a command line needs to know of one setting."""

    name: str
    kind: type
    default: Value
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    help: str

    def check(self, value: object) -> Value:
        """Return ``value`` in this setting's type; raise ValueError naming the allowed range."""
        typed = self._typed(value)
        if self.choices and typed not in self.choices:
            raise ValueError(
                f"{self.name} must be one of {', '.join(self.choices)}, got {shown(value)}"
            )
        items = typed if isinstance(typed, tuple) else (typed,)
        for item in items:
            if isinstance(item, str | bool):
                continue
            low = -math.inf if self.low is None else self.low
            high = math.inf if self.high is None else self.high
            if not low <= item <= high:
                raise ValueError(f"{self.name} must be {self.range_text()}, got {shown(item)}")
        return typed

    def parse(self, text: str) -> Value:
        """Read the value from text as a command line or a text field gives it."""
        text = text.strip()
        if self.kind is bool:
            words = {
                "true": True,
                "yes": True,
                "1": True,
                "false": False,
                "no": False,
                "0": False,
            }
            if text.lower() not in words:
                raise ValueError(f"{self.name} must be true or false, got {shown(text)}")
            return words[text.lower()]
        if self.kind is tuple:
            parts = [p for p in text.strip("()[]").replace(" ", ",").split(",") if p]
            return self.check(tuple(self._number(p, int) for p in parts))
        if self.kind is str:
            return self.check(text)
        return self.check(self._number(text, self.kind))

    def range_text(self) -> str:
        """The allowed range in words, for messages and tooltips."""
        low = "" if self.low is None else f"{self.low:g}"
        high = "" if self.high is None else f"{self.high:g}"
        if low and high:
            return f"between {low} and {high}"
        return f"at least {low}" if low else f"at most {high}"

    def _number(self, text: str, kind: type) -> Value:
        try:
            return cast(Value, kind(text))
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            raise ValueError(f"{self.name} must be {what}, got {shown(text)}") from None

    def _typed(self, value: object) -> Value:
        wrong = ValueError(f"{self.name} must be of type {self.kind.__name__}, got {shown(value)}")
        if self.kind is tuple:
            if not isinstance(value, list | tuple):
                raise wrong
            if len(value) > MAX_ITEMS:
                raise ValueError(
                    f"{self.name} must have at most {MAX_ITEMS} numbers, got {len(value):,}"
                )
            if not all(isinstance(v, int) and not isinstance(v, bool) for v in value):
                raise wrong
            return tuple(value)
        if self.kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            if not abs(value) <= sys.float_info.max:  # whole numbers may be larger; nan isn't
                raise ValueError(f"{self.name} must be a finite number, got {shown(value)}")
            return float(value)
        if type(value) is not self.kind:
            raise wrong
        if isinstance(value, str) and not is_fit(value):
            raise ValueError(
                f"{self.name} must be one line of at most {MAX_TEXT} characters, got {shown(value)}"
            )
        return cast(Value, value)


@dataclass(frozen=True)
class Settings:
    """Base of all settings. Subclass with ``@dataclass(frozen=True)`` and ``setting`` fields."""

    def __post_init__(self) -> None:
        for spec in self.specs():
            object.__setattr__(self, spec.name, spec.check(getattr(self, spec.name)))

    @classmethod
    def specs(cls) -> list[Spec]:
        """The settings in order of declaration."""
        hints = get_type_hints(cls)
        return [
            Spec(
                name=f.name,
                kind=KINDS[hints[f.name]],
                default=cast(
                    Value, f.default if f.default_factory is MISSING else f.default_factory()
                ),
                low=f.metadata.get("low"),
                high=f.metadata.get("high"),
                choices=f.metadata.get("choices", ()),
                help=f.metadata.get("help", ""),
            )
            for f in fields(cls)
        ]

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Build from plain JSON values; an unknown name or a bad value is a ValueError."""
        known = cls._known(values)
        return cls(**{name: known[name].check(value) for name, value in values.items()})

    @classmethod
    def parse(cls, texts: Mapping[str, str]) -> Self:
        """Build from texts, as ``--set field=value`` gives them."""
        known = cls._known(texts)
        return cls(**{name: known[name].parse(text) for name, text in texts.items()})

    @classmethod
    def _known(cls, names: Iterable[str]) -> dict[str, Spec]:
        known = {spec.name: spec for spec in cls.specs()}
        for name in names:
            if name not in known:
                raise ValueError(f"unknown setting {shown(name)}; choose one of {', '.join(known)}")
        return known

    def to_dict(self) -> dict[str, object]:
        """Plain JSON values (tuples become lists)."""
        values = {spec.name: getattr(self, spec.name) for spec in self.specs()}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    def replace(self, **changes: Value) -> Self:
        """A copy with some settings changed, checked again."""
        return replace(self, **changes)


@dataclass(frozen=True)
class TrainSettings(Settings):
    """How to train: the same for every family."""

    epochs: int = setting(10, 1, 1000, "Passes over the training images.")
    batch_size: int = setting(128, 2, 4096, "Images per gradient step.")
    lr: float = setting(1e-3, 1e-6, 1.0, "Learning rate of Adam (at its peak for onecycle).")
    weight_decay: float = setting(0.0, 0.0, 1.0, "L2 penalty on the weights.")
    schedule: str = setting(
        "constant",
        choices=("constant", "cosine", "onecycle"),
        help="Learning rate over time: constant; cosine falls to zero; onecycle rises, then falls.",
    )
    cycles: int = setting(
        1, 1, 20, "How many times the schedule runs; more than once means warm restarts."
    )
    seed: int = setting(0, 0, 2**31 - 1, "Seed of initial weights, order of images and noise.")
    precision: str = setting(
        environment.precision,
        choices=("auto", "float32", "bfloat16"),
        help="Number format of the arithmetic. auto measures for a second and takes the faster.",
    )
    threads: int = setting(
        environment.threads,
        0,
        environment.MAX_THREADS,
        "Processor threads; 0 measures one against two and chooses.",
    )
    classes: str = setting("", help='Only these classes, such as "1,5,6"; empty means all.')
    limit: int = setting(0, 0, 10_000_000, "Use only the first N training images; 0 means all.")
    augment: str = setting(
        "none",
        choices=("none", "flip", "flip_shift"),
        help="Vary the training images: flip mirrors half of them, flip_shift also moves them by "
        "up to a sixteenth of their side. Not for digits: a mirrored 3 isn't a 3.",
    )


@dataclass(frozen=True)
class Control:
    """What the person watching wants of a training, which looks several times a second.

    ``lr`` replaces the learning rate of the settings; None leaves it and its schedule as they are.
    """

    pause: bool = False
    stop: bool = False
    lr: float | None = None


@dataclass(frozen=True)
class Event:
    """What happened in a training up to a step, and one line of a run's event log.

    ``kind`` is "step", "epoch" or, in a log, "start" or "resume"; ``step`` counts batches, ``time``
    is in seconds since 1970. ``metrics`` holds ``train/<loss term>`` (mean since the last event),
    ``lr``, ``base_lr`` (before the schedule: what the settings say, or a person since),
    ``images_per_s``, ``seconds`` (of training so far), ``seconds_left`` and ``steps`` (in the whole
    training); at the end of an epoch the train terms are means over the epoch and
    ``test/<loss term>`` is added.
    """

    kind: str
    step: int = 0
    epoch: int = 0
    time: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)


MAX_TEXT = 200  # characters of one text in a checkpoint
SHOWN = 80  # characters of a stranger's value in a message

# Control characters, breaks of lines, half of a character (a lone surrogate), and the marks that
# turn the direction of the text around them.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_short = reprlib.Repr()
_short.maxstring = _short.maxother = SHOWN
_short.maxlong = 40


def is_fit(text: str) -> bool:
    """Say whether a text can be kept and displayed: at most MAX_TEXT characters on one line."""
    return len(text) <= MAX_TEXT and not _UNFIT.search(text)


def fit(text: str, most: int = MAX_TEXT) -> str:
    """The text on one line, without characters that can't be displayed: at most ``most`` long."""
    return " ".join(_UNFIT.sub(" ", text[: 4 * most]).split())[:most].rstrip()


def shown(value: object) -> str:
    """``repr(value)`` for an error message: at most SHOWN characters, whatever the value is."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a number of {value.bit_length():,} bits"  # Python won't print the largest ones
    text = _short.repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def file_name(name: str, fallback: str) -> str:
    """The last part of the file name that a browser sent, cut to what any disk takes.

    The middle goes, so that beginning and suffix stay.
    """
    last = fit(name.replace("\\", "/").rpartition("/")[2], 2000)
    last = last if len(last) <= 60 else f"{last[:40]}…{last[-19:]}"
    return fallback if last in ("", ".", "..") else last
