"""Turns on a fake clock: who runs when, who waits how long, and what the page says about it."""

from __future__ import annotations

import pytest

from genlib.background import Company, Places
from genlib.explore.attended import ROUND_S, TURN_S, Attended

PATIENCE_S = 5.0  # nobody waits longer


class Clock:
    """A time that only we move."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def places(limit: int, clock: Clock) -> Places:
    """Places with the turns of ascents."""
    return Places(limit, TURN_S, ROUND_S, clock=clock)


class Climber(Attended):
    """Something whose steps take a given time; the test makes them."""

    gone_s = 600.0

    def __init__(self, pool: Places, owner: str, step_s: float = 0.02) -> None:
        super().__init__(pool, owner)
        self.step_s, self.steps = step_s, 0
        self.spells: list[tuple[float, float]] = []  # when it ran
        self.has_place = False

    def begin_turn(self) -> None:
        """Do nothing by itself."""
        self.has_place = True


def simulate(pool: Places, clock: Clock, climbers: list[Climber], seconds: float) -> None:
    """Let those that run make steps one after the other (one place) until the time is up."""
    assert pool.limit == 1
    for one in climbers:
        one.running = True
        pool.enter(one)
    end = clock.now + seconds
    while clock.now < end:
        (one,) = (c for c in climbers if c.has_place)
        begun = clock.now
        while True:
            clock.now += one.step_s
            one.steps += 1
            if pool.is_over(one) or clock.now >= end:
                break
        one.spells.append((begun, clock.now))
        one.has_place = False
        pool.leave(one, again=True)


def longest_wait(one: Climber) -> float:
    starts, ends = [0.0], [0.0]
    for begun, ended in one.spells:
        starts.append(begun)
        ends.append(ended)
    return max(b - e for b, e in zip(starts[1:], ends[:-1], strict=True))


@pytest.mark.parametrize("step_s", [0.004, 0.06, 0.25, 0.5])
def test_ten_visitors_and_nobody_waits_long(step_s: float) -> None:
    clock = Clock()
    pool = places(1, clock)
    ten = [Climber(pool, f"visitor {n}", step_s) for n in range(10)]
    simulate(pool, clock, ten, 60)
    assert max(map(longest_wait, ten)) <= PATIENCE_S
    assert max(b - a for one in ten for a, b in one.spells) <= 2.0
    steps = [one.steps for one in ten]
    assert max(steps) <= 1.5 * min(steps), "alike"


def test_forty_visitors_get_shorter_turns() -> None:
    clock = Clock()
    pool = places(1, clock)
    forty = [Climber(pool, f"visitor {n}") for n in range(40)]
    simulate(pool, clock, forty, 60)
    assert max(map(longest_wait, forty)) <= PATIENCE_S and ROUND_S / 40 < TURN_S


def test_whoever_is_alone_is_not_interrupted() -> None:
    clock = Clock()
    pool = places(1, clock)
    one = Climber(pool, "me")
    one.running = True
    pool.enter(one)
    clock.now += 1000
    assert not pool.is_over(one) and one.company() == ""


def test_five_tabs_of_one_person_count_as_one_person() -> None:
    clock = Clock()
    pool = places(1, clock)
    tabs, other = [Climber(pool, "me") for _ in range(5)], Climber(pool, "somebody")
    simulate(pool, clock, [*tabs, other], 60)
    mine = sum(tab.steps for tab in tabs)
    assert 0.8 < mine / other.steps < 1.25
    assert max(tab.steps for tab in tabs) < 1.5 * min(tab.steps for tab in tabs)


def test_it_says_with_whom_it_takes_turns() -> None:
    pool = places(1, Clock())
    me, also_me, ann, bob, unknown = (Climber(pool, o) for o in ("me", "me", "ann", "bob", ""))
    said = {}
    for newcomer in (me, also_me, ann, bob, unknown):
        newcomer.running = True
        pool.enter(newcomer)
        said[len(said)] = me.company()
    assert list(said.values()) == [
        "",
        "taking turns with your other tab",
        "taking turns with your other tab and another visitor",
        "taking turns with your other tab and 2 other visitors",
        "taking turns with your other tab and 3 other visitors",
    ]
    assert pool.company(unknown) == Company(0, 3)
    assert pool.share(me) == pytest.approx(1 / 8)
    also_me.close()
    assert me.company() == "taking turns with 3 other visitors"


def test_a_place_for_each_is_no_company() -> None:
    pool = places(2, Clock())
    me, ann = Climber(pool, "me"), Climber(pool, "ann")
    for one in (me, ann):
        one.running = True
        pool.enter(one)
    assert me.company() == ann.company() == "" and pool.share(me) == 1.0
