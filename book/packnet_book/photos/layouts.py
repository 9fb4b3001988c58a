"""Where the four sets lie on disk, and how each says what is in it.

Every set is read in two layouts: folders named like the classes, as
PackNet's authors lay their sets out, and the archive as its makers
published it, unpacked. Splits and class names are the official ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torchvision

from packnet_book.photos.copies import (
    CLSLOC,
    read_cars_by_class,
    read_clsloc,
)
from packnet_book.photos.folders import (
    checked,
    inside,
    pictures_in,
    read_classes,
    some,
    tell,
)
from packnet_book.photos.listing import Listing
from packnet_book.photos.lists import (
    entry_named,
    lines,
    matlab,
    numbered,
    numbers,
    whole,
)
from packnet_core.errors import BadPictures

META = "cars_meta.mat"
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
        if (place / place.name / layout.marker).exists():
            place = place / place.name  # as some programs unpack archives
        if (place / layout.marker).exists():
            return checked(layout.read(place, split), place, split)
    looked = ", ".join(
        str(root / layout.folder / layout.marker) for layout in layouts
    )
    raise BadPictures(
        f"{root}: no set {name!r} in it (looked for {looked}); unpack it "
        "there, or name another directory"
    )


def read_cub(root: Path, split: str) -> Listing:
    """CUB-200-2011 as unpacked: Wah et al. 2011, CNS-TR-2011-001.

    Its boxes are x, y, width and height, x and y counted from 1.
    """
    names = numbered(root / "images.txt", 1)
    named = numbered(root / "classes.txt", 1)
    classes = tuple(line.words[0] for _, line in sorted(named.items()))
    label = numbered(root / "image_class_labels.txt", 1)
    training = numbered(root / "train_test_split.txt", 1)
    sides = numbered(root / "bounding_boxes.txt", 4)
    for table, file in (
        (label, "image_class_labels.txt"),
        (training, "train_test_split.txt"),
        (sides, "bounding_boxes.txt"),
    ):
        for number, line in names.items():
            if number not in table:
                raise BadPictures(
                    f"{root / file}: nothing about picture {number} (line "
                    f"{line.place} of images.txt); unpack the archive again"
                )
    found = []
    for number, line in sorted(names.items()):
        left, top, width, height = sides[number].box()
        one = (
            root / "images" / line.name(0),
            label[number].whole(0, 1, len(classes)) - 1,
            (left - 1, top - 1, left - 1 + width, top - 1 + height),
        )
        if training[number].whole(0, 0, 1) == (split == "train"):
            found.append(one)
    files, labels, boxes = zip(*found) if found else ((), (), ())
    return Listing(files, labels, classes, boxes)


def read_cars(root: Path, split: str) -> Listing:
    """Stanford Cars as unpacked: Krause et al. 2013.

    Its boxes are x1, y1, x2, y2, counted from 1, the last two inside. The
    lists may lie in `car_devkit/devkit` and the pictures one folder
    deeper, as in copies of the set, and the labels of the test set
    outside the kit, as torchvision has them.
    """
    kits = (root / "devkit", root / "car_devkit" / "devkit")
    kit = next(x for x in kits if (x / META).exists())
    name = "cars_train_annos.mat"
    if split == "test":
        name = "cars_test_annos_withlabels.mat"
    places = [x / name for x in (kit, root) if (x / name).exists()]
    if split == "test" and not places:
        raise BadPictures(
            f"{kit / name}: no such file, and the labels of the test "
            "pictures are in it alone; fetch it and put it there"
        )
    pictures = root / f"cars_{split}"
    if (pictures / pictures.name).is_dir():
        pictures = pictures / pictures.name
    return _cars(
        places[0] if places else kit / name,
        kit / META,
        lambda car: pictures / Path(str(car.fname)).name,
    )


def read_cars_at_once(root: Path, split: str) -> Listing:
    """Stanford Cars as first published: one list, one folder `car_ims`."""
    lists = root / "cars_annos.mat"
    if not (root / "car_ims").is_dir():
        raise BadPictures(
            f"{lists}: numbers the pictures of car_ims, which are not here; "
            f"fetch the kit's lists (cars_meta.mat and both annotations) "
            f"into {root / 'devkit'}"
        )

    def place(car: Any) -> Path | None:
        if bool(car.test) == (split == "train"):
            return None
        return root / "car_ims" / Path(str(car.relative_im_path)).name

    return _cars(lists, lists, place)


def _cars(
    file: Path, meta: Path, place: Callable[[Any], Path | None]
) -> Listing:
    """The cars of a list; place: a car's picture, None to pass it over."""
    classes = tuple(str(name) for name in matlab(meta, "class_names"))
    files, labels, boxes = [], [], []
    for number, car in enumerate(matlab(file, "annotations"), start=1):
        with entry_named(file, "annotations", number):
            there = place(car)
            label = whole(car.__dict__["class"], len(classes)) - 1
            left, top, right, bottom = (
                int(getattr(car, f"bbox_{side}"))
                for side in ("x1", "y1", "x2", "y2")
            )
            if right < left or bottom < top:
                raise ValueError("its box ends before it begins")
        if there is not None:
            files.append(there)
            labels.append(label)
            boxes.append((left - 1, top - 1, right, bottom))
    return Listing(tuple(files), tuple(labels), classes, tuple(boxes))


