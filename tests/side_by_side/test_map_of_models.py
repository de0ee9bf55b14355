"""The map of models: every node in its place, links to pages that exist, pictures by the models."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from pathlib import Path

from genlib.models import FAMILIES
from genlib.models.classifier import Classifier, ClassifierSettings
from genlib.models.gan import MLPGAN, MLPGANSettings
from genlib.models.pca import PCA, PCASettings
from genlib.models.vae import VAE, VAESettings
from genlib.ui.kit import loading
from genlib.ui.side_by_side import map_of_models
from genlib.ui.side_by_side.map_of_models import drawn
from tests.helpers import ROOT, sent, until, visit


def test_every_node_leads_to_its_page_in_this_session_and_in_a_new_tab() -> None:
    links = re.findall(
        r'<a class="\w+" href="([^"]+)" data-page="([^"]+)"',
        map_of_models.tree_html({}) + map_of_models.timeline_html(),
    )
    here = [node.page for node in map_of_models.ALL if node.page]
    assert len(links) == 2 * len(here)
    assert set(links) == {(page.path, page.file) for page in here}
    assert all((ROOT / "pages" / file).is_file() for _, file in links)


def test_the_tree_holds_every_family_and_the_timeline_runs_forward() -> None:
    named = {family for node in map_of_models.ALL for family in node.families}
    assert named <= set(FAMILIES), "a node names a family that is not there"
    judges = {name for name in FAMILIES if "classifier" in name}
    assert named | judges == set(FAMILIES), "a family has no node on the map"
    years = [node.year for node in map_of_models.TIMELINE]
    assert years == sorted(years) and len(years) == len(map_of_models.ALL)


def test_pictures_come_from_the_models_and_links_lead_to_pages(
    shelf: Callable[..., Path],
) -> None:
    shelf(
        {
            "vae-tiny": VAE(VAESettings(latent_dim=2, hidden=(8,))),
            "gan-tiny": MLPGAN(MLPGANSettings(latent_dim=4, hidden=(8,))),
            "pca-tiny": PCA(PCASettings(latent_dim=2)),
            "classifier-tiny": Classifier(ClassifierSettings(width=2, dense=8)),
        }
    )
    job = drawn(loading.checkpoints())
    until(lambda: not job.busy)
    assert set(job.result) == {
        "Variational autoencoder",
        "Generative adversarial network",
        "Principal components",
    }
    app = visit("side_by_side/map_of_models.py")
    tree, timeline = (part["html"] for part in sent(app, "map_of_models"))
    assert tree.count("<img") == 3
    assert 'data-page="adversarial/gan.py"' in tree and 'href="gan"' in timeline
    for node in map_of_models.ALL:
        assert node.name.replace("&", "&amp;") in tree and str(node.year) in timeline
        if not node.page:
            told = f"{node.why} No page yet. {node.source}"  # small screens have it only here
            assert f'title="{escape(told)}"' in tree
