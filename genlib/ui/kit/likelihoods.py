"""Likelihoods from the checkpoints' headers, published ones, and those measured here and now."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from genlib import background
from genlib.background import Job
from genlib.environment import root
from genlib.evaluate.bench import LIKELIHOODS
from genlib.store.checkpoint import Info
from genlib.ui.kit import loading
from genlib.ui.kit.dot_plot import Point
from genlib.ui.kit.plain import plain

HEADER, HERE, PAPER = "checkpoint", "measured here", "published"


@dataclass(frozen=True)
class Panel:
    """Numbers of one kind of pixels, which may be compared with each other only."""

    title: str
    text: str


PANELS = {
    "binary": Panel(
        "Black and white, binarized at random",
        "Each pixel is drawn once, with its grey value as the probability of ink. In training it "
        "was drawn again at every visit (dynamic binarization).",
    ),
    "fixed": Panel(
        "Black and white, the fixed binarization of the literature",
        "One draw, made in 2008 and used by most papers since, also for training. Numbers are a "
        "little higher than with fresh draws. No model here was trained on it.",
    ),
    "grey": Panel(
        "Grey pixels as probabilities of ink",
        "The lecture text's cross-entropy of grey values. It isn't a likelihood of grey images, "
        "and it can't be compared with the number for black and white.",
    ),
    "density": Panel(
        "Grey pixels as real numbers",
        "A density of 784 numbers in [0, 1]. It may be above 1, so nats may be negative. Pixels "
        "that are always black make it very large.",
    ),
}


@dataclass(frozen=True)
class Published:
    """A number from a paper: nats, from low to high where several are given."""

    name: str
    low: float
    high: float
    pixels: str
    source: str


PUBLISHED = (
    Published("PixelCNN", 81.3, 81.3, "fixed", "van den Oord et al. 2016, arXiv:1601.06759"),
    Published("DBN, two layers", 84.6, 84.6, "fixed", "Murray & Salakhutdinov 2009, estimate"),
    Published("RBM-500, CD-25", 86.3, 86.3, "fixed", "Salakhutdinov & Murray 2008, AIS"),
    Published("RBM-500, CD-3", 105.5, 105.5, "fixed", "Salakhutdinov & Murray 2008, AIS"),
    Published("RBM-500, CD-1", 125.5, 125.5, "fixed", "Salakhutdinov & Murray 2008, AIS"),
    Published("VAE, larger nets", 86.8, 89.8, "binary", "Burda et al. 2016, arXiv:1509.00519"),
)


@dataclass(frozen=True)
class Row:
    """One number of the bench; stderr 0 where a paper gives none."""

    model: str
    metric: str
    value: float
    stderr: float
    n: int
    pixels: str
    how: str
    origin: str
    data: str


def rows_of(infos: list[Info]) -> list[Row]:
    """All likelihoods and bounds in the headers, then what was measured here, of each."""
    found = []
    for info in infos:
        for metric in LIKELIHOODS:
            if metric in info.metrics:
                found.append(_row(info, metric, info.metrics[metric], HEADER))
            job = newest(info, metric)
            if job is not None and isinstance(job.result, dict):
                found.append(_row(info, metric, job.result, HERE))
    return found


def _row(info: Info, metric: str, m: dict[str, object], origin: str) -> Row:
    kind = LIKELIHOODS[metric]
    # A bound on log p* that is annealed says so in the words that came with it.
    bound = kind.bound or "bound" in str(m["data"])
    estimate = "estimate" if metric == "nll_ais" else "exact"
    return Row(
        info.name,
        metric,
        float(str(m["value"])),
        float(str(m["stderr"])),
        int(str(m["n"])),
        kind.pixels,
        "bound" if bound else estimate,
        origin,
        str(m["data"]),
    )


def points(rows: list[Row], pixels: str, published: bool) -> list[Point]:
    """What the chart of one kind of pixels shows."""
    found = [
        Point(
            f"{r.model}: {LIKELIHOODS[r.metric].name}",
            r.how,
            r.value,
            2 * r.stderr,
            f"± {r.stderr:.2f} standard error, {r.n:,} images, {r.origin}; {r.data}",
            r.origin == HERE,
        )
        for r in rows
        if r.pixels == pixels
    ]
    if published:
        found += [
            Point(
                f"{p.name} ({p.source.split(',')[0]})",
                "published",
                (p.low + p.high) / 2,
                (p.high - p.low) / 2,
                p.source,
            )
            for p in PUBLISHED
            if p.pixels == pixels
        ]
    return found


def able(info: Info) -> list[str]:
    """The metrics that a checkpoint can be measured by."""
    return [name for name, kind in LIKELIHOODS.items() if kind.needs in info.capabilities]


def shown(metric: str) -> str:
    """A metric in a list of metrics, and in the link."""
    return f"{LIKELIHOODS[metric].name}: {metric}"


def images_of(info: Info) -> str:
    """Of which test images its numbers are: the dataset, and the classes if not all."""
    classes = str(info.train.get("classes", ""))
    return f"{info.dataset}, only {classes}" if classes else info.dataset


def contenders() -> list[Info]:
    """Checkpoints with a likelihood or a bound."""
    return [info for info in loading.checkpoints() if able(info)]


def as_csv(rows: list[Row]) -> bytes:
    """The table as CSV, published numbers at the end."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["model", "metric", "nats", "stderr", "images", "pixels", "how", "from", "of"])
    for r in rows:
        nats = (f"{r.value:.4f}", f"{r.stderr:.4f}")
        writer.writerow([r.model, r.metric, *nats, r.n, r.pixels, r.how, r.origin, r.data])
    for p in PUBLISHED:
        value = f"{p.low:g}" if p.low == p.high else f"{p.low:g} to {p.high:g}"
        writer.writerow([p.name, "", value, "", "", p.pixels, PAPER, PAPER, p.source])
    return text.getvalue().encode()


