"""The lessons of Train and Runs, and the facts that trainings show.

Train's lessons open the settings of a shipped model, and their facts are what its training
recorded. Those of Runs open a sweep, and their facts train its first epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from genlib.models import FAMILIES
from genlib.settings import TrainSettings
from genlib.store.recipes import RECIPES
from genlib.training import loop
from genlib.ui.kit import loading
from genlib.ui.kit.evidence import named
from genlib.ui.kit.lessons import Fact, Lesson

SWEPT = "ae-30"  # the recipe of all sweeps: an epoch takes two seconds


# ----------------------------------------------------------------------------------------- Train


def _settings(recipe: str) -> dict[str, str]:
    """The link of the form with a recipe's settings."""
    found = RECIPES[recipe]
    values = {**FAMILIES[found.family].defaults, **found.model, **found.train}
    fields = {f"train.{found.family}.{name}": _text(value) for name, value in values.items()}
    return {"train.family": FAMILIES[found.family].title, **fields}


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _recorded(name: str, metric: str) -> list[float]:
    """A number of every epoch of a shipped model's training."""
    return [row[metric] for row in named(name).history if metric in row]


def most_is_learned_at_first() -> Fact:
    """After 5 of 20 epochs, about three quarters of the fall of ae-30's test loss are done."""
    loss = _recorded("ae-30", "test/loss")
    share = (loss[0] - loss[4]) / (loss[0] - loss[-1])
    holds = len(loss) == 20 and 0.68 < share < 0.82
    return Fact(holds, f"{loss[0]:.3f}, {loss[4]:.3f}, {loss[-1]:.3f}: {share:.0%} of the fall")


def kl_rises() -> Fact:
    """In 40 epochs of vae-20 the KL rises from 21 to 25 nats while the loss falls by 25."""
    kl, loss = _recorded("vae-20", "test/kl"), _recorded("vae-20", "test/loss")
    said = f"KL {kl[0]:.0f} to {kl[-1]:.0f}, loss {loss[0]:.0f} to {loss[-1]:.0f} nats"
    return Fact(said == "KL 21 to 25, loss 127 to 102 nats" and len(kl) == 40, said)


def training_images_are_harder() -> Fact:
    """classifier-robust ends with 77% on training images, which are attacked, and 98% on test."""
    train, test = (_recorded("classifier-robust", f"{s}/accuracy")[-1] for s in ("train", "test"))
    attacked = float(str(named("classifier-robust").config["adversarial_eps"])) > 0
    said = f"{train:.0%} on training images, {test:.0%} on test images"
    return Fact(attacked and said == "77% on training images, 98% on test images", said)


def d_loss_rises_while_g_learns() -> Fact:
    """D's test loss of gan-mlp rises fourfold, D errs more often, G draws all ten digits."""
    loss, right = _recorded("gan-mlp", "test/loss"), _recorded("gan-mlp", "train/d_accuracy")
    covered = float(str(named("gan-mlp").metrics["classes_covered"]["value"]))
    holds = loss[-1] > 4 * loss[0] and covered == 10 and right[-1] < 0.75 < right[0]
    return Fact(holds, f"{loss[0]:.2f} to {loss[-1]:.2f} nats, {covered:.0f} classes")


TRAIN = (
    Lesson(
        "first_epochs",
        "When is the most learned?",
        "From the end of epoch 1 to the end of epoch 20, the test loss of ae-30 falls. How much of "
        "that fall is over by the end of epoch 5?",
        ("About a quarter", "About a half", "About three quarters"),
        2,
        "The first epochs find the large strokes, the others polish. These are ae-30's settings: "
        "press Start training and watch the reconstructions.",
        most_is_learned_at_first,
        _settings("ae-30"),
    ),
    Lesson(
        "kl",
        "One term falls. The other?",
        "A VAE's loss is reconstruction plus KL. In 40 epochs of vae-20 the sum falls from 127 to "
        "102 nats. What does the KL do?",
        ("It falls, too", "It stays the same", "It rises"),
        2,
        "It rises from 21 to 25 nats. The model learns that a few more nats in the code save many "
        "in the reconstruction. These are vae-20's settings.",
        kl_rises,
        _settings("vae-20"),
    ),
    Lesson(
        "robust",
        "Better on images it never saw?",
        "classifier-robust ends with 77% right on its training images. How many test images does "
        "it get right?",
        ("Fewer than 77%", "77%", "98%"),
        2,
        "It trains on digits that were changed to fool it, and the test digits are unchanged. "
        "Training and test numbers can be compared only where the images are of the same kind.",
        training_images_are_harder,
        _settings("classifier-robust"),
    ),
    Lesson(
        "rising_loss",
        "A loss four times as high",
        "During gan-mlp's training D's test loss rises to more than four times its first value. "
        "Has the training failed?",
        ("Yes, a loss should fall", "No, D's opponent got better"),
        1,
        "At first G draws noise and D's game is easy. By the end G draws all ten digits, and D is "
        "often wrong. A GAN's losses don't say how good it is.",
        d_loss_rises_while_g_learns,
        _settings("gan-mlp"),
    ),
)


