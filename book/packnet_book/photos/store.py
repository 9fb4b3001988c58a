"""Prepared pictures, kept on the disk as plain bytes.

Decoding a photograph takes far longer than training needs. So each is
decoded and resized once, when a set is first used; from then on squares
are cut out of one large file that the system reads as it is needed. The
file's name says what is in it: other pictures, or others in their place,
make another file.
"""

import hashlib
import os
import shutil
import sys
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy
import torch
from PIL import __version__ as decoder
from torch import Tensor
from tqdm import tqdm

from packnet_book.locks import alone
from packnet_book.photos.listing import Listing
from packnet_book.photos.preparation import Preparation
from packnet_book.places import decoded
from packnet_core.errors import BadPictures
from packnet_core.images import opened

FORM = 2  # of what is kept; another number makes everything anew
SAMPLE = 100  # pictures from which a set's size is estimated
SHARE = 0.8  # of the free space that a set may take
AHEAD = 64  # pictures decoded before they are written


class Stored:
    """Pictures of any shapes, one after the other in one run of bytes.

    data: uint8 array, each picture's (height, width, 3) in turn; shapes:
    int64 array (N, 2), heights and widths.
    """

    def __init__(self, data: numpy.ndarray, shapes: numpy.ndarray):
        self.data = data
        self.shapes = torch.from_numpy(shapes)
        ends = numpy.cumsum(3 * shapes.prod(axis=1))
        self.starts = ends - 3 * shapes.prod(axis=1)

    def __len__(self) -> int:
        return len(self.shapes)

    def sizes(self, indices: Tensor) -> Tensor:
        return self.shapes[indices]

    def crop(
        self, indices: Tensor, corners: Tensor, flips: Tensor, size: int
    ) -> Tensor:
        pictures = map(self.__getitem__, indices.tolist())
        return _cut(pictures, corners, flips, size)

    def __getitem__(self, index: int) -> numpy.ndarray:
        """One picture (height, width, 3)."""
        height, width = self.shapes[index].tolist()
        start = self.starts[index]
        end = start + 3 * height * width
        return self.data[start:end].reshape(height, width, 3)


class Streamed:
    """Pictures that are decoded each time they are asked for.

    It takes nothing on the disk, and far longer.
    """

    def __init__(self, listing: Listing, preparation: Preparation):
        self.listing, self.preparation = listing, preparation
        self._pool = ThreadPoolExecutor()
        self._shapes = torch.zeros(len(listing), 2, dtype=torch.long)

    def __len__(self) -> int:
        return len(self.listing)

    def sizes(self, indices: Tensor) -> Tensor:
        unknown = [i for i in indices.tolist() if not self._shapes[i].any()]
        for index, shape in zip(
            unknown, self._pool.map(self._shape, unknown), strict=True
        ):
            self._shapes[index] = torch.tensor(shape)
        return self._shapes[indices]

    def crop(
        self, indices: Tensor, corners: Tensor, flips: Tensor, size: int
    ) -> Tensor:
        pictures = self._pool.map(self._pixels, indices.tolist())
        return _cut(pictures, corners, flips, size)

    def _shape(self, index: int) -> tuple[int, int]:
        height, width, _ = self._pixels(index).shape
        return height, width

    def _pixels(self, index: int) -> numpy.ndarray:
        return _pixels(self.listing, self.preparation, index)


def stored(
    listing: Listing, preparation: Preparation, folder: Path | None = None
) -> "Stored | Streamed":
    """The pictures of a listing, kept in a folder.

    folder: `places.decoded()` if None. A set that would take most of the
    free space is streamed; so is every set if `PACKNET_PICTURES` is
    "off", or if the folder cannot be written. What is there in part, or
    was cut since, is made again. Raises BadPictures.
    """
    if folder is None and os.environ.get("PACKNET_PICTURES") == "off":
        return Streamed(listing, preparation)
    folder = folder or decoded()
    try:
        return _kept(listing, preparation, folder)
    except OSError as error:
        _tell(
            f"{folder}: cannot be used ({error.strerror or error}); pictures "
            "are read anew in each epoch, unless PACKNET_PICTURES names a "
            "place that can be written"
        )
        return Streamed(listing, preparation)


def _kept(
    listing: Listing, preparation: Preparation, folder: Path
) -> "Stored | Streamed":
    name = fingerprint(listing, preparation)
    if (there := _whole(folder / name)) is not None:
        return there  # also where nothing may be written
    folder.mkdir(parents=True, exist_ok=True)
    wait = f"{folder}: another process decodes these pictures; waiting for it"
    with alone(folder / f"{name}.lock", wait):  # one process makes it
        if (there := _whole(folder / name)) is not None:
            return there
        for left in folder.glob(f"{name}.*.part"):  # by who was killed
            left.unlink()
        needed = estimate(listing, preparation)
        if needed > SHARE * shutil.disk_usage(folder).free:
            _tell(
                f"{folder}: no room for {needed / 1e9:.1f} GB of "
                "pictures; they are read anew in each epoch"
            )
            return Streamed(listing, preparation)
        _write(listing, preparation, folder / name)
        made = _whole(folder / name)
        if made is None:
            raise OSError("what was written is not there")
        _tell(
            f"{folder}: {len(listing):,} pictures are kept decoded there "
            f"({made.data.nbytes / 1e6:,.0f} MB)"
        )
        return made


