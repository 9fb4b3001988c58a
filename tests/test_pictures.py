"""Pictures as people have them: read right on every path, or named."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy
import pytest
import torch
from PIL import Image

from packnet_book.photos import preparation
from packnet_book.photos.layouts import read_classes
from packnet_book.photos.preparation import LONGEST, Preparation
from packnet_book.photos.store import (
    Stored,
    Streamed,
    estimate,
    in_memory,
    stored,
)
from packnet_core.errors import BadPictures
from packnet_core.images import Pictures
from tests.test_sets import paint

WHOLE = Preparation(28, cropped=False)  # 32 pixels
TURN = Image.Exif()
TURN[0x0112] = 6  # a quarter to the right
RAMP = numpy.tile(numpy.linspace(0, 1, 64), (64, 1))


def greys(folder, name, values):
    """How many greys arrive of a picture made of some numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(folder / name)
    return numpy.unique(WHOLE.pixels(folder / name, None))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("16.png", (65535 * RAMP).astype("uint16")),
        ("16.tif", (65535 * RAMP).astype("uint16")),
        ("big-endian.tif", (65535 * RAMP).astype(">u2")),
        ("12.png", (4095 * RAMP).astype("uint16")),  # as microscopes give
        ("8.png", (255 * RAMP).astype("uint16")),
        ("32.tif", (65535 * RAMP).astype("int32")),
        ("to-one.tif", RAMP.astype("float32")),
        ("to-255.tif", (255 * RAMP).astype("float32")),
    ],
)
def test_more_than_a_byte_a_pixel_is_scaled(tmp_path, name, values):
    found = greys(tmp_path, name, values)
    assert len(found) > 25 and found.min() < 10 and found.max() > 245


@pytest.mark.parametrize(
    "values",
    [
        (1e6 * RAMP).astype("float32"),
        (2 * RAMP - 1).astype("float32"),
        (RAMP - numpy.where(RAMP > 0.9, numpy.nan, 0)).astype("float32"),
        (1e9 * RAMP).astype("int32"),
    ],
)
def test_pixels_of_no_known_range_are_refused(tmp_path, values):
    with pytest.raises(
        BadPictures, match=r"odd\.tif: .*pixels from .*: mend"
    ):
        greys(tmp_path, "odd.tif", values)


@pytest.fixture
def turned(tmp_path):
    """Two classes of a picture that is black on the left as it is stored,
    and on top as it is seen."""
    for name in ("a", "b"):
        file = tmp_path / "train" / name / "0.jpg"
        file.parent.mkdir(parents=True)
        image = Image.new("RGB", (40, 20), (255, 255, 255))
        image.paste((0, 0, 0), (0, 0, 20, 20))
        image.save(file, exif=TURN, quality=95)
    return tmp_path


def test_every_path_turns_photographs_as_they_say(turned):
    listing = read_classes(turned, "train")
    kept = stored(listing, WHOLE, turned / "kept")
    streamed = Streamed(listing, WHOLE)
    memory = in_memory(listing, WHOLE)
    assert isinstance(kept, Stored)
    assert estimate(listing, WHOLE) == len(kept.data) == 2 * 3 * 32 * 64
    indices = torch.tensor([0])
    for source in (kept, streamed, memory):
        assert source.sizes(indices).tolist() == [[64, 32]]
        no = torch.zeros(1, dtype=torch.bool)
        square = source.crop(indices, torch.tensor([[0, 0]]), no, 28)
        assert square.max() < 20
    core = Pictures.from_folder(turned / "train", 28).images
    assert core[0, :, 0].max() < 20 and core[0, :, -1].min() > 235


def test_a_box_is_of_the_picture_as_it_is_stored(turned):
    file = turned / "train" / "a" / "0.jpg"
    pixels = Preparation(8, cropped=True).pixels(file, (0, 0, 20, 20))
    assert pixels.max() < 20
    pixels = Preparation(8, cropped=True).pixels(file, (16, 0, 24, 20))
    assert pixels[0].max() < 60 and pixels[-1].min() > 195


@pytest.mark.parametrize("size", [(2, 20_000), (20_000, 2), (1, 60_000)])
def test_a_thin_picture_is_cut_before_it_is_enlarged(tmp_path, size):
    for name in ("a", "b"):
        paint(tmp_path / "train" / name / "0.png", (9, 99, 9), size)
    listing = read_classes(tmp_path, "train")
    big = Preparation(224, cropped=False)
    pixels = big.pixels(listing.files[0], None)
    assert sorted(pixels.shape) == [3, 256, 256 * LONGEST]
    assert (pixels == (9, 99, 9)).all()
    assert estimate(listing, big) == 2 * pixels.size


def test_a_panorama_stays_whole(tmp_path):
    paint(tmp_path / "wide.png", (1, 2, 3), (300, 20))
    assert WHOLE.pixels(tmp_path / "wide.png", None).shape == (32, 480, 3)


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC: export it as JPEG"),
        (b"", "mend it"),
        (b"<svg></svg>", "mend it"),
        (b"BM" + bytes(9), "mend it"),
        (b"GIF89a\xff\xff\xff\xff", "mend it"),
    ],
)
def test_what_cannot_be_read_is_named_on_every_path(tmp_path, content, cure):
    for name in ("a", "b"):
        paint(tmp_path / "train" / name / "0.png", "red")
    bad = tmp_path / "train" / "b" / "1.jpg"
    bad.write_bytes(content)
    listing = read_classes(tmp_path, "train")
    for read in (
        lambda: in_memory(listing, WHOLE),
        lambda: stored(listing, WHOLE, tmp_path / "kept"),
        lambda: Streamed(listing, WHOLE).sizes(torch.tensor([2])),
        lambda: Pictures.from_folder(tmp_path / "train", 28),
    ):
        with pytest.raises(BadPictures) as raised:
            read()
        assert f"{bad}: cannot be read" in str(raised.value)
        assert cure in str(raised.value)


