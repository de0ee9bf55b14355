"""Folders and zips of pictures: layouts, hostile and broken ones, squares, the shelf, the cache."""

from __future__ import annotations

import io
import os
import stat
import struct
import sys
import threading
import tracemalloc
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from genlib.background import Cancelled
from genlib.data import datasets
from genlib.data.pictures import decode as decode_module
from genlib.data.pictures import registry
from genlib.data.pictures import source as source_module
from genlib.data.pictures.decode import decode, square
from genlib.data.pictures.source import FolderError, arrange, look
from genlib.environment import user_cache


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shelf and a cache of the test's own."""
    monkeypatch.setenv("GENLIB_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def picture(shade: int = 100, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, 50, 200)).save(buffer, kind)
    return buffer.getvalue()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def pets(n: int = 6) -> dict[str, bytes]:
    files = {f"cats/{i}.png": picture(10 * i) for i in range(n)}
    return files | {f"dogs/{i}.jpg": picture(10 * i, kind="JPEG") for i in range(n)}


# ------------------------------------------------------------------------------- layouts


def labels(names: list[str]) -> dict[str, tuple[str, bool]]:
    pictures, classes = arrange(names)
    return {p.name: (classes[p.label], p.test) for p in pictures}


def test_a_given_split_and_classes_are_kept() -> None:
    names = ["my/train/cat/1.png", "my/train/dog/a/2.png", "my/val/cat/3.png", "my/cover.png"]
    assert labels(names) == {
        "my/train/cat/1.png": ("cat", False),
        "my/train/dog/a/2.png": ("dog", False),
        "my/val/cat/3.png": ("cat", True),
    }


def test_without_a_split_one_in_six_of_each_class_is_for_the_test_always_the_same() -> None:
    names = [f"{c}/{i}.png" for c in ("cat", "dog") for i in range(60)]
    found = labels(names)
    for c in ("cat", "dog"):
        assert sum(test for label, test in found.values() if label == c) == 10
    assert found == labels(names[::-1])


def test_the_first_pictures_are_of_all_classes_alike() -> None:
    pictures, _ = arrange([f"{c}/{i}.png" for c in "abc" for i in range(9)])
    assert [p.label for p in pictures[:6]] == [0, 1, 2, 0, 1, 2]


def test_pictures_without_folders_have_one_class_and_commas_part_no_class() -> None:
    assert arrange(["1.png", "2.png"])[1] == ("unsorted",)
    assert arrange(["a, b/1.png", "c/2.png", "3.png"])[1] == ("a b", "c", "unsorted")


def test_what_systems_put_beside_pictures_is_no_picture(tmp_path: Path) -> None:
    files = pets() | {"__MACOSX/cats/._0.png": b"x", ".DS_Store": b"x", "read.txt": b"x"}
    source = look(zipped(tmp_path / "pets.zip", files))
    assert (len(source.pictures), source.classes) == (12, ("cats", "dogs"))


# ----------------------------------------------------------------- hostile and broken sources


def refuse(path: Path, sentence: str) -> None:
    with pytest.raises(FolderError, match=sentence) as caught:
        decode(look(path), 32, "colour")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png", "C:\\a.png", "b/../../a.png", "..\\a"])
def test_an_entry_that_points_outside_is_refused(tmp_path: Path, name: str) -> None:
    refuse(zipped(tmp_path / "z.zip", {"ok.png": picture(), name: picture()}), "points outside")
    assert not (tmp_path.parent / "a.png").exists()


def test_a_nameless_entry_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"a.png": picture(), "b.png": picture()})
    path.write_bytes(path.read_bytes().replace(b"b.png", b"\0.png"))  # a name ends at a zero byte
    refuse(path, "holds a file without a name")


def test_a_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        entry = zipfile.ZipInfo("a.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    refuse(tmp_path / "z.zip", "a link")


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture())
    shown = tmp_path / "shown"
    shown.mkdir()
    (shown / "a.png").symlink_to(secret)
    (shown / "up").symlink_to(tmp_path)
    refuse(shown, "shown is empty")


