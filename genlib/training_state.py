"""The state of a training at the end of an epoch: what is needed to go on as if uninterrupted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from genlib.models.base import Model
from genlib.settings import TrainSettings
from genlib.tensorfile import header, write_tensors


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


def start(model: Model, settings: TrainSettings) -> State:
    """The state before the first step."""
    rng = torch.Generator().manual_seed(settings.seed)
    return State(rng=rng, optimizers=model.optimizers(settings.lr, settings.weight_decay))


def lay_out(model: Model) -> Model:
    """Channels last on a CPU: convolutions are 1.5 to 3 times faster."""
    if next(model.parameters()).device.type == "cpu":
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
    tensors["global_rng"] = torch.get_rng_state()  # dropout layers draw from the global one
    meta = {
        "kind": "state",
        "epoch": state.epoch,
        "step": state.step,
        "seconds": state.seconds,
        "history": state.history,
    }
    write_tensors(path, tensors, meta)


def load_state(path: Path, model: Model, settings: TrainSettings) -> State:
    """Read what ``save_state`` wrote into ``model`` and a new state.

    Raises CheckpointError if the file is damaged.
    """
    from safetensors.torch import load_file

    meta = json.loads(cast(dict[str, str], header(path)["__metadata__"])["genlib"])
    tensors = load_file(path)
    model.load_state_dict(
        {k.removeprefix("model/"): t for k, t in tensors.items() if k.startswith("model/")}
    )
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
    torch.set_rng_state(tensors["global_rng"])
    state.epoch, state.step = int(meta["epoch"]), int(meta["step"])
    state.seconds, state.history = float(meta["seconds"]), list(meta["history"])
    return state


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """``value`` with its parameter's strides: the fused Adam pairs numbers by their place."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
