"""From a picture's file to the bytes that squares are cut out of."""

import threading
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

from packnet_book.photos.listing import Box
from packnet_core.images import in_colours, opened

MARGIN = 8 / 7  # 256 pixels, of which 224 are seen
LONGEST = 16  # times the shorter side: what is beyond is cut off first
LARGE = 2**24  # pixels; such pictures are decoded one at a time
_ALONE = threading.Lock()


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
            large = picture.width * picture.height > LARGE
            with _ALONE if large else nullcontext():
                if self.cropped and box is not None:
                    picture = picture.crop(clipped(box, *picture.size))
                picture = in_colours(picture)
                if not self.cropped:
                    picture = middle(picture)
                shape = self.shape(*picture.size)
                if picture.size != shape:
                    picture = picture.resize(shape, Image.Resampling.BILINEAR)
                return numpy.array(picture)


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