def test_zip_bombs_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(zipped(tmp_path / "a.zip", {"a.bmp": bytes(3_000_000)}), "more than 200 times")
    many = zipped(tmp_path / "b.zip", pets())
    monkeypatch.setattr(source_module, "MAX_ENTRIES", 5)
    refuse(many, "more than 5 files")
    monkeypatch.setattr(source_module, "MAX_ENTRIES", 100)
    monkeypatch.setattr(source_module, "MAX_TOTAL", 500)
    refuse(many, "unpacks to more than")
    monkeypatch.setattr(source_module, "MAX_LIST", 10)
    refuse(many, "more than 100 files")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_is_compressed_by_another_method_is_refused(tmp_path: Path, method: int) -> None:
    """zipfile unpacks these without a bound, so a kilobyte may take gigabytes of memory."""
    path = zipped(tmp_path / "z.zip", pets())
    with zipfile.ZipFile(path, "a", method) as archive:
        archive.writestr("cats/more.bmp", bytes(900_000))
    refuse(path, "can't be read here: pack it again with the usual one, Deflate")


def test_the_list_of_a_zip_says_how_an_entry_is_unpacked(tmp_path: Path) -> None:
    """What is checked is what counts, whatever stands in front of the entry itself."""
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_BZIP2) as archive:
        for name, data in pets().items():
            archive.writestr(name, data)
    packed = (tmp_path / "z.zip").read_bytes()
    deflate = struct.pack("<H", zipfile.ZIP_DEFLATED)

    def with_deflate(mark: bytes, at: int) -> Path:
        """The same zip, where every record of one kind claims to be deflated."""
        data, start = bytearray(packed), packed.find(mark)
        while start >= 0:
            data[start + at : start + at + 2] = deflate
            start = packed.find(mark, start + 1)
        (tmp_path / "lie.zip").write_bytes(data)
        return tmp_path / "lie.zip"

    refuse(with_deflate(b"PK\x03\x04", 8), "can't be read here")
    # Nothing is unpacked as bzip2: the bytes aren't what Deflate makes.
    refuse(with_deflate(b"PK\x01\x02", 10), "12 of 12 pictures cannot be used")


def test_a_zip_that_lies_about_a_size_harms_nothing(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"a.bmp": bytes(900_000), "b.png": picture()})
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02", 0, data.rfind(b"PK\x01\x02"))
    data[at + 24 : at + 28] = struct.pack("<I", 100)  # says 100 bytes unpacked
    path.write_bytes(data)
    found = decode(look(zipped(tmp_path / "ok.zip", pets())), 32, "colour")
    assert len(found.x) == 12
    refuse(path, "one picture only")


def test_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", {"a.png": picture()})
    data = bytearray(path.read_bytes())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refuse(path, "is encrypted: pack it without a password")


@pytest.mark.parametrize("data", [b"", b"hello", b"PK\x05\x06", picture(), b"PK\x03\x04" * 50])
def test_what_is_no_zip_says_so(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "z.zip").write_bytes(data)
    refuse(tmp_path / "z.zip", "is not a zip file, or it is damaged")


