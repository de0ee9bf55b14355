"""A zip of pictures, dropped on the Train page in a real browser, becomes a dataset."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import Page, expect

SLOW = 90_000  # ms


def pets() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(12):
            one = io.BytesIO()
            Image.new("RGB", (60, 40), (20 * i, 90, 30)).save(one, "JPEG")
            archive.writestr(f"{'cats' if i % 2 else 'dogs'}/{i}.jpg", one.getvalue())
        archive.writestr("cats/broken.jpg", b"no picture")
    return buffer.getvalue()


def test_an_uploaded_zip_is_shown_and_can_be_removed(open_page: Callable[..., Page]) -> None:
    page = open_page("train?train.dataset=digits", width=820, height=1180)
    page.get_by_text("Pictures of your own").click()
    file = {"name": "pets.zip", "mimeType": "application/zip", "buffer": pets()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("pets: 32×32, colour; 2 classes: cats, dogs.")).to_be_visible(
        timeout=SLOW
    )
    expect(page.get_by_text("1 of 13 pictures were left out")).to_be_visible(timeout=SLOW)
    expect(page).to_have_url(re.compile("train.dataset=folder"))
    expect(page.get_by_role("button", name="Start training")).to_be_enabled(timeout=SLOW)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("pets was removed.")).to_be_visible(timeout=SLOW)
    expect(page.get_by_text("2 classes")).to_have_count(0, timeout=SLOW)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("pets was removed.")).to_have_count(0, timeout=SLOW)
