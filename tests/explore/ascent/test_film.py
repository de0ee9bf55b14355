"""Film and curves of an ascent, and their files."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from genlib.explore.ascent import film as film_module
from genlib.explore.ascent.film import Curves, Film, gif, png
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens
from tests.explore.ascent.climbing import climb


def test_many_films_share_what_one_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    image = torch.zeros(1, 1, 50, 50)  # 10,000 bytes
    monkeypatch.setattr(film_module, "MAX_BYTES", 400_000)
    monkeypatch.setattr(film_module, "ALL_BYTES", 800_000)

    def filled() -> Film:
        film = Film()
        for step in range(300):
            film.add(step, (0,), image)
        return film

    films = [filled() for _ in range(40)]
    assert len(films[0].frames) <= 40 and len(films[-1].frames) <= 20
    films[0].add(1000, (0,), image)  # it gives way to the others, and keeps both ends
    assert len(films[0].frames) <= 20
    assert (films[0].frames[0].step, films[0].frames[-1].step) == (0, 1000)


def test_the_film_keeps_the_first_and_the_newest_frame_in_bounded_memory() -> None:
    film = Film()
    for step in range(1000):
        film.add(step, (0,), torch.full((1, 1, 2, 2), float(step)))
    steps = [kept.step for kept in film.frames]
    assert len(steps) <= 65 and steps[0] == 0 and steps[-1] > 960 and steps == sorted(set(steps))
    kept = film.go_to(5)
    assert torch.equal(kept.image, torch.full((1, 1, 2, 2), float(kept.step)))
    film.add(kept.step + 500, (0,), torch.zeros(1, 1, 2, 2))
    assert len(film.frames) == 7, "going on from an earlier frame drops the later ones"


def test_curves_have_gaps_where_a_class_was_no_target(lens: Lens) -> None:
    curves, ascent = Curves(), climb(lens, Knobs(), 0, (3,))
    for classes in ((3,), (3,), (8,)):
        ascent.retarget(classes)
        ascent.advance()
        curves.add(classes, ascent.frame())
    seen, steps, table = curves.table()
    assert seen == [3, 8] and steps.tolist() == [1, 2, 3]
    assert np.isnan(table[0]).tolist() == [[False, False, True], [True, True, False]]
    for _ in range(600):
        ascent.step += 1
        curves.add((8,), ascent.frame())
    assert len(curves.points) <= 241 and curves.points[-1][0] == ascent.step


def test_gif_and_png_hold_the_frames() -> None:
    from io import BytesIO

    from PIL import Image

    frames = [np.full((4, 6, 1), value, np.uint8) for value in (0, 120, 255)]
    with Image.open(BytesIO(gif(frames, zoom=3))) as film:
        assert film.n_frames == 3 and film.size == (18, 12)
    with Image.open(BytesIO(png(frames[1], 2))) as picture:
        assert picture.size == (12, 8) and picture.getpixel((3, 3)) == 120