def _whole(place: Path) -> Stored | None:
    """What is kept at a place, unless it lacks, or was cut."""
    try:
        shapes = numpy.load(place.with_suffix(".npy"))
        data = numpy.memmap(place.with_suffix(".bytes"), numpy.uint8, "r")
    except (OSError, ValueError, EOFError):
        return None
    if shapes.ndim != 2 or len(data) != 3 * shapes.prod(axis=1).sum():
        return None
    return Stored(data, shapes)


def _tell(text: str) -> None:
    tqdm.write(text, file=sys.stderr)


def in_memory(listing: Listing, preparation: Preparation) -> Stored:
    """The pictures of a listing, decoded and kept in memory, once."""
    data, shapes = bytearray(), []
    for picture in _decoded(listing, preparation):
        data += picture.tobytes()
        shapes.append(picture.shape[:2])
    table = numpy.array(shapes, dtype=numpy.int64)  # of 32 bits on Windows
    return Stored(numpy.frombuffer(data, numpy.uint8), table)


def fingerprint(listing: Listing, preparation: Preparation) -> str:
    """A name for these files as they are now, prepared in this way."""
    form = f"{FORM} {preparation} pillow {decoder}"
    digest = hashlib.sha256(form.encode())
    for place, file in enumerate(listing.files):
        about = None
        with suppress(OSError):  # found, and named, when it is decoded
            state = file.stat()
            about = state.st_size, state.st_mtime_ns
        box = listing.boxes and listing.boxes[place]
        digest.update(f"{str(file.absolute())!r} {about} {box}\n".encode())
    return digest.hexdigest()[:20]


def estimate(listing: Listing, preparation: Preparation) -> int:
    """Roughly how many bytes the prepared pictures take."""
    every = max(len(listing) // SAMPLE, 1)
    sizes = []
    for place in range(0, len(listing), every):
        try:
            with opened(listing.files[place]) as picture:
                width, height = preparation.shape(*picture.size)
        except BadPictures:  # found, and named, when it is decoded
            continue
        sizes.append(3 * width * height)
    return len(listing) * sum(sizes) // max(len(sizes), 1)


def _write(listing: Listing, preparation: Preparation, place: Path) -> None:
    """The pictures, then their shapes; both or, if it fails, neither."""
    found = []
    word = uuid.uuid4().hex[:8]
    data, shapes = (
        place.with_suffix(f".{word}{kind}.part")
        for kind in ("data", "shapes")
    )
    try:
        with data.open("wb") as file:
            for picture in _decoded(listing, preparation):
                file.write(picture.tobytes())
                found.append(picture.shape[:2])
        with shapes.open("wb") as file:
            numpy.save(file, numpy.array(found, dtype=numpy.int64))
        data.replace(place.with_suffix(".bytes"))
        shapes.replace(place.with_suffix(".npy"))
    finally:
        for part in (data, shapes):
            with suppress(OSError):
                part.unlink()


def _decoded(
    listing: Listing, preparation: Preparation
) -> Iterator[numpy.ndarray]:
    """Every picture in order, some decoded ahead, in bounded memory."""
    told = listing.files[0].parent.parent if len(listing) else ""
    bar = tqdm(total=len(listing), desc=f"{told}", unit="image", delay=2)
    with ThreadPoolExecutor() as pool, bar:
        for begin in range(0, len(listing), AHEAD):
            group = range(begin, min(begin + AHEAD, len(listing)))
            for picture in pool.map(
                lambda index: _pixels(listing, preparation, index), group
            ):
                yield picture
                bar.update()


def _cut(
    pictures: Iterable[numpy.ndarray],
    corners: Tensor,
    flips: Tensor,
    size: int,
) -> Tensor:
    """Like `Source.crop`, of pictures (height, width, 3).

    A pixel's colours stay side by side, as most networks want them.
    """
    squares = numpy.empty((len(corners), size, size, 3), numpy.uint8)
    for square, picture, (top, left), flip in zip(
        squares, pictures, corners.tolist(), flips.tolist(), strict=True
    ):
        part = picture[top : top + size, left : left + size]
        if not flip:
            square[:] = part
            continue
        for colour in range(3):  # one by one, four times as fast
            square[..., colour] = part[:, ::-1, colour]
    return torch.from_numpy(squares).permute(0, 3, 1, 2)


def _pixels(
    listing: Listing, preparation: Preparation, index: int
) -> numpy.ndarray:
    box = listing.boxes[index] if listing.boxes is not None else None
    return preparation.pixels(listing.files[index], box)
