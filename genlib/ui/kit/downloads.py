"""Files to download, also where the browser is a run behind or the server is busy.

Streamlit gives what is computed on the click another name with each run, and forgets the former
one when the run ends: a click from a browser that has not heard of it yet fails. And it deletes
what was computed once two runs have ended, of whichever visitor: with thirty of them, before the
browser has fetched it. Here a former name stands for what the same button saves now, and files
that nobody has on their page stay for a while.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from streamlit.runtime import runtime
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileKind, MediaFileStorage

KEPT_S = 30.0  # seconds that a file stays that is on nobody's page: time to fetch it
MOST = 10_000  # former names, of all visitors together


class Downloads(MediaFileManager):
    """Streamlit's files; those to download outlive the next runs."""

    def __init__(self, storage: MediaFileStorage) -> None:
        super().__init__(storage)
        self._unused_since: dict[str, float] = {}
        self._former: OrderedDict[str, tuple[str, str]] = OrderedDict()  # name -> visitor, button

    def _get_inactive_file_ids(self) -> set[str]:
        now = time.monotonic()
        unused = super()._get_inactive_file_ids()
        self._unused_since = {name: self._unused_since.get(name, now) for name in unused}
        return {
            name
            for name, since in self._unused_since.items()
            if now - since > KEPT_S or self._file_metadata[name].kind == MediaFileKind.MEDIA
        }

    def _drop_deferred_id(self, file_id: str) -> None:
        entry = self._deferred_callables.get(file_id)
        if entry is not None and entry["element_id"]:
            self._former[file_id] = entry["session_id"], entry["element_id"]
            if len(self._former) > MOST:
                self._former.popitem(last=False)
        super()._drop_deferred_id(file_id)

    def execute_deferred(self, file_id: str) -> str:
        """Compute what this name, or the newest of the same button, stands for; its address."""
        with self._lock:
            former = self._former.get(file_id)
            for name, entry in self._deferred_callables.items():  # the newest is the last
                if (entry["session_id"], entry["element_id"]) == former:
                    file_id = name
        return super().execute_deferred(file_id)


def install() -> None:
    """Have the server keep files like this; call before it starts."""
    vars(runtime)["MediaFileManager"] = Downloads
