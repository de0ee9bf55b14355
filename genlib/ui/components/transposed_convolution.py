"""Transposed convolution, drawn and computed in the browser alone.

Its state is in the link below ``tconv.``. Real layers come from decoders that `decoder_store` has
brought to the page.
"""

from __future__ import annotations

from collections.abc import Mapping

from genlib.ui.kit.web import component


def transposed_convolution(key: str, stores: Mapping[str, str], *, present: bool) -> None:
    """Draw the component.

    Args:
        key: the widget's key.
        stores: name of a model -> name of its decoder in `decoder_store`.
        present: whether the page is shown to an audience, who needs no settings.
    """
    component("transposed_convolution")(key=key, data=data(stores, present), height="content")


def data(stores: Mapping[str, str], present: bool = False) -> dict[str, object]:
    """What the component gets, also in a file of its own."""
    models = [{"name": name, "store": store} for name, store in stores.items()]
    return {"models": models, "present": present}
