"""Labelled pictures, and the batches made of them."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.datasets.folder import find_classes, make_dataset
from torchvision.transforms.functional import pil_to_tensor

from packnet_core.errors import BadPictures

# Mean and standard deviation of ImageNet's pixels, per colour, from 0 to 1.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
LITTER = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx"}
TOPS = {"I": (255, 4095, 65535), "F": (1, 255)}  # of pixels, by their mode


class Source(Protocol):
    """Pictures, wherever they are, that squares can be cut out of."""

    def __len__(self) -> int:
        """How many pictures there are."""

    def sizes(self, indices: Tensor) -> Tensor:
        """Heights and widths (B, 2) of some pictures, in pixels."""

    def crop(
        self, indices: Tensor, corners: Tensor, flips: Tensor, size: int
    ) -> Tensor:
        """Squares of them as bytes (B, 3, size, size). corners: (B, 2),
        top rows, left columns; flips: bool (B,), which to flip sideways."""


@dataclass(frozen=True)
class Pictures:
    """Labelled pictures of one split of one task.

    images: uint8 tensor (N, 3, H, W), red, green, blue, or a source of
    pictures that stay on the disk; training cuts a random square out of
    each, testing the one in the centre; labels: integer tensor (N,), in
    [0, len(classes)); classes: the classes' names, in the order of the
    labels. Raises BadPictures for anything else."""

    images: "Tensor | Source"
    labels: Tensor
    classes: tuple[str, ...]

    def __post_init__(self):
        images, labels, last = self.images, self.labels, len(self.classes) - 1
        if isinstance(images, Tensor) and (
            images.dtype != torch.uint8 or images.shape[1:-2] != (3,)
        ):
            raise BadPictures(
                f"pictures of {images.dtype}, shape {tuple(images.shape)}: "
                "give bytes (N, 3, H, W), as (images * 255).round().byte() "
                "or, of grey ones, images.expand(-1, 3, -1, -1)"
            )
        if (
            labels.shape != (len(images),)
            or labels.is_floating_point()
            or ((labels < 0) | (labels > last)).any()
        ):
            raise BadPictures(
                f"labels of {labels.dtype}, shape {tuple(labels.shape)}, "
                f"{labels.tolist()[:3]} …: give one for each of "
                f"{len(images)} pictures, whole numbers from 0 to {last}"
            )
        # Of bytes torch would make a mask, and of others nothing.
        object.__setattr__(self, "labels", labels.long())

    @classmethod
    def from_folder(
        cls, folder: str | os.PathLike, size: int, *, cropped: bool = False
    ) -> "Pictures":
        """The pictures of a folder that has a folder for each class.

        size: side of the square that the network takes, in pixels.
        Pictures are turned as their EXIF says and resized, whatever their
        shape, to squares of 256 / 224 of that side, for random squares to
        be cut out; or, if `cropped` along their objects, to that side
        itself. Classes are in alphabetical order. Raises BadPictures."""
        side = size if cropped else round(size * 256 / 224)
        root = os.fspath(folder)
        try:
            names, _ = find_classes(root)
            numbers = {n: i for i, n in enumerate(filter(wanted, names))}
            files = make_dataset(root, numbers, is_valid_file=wanted)
        except (OSError, ValueError) as error:
            raise BadPictures(
                f"{root}: give a folder of pictures for each class ({error})"
            ) from error
        images = torch.empty(len(files), 3, side, side, dtype=torch.uint8)
        for image, (file, _) in zip(images, files, strict=True):
            with opened(file) as picture:
                square = in_colours(picture).resize((side, side))
            image.copy_(pil_to_tensor(square))
        return cls(images, torch.tensor([n for _, n in files]), (*numbers,))

    def __len__(self) -> int:
        return len(self.labels)

    def sizes(self, indices: Tensor) -> Tensor:
        """Heights and widths (B, 2) of some pictures, as `Source.sizes`."""
        if isinstance(self.images, Tensor):
            return torch.tensor(self.images.shape[2:]).expand(len(indices), 2)
        return self.images.sizes(indices)

    def crop(
        self, indices: Tensor, corners: Tensor, flips: Tensor, size: int
    ) -> Tensor:
        """Squares of them at given places, as `Source.crop`."""
        if not isinstance(self.images, Tensor):
            return self.images.crop(indices, corners, flips, size)
        squares = self.images.new_empty(len(indices), 3, size, size)
        places = indices.tolist(), corners.tolist(), flips.tolist()
        for square, index, (top, left), flip in zip(squares, *places):
            part = self.images[index, :, top : top + size, left : left + size]
            square.copy_(part.flip(2) if flip else part)
        return squares

    def _room(self, indices: Tensor, size: int) -> Tensor:
        """How much higher and wider (B, 2) than a square pictures are."""
        room = self.sizes(indices) - size
        if (room < 0).any():
            height, width = (room[(room < 0).any(1)][0] + size).tolist()
            raise BadPictures(
                f"a picture of {height} x {width} px has no square of "
                f"{size}: resize it, or give a smaller size"
            )
        return room

    def crops(
        self, indices: Tensor, size: int, draws: Tensor, device: torch.device
    ) -> Tensor:
        """Random squares (B, 3, size, size) of some pictures, as bytes.
        draws: (B, 3) in [0, 1): how far from the top and the left, and
        whether flipped left to right (from 0.5 on)."""
        room = self._room(indices, size) + 1
        corners = (draws[:, :2] * room).long()
        flips = draws[:, 2] >= 0.5
        return self.crop(indices, corners, flips, size).to(device)

    def centres(
        self, indices: Tensor, size: int, device: torch.device
    ) -> Tensor:
        """The squares (B, 3, size, size) in the middle, as bytes."""
        room = self._room(indices, size)
        flips = torch.zeros(len(indices), dtype=torch.bool)
        return self.crop(indices, room // 2, flips, size).to(device)


def wanted(path: str) -> bool:
    """Whether a file or folder is neither hidden nor one of the system's."""
    name = os.path.basename(path)
    return not name.startswith((".", "@eaDir")) and name.lower() not in LITTER