# ------------------------------------------------------------------------- measuring here and now


def job_name(info: Info, metric: str) -> str:
    """The name of the job that measures this, whatever the number of images."""
    return f"likelihood {info.path} {info.mtime_ns} {metric}"


def newest(info: Info, metric: str) -> Job | None:
    """The newest measurement of this, if one was asked for since the server started."""
    return background.find(job_name(info, metric))


def sentence(info: Info, metric: str) -> str:
    """What the newest measurement of this found, as markdown; "" before there is one."""
    job = newest(info, metric)
    if job is None or not isinstance(job.result, dict):
        return ""
    row = _row(info, metric, job.result, HERE)
    sign = "≤" if row.how == "bound" else "≈" if row.how == "estimate" else "="
    return (
        f"**{plain(info.name)}**: −log p(x) {sign} **{row.value:.1f} ± {row.stderr:.1f} nats** per "
        f"image, measured on {row.n:,} test images."
    )


def start(info: Info, metric: str, n: int, owner: str = "") -> Job:
    """Measure in a process of its own; the result is a Metric as a dict.

    owner: the visitor who asks. Raises LimitError when too many of theirs are under way.
    """

    def work(job: Job) -> object:
        return _measure(job, info, metric, n)

    return background.restart(job_name(info, metric), work, background.PROCESSES, owner=owner)


def _measure(job: Job, info: Info, metric: str, n: int) -> object:
    command = [sys.executable, "-m", "genlib.evaluate.bench", str(info.path), metric, "--n", str(n)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    job.report(0.0, "starting")
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=root(), env=env
        ) as process,
        closing(_lines(process, job)) as lines,
    ):
        for said in lines:
            if "error" in said:
                raise ValueError(str(said["error"]))
            if "metrics" in said:
                found = dict(said["metrics"])[metric]
                if not math.isfinite(found["value"] + found["stderr"]):
                    raise ValueError("The measurement gave no finite number.")
                return found
            job.report(float(said["share"]), str(said["text"]))
    raise ValueError("The measurement ended without a number. The app's log says why.")


def _lines(process: subprocess.Popen[str], job: Job) -> Generator[dict, None, None]:
    """What the process says, line by line; asks the job ten times a second whether to go on.

    Closing it, or cancelling the job, kills the process.
    """
    heard: list[str] = []
    assert process.stdout is not None
    out = process.stdout
    # ``extend`` appends line by line, so what is there can be read while more is coming.
    reader = background.start(lambda: heard.extend(out), "genlib-measure", polite=False)
    seen = 0
    try:
        while True:
            alive = reader.is_alive()
            while seen < len(heard):
                yield json.loads(heard[seen])
                seen += 1
            if not alive:
                return
            job.report(job.share, job.text)
            reader.join(0.1)
    finally:
        process.kill()
        reader.join()  # it ends with the process; the pipe can't be closed before
