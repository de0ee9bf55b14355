"""An ascent that runs in the background while a page looks at it.

A ``Live`` owns one ascent, its film and its curves. Its thread makes as many steps as fit in a
frame's time, publishes the frame, and ends by itself when paused, when no one has asked for a
frame for a few seconds (the browser is gone), or when an error occurs. A ``Places`` bounds how many
run at once over all sessions; when there are more, people take short turns.

    page ── knobs, classes, start, pause ──> Live ──> thread: step, step, ... ──> Shown ──> page

Whoever waits for frames leaves a function with ``listen``, so that no thread is blocked.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from genlib.background import Places
from genlib.explore.ascent.climb import Ascent, AscentError
from genlib.explore.ascent.film import Curves, Film
from genlib.explore.ascent.knobs import Knobs, turned
from genlib.explore.ascent.shown import pixels, shown
from genlib.explore.ascent.team import Team
from genlib.explore.attended import PLACES, Attended

FRAME_S = 0.02  # seconds of computing per frame
MEASURE_SHARE = 0.2  # of the time at most goes into measuring the frame shown

log = logging.getLogger(__name__)


class Live(Attended):
    """One session's ascent: start, pause, step, go back; all calls return within a step's time.

    It rests by itself at each multiple of ``rest_every`` steps (0: never).
    """

    def __init__(
        self,
        ascent: Ascent | Team,
        places: Places = PLACES,
        owner: str = "",
        rest_every: int = 0,
        original: Tensor | None = None,
    ) -> None:
        """original: the picture that the ascent was given, to the last bit; else its own."""
        super().__init__(places, owner)
        self._ascent, self.rest_every = ascent, rest_every
        self._rest_at = 0  # the step at which it pauses by itself; 0 for none
        self.names, self.groups = ascent.names, ascent.groups
        self.listeners: set[Callable[[], None]] = set()
        self.version = 0  # grows by one with everything that is shown
        self.film, self.curves = Film(), Curves()
        self._measured_s = self._measured_at = 0.0
        # What the ascent began with.
        self.original = ascent.image.cpu() if original is None else original.cpu()
        self.epoch = 0  # changes whenever the steps do not simply go on
        self._ending = False  # paused, but the frame of the step under way is still to come
        with self.lock:
            self._publish(measure=True)

    @property
    def moving(self) -> bool:
        """Whether more frames come: while it runs, and after a pause until the last is shown."""
        return self.running or self._ending

    @property
    def knobs(self) -> Knobs:
        """The knobs in use; assign to change them between two steps."""
        return self._ascent.knobs

    def set_knobs(self, knobs: Knobs) -> None:
        """Take over other knobs; raises ValueError for a bad one and changes nothing."""
        knobs.check()
        if knobs == self._ascent.knobs:
            return
        with self.lock:
            self._ascent.knobs = knobs
            if not self.running:
                self._publish(measure=True)

    def turn(self, amounts: Mapping[str, float]) -> None:
        """Move some of the knobs at once, without waiting for the step under way (see ``turned``).

        Raises ValueError for a wrong knob or amount, and changes nothing.
        """
        # A step looks once at these; a new object in one assignment never shows it half a change.
        self._ascent.knobs = turned(self._ascent.knobs, amounts)

    def retarget(self, classes: Sequence[int]) -> None:
        """Aim at other classes; the pictures stay."""
        if tuple(classes) == self.shown.classes:
            return
        with self.lock:
            self._ascent.retarget(classes)
            self._publish(measure=True)

    @property
    def columns(self) -> int:
        """How many pictures stand side by side: of several networks, a row for each."""
        each = len(self.shown.classes) // len(self.groups)
        return each if each > 1 and len(self.groups) > 1 else 5

    def start(self, until: int = 0) -> None:
        """Run until paused, or until it rests: at step ``until``, if that isn't 0."""
        every = self.rest_every
        self._rest_at = until or (every and (self._ascent.step // every + 1) * every)
        self.running, self.error = True, ""
        self.beat()

    def pause(self) -> None:
        """Stop after the step under way; nothing changes once this has returned."""
        self._ending, self.running = True, False
        self._places.withdraw(self)
        with self.lock:
            try:
                self._publish(measure=True)
            finally:
                self._ending = False
        self._tell()  # that it no longer moves

    def step_once(self) -> None:
        """Pause and make exactly one step."""
        self.pause()
        with self.lock:
            try:
                self._ascent.advance()
            except (AscentError, ValueError) as problem:
                self.error = str(problem)
            self._publish(measure=True)
            self.film.add(self.shown.step, self.shown.classes, self._ascent.image, force=True)

    def go_to(self, index: int) -> None:
        """Pause and put an earlier frame of the film back; continuing drops the later ones."""
        self.pause()
        with self.lock:
            if not 0 <= index < len(self.film.frames):
                return
            frame = self.film.go_to(index)
            # The targets stay what they are; each takes its own picture of that frame if any.
            have = list(frame.classes)
            rows = [have.index(c) if c in have else 0 for c in self.shown.classes]
            self._ascent.put(frame.image[rows])
            self._ascent.step = frame.step
            self.epoch += 1
            self.curves.cut(frame.step)
            self.error = ""
            self._publish(measure=True)

    def reset(self, image: Tensor) -> None:
        """Pause and begin again from a picture (B, C, H, W) in [0, 1], one for each class."""
        self.pause()
        with self.lock:
            self.original = image.cpu()
            self._ascent.begin(image)
            self._forget()

    def picture(self) -> Tensor:
        """The pictures now: float32 (B, C, H, W) in [0, 1]."""
        with self.lock:
            return self._ascent.image.cpu()

    def resume(self, image: Tensor, step: int) -> None:
        """Pause and go on from pictures (B, C, H, W) that another ascent had at this step."""
        self.pause()
        with self.lock:
            self._ascent.put(image)
            self._ascent.step = step
            self._forget()

    def _forget(self) -> None:
        """Show what is there now as the first frame; called with the lock held."""
        self.error = ""
        self.film, self.curves = Film(), Curves()
        self.epoch += 1
        self._publish(measure=True)

    def _run(self) -> None:
        try:
            super()._run()
        finally:
            self._tell()

    def go_on(self) -> None:
        try:
            self._frame()
        except (AscentError, ValueError) as problem:
            self.running, self.error = False, str(problem)
        except Exception:
            log.exception("an ascent stopped")
            self.running = False
            self.error = "The ascent stopped because of an error. Press Reset to start again."

    def _frame(self) -> None:
        """As many steps as fit in a frame's time, at least one."""
        start, first = time.perf_counter(), self._ascent.step
        while True:
            self._ascent.advance()
            spent = time.perf_counter() - start
            per_step = spent / (self._ascent.step - first)
            if self._ascent.step == self._rest_at:
                # In this order: what no longer moves must have its last version.
                self._ending, self.running = True, False
            if spent + per_step > FRAME_S or not self.running:
                break
        # Steps per second as the person sees them go by, turns of others included.
        rate = (self._ascent.step - first) / spent * self._places.share(self)
        try:
            self._publish(not self.running, rate)
        finally:
            self._ending = False

    def _publish(self, measure: bool, rate: float = 0.0) -> None:
        now = time.perf_counter()
        if measure or (now - self._measured_at) * MEASURE_SHARE > self._measured_s:
            frame = self._ascent.frame()
            self._measured_s, self._measured_at = time.perf_counter() - now, time.perf_counter()
            self.curves.add(self._ascent.classes.tolist(), frame)
            self.shown = shown(frame, self._ascent.classes.tolist(), rate)
        else:
            self.shown = replace(
                self.shown,
                images=pixels(self._ascent.image),
                step=self._ascent.step,
                steps_per_s=rate,
            )
        self.film.add(self.shown.step, self.shown.classes, self._ascent.image)
        self._tell()

    def _tell(self) -> None:
        self.version += 1
        for tell in tuple(self.listeners):
            tell()

    def listen(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` after everything shown, in the ascent's thread: it must be quick."""
        self.listeners.add(tell)

    def unlisten(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` no more."""
        self.listeners.discard(tell)