@contextmanager
def opened(file: str | os.PathLike) -> Iterator[Image.Image]:
    """A picture's file; whatever reading it leads to is BadPictures."""
    try:  # of a path, Pillow would map grey TIFFs, and turn them wrongly
        with open(file, "rb") as stream, Image.open(stream) as picture:
            yield picture
    except Exception as error:  # any: Pillow lets those of its readers out
        reason = getattr(error, "strerror", None) or error
        raise BadPictures(
            f"{file}: cannot be read ({reason}): mend it (HEIC: export it as "
            "JPEG; too large: make it smaller; no leave: allow yourself to "
            "read it), or take it away"
        ) from error


def in_colours(picture: Image.Image) -> Image.Image:
    """A picture turned as its EXIF says, a byte for red, green and blue.
    Greys of 8, 12 or 16 bits, as the brightest needs, and floats up to 1
    or 255 are scaled. Raises ValueError for others."""
    ImageOps.exif_transpose(picture, in_place=True)
    if tops := TOPS.get(picture.mode[0]):
        values = numpy.asarray(picture)
        low, high = values.min(), values.max()
        if not (fitting := [top for top in tops if 0 <= low <= high <= top]):
            raise ValueError(f"pixels from {low} to {high}, not a byte each")
        bytes = numpy.empty(values.shape, numpy.uint8)
        for row, line in zip(bytes, values):  # one at a time: little memory
            row[:] = (line * (255 / fitting[0])).round()
        picture = Image.fromarray(bytes)
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def generator(*words: object) -> torch.Generator:
    """Random numbers that depend on the words, and on nothing else."""
    text = repr([str(word) for word in words])  # no two lists give the same
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    seed = int.from_bytes(digest, "little") >> 1
    return torch.Generator().manual_seed(seed)


def normalise(images: Tensor, kind: torch.dtype | None = None) -> Tensor:
    """Bytes (B, 3, H, W) to floats of a kind (None: torch's default), by
    ImageNet's mean and deviation."""
    floats = images.to(kind or torch.get_default_dtype(), copy=True)
    for colours, apply in ((MEAN, floats.sub_), (STD, floats.div_)):
        values = torch.tensor(colours, device=images.device) * 255
        row = torch.empty_like(floats[:1, :, :1])  # as it lies in memory,
        apply(row.copy_(values.view(3, 1, 1)))  # several times as fast
    return floats


def shuffled(
    count: int, batch: int, *seed: object, epoch: int
) -> list[Tensor]:
    """The batches of one epoch, as indices (batch,) in a random order, but
    for an incomplete last one, unless it is the only one."""
    order = torch.randperm(count, generator=generator(*seed, "order", epoch))
    used = max(count // batch, 1) * batch
    return list(order[:used].split(batch))