def test_a_picture_that_is_too_large_to_be_safe_is_named(
    tmp_path, monkeypatch
):
    paint(tmp_path / "large.png", "red", (60, 60))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(
        BadPictures, match=r"large\.png: .*too large: make it smaller"
    ):
        WHOLE.pixels(tmp_path / "large.png", None)


# Large ones.


def ramps(mode):
    """A picture of 300 by 200 pixels, smooth, no part like another."""
    down, across = numpy.mgrid[0:1:200j, 0:1:300j]
    pixels = numpy.stack([across, down, 1 - across], axis=2) * 250
    if mode == "I;16":  # Pillow converts no colours to it
        return Image.fromarray((257 * pixels[..., 0]).astype("uint16"))
    return Image.fromarray(pixels.astype("uint8")).convert(mode)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.jpg", "RGB"), ("a.jpg", "CMYK"), ("a.jpg", "L"), ("a.png", "RGBA"),
     ("a.png", "P"), ("a.png", "1"), ("a.tif", "RGB"), ("a.webp", "RGB"),
     ("a.png", "LA"), ("a.png", "I;16"), ("a.tif", "I;16"), ("a.tif", "F"),
     ("a.tif", "L"), ("a.tif", "YCbCr")],
)  # fmt: skip
def test_a_large_picture_looks_as_it_does_otherwise(
    tmp_path, monkeypatch, name, mode, turn
):
    exif = Image.Exif()
    exif[0x0112] = turn
    ramps(mode).save(tmp_path / name, exif=exif)
    small = Preparation(14, cropped=False)  # 16 pixels
    usual = small.pixels(tmp_path / name, None).astype(int)
    assert usual.shape == ((16, 24, 3) if turn < 5 else (24, 16, 3))
    monkeypatch.setattr(preparation, "LARGE", 1000)
    monkeypatch.setattr(preparation, "BAND", 1000)  # several bands
    found = small.pixels(tmp_path / name, None).astype(int)
    assert found.shape == usual.shape
    assert abs(found - usual).mean() < 3


def test_a_large_picture_is_made_smaller_before_its_colours(
    tmp_path, monkeypatch
):
    ramps("RGBA").save(tmp_path / "a.png")
    ramps("RGB").save(tmp_path / "a.jpg")
    sizes, convert = [], preparation.in_colours

    def noted(picture):
        sizes.append(picture.size)
        return convert(picture)

    monkeypatch.setattr(preparation, "in_colours", noted)
    monkeypatch.setattr(preparation, "LARGE", 1000)
    for name in ("a.png", "a.jpg"):
        Preparation(14, cropped=False).pixels(tmp_path / name, None)
    assert max(max(size) for size in sizes) < 100


def test_a_box_is_cut_out_of_a_large_picture_as_it_is(tmp_path, monkeypatch):
    ramps("RGB").save(tmp_path / "a.jpg")
    monkeypatch.setattr(preparation, "LARGE", 1000)
    pixels = Preparation(8, True).pixels(tmp_path / "a.jpg", (290, 0, 300, 9))
    assert pixels[..., 0].min() > 230


def test_pictures_are_decoded_at_once_as_there_is_room():
    room, inside, most, both = preparation.Room(10), [], [], Barrier(3)

    def decode(bytes):
        with room.taken(bytes):
            inside.append(bytes)
            most.append(sum(inside))
            if bytes == 3:
                both.wait(60)  # three of them do fit
            inside.remove(bytes)
        return bytes

    wanted = [3, 3, 3, 9, 7, 6, 10, 5, 4, 1]
    with ThreadPoolExecutor(len(wanted)) as pool:
        assert list(pool.map(decode, wanted)) == wanted
    assert max(most) <= 10 and room.free == 10


@pytest.mark.parametrize(
    ("name", "mode", "options", "each"),
    [("a.png", "RGB", {}, 4), ("a.png", "P", {}, 1), ("a.png", "I;16", {}, 2),
     ("a.webp", "RGB", {}, 16), ("a.jpg", "RGB", {"progressive": True}, 7)],
)  # fmt: skip
def test_a_picture_that_takes_more_memory_than_there_is_is_named(
    tmp_path, monkeypatch, name, mode, options, each
):
    ramps(mode).save(tmp_path / name, **options)
    monkeypatch.setattr(preparation, "LARGE", 1000)
    enough = preparation.Room(300 * 200 * each)
    monkeypatch.setattr(preparation, "ROOM", enough)
    assert WHOLE.pixels(tmp_path / name, None).shape == (32, 48, 3)
    few = preparation.Room(300 * 200 * each - 1)
    monkeypatch.setattr(preparation, "ROOM", few)
    with pytest.raises(BadPictures, match=r"a\..*of memory.*make it smaller"):
        WHOLE.pixels(tmp_path / name, None)
    assert few.free == few.all


def test_room_is_given_back_when_a_picture_cannot_be_read(tmp_path):
    (tmp_path / "no.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    paint(tmp_path / "cut.png", "red", (90, 90))
    whole = (tmp_path / "cut.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    for name in ("no.png", "cut.png"):
        with pytest.raises(BadPictures):
            WHOLE.pixels(tmp_path / name, None)
    assert preparation.ROOM.free == preparation.ROOM.all
