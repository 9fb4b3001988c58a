"""Copies of the sets whose lists are not those of their makers.

Kaggle has Stanford Cars in a folder for each class (`car_data`) and
ImageNet as in its localisation challenge (`ILSVRC/Data/CLS-LOC`).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from packnet_book.photos.folders import (
    inside,
    pictures_in,
    read_classes,
    some,
    tell,
)
from packnet_book.photos.listing import Box, Listing
from packnet_book.photos.lists import Line, lines
from packnet_core.errors import BadPictures

CLSLOC = "ILSVRC/Data/CLS-LOC"
SOLUTION = "LOC_val_solution.csv"
CLASS = re.compile(r"<name>\s*(n\d{8})\s*</name>")


def read_cars_by_class(root: Path, split: str) -> Listing:
    """Stanford Cars in folders of classes, as Kaggle has them.

    The boxes stand in `anno_train.csv` and `anno_test.csv`, in the folder
    or up to two above it: file, x1, y1, x2, y2 and class, counted from 1.
    """
    name = f"anno_{split}.csv"
    places = [root, *root.parents[:2]]
    file = next((x / name for x in places if (x / name).exists()), None)
    if file is None:
        raise BadPictures(
            f"{root.parent / name}: no such file, and the boxes of the cars "
            "are in it; put it there, or name the folder "
            "stanford_cars_cropped if the pictures are cut out already"
        )
    known: dict[str, tuple[Line, int, Box]] = {}
    for line in lines(file, 6, separator=","):
        left, top, right, bottom = (
            line.whole(word, 1, 10**6) for word in range(1, 5)
        )
        if right < left or bottom < top:
            line.refuse("its box ends before it begins")
        box = (left - 1, top - 1, right, bottom)
        known[line.name(0)] = (line, line.whole(5, 1, 10**6), box)
    listing = read_classes(root, split)
    boxes = []
    number: dict[int, int] = {}  # in the list, of a folder's class
    for picture, label in zip(listing.files, listing.labels, strict=True):
        if picture.name not in known:
            raise BadPictures(
                f"{file}: nothing about {picture}; unpack the archive again"
            )
        line, listed, box = known[picture.name]
        if number.setdefault(label, listed) != listed:
            line.refuse(
                f"class {listed}, and {picture.name} lies with those of "
                f"class {number[label]}"
            )
        boxes.append(box)
    return replace(listing, boxes=tuple(boxes))


def read_clsloc(root: Path, split: str) -> Listing:
    """ImageNet as its localisation challenge has it, Kaggle's copy too.

    Its test set is `val`, the one labelled: by `LOC_val_solution.csv`
    beside `ILSVRC` or, in the archive of its makers, by a file of
    annotations for each picture; or sorted into folders of classes.
    """
    pictures = root / CLSLOC
    if split == "train" or inside(pictures / "val").folders:
        return read_classes(pictures, split, test="val")
    classes = tuple(inside(pictures / "train").folders)
    label = {name: number for number, name in enumerate(classes)}
    found = {
        f"{picture}.JPEG": label[name]
        for picture, name in _validation(root, set(classes))
    }
    left_out: list[str] = []
    there = pictures_in(pictures / "val", left_out)
    if more := [name for name in there if name not in found]:
        left_out.append(
            f"{pictures / 'val'}: {len(more)} picture(s) of no known class "
            f"({some(more)})"
        )
    tell(left_out)
    files = tuple(pictures / "val" / name for name in found)
    return Listing(files, tuple(found.values()), classes)


def _validation(root: Path, classes: set[str]) -> Iterator[tuple[str, str]]:
    """Each validation picture, without its suffix, and its class."""
    annotations = root / "ILSVRC" / "Annotations" / "CLS-LOC" / "val"
    if (root / SOLUTION).exists():
        for line in lines(root / SOLUTION, 2, separator=","):
            if line.words[0] == "ImageId":  # the heading
                continue
            name = line.words[1].partition(" ")[0]
            if name not in classes:
                line.refuse(f"{name!r}, a class without training pictures")
            yield line.name(0), name
    elif annotations.is_dir():
        for file in inside(annotations).files:
            text = (annotations / file).read_text("utf-8", "replace")
            match = CLASS.search(text)
            if match is None or match[1] not in classes:
                raise BadPictures(
                    f"{annotations / file}: names no class that has training "
                    "pictures; unpack the archive again"
                )
            yield Path(file).stem, match[1]
    else:
        raise BadPictures(
            f"{root / SOLUTION}: no such file, and the classes of the "
            "validation pictures are in it alone; it comes with Kaggle's "
            "copy: put it there"
        )
