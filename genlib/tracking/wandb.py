"""Runs in Weights & Biases; without an account or a network into a folder, for ``wandb sync``.

W&B can't take numbers back: after a run lost work, both its curves are in the panel of a run that
was followed live. Import it again once it has ended, and the old data are replaced.
"""

from __future__ import annotations

import netrc
import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genlib.tracking.follow import Measurement, TrackedRun, TrackError

if TYPE_CHECKING:
    from wandb import Run

PROJECT = "genlib"
HOST = "api.wandb.ai"


class Tracker:
    """One run; what is written for it lies in ``into/wandb``."""

    def __init__(self, into: Path) -> None:
        if find_spec("wandb") is None:
            raise TrackError("Weights & Biases isn't installed here: pip install 'genlib[wandb]'.")
        self.into = into
        self.run: Run | None = None
        self.row: dict[str, object] = {}  # of the epoch whose picture may still come
        self.epoch = -1

    def begin(self, about: TrackedRun) -> None:
        """Start a run of the same name; epochs and steps are horizontal axes of their own."""
        import wandb

        self.into.mkdir(parents=True, exist_ok=True)
        try:
            self.run = wandb.init(
                project=os.environ.get("WANDB_PROJECT", PROJECT),
                id=f"{about.id}-{int(about.created):x}",
                name=about.name,
                group=about.group or None,
                config=dict(about.settings),
                dir=str(self.into),
                mode=mode(),  # type: ignore[arg-type]
                reinit="create_new",
                settings=wandb.Settings(silent=True, console="off", x_disable_stats=True),
            )
        except (wandb.errors.Error, OSError) as error:
            raise TrackError(
                f"Weights & Biases can't be reached ({' '.join(str(error).split())[:200]}): set "
                "WANDB_MODE=offline to write into a folder."
            ) from error
        for axis in ("epoch", "step"):
            self.run.define_metric(axis, hidden=True)
        self.run.define_metric("step/*", step_metric="step")
        self.run.define_metric("*", step_metric="epoch")

    def numbers(self, axis: int, values: Mapping[str, float], time: float) -> None:
        """One row; that of an epoch waits for its picture."""
        assert self.run is not None, "begin comes first"
        if any(name.startswith("step/") for name in values):
            self._flush()
            self.run.log({**values, "step": axis})
            return
        if axis != self.epoch:
            self._flush()
        self.epoch = axis
        self.row |= values

    def picture(self, name: str, epoch: int, image: NDArray[np.uint8], time: float) -> None:
        """A picture in the row of its epoch."""
        import wandb

        if epoch != self.epoch:
            self._flush()
        self.epoch = epoch
        self.row[name] = wandb.Image(image, caption=f"epoch {epoch}")

    def _flush(self) -> None:
        if self.row and self.run is not None:
            self.run.log({**self.row, "epoch": self.epoch})
        self.row = {}

    def rewind(self, step: int, epoch: int) -> None:
        """W&B has no way to do that; see the module's docstring."""
        self._flush()

    def end(self, measured: Mapping[str, Measurement], state: str) -> None:
        """The test numbers as the run's summary."""
        assert self.run is not None, "begin comes first"
        self._flush()
        for name, m in measured.items():
            self.run.summary[f"measured/{name}"] = m.value
            self.run.summary[f"measured/{name}_stderr"] = m.stderr
        self.run.finish(exit_code=int(state == "failed"))


def mode() -> str:
    """``$WANDB_MODE``, else online where there is a key for W&B, else offline."""
    if asked := os.environ.get("WANDB_MODE"):
        return asked
    if os.environ.get("WANDB_API_KEY"):
        return "online"
    try:
        known = netrc.netrc().authenticators(HOST) is not None
    except (OSError, netrc.NetrcParseError):
        known = False
    return "online" if known else "offline"