def test_empty_sources_say_so(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    refuse(tmp_path / "none", "none is empty")
    refuse(zipped(tmp_path / "e.zip", {}), "e.zip is empty")
    refuse(zipped(tmp_path / "t.zip", {"a.txt": b"hello"}), "holds no picture")
    refuse(tmp_path / "nowhere", "There is nothing at")
    refuse(zipped(tmp_path / "one.zip", {"a.png": picture()}), "one picture only")


def test_a_path_that_leads_nowhere_says_so(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for path in (Path("~nosuch/pics"), tmp_path / "circle"):
        with pytest.raises(FolderError, match="There is nothing at"):
            registry.register(path)


def test_broken_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    cut = picture(kind="JPEG", size=(300, 300))[:400]
    files = pets() | {
        "cats/cut.jpg": cut,
        "cats/no`t.png": b"text",
        "dogs/1px.png": picture(1, (1, 1)),
    }
    found = decode(look(zipped(tmp_path / "z.zip", files)), 32, "colour")
    assert len(found.x) == len(found.y) == len(found.test) == 12
    assert found.note.startswith("3 of 15 pictures were left out: ")
    for text in ("`cats/cut.jpg` (damaged)", "`cats/not.png` (not a picture)", "(only 1×1 pixels)"):
        assert text in found.note


def test_more_than_half_broken_is_refused(tmp_path: Path) -> None:
    files = {"a.png": picture(), "b.png": b"x", "c.png": picture(1, (1, 9))}
    refuse(zipped(tmp_path / "z.zip", files), "2 of 3 pictures cannot be used")


def test_a_picture_of_too_many_pixels_is_left_out_undecoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_module, "MAX_PIXELS", 5_000_000)
    huge = picture(size=(3000, 2000))
    found = decode(look(zipped(tmp_path / "z.zip", pets() | {"cats/huge.png": huge})), 32, "grey")
    assert "`cats/huge.png` (more than 5 megapixels)" in found.note


def with_zip64(data: bytes, length: int, entries: int = 1) -> bytes:
    """A zip with a zip64 record, the one that counts, that contradicts the short one."""
    at = data.rfind(b"PK\x05\x06")
    start = struct.unpack("<I", data[at + 16 : at + 20])[0]
    record = struct.pack(
        "<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, length, start
    )
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, at, 1)
    return data[:at] + record + locator + data[at:]


def test_a_zip64_directory_that_lies_about_its_length_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = zipped(tmp_path / "z.zip", pets()).read_bytes()
    at = data.rfind(b"PK\x05\x06")
    length = struct.unpack("<I", data[at + 12 : at + 16])[0]
    (tmp_path / "true.zip").write_bytes(with_zip64(data, length))
    assert len(look(tmp_path / "true.zip").pictures) == 12
    for lie in (2**62, len(data) * 100):
        (tmp_path / "lie.zip").write_bytes(with_zip64(data, lie))
        refuse(tmp_path / "lie.zip", "is damaged")
    # The short record says 100 bytes; what zipfile would read is more than is allowed.
    short = data[: at + 12] + struct.pack("<I", 100) + data[at + 16 :]
    (tmp_path / "lie.zip").write_bytes(with_zip64(short, length))
    monkeypatch.setattr(source_module, "MAX_LIST", length - 1)
    refuse(tmp_path / "lie.zip", "holds more than 200,000 files")
    # A mark of the record inside the record itself does not hide it.
    (tmp_path / "lie.zip").write_bytes(data[: at + 12] + b"PK\x05\x06" + data[at + 16 :])
    refuse(tmp_path / "lie.zip", "is damaged|more than 200,000 files")


def test_the_list_of_a_zip_is_counted_before_it_is_unfolded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "z.zip", {f"{i}.png": b"" for i in range(3000)})
    monkeypatch.setattr(source_module, "MAX_ENTRIES", 2999)
    tracemalloc.start()
    refuse(path, "more than 2,999 files")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000, "3,000 entries unfolded take two megabytes"


def test_all_pictures_together_have_a_budget_of_pixels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / "z.zip", pets())  # 12 pictures of 40 x 30
    monkeypatch.setattr(decode_module, "MAX_ALL_PIXELS", 12 * 40 * 30)
    assert len(decode(look(path), 32, "colour").x) == 12
    monkeypatch.setattr(decode_module, "MAX_ALL_PIXELS", 12 * 40 * 30 - 1)
    refuse(path, "pixels: use a part of them, or smaller ones")


def test_a_picture_inside_an_icon_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    inner = picture(size=(600, 600))
    icon = struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(inner), 22) + inner
    with pytest.raises(decode_module.Unusable, match="megapixels"):
        decode_module.read_picture(icon, 32, "colour")


def test_one_source_is_decoded_at_a_time(tmp_path: Path) -> None:
    first, second = (
        registry.register(zipped(tmp_path / f"{name}.zip", pets(n)))
        for name, n in (("a", 3), ("b", 4))
    )
    other_began, seen = threading.Event(), []

    def beside() -> None:
        decode_module.split(second, lambda done, total: seen.append(done), waiting)

    def waiting() -> bool:
        other_began.set()
        return False

    thread = threading.Thread(target=beside)

    def watch(done: int, total: int) -> None:
        if not thread.is_alive() and not other_began.is_set():
            thread.start()
        assert other_began.wait(60)  # it asks whether to go on while it waits for its turn
        assert not seen

    decode_module.split(first, watch)
    thread.join(60)
    assert seen and decode_module.cached(second) is not None
    decode_module.cache_file(first).unlink()

    def unwanted(done: int, total: int) -> None:
        with pytest.raises(Cancelled):
            decode_module.split(first, cancelled=lambda: True)

    decode_module.cache_file(second).unlink()
    decode_module.split(second, unwanted)


