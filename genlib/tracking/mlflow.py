"""Runs in MLflow: on ``$MLFLOW_TRACKING_URI``, else in a local folder (``mlflow ui`` reads it).

MLflow 3 keeps its store of plain files in maintenance mode and wants to be asked for it
(``MLFLOW_ALLOW_FILE_STORE``); it needs no database, so the local folder is one. Numbers can't be
taken back: an earlier import of the same run is deleted instead.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genlib.tracking.follow import Measurement, TrackedRun, TrackError

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT = "genlib"
TAG = "genlib.run"  # the run's directory
MOST_TEXT = 500  # characters of a parameter


class Tracker:
    """One run, in the experiment that is named after its sweep."""

    def __init__(self, into: Path) -> None:
        if find_spec("mlflow") is None:
            raise TrackError("MLflow isn't installed here: pip install 'genlib[mlflow]'.")
        self.into = into
        self.client: MlflowClient | None = None
        self.id = ""

    def begin(self, about: TrackedRun) -> None:
        """Make the run, instead of one that was imported before."""
        from mlflow.exceptions import MlflowException

        try:
            self._begin(about)
        except (MlflowException, OSError) as error:
            raise TrackError(
                f"MLflow can't be reached ({' '.join(str(error).split())[:200]}): unset "
                "MLFLOW_TRACKING_URI to write into a folder."
            ) from error

    def _begin(self, about: TrackedRun) -> None:
        from mlflow.tracking import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI", "")
        if not uri:
            os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
            self.into.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=uri or self.into.resolve().as_uri())
        name = about.group or EXPERIMENT
        known = client.get_experiment_by_name(name)
        experiment = known.experiment_id if known else client.create_experiment(name)
        same = f"tags.`{TAG}` = '{str(about.path).replace(chr(39), '')}'"
        for old in client.search_runs([experiment], same):
            client.delete_run(old.info.run_id)
        tags = {TAG: str(about.path).replace("'", "")}
        self.client = client
        self.id = client.create_run(experiment, tags=tags, run_name=about.name).info.run_id
        for setting, value in about.settings.items():
            client.log_param(self.id, setting, str(value)[:MOST_TEXT])

    def numbers(self, axis: int, values: Mapping[str, float], time: float) -> None:
        """One point on each curve."""
        from mlflow.entities import Metric

        assert self.client is not None, "begin comes first"
        points = [Metric(name, value, int(time * 1000), axis) for name, value in values.items()]
        self.client.log_batch(self.id, metrics=points)

    def picture(self, name: str, epoch: int, image: NDArray[np.uint8], time: float) -> None:
        """A picture at its epoch."""
        assert self.client is not None, "begin comes first"
        self.client.log_image(
            self.id, image, key=name, step=epoch, timestamp=int(time * 1000), synchronous=True
        )

    def rewind(self, step: int, epoch: int) -> None:
        """MLflow has no way to do that; see the module's docstring."""

    def end(self, measured: Mapping[str, Measurement], state: str) -> None:
        """The test numbers, and how the run ended."""
        assert self.client is not None, "begin comes first"
        for name, m in measured.items():
            self.client.log_metric(self.id, f"measured/{name}", m.value)
            self.client.log_metric(self.id, f"measured/{name}_stderr", m.stderr)
        status = {"finished": "FINISHED", "failed": "FAILED"}.get(state, "KILLED")
        self.client.set_terminated(self.id, status)