def read_flowers(root: Path, split: str) -> Listing:
    """Flowers-102 as unpacked: Nilsback & Zisserman 2008.

    As PackNet has it, training pictures are those of `trnid` and `valid`.
    The names, which the archive lacks, are torchvision's.
    """
    names = getattr(torchvision.datasets.Flowers102, "classes", None)
    most = len(names) if names else 102
    of_class = numbers(root / "imagelabels.mat", "labels", most)
    parts = ("trnid", "valid") if split == "train" else ("tstid",)
    chosen = sorted(
        n
        for part in parts
        for n in numbers(root / "setid.mat", part, len(of_class))
    )
    classes = tuple(
        names[label] if names else f"{label + 1:03}"
        for label in range(max(of_class))
    )
    return Listing(
        tuple(root / "jpg" / f"image_{n:05}.jpg" for n in chosen),
        tuple(of_class[n - 1] - 1 for n in chosen),
        classes,
    )


def read_tiny(root: Path, split: str) -> Listing:
    """Tiny-ImageNet as unpacked; its test set is `val`, the one labelled.

    The classes are ImageNet's identifiers, in their order. `val` may have
    been sorted into folders of classes.
    """
    named = lines(root / "wnids.txt", 1)
    classes = tuple(sorted(line.name(0) for line in named))
    label = {name: number for number, name in enumerate(classes)}
    if len(label) < len(classes):
        raise BadPictures(
            f"{root / 'wnids.txt'}: a class twice; unpack the archive again"
        )
    listed = root / "val" / "val_annotations.txt"
    if split == "test" and (
        listed.exists() or not (root / "val" / classes[0]).is_dir()
    ):
        found = []
        for line in lines(listed, 2, more=True):
            if line.words[1] not in label:
                line.refuse(f"{line.words[1]!r}, a class not in wnids.txt")
            file = root / "val" / "images" / line.name(0)
            found.append((file, label[line.words[1]]))
    else:
        found = []
        left_out: list[str] = []
        folder_of_all = root / ("train" if split == "train" else "val")
        for name in classes:
            folder = folder_of_all / name
            if (folder / "images").is_dir():
                folder = folder / "images"
            own = pictures_in(folder, left_out)
            found += [(folder / file, label[name]) for file in own]
        unlisted = sorted(set(inside(folder_of_all).folders) - {*classes})
        if unlisted:
            left_out.append(
                f"{folder_of_all}: classes that wnids.txt does not list: "
                f"{some(unlisted)}"
            )
        tell(left_out)
    return Listing(*_columns(found), classes)


_IMAGENET = partial(read_classes, test="val")
LAYOUTS = {
    "imagenet": (
        Layout("imagenet", "train", _IMAGENET),
        Layout("tiny-imagenet-200", "wnids.txt", read_tiny),
        Layout(".", "wnids.txt", read_tiny),
        Layout(".", "train/n01440764", _IMAGENET),
        Layout("imagenet", f"{CLSLOC}/train", read_clsloc),
        Layout(
            "imagenet-object-localization-challenge",
            f"{CLSLOC}/train",
            read_clsloc,
        ),
        Layout(".", f"{CLSLOC}/train", read_clsloc),
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
        Layout("stanford_cars", f"car_devkit/devkit/{META}", read_cars),
        Layout(".", f"car_devkit/devkit/{META}", read_cars),
        Layout("stanford_cars/car_data", "train", read_cars_by_class),
        Layout("car_data", "train", read_cars_by_class),
        Layout("stanford_cars", "cars_annos.mat", read_cars_at_once),
        Layout(".", "cars_annos.mat", read_cars_at_once),
    ),
    "flowers": (
        Layout("flowers", "train", read_classes),
        Layout("flowers-102", "setid.mat", read_flowers),
        Layout("flowers", "setid.mat", read_flowers),
        Layout(".", "setid.mat", read_flowers),
    ),
}


def _columns(
    rows: Iterable[tuple[Path, int]],
) -> tuple[tuple[Path, ...], tuple[int, ...]]:
    rows = list(rows)
    return tuple(file for file, _ in rows), tuple(n for _, n in rows)
