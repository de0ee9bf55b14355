"""Training is a generator of events: observers draw, the loop computes.

What makes an epoch short on a CPU: the whole dataset is one uint8 tensor, an epoch is a shuffled
``index_select``; Adam is fused; the losses are summed as tensors and read a few times a second,
never once a step; the number format and the number of threads are measured, not guessed: bfloat16
pays on processors and GPUs that have it, a second thread on nets that are large enough.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext

import torch
from torch import Tensor

from genlib import devices
from genlib.data.datasets import AUGMENTS, Dataset, batch_sizes, batches, to_float
from genlib.models import FAMILIES
from genlib.models.base import Autocast, Model, ModelSettings
from genlib.models.capabilities import Reconstructs, Samples, capabilities
from genlib.settings import Control, Event, TrainSettings
from genlib.training.state import State, lay_out, load_state, save_state, start

__all__ = [
    "State",
    "build",
    "check",
    "choose_arithmetic",
    "configure",
    "learning_rate",
    "load_state",
    "preview",
    "save_state",
    "start",
    "train",
]

EVERY = 0.25  # seconds between two step events


def train(
    model: Model,
    data: Dataset,
    settings: TrainSettings,
    state: State | None = None,
    control: Callable[[], Control] = Control,
    every: float = EVERY,
) -> Iterator[Event]:
    """Train ``model`` in place on ``data.train_x`` and yield events.

    ``state`` (of ``start`` or ``load_state``) is updated in place; at every "epoch" event it can
    be saved. ``control`` is asked every ``every`` seconds; a stop ends the generator between two
    steps with ``state.stopped`` set. The given ``classes`` and ``limit`` of the settings are
    applied here. Raises ValueError if they leave too few images or the loss is no longer finite.
    """
    state = state or start(model, settings)
    state.dataset, state.images = data.name, len(data.train_x)
    data = chosen(data, settings)
    device = model.device
    train_x, train_y = data.train_x.to(device), data.train_y.to(device)
    lay_out(model).requires_grad_(True).train()
    threads = torch.get_num_threads()
    try:
        autocast = choose_arithmetic(model, train_x, train_y, settings, state.used)
        state.used = in_use(autocast, device)
        loop = _Loop(model, data, settings, state, control, every, autocast)
        loop.obey()  # a rate set before a resume holds from the first step on
        while state.epoch < settings.epochs and not state.stopped:
            yield from loop.epoch(train_x, train_y, data)
    finally:
        torch.set_num_threads(threads)
        model.eval()


class _Loop:
    """One training: what stays the same from step to step."""

    def __init__(
        self,
        model: Model,
        data: Dataset,
        settings: TrainSettings,
        state: State,
        control: Callable[[], Control],
        every: float,
        autocast: Autocast,
    ) -> None:
        self.model, self.settings, self.state = model, settings, state
        self.control, self.every, self.autocast = control, every, autocast
        self.steps = plan(model, data, settings)
        self.images = settings.epochs * len(data.train_x)
        self.lr = settings.lr
        self.begun = time.monotonic() - state.seconds
        self.first = state.step

    def epoch(self, x: Tensor, y: Tensor, data: Dataset) -> Iterator[Event]:
        state = self.state
        whole, recent = _Means(), _Means()
        next_look = time.monotonic() + self.every
        augment = AUGMENTS[self.settings.augment]
        for batch_x, batch_y in batches(x, y, self.settings.batch_size, state.rng):
            self._set_lr()
            seen = augment(batch_x, state.rng)
            terms = self.model.step(seen, batch_y, state.rng, state.optimizers, self.autocast)
            state.step += 1
            recent.add(terms, len(batch_x))
            if time.monotonic() < next_look:
                continue
            yield self._event("step", recent.read())
            whole.merge(recent)
            recent = _Means()
            self.obey()
            if state.stopped:
                return
            next_look = time.monotonic() + self.every
        whole.merge(recent)
        state.epoch += 1
        metrics = {**whole.read(), **self._test(data)}
        event = self._event("epoch", metrics)
        row = {name: value for name, value in event.metrics.items() if name != "steps"}
        state.history.append({"epoch": state.epoch, "step": state.step, **row})
        yield event
        self.obey()

    def obey(self) -> None:
        """Do what the control asks: wait, stop, take another learning rate."""
        wish = self.control()
        while wish.pause and not wish.stop:
            time.sleep(0.1)
            self.begun += 0.1  # a pause doesn't count as training time
            wish = self.control()
        self.state.stopped = wish.stop
        self.lr = self.settings.lr if wish.lr is None else wish.lr

    def _set_lr(self) -> None:
        share, wished = self.state.step / self.steps, self.lr / self.settings.lr
        for optimizer in self.state.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(self.settings, share, group["initial_lr"] * wished)

    def _event(self, kind: str, metrics: dict[str, float]) -> Event:
        state = self.state
        state.seconds = time.monotonic() - self.begun
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise ValueError(
                    f"{name} became {value} at step {state.step}: try a smaller learning rate"
                )
        per_step = state.seconds / max(state.step, 1)
        metrics = {
            **metrics,
            "lr": learning_rate(self.settings, state.step / self.steps, self.lr),
            "base_lr": self.lr,
            "images_per_s": self.images / self.steps / max(per_step, 1e-9),
            "seconds": state.seconds,
            "seconds_left": per_step * (self.steps - state.step),
            "steps": self.steps,
        }
        return Event(kind, state.step, state.epoch, time.time(), metrics)

    @torch.no_grad()
    def _test(self, data: Dataset) -> dict[str, float]:
        """Loss terms on the test set, with the same noise every epoch."""
        self.model.eval()
        rng, means = torch.Generator().manual_seed(0), _Means("test")
        device = self.model.device
        for x, y in batches(data.test_x, data.test_y, 1000, None):
            means.add(self.model.losses(x.to(device), y.to(device), rng), len(x))
        self.model.train()
        return means.read()


class _Means:
    """Running means of loss terms, summed as tensors so that no step waits for a number."""

    def __init__(self, prefix: str = "train") -> None:
        self.prefix = prefix
        self.sums: dict[str, Tensor] = {}
        self.count = 0

    def add(self, terms: dict[str, Tensor], n: int) -> None:
        for name, value in terms.items():
            weighted = value.detach().float() * n
            self.sums[name] = self.sums[name] + weighted if name in self.sums else weighted
        self.count += n

    def merge(self, other: _Means) -> None:
        for name, value in other.sums.items():
            self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.count += other.count

    def read(self) -> dict[str, float]:
        return {f"{self.prefix}/{k}": float(v) / self.count for k, v in self.sums.items()}


@torch.no_grad()
def preview(model: Model, data: Dataset, n: int = 16) -> Tensor | None:
    """Pictures that improve while one watches, uint8 (N, C, H, W), or None.

    Reconstructing models: n fixed test images, then their n reconstructions; otherwise, sampling
    models: n samples with the same noise every time.
    """
    training = model.training
    model.eval()
    device = model.device
    shown: Tensor | None = None
    if isinstance(model, Reconstructs):
        x = to_float(data.test_x[:n]).to(device)
        shown = torch.cat([x, model.reconstruct(x)])
    elif isinstance(model, Samples):
        shown = model.sample(n, torch.Generator().manual_seed(0))
    model.train(training)
    return None if shown is None else (shown * 255).round().to(torch.uint8).cpu()


# --------------------------------------- a fresh model for a dataset, the length of its training


def configure(family: str, config: Mapping[str, object], data: Dataset) -> ModelSettings:
    """A family's settings for a dataset, whose shape and number of classes they follow.

    Raises ValueError for an unknown family, bad settings, or settings that contradict the pictures.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown family {family!r}; choose one of {', '.join(FAMILIES)}")
    channels, size, _ = data.shape
    if "Classifies" in capabilities(family) and len(data.classes) < 2:
        raise ValueError(
            f"{data.title} has no classes to tell apart: sort the pictures into one folder per "
            "class"
        )
    follows = {"channels": channels, "image_size": size, "n_classes": len(data.classes)}
    known = {spec.name for spec in FAMILIES[family].Config.specs()}
    given = {name: value for name, value in follows.items() if name in known}
    settings = FAMILIES[family].Config.from_dict({**given, **config})
    for name, of_data in given.items():
        value = settings.to_dict()[name]
        # A classifier may know more classes than there are pictures of.
        if value != of_data and not (name == "n_classes" and int(str(value)) > of_data):
            raise ValueError(
                f"{name} follows from the pictures: it is {of_data} for {data.title}, got {value}; "
                "leave it out"
            )
    return settings


