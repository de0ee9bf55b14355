"""Three hundred mutated files; ``benchmarks/fuzz.py`` does ten thousand."""

from __future__ import annotations

from benchmarks.fuzz import fuzz


def test_mutated_files_load_or_are_refused_in_a_sentence() -> None:
    outcomes = fuzz(0, 300)
    assert sum(outcomes.values()) == 300
    for kind in ("checkpoint", "zip", "picture"):
        assert outcomes[f"{kind}: refused"] and outcomes[f"{kind}: loaded"], "both were tried"
    assert outcomes["run: listed"] and outcomes["run: left out"]
