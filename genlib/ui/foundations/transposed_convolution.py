"""What the Transposed convolution page needs of the server: two decoders, and a file to keep."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from genlib.export.operations import Exported
from genlib.store.checkpoint import Info
from genlib.ui.components.decoder_store import decoder_store, model_data
from genlib.ui.components.packet import as_text
from genlib.ui.components.transposed_convolution import data
from genlib.ui.kit import loading, standalone

MODELS = ("conv-vae-20", "dcgan-28")  # whose layers the page shows, as in state.js


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=loading.BY_FILE)
def _exported(info: Info) -> Exported:
    from genlib.export.network import export
    from genlib.models.capabilities import Decodes

    model = loading.model(info)
    assert isinstance(model, Decodes)
    return export(model.decoder_layers())


def decoders() -> dict[str, Exported]:
    """The decoders of MODELS that are here, by the model's name."""
    found = {info.name: info for info in loading.checkpoints("Decodes")}
    return {name: _exported(found[name]) for name in MODELS if name in found}


def store_name(name: str, exported: Exported) -> str:
    """The name under which a decoder is shared; another one where its weights differ."""
    return f"{name}-{exported.digest}"


def share(found: Mapping[str, Exported]) -> dict[str, str]:
    """Bring decoders into the browser: name of a model -> name of its decoder there."""
    for name, exported in found.items():
        decoder_store(store_name(name, exported), exported)
    return {name: store_name(name, exported) for name, exported in found.items()}


def as_file(found: Mapping[str, Exported]) -> str:
    """The whole page as one HTML file, decoders included."""
    stores = {name: store_name(name, exported) for name, exported in found.items()}
    saved = {
        stores[name]: {"model": model_data(exported), "weights": as_text(exported.weights)}
        for name, exported in found.items()
    }
    return standalone.page(
        "transposed_convolution",
        "Transposed convolution",
        "Every input cell stamps the kernel onto the output. Paint the input, edit the kernel, "
        "click a cell.",
        {**data(stores), "saved": saved},
        modules=("shared/decoder.js", "shared/packet.js", "shared/store.js"),
        script=_SHARE,
    )


_SHARE = """
import { compileDecoder } from "shared/decoder.js"
import { fromText } from "shared/packet.js"
import { share } from "shared/store.js"
for (const [name, { model, weights }] of Object.entries(data.saved))
  share(name, { decoder: compileDecoder(model, fromText(weights)) })
"""
