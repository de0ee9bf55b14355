"""The pretended GPU refuses what a GPU refuses, and computes what the CPU computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.helpers import rng
from tests.pretend import Pretended, place


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_tensor_says_where_it_is_and_comes_back(kind: str) -> None:
    with Pretended(kind) as gpu:
        x = torch.arange(6.0).view(2, 3)
        there = x.to(kind)
        assert (x.device.type, there.device) == ("cpu", gpu.device)
        assert (there.is_cuda, there.is_mps) == (kind == "cuda", kind == "mps")
        for made in (
            there.t()[0],
            there * 2,
            torch.zeros_like(there),
            there.new_ones(2),
            torch.ones(2, device=kind),
            x.to(there),
            torch.as_tensor(x, device=kind),
            torch.tensor([1.0], device=gpu.device),
        ):
            assert made.device == gpu.device
        assert there.cpu().device.type == "cpu" and torch.equal(there.cpu(), x)
        assert x.device.type == "cpu"
        np.testing.assert_array_equal(there.cpu().numpy(), x.numpy())


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_devices_do_not_mix(kind: str) -> None:
    with Pretended(kind):
        here, there = torch.ones(3), torch.ones(3, device=kind)
        with pytest.raises(RuntimeError, match="same device"):
            here + there
        with pytest.raises(RuntimeError, match="same device"):
            torch.cat([here, there])
        with pytest.raises(RuntimeError, match="same device"):
            F.linear(there[None], torch.ones(2, 3))
        with pytest.raises(RuntimeError, match="same device"):
            here[torch.zeros(1, dtype=torch.long, device=kind)]
        assert there[torch.zeros(1, dtype=torch.long)].device.type == kind  # as torch allows
        assert (there + torch.tensor(1.0)).device.type == kind
        here.copy_(there)
        assert here.device.type == "cpu"


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_numpy_and_foreign_generators_are_refused(kind: str) -> None:
    with Pretended(kind):
        there = torch.ones(3, device=kind)
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        with pytest.raises(TypeError, match="numpy"):
            np.asarray(there)
        with pytest.raises(RuntimeError, match="for generator"):
            torch.randn(3, generator=rng(), device=kind)
        with pytest.raises(RuntimeError, match="for generator"):
            there.uniform_(generator=rng())


def test_float64_is_for_cuda_and_not_for_mps() -> None:
    with Pretended("cuda"):
        assert torch.ones(3, device="cuda").double().sum().item() == 3
    with Pretended("mps"):
        there = torch.ones(3, device="mps")
        for wrong in (
            lambda: there.double(),
            lambda: there.to(torch.float64),
            lambda: torch.ones(3, dtype=torch.float64).to("mps"),
            lambda: torch.zeros(2, dtype=torch.float64, device="mps"),
        ):
            with pytest.raises(TypeError, match="float64"):
                wrong()
        assert there.cpu().double().dtype == torch.float64


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_training_there_gives_the_numbers_of_training_here(kind: str) -> None:
    def trained(device: str) -> list[torch.Tensor]:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 1)).to(device)
        optimizer = torch.optim.Adam(net.parameters(), 0.1, fused=True)
        x = torch.randn(8, 4, generator=rng()).to(device)
        for _ in range(3):
            optimizer.zero_grad()
            net(x).square().sum().backward()
            optimizer.step()
        assert all(p.grad is not None and p.grad.device == p.device for p in net.parameters())
        return [p.detach().cpu() for p in net.state_dict().values()]

    with Pretended(kind):
        pairs = zip(trained("cpu"), trained(kind), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)


def test_a_gradient_goes_back_to_where_its_tensor_is() -> None:
    with Pretended("cuda"):
        x = torch.ones(2, requires_grad=True)
        x.to("cuda").sum().backward()
        assert x.grad is not None and place(x.grad).type == "cpu"


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_dropout_there_draws_from_the_devices_own_numbers(kind: str) -> None:
    with Pretended(kind):
        x, outside = torch.ones(50, device=kind), torch.get_rng_state()
        before = torch.get_device_module(kind).get_rng_state()
        one = F.dropout(x)
        assert torch.equal(torch.get_rng_state(), outside)
        assert not torch.equal(F.dropout(x), one)
        torch.get_device_module(kind).set_rng_state(before)
        assert torch.equal(F.dropout(x), one)


def test_nothing_is_left_behind() -> None:
    with Pretended("cuda"):
        x = torch.ones(3, device="cuda")
    assert x.device.type == "cpu" and (x + torch.ones(3)).sum() == 6
