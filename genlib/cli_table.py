"""The text of checkpoints/README.md, written from the checkpoints' own headers."""

from __future__ import annotations

from collections.abc import Sequence

from genlib.checkpoint import Info
from genlib.recipes import RECIPES

HEAD = """# Checkpoints

Models that come with genlib, trained on MNIST's 60,000 training images and measured on its 10,000
test images, but for those whose table names CIFAR-10. `genlib list --markdown` prints this page
from the files' own headers; `genlib evaluate NAME` measures one again. Each `train` command
rebuilds its file, in its recipe's number format
on one thread, so the same machine gives the same weights; another one
may differ in the last digits. Weights are stored in float16, and the numbers below are those of the
stored weights.

There is no third set of images. The test loss was computed and recorded after every epoch; it
stopped no training and chose no epoch (the last one is kept), but the people who chose settings and
numbers of epochs had seen test numbers, so these may flatter a little.

± is one standard error over test images; for `frechet` also over the samples, for the AUC of a VAE
also over its noise, several draws of which are averaged. Files that were not measured again
since these two were widened hold the narrower ones. AUC: the chance that a merge of two
different digits has more energy than a real one, for 0.5a + 0.5b (`alpha`), max(a, b) (`max`) and
the top of a on the bottom of b (`splice`). Energy is the model's own: squared reconstruction error
for autoencoders, −ELBO for VAEs, whose squared error tells less; `correlation` is the
contrast-invariant energy, 1 − correlation of image and reconstruction.
Likelihoods on grey pixels and on dynamically binarized pixels are not comparable with each other,
nor with the fixed binarization of much of the literature. `nll` is exact, `nll_ais` rests on
annealed importance sampling, `nll_density` is of grey pixels as real numbers and may be below zero.
`frechet` is the squared Fréchet distance in the features of the classifier that its row names.
`classes_covered` leaves out samples whose features are nearer to those of noise than to those of
the class: the classifier is certain that uniform noise is an 8.
"""


TRAINING_IMAGES = {"mnist": 60_000, "cifar10": 50_000, "cifar10-64": 50_000}


def markdown(infos: Sequence[Info]) -> str:
    """The whole page: (checkpoints with their metrics) -> Markdown."""
    total = sum(path.stat().st_size for info in infos for _, path in info.snapshots)
    parts = [HEAD, f"All files together: {total / 1e6:.1f} MB.\n"]
    return "\n".join([*parts, *(_section(info) for info in infos)])


def _section(info: Info) -> str:
    recipe = RECIPES.get(info.name)
    epochs = ", ".join(str(epoch) for epoch, _ in info.snapshots)
    lines = [f"## {info.name}", "", recipe.text if recipe else f"A {info.family}.", ""]
    if recipe:
        lines += [f"`genlib train --recipe {info.name}`", ""]
    lines += [
        f"{info.parameters:,} numbers, {info.size / 1e6:.2f} MB, seed {info.seed}; "
        f"epoch{'s' if ',' in epochs else ''} {epochs}.",
        _training(info),
        "",
        "| metric | value | unit | images | data |",
        "|---|---|---|---|---|",
    ]
    for name, m in info.metrics.items():
        value, error = float(str(m["value"])), float(str(m["stderr"]))
        shown = f"{value:.5g} ± {error:.2g}" if error else f"{value:.5g}"
        lines.append(f"| `{name}` | {shown} | {m['unit']} | {int(str(m['n'])):,} | {m['data']} |")
    return "\n".join(lines) + "\n"


def _training(info: Info) -> str:
    """How many images it was trained on, how often, and whether test numbers were looked at."""
    steps = [0, *(int(row["step"]) for row in info.history)]
    batch = int(str(info.train.get("batch_size", 0)))
    if len(steps) < 2 or not batch:
        return "How it was trained is not recorded."
    classes = str(info.train.get("classes", ""))
    limit = int(str(info.train.get("limit", 0)))
    # The header knows batches; the whole sets that ship are of known size.
    n = TRAINING_IMAGES.get(info.dataset, 0) if not classes else 0
    count = f"{limit or n:,}" if n else f"at most {(steps[-1] - steps[-2]) * batch:,}"
    of = f"{info.dataset} ({classes})" if classes else info.dataset
    watched = any(key.startswith("test/") for row in info.history for key in row)
    looked = "recorded after every epoch" if watched else "not looked at"
    return (
        f"Trained on {count} images of {of} for {info.epoch} epoch{'s' * (info.epoch != 1)} "
        f"({steps[-1]:,} steps of {batch}); test loss {looked}."
    )
