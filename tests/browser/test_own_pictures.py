"""A zip of pictures, dropped on the Train page in a real browser, becomes a dataset."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg


def pets() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(12):
            one = io.BytesIO()
            Image.new("RGB", (60, 40), (20 * i, 90, 30)).save(one, "JPEG")
            archive.writestr(f"{'cats' if i % 2 else 'dogs'}/{i}.jpg", one.getvalue())
        archive.writestr("cats/broken.jpg", b"no picture")
    return buffer.getvalue()


def answers_late(socket: WebSocketRoute) -> None:
    """A browser that asks by itself with the dataset of before, as one does that is busy."""
    server = socket.connect_to_server()

    def pass_on(message: str | bytes) -> None:
        said = BackMsg()
        said.ParseFromString(message if isinstance(message, bytes) else message.encode())
        for widget in said.rerun_script.widget_states.widgets:
            if said.rerun_script.fragment_id and widget.id.endswith("train.dataset"):
                widget.string_value = "digits"
        server.send(said.SerializeToString())

    socket.on_message(pass_on)


def test_the_uploaded_pictures_are_chosen_though_the_browser_hears_of_it_late(
    page: Page, open_page: Callable[..., Page]
) -> None:
    page.route_web_socket("**/_stcore/stream", answers_late)
    open_page("train?train.dataset=digits", width=820, height=1180)
    page.get_by_text("Pictures of your own").click()
    file = {"name": "late.zip", "mimeType": "application/zip", "buffer": pets()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("late: 32×32, colour; 2 classes: cats, dogs.")).to_be_visible()
    page.get_by_role("button", name="Remove").first.click()
    expect(page.get_by_text("was removed.")).to_be_visible()  # the next test finds none


def test_an_uploaded_zip_is_shown_and_can_be_removed(open_page: Callable[..., Page]) -> None:
    page = open_page("train?train.dataset=digits", width=820, height=1180)
    page.get_by_text("Pictures of your own").click()
    file = {"name": "pets.zip", "mimeType": "application/zip", "buffer": pets()}
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("pets: 32×32, colour; 2 classes: cats, dogs.")).to_be_visible()
    expect(page.get_by_text("1 of 13 pictures were left out")).to_be_visible()
    expect(page).to_have_url(re.compile("train.dataset=folder"))
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("pets was removed.")).to_be_visible()
    expect(page.get_by_text("2 classes")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("pets was removed.")).to_have_count(0)
