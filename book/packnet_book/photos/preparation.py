"""From a picture's file to the bytes that squares are cut out of."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import ExifTags, Image

from packnet_book.photos.listing import Box
from packnet_core.images import in_colours, opened

MARGIN = 8 / 7  # 256 pixels, of which 224 are seen
LONGEST = 16  # times the shorter side: what is beyond is cut off first
LARGE = 2**24  # pixels; of more a picture is made smaller on the way
AT_ONCE = 2**25  # pixels that are decoded at the same time, at most
TURN = ExifTags.Base.Orientation
REDUCED = ("L", "LA", "RGB", "RGBA", "CMYK")  # modes that Pillow reduces

# Said of large pictures, for which there is room; larger ones are refused.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


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
        """
        with opened(file) as picture:
            sides = picture.size
            with ROOM.taken(sides[0] * sides[1]):
                if self.cropped and box is not None:
                    picture = picture.crop(clipped(box, *sides))
                elif sides[0] * sides[1] > LARGE:
                    picture = smaller(picture, min(self.shape(*sides)))
                picture = in_colours(picture)
                if not self.cropped:
                    picture = middle(picture)
                across = picture.width > picture.height  # by now
                shape = self.shape(*sorted(sides, reverse=across))
                if picture.size != shape:
                    picture = picture.resize(shape, Image.Resampling.BILINEAR)
                return numpy.array(picture)


class Room:
    """Memory for so many pixels, which threads share."""

    def __init__(self, pixels: int):
        self.all = self.free = pixels
        self.changed = threading.Condition()

    @contextmanager
    def taken(self, pixels: int) -> Iterator[None]:
        """Wait until there is room for a picture; one that needs more than
        there is gets all of it."""
        pixels = min(pixels, self.all)
        with self.changed:
            self.changed.wait_for(lambda: self.free >= pixels)
            self.free -= pixels
        try:
            yield
        finally:
            with self.changed:
                self.free += pixels
                self.changed.notify_all()


ROOM = Room(AT_ONCE)


def smaller(picture: Image.Image, short: int) -> Image.Image:
    """A large picture, its shorter side still twice as long as it shall be,
    in little memory: before its colours are converted, JPEG even before it
    is decoded."""
    picture.draft(picture.mode, (2 * short, 2 * short))
    picture.load()
    turn = picture.getexif().get(TURN)  # None of TIFF, which is turned now
    if picture.mode == "1":
        picture = picture.convert("L")
    factor = min(picture.size) // (2 * short)
    if factor > 1 and picture.mode in REDUCED:
        picture = picture.reduce(factor)
        if turn is not None:
            picture.getexif()[TURN] = turn
    return picture


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
