"""Several networks under one ascent."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genlib.background import Places
from genlib.explore.ascent.climb import Ascent, noise
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens, Network
from genlib.explore.ascent.live import Live
from genlib.explore.ascent.team import Team
from genlib.models.classifier import Classifier, ClassifierSettings
from tests.explore.ascent.climbing import CPU, TEN
from tests.helpers import normal, rng, until


@pytest.fixture(scope="module")
def other() -> Lens:
    """Another untrained network of the same kind."""
    torch.manual_seed(7)
    model = normal(Classifier(ClassifierSettings(width=4, dense=8)), 0.3)
    return Lens(Network("other", "Other", model, TEN, (1, 28, 28)), CPU, torch.float32)


def start() -> torch.Tensor:
    return noise((1, 1, 28, 28), torch.zeros(1, 1, 1, 1), rng())


def team(lens: Lens, other: Lens, knobs: Knobs) -> Team:
    return Team([Ascent(one, start(), (3,), knobs, rng()) for one in (lens, other)])


def test_each_network_climbs_as_it_would_alone(lens: Lens, other: Lens) -> None:
    knobs = Knobs(normalise=True, jitter=2, rotate=5.0)
    both = team(lens, other, knobs)
    for _ in range(4):
        both.advance()
    for k, one in enumerate((lens, other)):
        alone = Ascent(one, start(), (3,), knobs, rng())
        for _ in range(4):
            alone.advance()
        assert torch.equal(both.image[k : k + 1], alone.image)
        assert both.frame().probability[k] == alone.frame().probability[0]
    assert both.step == 4 and both.classes.tolist() == [3, 13]


def test_classes_change_for_all_and_each_keeps_its_own_picture(lens: Lens, other: Lens) -> None:
    both = team(lens, other, Knobs(normalise=True))
    both.advance()
    image = both.image.clone()
    both.retarget([8, 18])
    assert torch.equal(both.image, image) and both.classes.tolist() == [8, 18]
    both.retarget([*range(20)])
    assert torch.equal(both.image[:10], image[:1].expand(10, -1, -1, -1))
    assert torch.equal(both.image[10:], image[1:].expand(10, -1, -1, -1))


def test_networks_of_different_pictures_cannot_stand_side_by_side(lens: Lens) -> None:
    torch.manual_seed(0)
    model = Classifier(ClassifierSettings(width=4, dense=8, image_size=32)).eval()
    large = Lens(Network("large", "Large", model, TEN, (1, 32, 32)), CPU, torch.float32)
    knobs = Knobs()
    ascents = [
        Ascent(lens, start(), (3,), knobs, rng()),
        Ascent(large, torch.rand(1, 1, 32, 32, generator=rng()), (3,), knobs, rng()),
    ]
    with pytest.raises(ValueError, match="of one kind"):
        Team(ascents)


def test_a_live_team_goes_back_resumes_and_rests(lens: Lens, other: Lens) -> None:
    live = Live(team(lens, other, Knobs(normalise=True)), Places(1), rest_every=4)
    assert live.groups == ("Tiny", "Other") and len(live.names) == 20 and live.columns == 5
    live.start()
    assert until(lambda: not live.moving)
    assert live.shown.step == 4, "it rests by itself"
    live.start()
    assert until(lambda: not live.moving)
    assert live.shown.step == 8
    last = live.picture()
    live.go_to(0)
    assert live.shown.step == 0 and not np.array_equal(live.picture(), last)
    live.resume(last, 8)
    assert live.shown.step == 8 and torch.equal(live.picture(), last)
    live.start(until=10)
    assert until(lambda: not live.moving)
    assert live.shown.step == 10
    live.retarget(range(20))
    assert live.columns == 10
    live.close()