def chosen(data: Dataset, settings: TrainSettings) -> Dataset:
    """The images that the settings ask for; raises ValueError unless they can be trained on."""
    data = data.only(settings.classes).first(settings.limit)
    if not len(data.train_x) or not len(data.test_x):
        raise ValueError("no images are left to train on; widen classes or limit")
    if len(data.train_x) == 1:
        raise ValueError("only one image is left to train on; widen classes or limit")
    return data


def plan(model: Model, data: Dataset, settings: TrainSettings) -> int:
    """Tell the model how long its training on the ``chosen`` images is; returns the steps.

    Raises ValueError where that is too short for its family.
    """
    images = len(data.train_x)
    steps = settings.epochs * len(batch_sizes(images, settings.batch_size))
    model.plan(images, settings.epochs, steps)
    return steps


def check(
    family: str,
    config: Mapping[str, object],
    data: Dataset,
    training: TrainSettings | None = None,
) -> None:
    """Raise ValueError in one sentence unless the family can be trained on the dataset so."""
    model = outline(family, config, data)
    if training is not None:
        plan(model, chosen(data, training), training)


def outline(family: str, config: Mapping[str, object], data: Dataset) -> Model:
    """A model on the meta device: its layers and sizes without numbers.

    Raises ValueError in one sentence where the family cannot take the settings or the dataset.
    """
    settings = configure(family, config, data)
    try:
        with torch.device("meta"), torch.random.fork_rng():  # no numbers, only sizes
            return FAMILIES[family](settings)
    except ValueError as error:
        size, title = f"{settings.image_size}×{settings.image_size}", FAMILIES[family].title
        kind = {1: "grey", 3: "colour"}.get(settings.channels, f"{settings.channels}-channel")
        raise ValueError(
            f"{title} cannot take {data.title} ({size} pixels, {kind}): {error}"
        ) from None