def test_names_that_are_no_text_are_read_all_the_same(tmp_path: Path) -> None:
    place = tmp_path / "odd"
    for name in (b"c\xff\xfets", b"d\x1bogs", b"\x01"):
        (place / os.fsdecode(name)).mkdir(parents=True)
        for i in range(2):
            (place / os.fsdecode(name) / f"{i}\udcff.png").write_bytes(picture(10 * i))
    source = look(place)
    assert source.classes == ("c ts", "d ogs", "unsorted") and len(source.pictures) == 6
    assert len(decode(source, 32, "grey").x) == 6


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_pictures_decoded_here_are_used_from_their_file(tmp_path: Path) -> None:
    entry = registry.register(zipped(tmp_path / "pets.zip", pets()))
    assert decode_module.cached(entry) is None
    decoded = decode_module.split(entry)
    assert str(decode_module.cache_file(entry)) in Path("/proc/self/maps").read_text()
    assert len(decoded.train_x)


def resident(name: str) -> list[int]:
    """Kilobytes in memory of each mapping of a file whose path contains ``name``."""
    found, inside = [], False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        first, *rest = line.split()
        if not first.endswith(":"):
            inside = name in line
        elif inside and first == "Rss:":
            found.append(int(rest[0]))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_pictures_wait_in_a_file_until_all_are_decoded(tmp_path: Path) -> None:
    good = {f"{k}/{i}.png": picture(i) for k in ("a", "b") for i in range(7)}
    source = look(zipped(tmp_path / "pets.zip", {"a/0.jpg": b"no picture", **good}))
    room = tmp_path / "room"
    room.mkdir()
    waiting = decode(source, 64, "colour", folder=room)
    assert not any(room.iterdir())  # it has no name
    assert resident(str(room)) == [0]
    there = decode(source, 64, "colour")
    assert torch.equal(waiting.x, there.x) and torch.equal(waiting.test, there.test)
    assert len(waiting.x) == len(good) and waiting.note == there.note != ""
    assert resident(str(room))[0] > 0
    waiting.rest()
    assert resident(str(room)) == [0] and torch.equal(waiting.x, there.x)


def test_where_no_file_can_be_had_pictures_wait_in_memory(tmp_path: Path) -> None:
    source = look(zipped(tmp_path / "pets.zip", pets()))
    assert torch.equal(
        decode(source, 16, "grey", folder=tmp_path / "nowhere").x, decode(source, 16, "grey").x
    )


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_some_classes_of_a_set_leave_nothing_of_the_others_in_memory(tmp_path: Path) -> None:
    name = registry.register(zipped(tmp_path / "pets.zip", pets(20))).name
    datasets.prepare(name)
    file = str(decode_module.cache_file(datasets.entry_of(name)))
    cats = datasets.load(name, "cats")
    assert len(cats.train_x) + len(cats.test_x) == 20
    assert file not in Path("/proc/self/maps").read_text()
    # In files of their own, not yet looked at.
    assert resident(str(user_cache())) == [0, 0]
    whole = datasets.load(name)
    same = whole.only("cats")
    for part in ("train_x", "train_y", "test_x", "test_y"):
        assert torch.equal(getattr(cats, part), getattr(same, part))
    assert file in Path("/proc/self/maps").read_text() and len(whole.train_y.unique()) == 2


@pytest.mark.parametrize("name", ["a\0.zip", "\ud800.zip", "ä" * 400 + ".zip", "..", ""])
def test_any_name_of_an_uploaded_zip_will_do(name: str) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a.png", picture())
        archive.writestr("b.png", picture(7))
    entry = registry.keep_zip(data.getvalue(), name)
    assert entry.title.isprintable() and entry.path.parent == registry.shelf()
    with pytest.raises(FolderError) as caught:
        registry.keep_zip(b"no", name)
    assert len(str(caught.value)) < 400 and str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["[" * 100_000, '{"path": 1}', "[]", "7", '{"size": 1e999}'])
