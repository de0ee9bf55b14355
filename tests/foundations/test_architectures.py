"""The Architectures page, and the diagrams on the Train and the GAN page."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from genlib.data.datasets import find_mnist
from genlib.ui.foundations import architectures
from tests.helpers import ok, visit

PAGE = "foundations/architectures.py"
pytestmark = pytest.mark.skipif(find_mnist() is None, reason="MNIST is not here")


def drawings(app: AppTest) -> list[bytes]:
    found = [element.proto for element in app.get("bidi_component")]
    return [p.bytes for p in found if p.component_name == "genlib.architecture"]


@pytest.mark.usefixtures("shipped")
def test_every_model_that_has_a_diagram_is_offered_and_drawn() -> None:
    app = visit(PAGE)
    names = list(architectures.models())
    assert app.selectbox(key="architectures.model").options == names and "pca-50" in names
    for name in names:
        app = ok(app.selectbox(key="architectures.model").set_value(name).run())
        (drawn,) = drawings(app)
        assert b'"parts"' in drawn
        table = app.dataframe[0].value
        assert f"{int(table['Parameters'].sum()):,} parameters" in app.caption[0].value or any(
            f"{int(table['Parameters'].sum()):,} parameters" in text.value for text in app.caption
        )


@pytest.mark.usefixtures("shipped")
def test_the_noise_is_drawn_again() -> None:
    app = visit(PAGE, "architectures", model="gan-mlp")
    (before,) = drawings(app)
    ok(app.button(key="architectures.again").click().run())
    assert app.query_params["architectures.seed"] == "1"
    assert drawings(app) != [before]


def test_the_train_page_draws_the_settings_that_are_being_edited() -> None:
    app = visit("train/train.py")
    app = ok(app.selectbox(key="train.family").set_value("vae").run())
    (before,) = drawings(app)
    assert b'"shape": [40]' in before  # 2 x 20 numbers leave the encoder
    ok(app.number_input(key="train.vae.latent_dim").set_value(7).run())
    (after,) = drawings(app)
    assert b'"shape": [14]' in after and b'"shape": [40]' not in after
    ok(app.text_input(key="train.vae.hidden").set_value("no number").run())
    assert not drawings(app), "what cannot be built isn't drawn"


@pytest.mark.usefixtures("shipped")
def test_the_gan_page_names_the_counterfeiter_and_the_police() -> None:
    app = visit("adversarial/gan.py", "gan", view="Players")
    (drawn,) = drawings(app)
    assert b"the counterfeiter" in drawn and b"the police" in drawn and b'"roles": true' in drawn
    said = [text.value for text in app.caption if "police believe" in text.value]
    assert len(said) == 1
    ok(app.button(key="gan.players.again").click().run())
    assert drawings(app) != [drawn]
