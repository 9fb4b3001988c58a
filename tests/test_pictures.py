"""Pictures as people have them: read right on every path, or named."""

import numpy
import pytest
import torch
from PIL import Image

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
