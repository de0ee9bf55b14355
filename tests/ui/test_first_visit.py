"""What the first visitor of a page after a start waits for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT

OPEN = """
import sys
from streamlit.testing.v1 import AppTest
from genlib.ui.kit import server
server.import_needed()
assert {"torch", "genlib.models.vae"} <= set(sys.modules)
for page in sys.argv[1:]:
    AppTest.from_file(page, default_timeout=90).run()
    slow = {"pandas", "pyarrow", "sklearn", "scipy"} & set(sys.modules)
    assert not slow, f"{page} imported {slow}"
"""
# Some with every kind of component; none with a table, for which Streamlit needs pandas.
PAGES = (
    *("latents/latent_space", "energy/denoise", "adversarial/gan", "side_by_side/pca"),
    *("classifiers/class_images", "classifiers/deep_dream"),
)


@pytest.mark.usefixtures("shipped")
def test_pages_without_tables_import_neither_pandas_nor_scikit_learn(tmp_path: Path) -> None:
    """Without MNIST, too, when scikit-learn's digits are shown."""
    away = {"GENLIB_DATA": "", "GENLIB_RUNS": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    pages = [str(ROOT / "pages" / f"{page}.py") for page in PAGES]
    ended = subprocess.run(
        [sys.executable, "-c", OPEN, *pages],
        env={**os.environ, **away},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
