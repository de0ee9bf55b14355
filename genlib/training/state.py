"""The state of a training at the end of an epoch: what is needed to go on as if uninterrupted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict, cast

import torch
from torch import Tensor

from genlib import devices, environment
from genlib.models.base import Model
from genlib.settings import TrainSettings
from genlib.store import checkpoint
from genlib.store.tensorfile import CheckpointError, checksum, header, write_tensors


@dataclass
class State:
    """All that the loop needs to go on where it was, at the end of an epoch."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    rng: torch.Generator = field(default_factory=torch.Generator)
    optimizers: dict[str, torch.optim.Optimizer] = field(default_factory=dict)
    stopped: bool = False
    used: dict[str, object] = field(default_factory=dict)  # see ``loop.in_use``
    dataset: str = ""  # its name
    images: int = 0  # of the whole dataset, to train on


class _Saved(TypedDict):
    """What a saved state's header says."""

    epoch: int
    step: int
    seconds: float
    history: list[dict[str, float]]
    # Earlier versions did not say:
    used: NotRequired[dict[str, object]]
    dataset: NotRequired[str]
    images: NotRequired[int]


def start(model: Model, settings: TrainSettings) -> State:
    """The state before the first step.

    ``initial_lr`` of each optimizer's group is the family's own rate for it, which the schedule and
    the person watching scale.
    """
    rng = torch.Generator().manual_seed(settings.seed)
    optimizers = model.optimizers(settings.lr, settings.weight_decay)
    for optimizer in optimizers.values():
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return State(rng=rng, optimizers=optimizers)


def lay_out(model: Model) -> Model:
    """Channels last on a CPU: convolutions are 1.5 to 3 times faster. ``GENLIB_LAYOUT`` decides."""
    if environment.channels_last(model.device.type):
        model.to(memory_format=torch.channels_last)
    return model


def save_state(path: Path, model: Model, state: State) -> None:
    """Write weights, optimizer state and random numbers to one file, atomically."""
    tensors = {f"model/{name}": t for name, t in model.state_dict().items()}
    for name, optimizer in state.optimizers.items():
        for index, entries in optimizer.state_dict()["state"].items():
            for key, value in entries.items():
                tensors[f"optimizer/{name}/{index}/{key}"] = torch.as_tensor(value)
    tensors["rng"] = state.rng.get_state()
    for device in _devices(model):
        tensors[_random_name(device)] = devices.random_state(device)
    meta = {
        "kind": "state",
        "epoch": state.epoch,
        "step": state.step,
        "seconds": state.seconds,
        "history": state.history,
        "used": state.used,
        "dataset": state.dataset,
        "images": state.images,
    }
    write_tensors(path, tensors, {**meta, "sha256": checksum(tensors, meta)})


def load_state(path: Path, model: Model, settings: TrainSettings) -> State:
    """Read what ``save_state`` wrote into ``model`` and a new state.

    Raises CheckpointError if the file is damaged, and then ``model`` is unchanged; ValueError if it
    is the state of another model.
    """
    tensors, meta = _read(path)
    weights = {k.removeprefix("model/"): t for k, t in tensors.items() if k.startswith("model/")}
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise ValueError(
            f"{path.name} holds another model than the run's settings describe: undo the changes "
            "in run.json, or start a new run."
        ) from None
    state = start(lay_out(model), settings)
    for name, optimizer in state.optimizers.items():
        saved: dict[int, dict[str, Tensor]] = {}
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for key, value in tensors.items():
            if key.startswith(f"optimizer/{name}/"):
                _, _, index, entry = key.split("/")
                saved.setdefault(int(index), {})[entry] = _laid_out_as(
                    parameters[int(index)], value
                )
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": saved, "param_groups": groups})
    state.rng.set_state(tensors["rng"])
    for device in _devices(model):
        if (name := _random_name(device)) in tensors:  # not where the training moved to a GPU
            devices.set_random_state(device, tensors[name])
    state.epoch, state.step = meta["epoch"], meta["step"]
    state.seconds, state.history = meta["seconds"], meta["history"]
    state.used = meta.get("used", {})
    state.dataset, state.images = meta.get("dataset", ""), meta.get("images", 0)
    return state


def from_checkpoint(path: Path, model: Model, settings: TrainSettings) -> State:
    """Read a run's checkpoint into ``model``: weights, epoch, history, dataset, what was used.

    The optimizer is a fresh one. Raises CheckpointError if the file is damaged or of another model;
    then ``model`` is unchanged.
    """
    info = checkpoint.peek(path)
    weights = checkpoint.load(info).state_dict()
    try:
        model.load_state_dict(weights)
    except RuntimeError:
        raise CheckpointError(f"{path.name} holds another model than the run trains.") from None
    state = start(lay_out(model), settings)
    last = info.history[-1] if info.history else {}
    state.epoch, state.history = info.epoch, info.history
    state.used, state.dataset = info.used, info.dataset
    state.step, state.seconds = int(last.get("step", 0)), float(last.get("seconds", 0))
    return state


def _read(path: Path) -> tuple[dict[str, Tensor], _Saved]:
    """Tensors and description of a saved state, once the checksum says that both are whole."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    damaged = CheckpointError(f"{path.name} is damaged: its contents and its checksum differ.")
    head = header(path)
    try:
        meta = json.loads(cast(dict[str, str], head["__metadata__"])["genlib"])
        tensors = load_file(path)
        # States saved by earlier versions have no checksum.
        whole = meta.get("sha256", "") in ("", checksum(tensors, meta))
    except (SafetensorError, OSError, KeyError, TypeError, AttributeError, ValueError):
        raise damaged from None
    if not whole:
        raise damaged
    return tensors, cast(_Saved, meta)


def _devices(model: Model) -> list[torch.device]:
    """Those whose global random numbers a training uses: dropout draws on the model's own."""
    return list(dict.fromkeys([torch.device("cpu"), model.device]))


def _random_name(device: torch.device) -> str:
    return "global_rng" if device.type == "cpu" else f"global_rng/{device.type}"


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """``value`` with its parameter's strides: the fused Adam pairs numbers by their place."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
