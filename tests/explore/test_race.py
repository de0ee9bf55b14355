"""Ways to train a Boltzmann machine, judged by exact sums."""

from __future__ import annotations

import math

import pytest
import torch

from genlib.data.toys import bars_and_stripes
from genlib.explore import race
from genlib.models.autoencoder import Autoencoder, AutoencoderSettings
from genlib.models.boltzmann import Boltzmann, BoltzmannSettings, states
from genlib.models.rbm import RBM, RBMSettings


def test_exact_likelihood_of_an_untrained_machine_and_of_a_known_one() -> None:
    rbm = RBM(RBMSettings(image_size=2, n_hidden=3))
    x = states(4)[:5].view(-1, 1, 2, 2)
    with torch.no_grad():
        rbm.weight.zero_()
    assert race.judge(rbm, x, states(4)).nll == pytest.approx(4 * math.log(2), abs=1e-5)
    torch.manual_seed(0)
    machine = Boltzmann(BoltzmannSettings(image_size=2, n_hidden=3))
    with torch.no_grad():
        machine.raw.normal_()
    expected = -machine.log_likelihood(x).mean().item()
    assert race.judge(machine, x, states(4)).nll == pytest.approx(expected, abs=1e-4)


def test_all_runners_learn_and_are_judged_at_the_same_steps() -> None:
    x = bars_and_stripes(2)[0][:, None].float()
    torch.manual_seed(0)
    models = {
        "cd": RBM(RBMSettings(image_size=2, n_hidden=6, k=5)),
        "general": Boltzmann(BoltzmannSettings(image_size=2, n_hidden=2)),
    }
    with torch.no_grad():
        models["cd"].weight.normal_()  # far from the data, so that there is much to learn
    *_, runners = race.run(models, x, states(4), steps=60, every=20, lr=0.3)
    for runner in runners.values():
        assert [step for step, _ in runner.curve] == [0, 20, 40, 60]
        assert math.log(6) < runner.curve[-1][1] < runner.curve[0][1] - 0.2
        assert runner.seconds > 0


def test_the_likeliest_pictures_and_the_share_of_the_data_are_exact() -> None:
    torch.manual_seed(0)
    machine = Boltzmann(BoltzmannSettings(image_size=2, n_hidden=3))
    with torch.no_grad():
        machine.raw.normal_()
    x = bars_and_stripes(2)[0][:, None].float()
    said = race.judge(machine, x, states(4))
    p = machine.log_likelihood(states(4).view(-1, 1, 2, 2)).exp()
    assert torch.allclose(said.p, p.sort(descending=True).values[: race.SHOWN], atol=1e-5)
    assert torch.equal(said.likeliest[0], states(4)[int(p.argmax())])
    assert said.share == pytest.approx(float(machine.log_likelihood(x).exp().sum()), abs=1e-5)


def test_a_model_without_free_energy_is_refused() -> None:
    model = Autoencoder(AutoencoderSettings(image_size=2, latent_dim=2))
    with pytest.raises(TypeError, match="autoencoder has no free energy"):
        race.judge(model, torch.zeros(1, 1, 2, 2), states(4))
