"""The likelihood bench: header numbers, measuring in a process of its own, cancelling, CSV."""

from __future__ import annotations

import csv
import io
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import pytest
import torch

from genlib.data import datasets
from genlib.environment import LimitError
from genlib.evaluate import bench, metrics
from genlib.models.pca import PCA, PCASettings
from genlib.models.pixelcnn import PixelCNN, PixelCNNSettings
from genlib.models.vae import VAE, VAESettings
from genlib.store import checkpoint
from genlib.ui.kit import likelihoods
from tests.helpers import until, visit

run = partial(visit, "side_by_side/likelihood.py", "likelihood")


METRIC = {"value": 99.5, "stderr": 0.25, "unit": "nats", "n": 10_000, "data": "mnist test"}


@pytest.fixture
def small(shelf: Callable[..., Path]) -> Path:
    """Three small models; the VAE's header holds a bound."""
    folder = shelf(
        {
            "pixelcnn-tiny": PixelCNN(PixelCNNSettings(width=4, blocks=1)),
            "pca-tiny": PCA(PCASettings(latent_dim=2)),
        }
    )
    vae = VAE(VAESettings(latent_dim=2, hidden=(8,)))
    checkpoint.save(
        folder / "vae-tiny.safetensors",
        vae,
        dataset="mnist",
        seed=0,
        epoch=1,
        metrics={"neg_elbo_binarized": METRIC},
    )
    return folder


def test_numbers_of_the_headers_stand_in_their_panel(small: Path) -> None:
    app = run()
    table = app.dataframe[0].value
    assert table["Nats"].tolist() == [99.5] and table["Pixels"].tolist() == ["binary"]
    titles = [s.value for s in app.subheader]
    assert titles == [likelihoods.PANELS[p].title for p in ("binary", "fixed")]
    info = {i.name: i for i in likelihoods.contenders()}
    rows = likelihoods.rows_of(list(info.values()))
    binary = likelihoods.points(rows, "binary", published=True)
    assert {p.how for p in binary} == {"bound", "published"}
    assert binary[0].error == 0.5, "error bars are two standard errors"
    lines = list(csv.DictReader(io.StringIO(likelihoods.as_csv(rows).decode())))
    assert lines[0]["model"] == "vae-tiny" and float(lines[0]["nats"]) == 99.5
    assert len(lines) == 1 + len(likelihoods.PUBLISHED)


def test_bench_measures_what_evaluate_measures_and_tells_how_far_it_is(small: Path) -> None:
    told: list[float] = []
    path = small / "pixelcnn-tiny.safetensors"
    found = bench.measure(path, "nll", 60, lambda share, text: told.append(share))["nll"]
    data = datasets.load("mnist")
    whole = metrics.evaluate(checkpoint.load(path), data, n=60)
    assert found == asdict(whole["nll"])
    assert told and told == sorted(told) and 0 < told[-1] < 1
    iwae = bench.measure(
        small / "vae-tiny.safetensors", "iwae_bound", 10, lambda share, text: told.append(share)
    )
    assert iwae["iwae_bound"]["n"] == 10 and len(told) > 3
    with pytest.raises(ValueError, match="pca-tiny has no nll"):
        bench.measure(small / "pca-tiny.safetensors", "nll", 10, lambda share, text: None)


def test_a_click_measures_in_another_process_and_the_number_appears(small: Path) -> None:
    torch.manual_seed(0)
    app = run(model="pca-tiny", n="100")
    app.button(key="likelihood.go").click().run()
    assert not app.exception
    info = next(i for i in likelihoods.contenders() if i.name == "pca-tiny")
    job = likelihoods.newest(info, "nll_density")
    assert job is not None
    until(lambda: not job.busy)
    assert job.state == "done", job.error
    app = run(model="pca-tiny", n="100")
    table = app.dataframe[0].value
    row = table[table["Model"] == "pca-tiny"]
    assert row["From"].tolist() == [likelihoods.HERE]
    said = "".join(text.value for text in app.markdown)
    told = re.search(r"log p\(x\) = \*\*([\d.]+) ± [\d.]+ nats\*\* per image", said)
    assert told and "measured on 100 test images" in said
    assert float(told[1]) == pytest.approx(row["Nats"].item(), abs=0.06), "rounded differently"


def test_measuring_counts_among_the_visitor_s_jobs(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENLIB_MAX_JOBS", "0")
    app = run(model="vae-tiny", n="100")
    app.button(key="likelihood.go").click().run()
    assert not app.exception
    assert "at most 0 are allowed" in app.toast[0].value
    info = next(i for i in likelihoods.contenders() if i.name == "vae-tiny")
    assert all(likelihoods.newest(info, m) is None for m in likelihoods.able(info))

    monkeypatch.setenv("GENLIB_MAX_JOBS", "1")
    job = likelihoods.start(info, "iwae_bound", 10_000, "me")
    with pytest.raises(LimitError, match="1 calculation under way"):
        likelihoods.start(info, "neg_elbo_binarized", 100, "me")
    job.cancel()


def test_cancelling_ends_the_process(small: Path) -> None:
    info = next(i for i in likelihoods.contenders() if i.name == "vae-tiny")
    job = likelihoods.start(info, "iwae_bound", 10_000)
    job.cancel()
    until(lambda: not job.busy)
    assert job.state == "cancelled" and job.result is None


def test_cancelling_a_process_in_the_middle_of_a_line_is_no_error(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipe stays open for the thread that reads it until that has come to its end."""
    talks = tmp_path / "talks"
    talks.write_text("""#!/bin/sh\nwhile :; do echo '{"share": 0.5, "text": "as told"}'; done\n""")
    talks.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(talks))
    problems: list[object] = []
    monkeypatch.setattr(threading, "excepthook", problems.append)
    info = next(i for i in likelihoods.contenders() if i.name == "vae-tiny")

    def start_and_cancel() -> None:
        job = likelihoods.start(info, "iwae_bound", 10_000)
        until(lambda: job.share == 0.5)
        job.cancel()
        until(lambda: not job.busy)

    for _ in range(20):  # not every one of them was in the middle of a line
        start_and_cancel()
    until(lambda: not any(t.name == "genlib-measure" for t in threading.enumerate()))
    assert not problems


def test_a_measurement_without_a_finite_number_says_so_and_the_page_still_opens(
    shelf: Callable[..., Path],
) -> None:
    broken = PixelCNN(PixelCNNSettings(width=4, blocks=1))
    with torch.no_grad():
        next(broken.parameters()).fill_(1e38)
    shelf({"broken": broken})
    (info,) = likelihoods.contenders()
    job = likelihoods.start(info, "nll", 10)
    until(lambda: not job.busy)
    assert job.state == "failed" and "no finite number" in str(job.error)
    run(model="broken")
