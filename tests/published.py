"""The real sets as their makers published them, in small.

Each is made below a folder, which is returned.
"""

import hashlib
import tarfile
import zipfile
from dataclasses import replace

import numpy
import scipy.io
from PIL import Image

from packnet_book.photos.manifest import known_sets

COUNTS = {  # of the sets in small: training and test pictures, classes
    "cubs": (2, 2, 2),
    "cars": (2, 2, 2),
    "flowers": (3, 3, 102),
    "tiny-imagenet": (4, 2, 2),
    "imagenet": (4, 3, 2),
}


def lines(file, *rows):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{row}\n" for row in rows))


def gradient(file, width=30, height=20):
    """A picture whose pixels tell where they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    down, across = numpy.mgrid[:height, :width]
    pixels = numpy.stack([across, down, 0 * down], axis=2)
    Image.fromarray(pixels.astype("uint8")).save(file.with_suffix(".png"))
    file.with_suffix(".png").rename(file)  # whatever its name says


def cub(folder):
    root = folder / "CUB_200_2011"
    names = [
        "001.Black_footed_Albatross/Black_Footed_Albatross_0046_18.jpg",
        "001.Black_footed_Albatross/Black_Footed_Albatross_0009_34.jpg",
        "002.Laysan_Albatross/Laysan_Albatross_0002_1027.jpg",
        "002.Laysan_Albatross/Laysan_Albatross_0003_1033.jpg",
    ]
    for name in names:
        gradient(root / "images" / name)
    lines(root / "images.txt", *(f"{n} {x}" for n, x in enumerate(names, 1)))
    lines(root / "classes.txt", "1 001.Black_footed_Albatross",
          "2 002.Laysan_Albatross")  # fmt: skip
    lines(root / "image_class_labels.txt", "1 1", "2 1", "3 2", "4 2")
    lines(root / "train_test_split.txt", "1 0", "2 1", "3 1", "4 0")
    lines(root / "bounding_boxes.txt", "1 1.0 1.0 30.0 20.0",
          "2 3.0 5.0 8.0 8.0", "3 25.0 15.0 8.0 9.0",
          "4 40.0 40.0 5.0 5.0")  # fmt: skip
    return folder


def cars(folder):
    kit = folder / "stanford_cars" / "devkit"
    kit.mkdir(parents=True)
    names = ["AM General Hummer SUV 2000", "Acura RL Sedan 2012"]
    meta = {"class_names": numpy.array(names, dtype=object)}
    scipy.io.savemat(kit / "cars_meta.mat", meta)
    kind = [(n, "O") for n in ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2",
                               "class", "fname")]  # fmt: skip
    for split, file in (
        ("train", "cars_train_annos.mat"),
        ("test", "cars_test_annos_withlabels.mat"),
    ):
        rows = [
            (3, 5, 10, 12, 2, "00001.jpg"),
            (1, 1, 30, 20, 1, "00002.jpg"),
        ]
        annotations = numpy.array([rows], dtype=object)
        table = numpy.empty((1, 2), dtype=kind)
        for column, row in enumerate(annotations[0]):
            table[0, column] = tuple(row)
        scipy.io.savemat(kit / file, {"annotations": table})
        for row in rows:
            gradient(kit.parent / f"cars_{split}" / row[-1])
    return folder


def flowers(folder):
    root = folder / "flowers-102"
    for number in range(1, 7):
        gradient(root / "jpg" / f"image_{number:05}.jpg")
    labels = {"labels": numpy.array([[2, 1, 102, 1, 2, 77]])}
    splits = {"trnid": [[3, 1]], "valid": [[6]], "tstid": [[2, 4, 5]]}
    scipy.io.savemat(root / "imagelabels.mat", labels)
    scipy.io.savemat(root / "setid.mat", splits)
    return folder


def tiny(folder):
    root = folder / "tiny-imagenet-200"
    lines(root / "wnids.txt", "n02124075", "n01443537")
    for name in ("n02124075", "n01443537"):
        for number in (0, 1):
            gradient(
                root / "train" / name / "images" / f"{name}_{number}.JPEG"
            )
        lines(root / "train" / name / f"{name}_boxes.txt", "x")
    for number in (0, 1):
        gradient(root / "val" / "images" / f"val_{number}.JPEG")
    lines(root / "val" / "val_annotations.txt",
          "val_0.JPEG\tn02124075\t0\t32\t44\t62",
          "val_1.JPEG\tn01443537\t52\t55\t57\t59")  # fmt: skip
    return folder


def imagenet(folder):
    """The three archives; the kit's numbers are not in names' order."""
    kit = folder / "ILSVRC2012_devkit_t12" / "data"
    kit.mkdir(parents=True)
    rows = [
        (1, "n02119789", "kit fox", "a fox", 0, [], 0, 2),
        (2, "n01440764", "tench, Tinca tinca", "a fish", 0, [], 0, 2),
        (3, "n00001740", "entity", "anything", 2, [1, 2], 2, 0),
    ]
    columns = ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children",
               "children", "wordnet_height", "num_train_images")  # fmt: skip
    table = numpy.empty((len(rows), 1), dtype=[(x, "O") for x in columns])
    for place, row in enumerate(rows):
        table[place, 0] = row
    scipy.io.savemat(kit / "meta.mat", {"synsets": table})
    lines(kit / "ILSVRC2012_validation_ground_truth.txt", 2, 1, 2)
    pack(folder / "ILSVRC2012_devkit_t12.tar.gz", folder, kit.parent.name)
    for number in (1, 2, 3):
        gradient(folder / "v" / f"ILSVRC2012_val_{number:08}.JPEG")
    pack(folder / "ILSVRC2012_img_val.tar", folder / "v", ".")
    for name in ("n02119789", "n01440764"):
        for number in (1, 2):
            gradient(folder / "t" / name / f"{name}_{number}.JPEG")
        (folder / "tars").mkdir(exist_ok=True)
        pack(folder / "tars" / f"{name}.tar", folder / "t" / name, ".")
    pack(folder / "ILSVRC2012_img_train.tar", folder / "tars", ".")
    return folder


def pack(archive, folder, name):
    """An archive of one file or folder below a folder."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            for file in sorted((folder / name).rglob("*")):
                packed.write(file, file.relative_to(folder))
    else:
        mode = "w" if archive.suffix == ".tar" else "w:gz"
        with tarfile.open(archive, mode) as opened:
            inside = [folder / name]
            if name == ".":
                inside = sorted((folder / name).iterdir())
            for file in inside:
                opened.add(file, file.relative_to(folder))


MAKERS = {"cubs": cub, "cars": cars, "flowers": flowers,
          "tiny-imagenet": tiny, "imagenet": imagenet}  # fmt: skip


def md5(file):
    return hashlib.md5(file.read_bytes()).hexdigest()


def small(name, folder):
    """A set in small, its files made in a folder, its manifest for them."""
    about = known_sets()[name]
    work = folder.parent / f"published-{name}"
    work.mkdir()
    MAKERS[name](work)
    for file in about.files:
        made, target = work / file.makes, folder / file.name
        if name == "imagenet":
            (work / file.name).rename(target)
        elif file.how == "copy":
            made.rename(target)
        else:
            pack(target, made.parent, file.takes)
    return described(name, folder)


def described(name, folder):
    """The manifest of a set in small, with its files as they are now."""
    about = known_sets()[name]
    train, test, classes = COUNTS[name]
    files = tuple(
        replace(
            file,
            md5=md5(folder / file.name),
            bytes=(folder / file.name).stat().st_size,
        )
        for file in about.files
    )
    return replace(
        about, train=train, test=test, classes=classes, files=files
    )
