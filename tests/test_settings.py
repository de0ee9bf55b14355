"""Settings refuse bad values in one sentence and survive a round trip."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from genlib.models import FAMILIES
from genlib.settings import Settings, TrainSettings, setting


@dataclass(frozen=True)
class Example(Settings):
    width: int = setting(4, 1, 8, "Units.")
    rate: float = setting(0.5, 0.0, 1.0)
    hidden: tuple[int, ...] = setting((3,), 1, 9)
    kind: str = setting("a", choices=("a", "b"))
    loud: bool = setting(False)


def test_specs_carry_default_bounds_and_help() -> None:
    spec = Example.specs()[0]
    assert (spec.name, spec.kind, spec.default, spec.low, spec.high, spec.help) == (
        "width",
        int,
        4,
        1,
        8,
        "Units.",
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 9}, "width must be between 1 and 8, got 9"),
        ({"width": 2.5}, "width must be of type int, got 2.5"),
        ({"width": True}, "width must be of type int, got True"),
        ({"rate": float("nan")}, "rate must be a finite number, got nan"),
        ({"hidden": (3, 10)}, "hidden must be between 1 and 9, got 10"),
        ({"kind": "c"}, "kind must be one of a, b, got 'c'"),
        ({"wdith": 3}, "unknown setting 'wdith'"),
    ],
)
def test_bad_values_are_named(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        Example.from_dict(values)


def test_text_is_parsed_and_checked() -> None:
    got = Example.parse({"width": "7", "rate": "1e-2", "hidden": "5, 6", "loud": "yes"})
    assert got == Example(width=7, rate=0.01, hidden=(5, 6), loud=True)
    assert Example.parse({"hidden": ""}).hidden == ()
    with pytest.raises(ValueError, match="rate must be a number, got 'fast'"):
        Example.parse({"rate": "fast"})
    with pytest.raises(ValueError, match="loud must be true or false"):
        Example.parse({"loud": "perhaps"})


@pytest.mark.parametrize("cls", [Example, TrainSettings, *(f.Config for f in FAMILIES.values())])
def test_round_trip_through_json_values(cls: type[Settings]) -> None:
    assert cls.from_dict(cls().to_dict()) == cls()


def test_replace_checks_again() -> None:
    with pytest.raises(ValueError, match="epochs must be between"):
        TrainSettings().replace(epochs=0)