def build(family: str, config: Mapping[str, object], data: Dataset, seed: int) -> Model:
    """A fresh model of a family for a dataset; its weights follow from the seed.

    Raises ValueError for an unknown family, bad settings, or images that the family cannot take.
    """
    check(family, config, data)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FAMILIES[family](configure(family, config, data))


def learning_rate(settings: TrainSettings, share: float, lr: float | None = None) -> float:
    """The learning rate when ``share`` (0 to 1) of the training is done.

    Several cycles are warm restarts: Loshchilov & Hutter 2016, arXiv:1608.03983.
    """
    peak = settings.lr if lr is None else lr
    share = share if share >= 1 else share * settings.cycles % 1
    if settings.schedule == "cosine":
        return peak * max(0.5 * (1 + math.cos(math.pi * share)), 1e-4)
    if settings.schedule == "onecycle":  # Smith 2018, arXiv:1803.09820
        if share < 0.3:
            return peak * (0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * share / 0.3)))
        return peak * max(0.5 * (1 + math.cos(math.pi * (share - 0.3) / 0.7)), 1e-4)
    return peak


# --------------------------------------------------------------------- number format and threads


def choose_arithmetic(
    model: Model,
    x: Tensor,
    y: Tensor,
    settings: TrainSettings,
    used: Mapping[str, object] | None = None,
) -> Autocast:
    """Set the threads and return the autocast context that the settings ask for.

    "auto" and 0 threads are what ``used`` says (see ``in_use``) of the same training before an
    interruption, on the same kind of device. Otherwise they are decided by timing about a second of
    forward and backward passes; the model's weights and the training's random numbers are not
    touched. Raises ValueError where bfloat16 is asked for and the device can't do it.
    """

    def context(kind: str) -> Autocast:
        if kind == "bfloat16":
            return lambda: torch.autocast(x.device.type, dtype=torch.bfloat16)
        return nullcontext

    kinds, counts = _kinds(settings.precision, x.device), _thread_counts(settings.threads, x.device)
    if used and used.get("device") == x.device.type:
        kinds = [kind for kind in kinds if kind == used.get("precision")] or kinds
        counts = [count for count in counts if count == used.get("threads")] or counts
    choices = [(kind, count) for kind in kinds for count in counts]
    if len(choices) > 1:
        batch = to_float(x[: settings.batch_size]), y[: settings.batch_size]
        cost = {c: probe(model, *batch, context(c[0]), c[1]) for c in choices}
        # A narrow win is noise: float32 on one thread is kept unless another is 5% faster.
        choices = sorted(choices, key=lambda c: cost[c] * (0.95 if c == choices[0] else 1.0))
    torch.set_num_threads(choices[0][1])
    return context(choices[0][0])


def in_use(autocast: Autocast, device: torch.device) -> dict[str, object]:
    """The device, number format and threads that training steps in this context really use."""
    with autocast():
        narrow = torch.is_autocast_enabled(device.type)
        dtype = torch.get_autocast_dtype(device.type) if narrow else torch.float32
    precision = str(dtype).removeprefix("torch.")
    return {"device": device.type, "precision": precision, "threads": torch.get_num_threads()}


def _kinds(precision: str, device: torch.device) -> list[str]:
    """The number formats to choose from."""
    able = devices.has_bfloat16(device)
    if precision == "bfloat16" and not able:
        raise ValueError(
            f"precision bfloat16 is not available on {device.type}; use auto or float32"
        )
    if precision != "auto":
        return [precision]
    return ["float32", "bfloat16"] if able else ["float32"]


def _thread_counts(threads: int, device: torch.device) -> list[int]:
    """The numbers of threads to choose from; with a GPU there is little for them to do."""
    now = torch.get_num_threads() or 1
    if threads or device.type != "cpu":
        return [threads or now]
    return [c for c in (1, 2) if c <= now] or [1]


def probe(model: Model, x: Tensor, y: Tensor, autocast: Autocast, threads: int) -> float:
    """Seconds of one forward and backward pass: the median of what fits in 0.2 s."""
    torch.set_num_threads(threads)
    rng = torch.Generator().manual_seed(0)
    parameters = [p for p in model.parameters() if p.requires_grad]
    kept = {name: b.clone() for name, b in model.named_buffers()}
    times: list[float] = []
    with devices.same_random(x.device):
        while len(times) < 3 or sum(times) < 0.2:
            devices.wait(x.device)
            began = time.perf_counter()
            with autocast():
                loss = model.losses(x, y, rng)["loss"]
            torch.autograd.grad(loss, parameters, allow_unused=True)
            devices.wait(x.device)
            times.append(time.perf_counter() - began)
    for name, b in model.named_buffers():
        b.copy_(kept[name])  # batch norm's running means
    return sorted(times)[len(times) // 2]
