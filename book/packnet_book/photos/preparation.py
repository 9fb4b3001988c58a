"""From a picture's file to the bytes that squares are cut out of."""

from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image, UnidentifiedImageError

from packnet_book.photos.listing import Box
from packnet_core.errors import BadPictures

MARGIN = 8 / 7  # 256 pixels, of which 224 are seen


@dataclass(frozen=True)
class Preparation:
    """How large a picture becomes, as in the paper.

    size: side of the square that the network takes, in pixels; cropped:
    show the object alone: cut out along its box, if it has one, and
    resized to just that square whatever its shape was. Else the whole
    picture, its shorter side an eighth of itself longer than `size`.
    """

    size: int
    cropped: bool

    def shape(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that a picture of this shape gets."""
        if self.cropped:
            return self.size, self.size
        short = round(self.size * MARGIN)
        if width <= height:
            return short, short * height // width
        return short * width // height, short

    def pixels(self, file: Path, box: Box | None) -> numpy.ndarray:
        """The picture as bytes (height, width, 3). Raises BadPictures."""
        try:
            with Image.open(file) as opened:
                picture: Image.Image = opened
                if self.cropped and box is not None:
                    picture = picture.crop(clipped(box, *picture.size))
                shape = self.shape(*picture.size)
                picture = picture.convert("RGB")
                if picture.size != shape:
                    picture = picture.resize(shape, Image.Resampling.BILINEAR)
        except UnidentifiedImageError:
            raise BadPictures(f"{file}: not a picture; remove it") from None
        except FileNotFoundError:
            raise BadPictures(
                f"{file}: no such file; unpack the set again"
            ) from None
        except (OSError, ValueError, SyntaxError) as error:
            raise BadPictures(
                f"{file}: cannot be read ({error}); replace or remove it"
            ) from error
        except Image.DecompressionBombError as error:
            raise BadPictures(
                f"{file}: too many pixels to be safe; make it smaller"
            ) from error
        return numpy.asarray(picture)


def clipped(box: Box, width: int, height: int) -> Box:
    """The part of a box that lies in its picture; all of it if none does."""
    left, top, right, bottom = box
    left, right = max(left, 0), min(right, width)
    top, bottom = max(top, 0), min(bottom, height)
    if left >= right or top >= bottom:
        return 0, 0, width, height
    return left, top, right, bottom
