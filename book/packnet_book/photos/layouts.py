"""Where the four sets lie on disk, and how each says what is in it.

Every set is read in two layouts: folders named like the classes, as
PackNet's authors lay their sets out, and the archive as its makers
published it, unpacked. Splits and class names are the official ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy
import scipy.io
import torchvision

from packnet_book.photos.listing import Listing
from packnet_core.errors import BadPictures

LAYOUT = "expected DIR/train/<class>/* and DIR/test/<class>/*"
Reader = Callable[[Path, str], Listing]


@dataclass(frozen=True)
class Layout:
    """One form of one set: found by a file or folder that only it has."""

    folder: str
    marker: str
    read: Reader


def read_set(
    name: str, root: Path, split: str, *, folder: str | None = None
) -> Listing:
    """The pictures of one split, "train" or "test", of a set under `root`.

    name: one of `LAYOUTS`; folder: only what lies in this one, below
    `root`. Raises BadPictures.
    """
    layouts = [
        layout
        for layout in LAYOUTS[name]
        if folder is None or layout.folder == folder
    ]
    for layout in layouts:
        place = root / layout.folder
        if (place / layout.marker).exists():
            return _checked(layout.read(place, split), place, split)
    looked = ", ".join(
        str(root / layout.folder / layout.marker) for layout in layouts
    )
    raise BadPictures(
        f"{root}: no set {name!r} in it (looked for {looked}); unpack it "
        "there, or name another directory"
    )


def read_classes(
    root: Path,
    split: str,
    *,
    test: str = "test",
    classes: tuple[str, ...] | None = None,
) -> Listing:
    """Folders of classes: `root/train/<class>/*`, `root/<test>/<class>/*`.

    classes: in the order of their labels; if None those of the training
    set, in the order of their names. Hidden files are passed over.
    Raises BadPictures.
    """
    folder = root / (test if split == "test" else split)
    there = _visible(folder)
    known = classes or tuple(_visible(root / "train"))
    strange = [name for name in there if name not in known]
    if strange:
        raise BadPictures(
            f"{folder / strange[0]}: a class that the training set does not "
            "have; remove it, or add training pictures of it"
        )
    found = []
    for label, name in enumerate(known):
        files = _visible(folder / name, files=True) if name in there else []
        if split == "train" and not files:
            raise BadPictures(
                f"{folder / name}: no pictures in it; add some or remove "
                "the folder"
            )
        found += [(folder / name / file, label) for file in files]
    return _checked(Listing(*_columns(found), known), folder, split)


def read_cub(root: Path, split: str) -> Listing:
    """CUB-200-2011 as unpacked: Wah et al. 2011, CNS-TR-2011-001.

    Its boxes are x, y, width and height, x and y counted from 1.
    """
    names = _table(root / "images.txt")
    classes = tuple(
        name for _, [name] in sorted(_table(root / "classes.txt").items())
    )
    label = _table(root / "image_class_labels.txt")
    training = _table(root / "train_test_split.txt")
    sides = _table(root / "bounding_boxes.txt")
    wanted = "1" if split == "train" else "0"
    files, labels, boxes = [], [], []
    for number, [name] in sorted(names.items()):
        for table, file in (
            (label, "image_class_labels.txt"),
            (training, "train_test_split.txt"),
            (sides, "bounding_boxes.txt"),
        ):
            if number not in table:
                raise BadPictures(
                    f"{root / file}: nothing about picture {number}; "
                    "unpack the archive again"
                )
        if training[number] == [wanted]:
            left, top, width, height = (
                round(float(x)) for x in sides[number]
            )
            files.append(root / "images" / name)
            labels.append(int(label[number][0]) - 1)
            boxes.append((left - 1, top - 1, left - 1 + width,
                          top - 1 + height))  # fmt: skip
    return Listing(tuple(files), tuple(labels), classes, tuple(boxes))


def read_cars(root: Path, split: str) -> Listing:
    """Stanford Cars as unpacked: Krause et al. 2013.

    Its boxes are x1, y1, x2, y2, counted from 1, the last two inside.
    """
    kit = root / "devkit"
    meta = _matlab(kit / "cars_meta.mat")["class_names"]
    file = (
        "cars_train_annos.mat"
        if split == "train"
        else "cars_test_annos_withlabels.mat"
    )
    files, labels, boxes = [], [], []
    for car in _matlab(kit / file)["annotations"]:
        files.append(root / f"cars_{split}" / str(car.fname))
        labels.append(int(car.__dict__["class"]) - 1)
        boxes.append((int(car.bbox_x1) - 1, int(car.bbox_y1) - 1,
                      int(car.bbox_x2), int(car.bbox_y2)))  # fmt: skip
    classes = tuple(str(name) for name in meta)
    return Listing(tuple(files), tuple(labels), classes, tuple(boxes))


def read_flowers(root: Path, split: str) -> Listing:
    """Flowers-102 as unpacked: Nilsback & Zisserman 2008.

    As PackNet has it, training pictures are those of `trnid` and `valid`.
    The names, which the archive lacks, are torchvision's.
    """
    of_class = _matlab(root / "imagelabels.mat")["labels"]
    sets = _matlab(root / "setid.mat")
    parts = ("trnid", "valid") if split == "train" else ("tstid",)
    numbers = sorted(int(n) for part in parts for n in sets[part])
    names = getattr(torchvision.datasets.Flowers102, "classes", None)
    count = int(max(of_class))
    classes = tuple(
        names[label] if names else f"{label + 1:03}" for label in range(count)
    )
    return Listing(
        tuple(root / "jpg" / f"image_{n:05}.jpg" for n in numbers),
        tuple(int(of_class[n - 1]) - 1 for n in numbers),
        classes,
    )


def read_tiny(root: Path, split: str) -> Listing:
    """Tiny-ImageNet as unpacked; its test set is `val`, the one labelled.

    The classes are ImageNet's identifiers, in their order.
    """
    classes = tuple(sorted(_text(root / "wnids.txt").split()))
    label = {name: number for number, name in enumerate(classes)}
    if split == "train":
        found = [
            (root / "train" / name / "images" / file, label[name])
            for name in classes
            for file in _visible(root / "train" / name / "images", files=True)
        ]
    else:
        said = _text(root / "val" / "val_annotations.txt").splitlines()
        found = [
            (root / "val" / "images" / file, label[name])
            for file, name, *_ in map(str.split, said)
        ]
    return Listing(*_columns(found), classes)


_IMAGENET = partial(read_classes, test="val")
LAYOUTS = {
    "imagenet": (
        Layout("imagenet", "train", _IMAGENET),
        Layout("tiny-imagenet-200", "wnids.txt", read_tiny),
        Layout(".", "wnids.txt", read_tiny),
        Layout(".", "train/n01440764", _IMAGENET),
    ),
    "cubs": (
        Layout("cubs_cropped", "train", read_classes),
        Layout("CUB_200_2011", "images.txt", read_cub),
        Layout(".", "bounding_boxes.txt", read_cub),
    ),
    "cars": (
        Layout("stanford_cars_cropped", "train", read_classes),
        Layout("stanford_cars", "devkit/cars_meta.mat", read_cars),
        Layout(".", "devkit/cars_meta.mat", read_cars),
    ),
    "flowers": (
        Layout("flowers", "train", read_classes),
        Layout("flowers-102", "setid.mat", read_flowers),
        Layout("flowers", "setid.mat", read_flowers),
        Layout(".", "setid.mat", read_flowers),
    ),
}


def _checked(listing: Listing, place: Path, split: str) -> Listing:
    if len(listing.classes) < 2:
        raise BadPictures(
            f"{place}: {len(listing.classes)} class(es), at least two are "
            f"needed; {LAYOUT}"
        )
    if not len(listing):
        raise BadPictures(f"{place}: no {split} pictures in it; {LAYOUT}")
    beyond = max(listing.labels)
    if min(listing.labels) < 0 or beyond >= len(listing.classes):
        raise BadPictures(
            f"{place}: a picture of class {beyond + 1}, and only "
            f"{len(listing.classes)} classes; unpack the archive again"
        )
    return listing


def _visible(folder: Path, *, files: bool = False) -> list[str]:
    """The names of a folder's subfolders, or of its files, in order."""
    try:
        return sorted(
            entry.name
            for entry in folder.iterdir()
            if not entry.name.startswith(".")
            and (entry.is_file() if files else entry.is_dir())
        )
    except (FileNotFoundError, NotADirectoryError):
        raise BadPictures(f"{folder}: no such folder; {LAYOUT}") from None


def _columns(
    rows: Iterable[tuple[Path, int]],
) -> tuple[tuple[Path, ...], tuple[int, ...]]:
    rows = list(rows)
    return tuple(file for file, _ in rows), tuple(n for _, n in rows)


def _table(file: Path) -> dict[int, list[str]]:
    """A text file's lines: the number that begins each, and its words."""
    table = {}
    for line in _text(file).splitlines():
        if line.strip():
            first, *rest = line.split()
            try:
                table[int(first)] = rest
            except ValueError:
                raise BadPictures(
                    f"{file}: the line {line[:60]!r} does not begin with a "
                    "number; unpack the archive again"
                ) from None
    return table


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise BadPictures(
            f"{file}: cannot be read ({error}); unpack the archive again"
        ) from error


def _matlab(file: Path) -> dict:
    """What is in a .mat file, with arrays of one row as plain lists."""
    try:
        found = scipy.io.loadmat(
            file, squeeze_me=True, struct_as_record=False
        )
    except Exception as error:  # scipy has no error of its own for these
        raise BadPictures(
            f"{file}: cannot be read ({error}); unpack the archive again"
        ) from error
    return {name: numpy.atleast_1d(value) for name, value in found.items()}