def test_a_description_that_cannot_be_read_is_left_out(tmp_path: Path, text: str) -> None:
    registry.register(zipped(tmp_path / "pets.zip", pets()))
    (registry.shelf() / "odd.json").write_text(text)
    (registry.shelf() / "odder.json").write_text(
        '{"title": "a", "path": "a.zip", "size": 1e999, "colour": "grey"}'
    )
    assert list(registry.entries()) == ["folder:pets"]


def test_too_much_for_the_memory_is_said_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_module, "MAX_BYTES", 12 * 3 * 32 * 32)
    path = zipped(tmp_path / "z.zip", pets())
    assert len(decode(look(path), 32, "colour").x) == 12
    with pytest.raises(FolderError, match="choose a smaller size or grey"):
        decode(look(path), 64, "colour")


def test_cancelling_ends_within_one_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_module, "PART", 4)
    seen: list[int] = []
    with pytest.raises(Cancelled):
        decode(
            look(zipped(tmp_path / "z.zip", pets())),
            *(32, "colour"),
            lambda done, total: seen.append(done),
            lambda: len(seen) == 2,
        )
    assert seen == [0, 4]


# ------------------------------------------------------------------------------- pictures


def test_the_middle_square_is_taken() -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (255, 128, 0)
    out = square(Image.fromarray(wide), 32, "colour")
    assert out.shape == (3, 32, 32)
    assert (out[0] == 255).all() and (out[1] == 128).all() and (out[2] == 0).all()
    same = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    assert np.array_equal(square(Image.fromarray(same), 32, "colour"), same.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "LA", "CMYK", "YCbCr", "I;16", "I", "F"])
def test_every_kind_of_pixel_becomes_eight_bits(mode: str) -> None:
    ramp = Image.linear_gradient("L")
    if mode == "I;16":
        image = Image.fromarray((np.asarray(ramp).astype(np.uint16)) * 256)
    else:
        image = ramp.convert("RGB").convert(mode) if mode in ("P", "YCbCr") else ramp.convert(mode)
    grey, colour = square(image, 32, "grey"), square(image, 64, "colour")
    assert grey.shape == (1, 32, 32) and colour.shape == (3, 64, 64)
    rows = grey[0].mean(1)
    assert rows[:4].mean() < 40 and rows[-4:].mean() > 215, "dark above, bright below"


def test_transparency_is_laid_on_white_and_cameras_are_turned() -> None:
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    assert (square(clear, 32, "grey") == 255).all()
    tall = Image.fromarray(np.repeat(np.arange(64, dtype=np.uint8)[:, None], 64, 1))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    buffer = io.BytesIO()
    tall.save(buffer, "JPEG", exif=exif)
    turned = decode_module.read_picture(buffer.getvalue(), 64, "grey")[0].astype(int)
    assert (np.diff(turned.mean(0)) <= 0.5).all() and abs(turned.mean(1) - 31.5).max() < 3


# ---------------------------------------------------------------------- the shelf, the cache


def test_a_folder_becomes_a_dataset_that_a_restart_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "My pets!"
    for name, data in pets().items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    entry = registry.register(place, 32, "colour")
    assert entry.name == "folder:my-pets"
    assert registry.register(place, 32, "colour") == entry
    assert registry.register(place, 64, "grey").name == "folder:my-pets-64-grey"
    assert entry.name in datasets.available() and not datasets.is_ready(entry.name)
    datasets.prepare(entry.name)
    assert datasets.is_ready(entry.name)
    monkeypatch.setattr(decode_module, "decode", None)  # from here on only the cache serves
    data = datasets.load(entry.name)
    assert (data.title, data.classes, data.shape) == ("My pets!", ("cats", "dogs"), (3, 32, 32))
    assert len(data.train_x) == 10 and len(data.test_x) == 2
    assert data.train_x.dtype == torch.uint8 and data.train_y.dtype == torch.int64
    assert set(data.only("dogs").train_y.tolist()) == {1}