# ------------------------------------------------------------------------------------------ Runs


@lru_cache(maxsize=64)
def _test_loss(setting: str, value: float, epochs: int) -> float:
    """The test loss of ae-30's recipe with one setting changed, after so many of its epochs."""
    recipe = RECIPES[SWEPT]
    family = FAMILIES[recipe.family]
    model, train = dict(recipe.model), {**family.defaults, **recipe.train}
    (model if setting in {s.name for s in family.Config.specs()} else train)[setting] = value
    settings, data = TrainSettings.from_dict(train), loading.dataset(recipe.dataset)
    made = loop.build(recipe.family, model, data, settings.seed)
    for event in loop.train(made, data, settings):
        if event.kind == "epoch" and event.epoch == epochs:
            return event.metrics["test/loss"]
    raise ValueError(f"epochs must be at most {settings.epochs}, got {epochs}")


def _sweep(setting: str, values: str) -> dict[str, str]:
    """The link of a sweep of one setting, with all else as in the recipe."""
    base = {"sweep.base": f"recipe {SWEPT}", "sweep.setting": setting}
    return {**base, f"sweep.values.{setting}": values}


def _list(found: Mapping[int, float] | Mapping[float, float]) -> str:
    return ", ".join(f"{value:g}: {loss:.3f}" for value, loss in found.items())


def too_fast_is_worse_than_too_slow() -> Fact:
    """After two epochs 0.001 leads, and 0.1 is the last, behind 0.0001."""
    found = {lr: _test_loss("lr", lr, 2) for lr in (0.0001, 0.001, 0.01, 0.1)}
    ranked = sorted(found, key=found.__getitem__)
    return Fact(ranked[0] == 0.001 and ranked[-1] == 0.1, _list(found))


def small_batches_make_more_steps() -> Fact:
    """After one epoch the loss is lower the smaller the batch, at 32 a quarter of that at 2048."""
    found = {size: _test_loss("batch_size", size, 1) for size in (32, 256, 2048)}
    holds = found[32] < found[256] < found[2048] and found[32] < found[2048] / 4
    return Fact(holds, _list(found))


def ten_numbers_are_few() -> Fact:
    """From 2 to 10 latents less than a third of the error goes, to 100 more than two thirds."""
    found = {d: _test_loss("latent_dim", d, 2) for d in (2, 10, 100)}
    first, then = 1 - found[10] / found[2], 1 - found[100] / found[10]
    said = f"{_list(found)}: {first:.0%} gone, then {then:.0%}"
    return Fact(first < 1 / 3 and then > 2 / 3, said)


RUNS = (
    Lesson(
        "rate",
        "Too slow or too fast?",
        "Four runs differ in the learning rate alone. Which has the highest test loss after two "
        "epochs?",
        ("0.0001", "0.001", "0.01", "0.1"),
        3,
        "Its steps are so large that the loss gets stuck, above that of 0.0001, which is only "
        "slow. 0.001 leads. Press Start to see the four curves.",
        too_fast_is_worse_than_too_slow,
        _sweep("lr", "0.0001, 0.001, 0.01, 0.1"),
    ),
    Lesson(
        "batch",
        "Large or small batches?",
        "Three runs see the same 60,000 images once, in batches of 32, 256 or 2,048. Which of them "
        "has learned the most?",
        ("32", "256", "2,048", "All the same"),
        0,
        "An epoch is 1,875 steps of 32 images, but only 30 of 2,048. After one epoch the loss is "
        "less than a quarter with the small ones. The price is time: many small steps take longer "
        "than a few large ones.",
        small_batches_make_more_steps,
        _sweep("batch_size", "32, 256, 2048"),
    ),
    Lesson(
        "latents",
        "2, 10 or 100 numbers",
        "Three autoencoders squeeze a digit into 2, 10 and 100 numbers. Which step takes away the "
        "larger share of the error after two epochs?",
        ("From 2 to 10", "From 10 to 100", "Both the same"),
        1,
        "From 2 to 10 less than a third of the error goes, from 10 to 100 more than two thirds. "
        "Press Start to see the same digits through all three.",
        ten_numbers_are_few,
        _sweep("latent_dim", "2, 10, 100"),
    ),
)
