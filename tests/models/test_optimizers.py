"""Our optimizers are torch's: the same steps, the same state."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import nn

from genlib.models import optimizers
from tests.helpers import rng

SETTINGS: dict[str, dict[str, object]] = {
    "Adam": {"betas": (0.5, 0.999), "weight_decay": 0.01, "fused": True},
    "SGD": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_steps_and_state_are_those_of_torch(name: str) -> None:
    start, x = torch.randn(3, 5, generator=rng()), torch.randn(7, 5, generator=rng(1))
    ends, states = [], []
    for origin, resumed in product((torch.optim, optimizers), (False, True)):
        weight = nn.Parameter(start.clone())
        kind = getattr(origin, name)
        optimizer = kind([weight], 0.1, **SETTINGS[name])
        for step in range(6):
            if resumed and step == 3:
                kept = optimizer.state_dict()
                optimizer = kind([weight], 0.5, **SETTINGS[name])
                optimizer.load_state_dict(kept)
            optimizer.zero_grad(set_to_none=True)
            assert weight.grad is None
            (x @ weight.t()).square().mean().backward()
            optimizer.step()
        ends.append(weight.detach())
        states.append(optimizer.state_dict())
    assert not torch.equal(ends[0], start)
    for end, state in zip(ends[1:], states[1:], strict=True):
        assert torch.equal(end, ends[0])
        assert state.keys() == states[0].keys()
        assert state["param_groups"] == states[0]["param_groups"]


@pytest.mark.parametrize("name", SETTINGS)
def test_a_step_leaves_no_graph_behind(name: str) -> None:
    weight = nn.Parameter(torch.ones(2))
    optimizer = getattr(optimizers, name)([weight], 0.1)
    weight.sum().backward()
    optimizer.step()
    assert weight.is_leaf and weight.requires_grad and torch.is_grad_enabled()
