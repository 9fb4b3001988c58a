"""From a picture's file to the bytes that squares are cut out of."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy
from PIL import ExifTags, Image

from packnet_book.photos.listing import Box
from packnet_core.images import in_colours, opened

MARGIN = 8 / 7  # 256 pixels, of which 224 are seen
LONGEST = 16  # times the shorter side: what is beyond is cut off first
LARGE = 2**24  # pixels; of more a picture is made smaller on the way
AT_ONCE = 220_000_000  # bytes for pictures that are being decoded, at most
TURN = ExifTags.Base.Orientation
REDUCED = ("L", "LA", "RGB", "RGBA", "CMYK", "I", "F")  # Pillow reduces them
BAND = 2**20  # pixels that are converted at a time
BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}  # a pixel; others 4
HUNGRY = {"JPEG2000": 20, "WEBP": 16, "AVIF": 10, "DDS": 7}  # as measured
PROGRESSIVE = 6  # bytes a pixel that such a JPEG takes, however it is read

# Said of large pictures, for which there is room; larger ones are refused.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Pillow takes memory in blocks of this size: so large that it is given back
# to the system, where smaller ones would stay with each thread.
Image.core.set_block_size(2**26)


@dataclass(frozen=True)
class Preparation:
    """How large a picture becomes, as in the paper.

    size: side of the square that the network takes, in pixels; cropped:
    show the object alone: cut out along its box, if it has one, and
    resized to just that square whatever its shape was. Else the whole
    picture, its shorter side an eighth of itself longer than `size`; of
    one more than `LONGEST` times as long as wide, the middle part.
    """

    size: int
    cropped: bool

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that a picture of this shape gets."""
        if self.cropped:
            return self.size, self.size
        short = round(self.size * MARGIN)
        most = short * LONGEST
        if width <= height:
            return short, min(short * height // width, most)
        return min(short * width // height, most), short

    def pixels(self, file: Path, box: Box | None) -> numpy.ndarray:
        """The picture as bytes (height, width, 3). Raises BadPictures.

        A box is of the pixels as they are stored, before they are turned.
        What would take more memory than `AT_ONCE` is refused.
        """
        with opened(file) as picture:
            sides = picture.size
            part = box if self.cropped else None
            large = part is None and sides[0] * sides[1] > LARGE
            short = 2 * min(self.shape(*sides))  # twice what it shall be
            if large:
                picture.draft(picture.mode, (short, short))
            with ROOM.taken(
                needed(picture, sides, part is not None or large)
            ):
                if part is not None:
                    picture = picture.crop(clipped(part, *sides))
                elif large:
                    picture = smaller(picture, short)
                picture = in_colours(picture)
                if not self.cropped:
                    picture = middle(picture)
                across = picture.width > picture.height  # by now
                shape = self.shape(*sorted(sides, reverse=across))
                if picture.size != shape:
                    picture = picture.resize(shape, Image.Resampling.BILINEAR)
                return numpy.array(picture)


class Room:
    """Memory of so many bytes, which threads share."""

    def __init__(self, bytes: int):
        self.all = self.free = bytes
        self.changed = threading.Condition()

    @contextmanager
    def taken(self, bytes: int) -> Iterator[None]:
        """Wait until so many are free. Raises ValueError for more than
        there are."""
        if bytes > self.all:
            raise ValueError(
                f"too large: {bytes / 1e6:.0f} MB of memory, where "
                f"{self.all / 1e6:.0f} are the most"
            )
        with self.changed:
            self.changed.wait_for(lambda: self.free >= bytes)
            self.free -= bytes
        try:
            yield
        finally:
            with self.changed:
                self.free += bytes
                self.changed.notify_all()


ROOM = Room(AT_ONCE)


def needed(picture: Image.Image, sides: tuple[int, int], part: bool) -> int:
    """Bytes that decoding a picture takes.

    sides: those of its file, of which a draft has fewer; part: only a part
    of it, or a smaller one, is converted to colours afterwards.
    """
    each = HUNGRY.get(picture.format or "", BYTES.get(picture.mode, 4))
    if not part:
        each += 9 if picture.mode[0] in "IF" else 4
    whole = PROGRESSIVE if "progressive" in picture.info else 0
    return each * prod(picture.size) + whole * prod(sides)


def smaller(picture: Image.Image, short: int) -> Image.Image:
    """A large picture, its shorter side still as long as `short` or longer,
    in little memory: band by band, before its colours are converted."""
    picture.load()
    turn = picture.getexif().get(TURN)  # None of TIFF, which is turned now
    factor = min(picture.size) // short
    if factor <= 1:
        return picture
    mode = picture.mode
    if mode not in REDUCED:
        mode = {"1": "L", "I": "I"}.get(mode[0], "RGB")
    width, height = picture.size
    small = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = factor * max(BAND // (factor * width), 1)
    for top in range(0, height, rows):
        band = picture.crop((0, top, width, min(top + rows, height)))
        small.paste(band.convert(mode).reduce(factor), (0, top // factor))
    if turn is not None:
        small.getexif()[TURN] = turn
    return small


def middle(picture: Image.Image) -> Image.Image:
    """Of a picture more than `LONGEST` times as long as wide, that part."""
    width, height = picture.size
    across = max(width - LONGEST * height, 0) // 2
    down = max(height - LONGEST * width, 0) // 2
    if across or down:
        return picture.crop((across, down, width - across, height - down))
    return picture


def clipped(box: Box, width: int, height: int) -> Box:
    """The part of a box that lies in its picture; all of it if none does."""
    left, top, right, bottom = box
    left, right = max(left, 0), min(right, width)
    top, bottom = max(top, 0), min(bottom, height)
    if left >= right or top >= bottom:
        return 0, 0, width, height
    return left, top, right, bottom