def test_changed_pictures_are_decoded_anew_and_the_old_tensors_go(tmp_path: Path) -> None:
    place = tmp_path / "pets"
    place.mkdir()
    for i in range(4):
        (place / f"{i}.png").write_bytes(picture(10 * i))
    entry = registry.register(place)
    assert len(decode_module.split(entry).train_x) == 3
    (place / "4.png").write_bytes(picture(50))
    assert not decode_module.cache_file(entry).exists()
    assert len(decode_module.split(entry).train_x) == 4
    assert len(list(decode_module.cache_file(entry).parent.iterdir())) == 1


def write(place: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place


def split_pets(n: int = 3) -> dict[str, bytes]:
    return {f"{part}/{name}": data for part in ("train", "test") for name, data in pets(n).items()}


def test_what_is_added_below_is_loaded(tmp_path: Path) -> None:
    """The time of the folder at the top stays, whatever comes into those inside."""
    place = write(tmp_path / "pets", split_pets())
    name = registry.register(place).name
    assert len(datasets.load(name).train_x) == 6
    (place / "train/cats/more.png").write_bytes(picture(90))
    assert len(datasets.load(name).train_x) == 7
    write(place, {"train/birds/0.png": picture(91)})
    assert datasets.load(name).classes == ("birds", "cats", "dogs")
    (place / "train/dogs/0.jpg").write_bytes(picture(250, (32, 32), "BMP"))  # in place
    now = datasets.load(name)
    assert now.train_y.tolist().count(2) == 3
    assert (now.train_x[now.train_y == 2, 0] == 250).flatten(1).all(1).any()


def test_the_quick_stamp_follows_names_at_any_depth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = write(tmp_path / "pets", split_pets())
    stamps = [source_module.quick_stamp_of(place)]
    looked: list[object] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked.append(path) or scandir(path))
    assert source_module.quick_stamp_of(place) == stamps[0]
    assert looked == [], "no list of files is read as long as none changes"
    (place / "train/cats/2.png").rename(place / "train/cats/9.png")
    stamps.append(source_module.quick_stamp_of(place))
    assert looked == [str(place / "train/cats")]
    write(place, {"train/birds/small/0.png": picture()})
    stamps.append(source_module.quick_stamp_of(place))
    (place / "train/birds/small/1.png").write_bytes(picture())
    stamps.append(source_module.quick_stamp_of(place))
    (place / "train/birds/small/1.png").unlink()
    (place / "train/birds/small/0.png").unlink()
    stamps.append(source_module.quick_stamp_of(place))
    assert len(set(stamps)) == 5
    path = zipped(tmp_path / "pets.zip", pets())
    assert source_module.quick_stamp_of(path) == source_module.stamp_of(path) != ""
    assert source_module.quick_stamp_of(tmp_path / "nowhere") == ""


def test_a_damaged_cache_is_no_harm(tmp_path: Path) -> None:
    entry = registry.register(zipped(tmp_path / "pets.zip", pets()))
    first = decode_module.split(entry)
    file = decode_module.cache_file(entry)
    kept = first.train_x.clone()
    file.write_bytes(file.read_bytes()[:-10])
    assert torch.equal(decode_module.split(entry).train_x, kept)


def test_an_uploaded_zip_is_kept_once_and_a_bad_one_not_at_all() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in pets().items():
            archive.writestr(name, data)
    entry = registry.keep_zip(buffer.getvalue(), "..\\..\\pets.zip")
    assert entry.name == "folder:pets" and entry.path.parent == registry.shelf()
    registry.keep_zip(buffer.getvalue(), "pets.zip", 64)
    assert len(list(registry.shelf().glob("*.zip"))) == 1
    with pytest.raises(FolderError, match=r"bad\.zip is not a zip file"):
        registry.keep_zip(b"no", "bad.zip")
    assert len(list(registry.shelf().iterdir())) == 3
    for name in ("folder:pets", "folder:pets-64"):
        registry.remove(name)
    assert registry.entries() == {} and not list(registry.shelf().glob("*.zip"))
    registry.restore("folder:pets-64")
    assert datasets.load("folder:pets-64").shape == (3, 64, 64)


