"""What the tests of single pages share: small models as the only checkpoints there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import streamlit as st
import torch

from genlib import checkpoint
from genlib.models import Model

Shelf = Callable[[Mapping[str, Model]], Path]


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """A function that saves models by name where the pages look; weights follow from seed 0."""
    monkeypatch.setenv("GENLIB_CHECKPOINTS", str(tmp_path))
    st.cache_data.clear()
    torch.manual_seed(0)

    def save(models: Mapping[str, Model]) -> Path:
        for name, model in models.items():
            file = tmp_path / f"{name}.safetensors"
            checkpoint.save(file, model, dataset="mnist", seed=0, epoch=1)
        return tmp_path

    yield save
    st.cache_data.clear()
