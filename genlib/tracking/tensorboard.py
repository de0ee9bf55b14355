"""Event files for TensorBoard: ``tensorboard --logdir FOLDER``.

A run is a folder with its epochs; what happened between them is in its subfolder ``steps``, since
TensorBoard has one horizontal axis per folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from genlib.tracking.follow import Measurement, TrackedRun, TrackError

if TYPE_CHECKING:
    from torch.utils.tensorboard import FileWriter, SummaryWriter

SUFFIX = ".genlib"  # of our event files: those of others in the same folder are left alone


def _file(writer: SummaryWriter) -> FileWriter:
    """The writer below, which takes any kind of event."""
    return cast("FileWriter", writer.file_writer)


class Tracker:
    """One run in the folder ``into/<run>``."""

    def __init__(self, into: Path) -> None:
        if find_spec("tensorboard") is None:
            raise TrackError("TensorBoard isn't installed here: pip install 'genlib[tensorboard]'.")
        self.into = into
        self.writers: dict[bool, SummaryWriter] = {}  # whether of steps -> writer
        self.about: TrackedRun | None = None
        self.last: dict[str, float] = {}

    def begin(self, about: TrackedRun) -> None:
        """Remove what an earlier import of the same run wrote, and write its settings."""
        from torch.utils.tensorboard import SummaryWriter

        self.about = about
        for steps in (False, True):
            folder = self.into / about.id / ("steps" if steps else "")
            for old in folder.glob(f"events.out.tfevents.*{SUFFIX}"):
                old.unlink()
            self.writers[steps] = SummaryWriter(str(folder), filename_suffix=SUFFIX)
        text = "\n".join(f"| {name} | {value} |" for name, value in about.settings.items())
        self.writers[False].add_text("settings", f"| setting | value |\n|---|---|\n{text}", 0)

    def numbers(self, axis: int, values: Mapping[str, float], time: float) -> None:
        """One point on each curve."""
        for name, value in values.items():
            steps = name.startswith("step/")
            self.writers[steps].add_scalar(name.removeprefix("step/"), value, axis, time)
        if not any(name.startswith("step/") for name in values):
            self.last = dict(values)
            self.flush()

    def picture(self, name: str, epoch: int, image: NDArray[np.uint8], time: float) -> None:
        """A picture at its epoch."""
        self.writers[False].add_image(name, image, epoch, time or None, dataformats="HWC")
        self.flush()

    def rewind(self, step: int, epoch: int) -> None:
        """TensorBoard drops what it knows of later steps when it reads that a session started."""
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog

        for steps, axis in ((False, epoch + 1), (True, step + 1)):
            event = Event(session_log=SessionLog(status=SessionLog.START))
            _file(self.writers[steps]).add_event(event, axis)

    def end(self, measured: Mapping[str, Measurement], state: str) -> None:
        """Settings as hyperparameters, with the last losses and the test numbers."""
        from torch.utils.tensorboard.summary import hparams

        assert self.about is not None, "begin comes first"
        found = {name: value for name, value in self.last.items() if "/" in name}
        for name, m in measured.items():
            found |= {f"measured/{name}": m.value, f"measured/{name}_stderr": m.stderr}
        writer = self.writers[False]
        for summary in hparams(dict(self.about.settings), found):
            _file(writer).add_summary(summary)
        for name, value in found.items():
            if name.startswith("measured/"):
                writer.add_scalar(name, value, 0)
        for each in self.writers.values():
            each.close()

    def flush(self) -> None:
        """Let a TensorBoard that is watching see it now."""
        for writer in self.writers.values():
            writer.flush()