def upload(shade: int, name: str = "pets.zip", size: int = 32) -> registry.Entry:
    """The dataset of an uploaded zip whose content follows from ``shade``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(2):  # of 1980, whenever the test runs
            archive.writestr(zipfile.ZipInfo(f"{i}.png"), picture(shade))
    return registry.keep_zip(buffer.getvalue(), name, size)


def test_two_zips_of_one_name_at_one_moment_become_two_datasets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both, write = threading.Barrier(2), registry.write_bytes

    def once_both_have_chosen(path: Path, data: bytes) -> None:
        with suppress(threading.BrokenBarrierError):  # the second waits for the first
            both.wait(1)
        write(path, data)

    monkeypatch.setattr(registry, "write_bytes", once_both_have_chosen)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(upload, (10, 20)))
    assert sorted(entry.name for entry in made) == ["folder:pets", "folder:pets-2"]
    assert registry.entries() == {entry.name: entry for entry in made}
    assert all(entry.path.exists() for entry in made)


def test_several_removed_datasets_can_be_brought_back_by_whoever_removed_them() -> None:
    mine, small, other = upload(10), upload(10, size=28), upload(20, "shots.zip")
    for entry in (mine, small, other):
        registry.remove(entry.name)
    assert registry.entries() == {} and not other.path.exists()
    assert upload(30).name == "folder:pets-2", "a link to a removed dataset stays true"
    registry.restore(mine.name)
    registry.restore(other.name)
    assert datasets.load(mine.name).shape == (3, 32, 32)
    assert len(datasets.load(other.name).classes) == 1
    registry.restore(small.name)
    assert datasets.load(small.name).shape == (3, 28, 28)
    registry.remove(other.name)
    assert upload(20, "again.zip") == other, "the same pictures are the same dataset"
    registry.restore(other.name)
    assert datasets.load(other.name).shape == (3, 32, 32)


def test_the_trash_of_datasets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TRASH_SIZE", 3)
    trash = registry.shelf() / registry.TRASH
    made = [upload(10 * i) for i in range(5)]
    twin = upload(20, size=28)  # of the same zip as made[2]
    for entry in (*made, twin):
        registry.remove(entry.name)
    left = {"pets-4.json", "pets-5.json", "pets-28.json"}
    assert {path.name for path in trash.iterdir()} == left | {
        entry.path.name for entry in (made[3], made[4], twin)
    }
    with pytest.raises(OSError):
        registry.restore(made[2].name)
    monkeypatch.setattr(registry, "TRASH_BYTES", 0)
    last = upload(200)
    registry.remove(last.name)
    assert {path.name for path in trash.iterdir()} == {"pets.json", last.path.name}
    registry.restore(last.name)
    assert datasets.load(last.name).shape == (3, 32, 32)


def test_what_is_not_here_is_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "folders", lambda: [tmp_path])
    with pytest.raises(ValueError, match=r"cifar10 is not here: put cifar10-images\.zip into"):
        datasets.load("cifar10")
    path = zipped(tmp_path / "pets.zip", pets())
    registry.register(path)
    path.unlink()
    assert "folder:pets" not in datasets.available()
    with pytest.raises(ValueError, match="no longer at"):
        datasets.load("folder:pets")
    with pytest.raises(FolderError, match="size must be 28, 32 or 64, got 48"):
        registry.register(zipped(path, pets()), 48)


def test_cifar_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "folders", lambda: [tmp_path])
    files = {
        f"{part}/{c}/{i}.jpg": picture(9 * i, (32, 32), "JPEG")
        for part in ("train", "test")
        for c in datasets.CIFAR_CLASSES
        for i in range(2)
    }
    zipped(tmp_path / datasets.CIFAR_ZIP, files)
    data = datasets.load("cifar10")
    assert data.classes == datasets.CIFAR_CLASSES and data.note == ""
    assert data.train_x.shape == data.test_x.shape == (20, 3, 32, 32)
    large = datasets.load("cifar10-64")
    assert large.shape == (3, 64, 64) and "enlarged" in large.note
