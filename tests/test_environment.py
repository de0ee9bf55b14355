"""What the environment forces: allowed values, defaults, and one sentence for a bad value."""

from __future__ import annotations

import pytest
import torch

from genlib import environment
from genlib.cli import main
from genlib.data.datasets import load
from genlib.export.network import export
from genlib.models.capabilities import Decodes
from genlib.settings import TrainSettings
from genlib.training import loop, state
from genlib.ui.components.decoder_store import browser_refusal
from genlib.ui.kit.plain import plain
from tests.helpers import browse

BAD = [
    ("GENLIB_PRECISION", "half"),
    ("GENLIB_LAYOUT", "last"),
    ("GENLIB_DECODER", "nobody"),
    ("GENLIB_THREADS", "-1"),
    ("GENLIB_THREADS", "65"),
    ("GENLIB_THREADS", "two"),
    ("GENLIB_RUNS", __file__),
    ("GENLIB_CHECKPOINTS", __file__),
    ("GENLIB_DATA", __file__),
]


def test_nothing_set_means_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*environment.CHOICES, "GENLIB_THREADS"):
        monkeypatch.delenv(name, raising=False)
    environment.check()
    settings = TrainSettings()
    assert (settings.precision, settings.threads) == ("auto", 0)
    assert environment.channels_last("cpu") and not environment.channels_last("cuda")
    assert environment.decoder() == "auto"


def test_the_defaults_of_trainings_follow_and_can_be_overridden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GENLIB_PRECISION", " BFloat16 ")
    monkeypatch.setenv("GENLIB_THREADS", "2")
    settings = TrainSettings()
    assert (settings.precision, settings.threads) == ("bfloat16", 2)
    defaults = {spec.name: spec.default for spec in TrainSettings.specs()}
    assert (defaults["precision"], defaults["threads"]) == ("bfloat16", 2)
    given = TrainSettings.parse({"precision": "float32", "threads": "1"})
    assert (given.precision, given.threads) == ("float32", 1)


@pytest.mark.parametrize(("name", "value"), BAD)
def test_a_bad_value_is_one_sentence_on_the_command_line(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert main.main(["list"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1 and said[0].startswith(f"genlib: {name} must be") and value in said[0]


def test_a_bad_value_is_one_sentence_in_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_PRECISION", "half")
    app = browse("train/train.py")
    assert [error.value for error in app.error] == [
        plain("GENLIB_PRECISION must be one of auto, float32, bfloat16, got 'half'")
    ]


@pytest.mark.parametrize("layout", ["channels_last", "contiguous"])
def test_the_layout_of_trainings_is_forced(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLIB_LAYOUT", layout)
    model = loop.build("classifier", {}, load("digits"), 0)
    state.lay_out(model)
    wide = [p for p in model.parameters() if p.dim() == 4 and p.shape[1] > 1]
    last = layout == "channels_last"
    assert wide and all(p.is_contiguous(memory_format=torch.channels_last) == last for p in wide)


def test_who_decodes_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load("digits")
    small = loop.build("vae", {}, data, 0)
    assert isinstance(small, Decodes)
    exported = export(small.decoder_layers())
    assert not browser_refusal(exported)
    monkeypatch.setattr("genlib.ui.components.decoder_store.BROWSER_MACS", 100)
    assert "too many for one frame" in browser_refusal(exported)
    monkeypatch.setenv("GENLIB_DECODER", "browser")
    assert not browser_refusal(exported)
    monkeypatch.setenv("GENLIB_DECODER", "server")
    assert "server" in browser_refusal(exported)
