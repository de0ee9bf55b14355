"""What the browser's unpack reads: every array at a multiple of four, names used once."""

from __future__ import annotations

import json

import numpy as np
import pytest

from genlib.ui.components.packet import pack


def test_every_array_lies_where_the_reader_looks() -> None:
    parts = {
        "a": np.arange(5, dtype=np.float32),
        "b": np.array([[1, 2, 255]], np.uint8),
        "c": np.array([-1, 7], np.int32),
        "d": b"12345",
        "e": np.zeros((0, 2), np.float32),
        "f": np.arange(6, dtype=np.int32).reshape(2, 3).T,
    }
    message = pack({"name": "é", "n": None}, parts)
    length = int.from_bytes(message[:4], "little")
    head = json.loads(message[4 : 4 + length])
    assert head["values"] == {"name": "é", "n": None} and length % 4 == 0
    at = 4 + length
    for (name, part), (told, kind, count) in zip(parts.items(), head["parts"], strict=True):
        array = np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
        assert (told, kind, count) == (name, str(array.dtype), array.size)
        found = np.frombuffer(message, array.dtype, count, at)
        assert np.array_equal(found, array.ravel())
        at += -(-array.nbytes // 4) * 4
    assert at == len(message)


def test_what_the_reader_cannot_tell_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="must not share names"):
        pack({"a": 1}, {"a": b""})
    with pytest.raises(ValueError, match="float64"):
        pack({}, {"a": np.zeros(2)})
