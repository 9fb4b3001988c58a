"""Pictures from folders: one folder a class, `DIR/train/<class>/*`."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import torch
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from packnet_core.errors import BadPictures
from packnet_core.pictures import Pictures

LAYOUT = "expected DIR/train/<class>/* and DIR/test/<class>/*"


def read_folder(
    root: Path,
    split: str,
    *,
    side: int,
    classes: tuple[str, ...] | None = None,
    budget: float = 1.0,
) -> Pictures:
    """All pictures of one split, resized to squares.

    root: holds a folder `split` with a folder for each class; side: of
    the squares, in pixels (the aspect is ignored, as in the paper);
    classes: those of the training set, for a test set; budget: the share
    of each class's pictures to take, at least one. Files whose name
    begins with a dot are passed over. Raises BadPictures.
    """
    folder = root / split
    if not folder.is_dir():
        raise BadPictures(f"{folder}: no such folder; {LAYOUT}")
    found = sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )
    if classes is None:
        classes = tuple(found)
    if len(classes) < 2:
        raise BadPictures(
            f"{folder}: {len(classes)} class(es), at least two are needed; "
            f"{LAYOUT}"
        )
    strange = sorted(set(found) - set(classes))
    if strange:
        raise BadPictures(
            f"{folder / strange[0]}: a class that the training set does not "
            "have; remove it, or add training pictures of it"
        )
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        inside = _files(folder / name) if name in found else []
        if not inside and classes == tuple(found):
            raise BadPictures(
                f"{folder / name}: no pictures in it; add some or remove "
                "the folder"
            )
        taken = inside[: max(round(budget * len(inside)), 1)]
        files += taken
        labels += [label] * len(taken)
    if not files:
        raise BadPictures(f"{folder}: no pictures in it; {LAYOUT}")
    images = numpy.empty((len(files), 3, side, side), dtype=numpy.uint8)
    with ThreadPoolExecutor() as pool:
        squares = pool.map(lambda file: read_square(file, side), files)
        bar = tqdm(squares, total=len(files), desc=f"{folder}", unit="image")
        for place, square in enumerate(bar):
            images[place] = square
    return Pictures(torch.from_numpy(images), torch.tensor(labels), classes)


def read_square(file: Path, side: int) -> numpy.ndarray:
    """One picture as bytes (3, side, side). Raises BadPictures."""
    try:
        with Image.open(file) as picture:
            square = picture.convert("RGB").resize(
                (side, side), Image.Resampling.BILINEAR
            )
    except UnidentifiedImageError:
        raise BadPictures(f"{file}: not a picture; remove it") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise BadPictures(
            f"{file}: cannot be read ({error}); replace or remove it"
        ) from error
    except Image.DecompressionBombError as error:
        raise BadPictures(
            f"{file}: too many pixels to be safe; make it smaller"
        ) from error
    return numpy.asarray(square).transpose(2, 0, 1)


def _files(folder: Path) -> list[Path]:
    return sorted(
        entry
        for entry in folder.iterdir()
        if entry.is_file() and not entry.name.startswith(".")
    )
