"""Lists of the published sets: damaged, or as people have them."""

import numpy
import pytest
import scipy.io

from packnet_book.photos.layouts import read_set
from packnet_core.errors import BadPictures
from tests import published
from tests.published import gradient

CUB = "CUB_200_2011"


@pytest.mark.parametrize(
    ("file", "line", "now"),
    [
        ("images.txt", 1, "1 a b/1.jpg"),
        ("images.txt", 2, "2"),
        ("images.txt", 2, "1 a/1.jpg"),
        ("images.txt", 3, "x a/1.jpg"),
        ("images.txt", 3, "3 ../../1.jpg"),
        ("classes.txt", 2, "2"),
        ("classes.txt", 2, "²  b"),
        ("image_class_labels.txt", 4, "4"),
        ("image_class_labels.txt", 4, "4 3"),
        ("image_class_labels.txt", 1, "1 0"),
        ("image_class_labels.txt", 1, "1 -1"),
        ("train_test_split.txt", 2, "2 2"),
        ("train_test_split.txt", 2, "2 yes"),
        ("bounding_boxes.txt", 1, "1 1.0 1.0 30.0"),
        ("bounding_boxes.txt", 2, "2 3.0 5.0 8.0 nan"),
        ("bounding_boxes.txt", 3, "3 25.0 inf 8.0 9.0"),
        ("bounding_boxes.txt", 3, "3 25.0 15.0 0.0 9.0"),
    ],
)
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_damaged_line_of_cub_is_named(tmp_path, file, line, now, split):
    damaged = published.cub(tmp_path) / CUB / file
    rows = damaged.read_text().splitlines()
    rows[line - 1] = now
    damaged.write_text("\n".join(rows))
    with pytest.raises(BadPictures) as raised:
        read_set("cubs", tmp_path, split)
    assert f"{damaged}, line {line}: " in str(raised.value)
    assert "unpack the archive again" in str(raised.value)


def test_line_ends_and_marks_of_windows_and_empty_lines_do_no_harm(tmp_path):
    root = published.cub(tmp_path) / CUB
    wanted = read_set("cubs", tmp_path, "train")
    for file in root.glob("*.txt"):
        text = file.read_text().replace("\n", "\r\n\r\n")
        file.write_bytes(text.encode("utf-8-sig"))
    assert read_set("cubs", tmp_path, "train") == wanted


@pytest.mark.parametrize(
    ("line", "now"),
    [(2, "val_1.JP"), (2, "val_1.JPEG\tn00000000\t0"), (1, "/x\tn02124075")],
)
def test_a_damaged_line_of_tiny_imagenet_is_named(tmp_path, line, now):
    root = published.tiny(tmp_path) / "tiny-imagenet-200"
    file = root / "val" / "val_annotations.txt"
    rows = file.read_text().splitlines()
    rows[line - 1] = now
    file.write_text("\n".join(rows))
    with pytest.raises(BadPictures, match=f"annotations.txt, line {line}: "):
        read_set("imagenet", tmp_path, "test")
    assert len(read_set("imagenet", tmp_path, "train")) == 4


def test_an_identifier_without_pictures_or_twice_is_named(tmp_path):
    root = published.tiny(tmp_path) / "tiny-imagenet-200"
    (root / "wnids.txt").write_text("n02124075\nn3\n")
    with pytest.raises(BadPictures, match="n3"):
        read_set("imagenet", tmp_path, "train")
    (root / "wnids.txt").write_text("n02124075\nn02124075\n")
    with pytest.raises(BadPictures, match="twice"):
        read_set("imagenet", tmp_path, "train")


def flowers(folder, **changed):
    root = published.flowers(folder) / "flowers-102"
    sound = {
        "labels": [[2, 1, 102, 1, 2, 77]],
        "trnid": [[3, 1]],
        "valid": [[6]],
        "tstid": [[2, 4, 5]],
    } | changed
    for file, names in (
        ("imagelabels.mat", ["labels"]),
        ("setid.mat", ["trnid", "valid", "tstid"]),
    ):
        there = {n: sound[n] for n in names if sound[n] is not None}
        scipy.io.savemat(root / file, there | {"x": 1})
    return folder


@pytest.mark.parametrize(
    ("changed", "split", "named"),
    [
        ({"labels": None}, "train", r"imagelabels\.mat: no 'labels'"),
        ({"valid": None}, "train", r"setid\.mat: no 'valid'"),
        ({"tstid": None}, "test", r"setid\.mat: no 'tstid'"),
        ({"tstid": [[2, 7]]}, "test", r"setid\.mat, entry 2 of 'tstid'"),
        ({"trnid": [[0, 1]]}, "train", r"setid\.mat, entry 1 of 'trnid'"),
        ({"trnid": [["a"]]}, "train", r"setid\.mat, entry 1 of 'trnid'"),
        ({"labels": [[2, 1, 103]]}, "train", r"entry 3 of 'labels'"),
        ({"labels": [[2, numpy.nan]]}, "test", r"entry 2 of 'labels'"),
        ({"labels": [[2, 1.5]]}, "test", r"entry 2 of 'labels'"),
    ],
)
def test_a_damaged_list_of_flowers_is_named(tmp_path, changed, split, named):
    with pytest.raises(BadPictures, match=named):
        read_set("flowers", flowers(tmp_path, **changed), split)


def annotations(file, rows, **more):
    """A list of cars as MATLAB writes it."""
    kind = [(name, "O") for name in rows[0]]
    table = numpy.empty((1, len(rows)), dtype=kind)
    for column, row in enumerate(rows):
        table[0, column] = tuple(row.values())
    scipy.io.savemat(file, {"annotations": table} | more)


def car(**changed):
    return {
        "bbox_x1": 3, "bbox_y1": 5, "bbox_x2": 10, "bbox_y2": 12, "class": 2,
        "fname": "00001.jpg",
    } | changed  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {"class": 3},
        {"class": 0},
        {"class": numpy.array([])},
        {"bbox_x1": "x"},
        {"bbox_x2": 2},
        {"bbox_y2": numpy.nan},
    ],
)
def test_a_damaged_entry_of_cars_is_named(tmp_path, changed):
    kit = published.cars(tmp_path) / "stanford_cars" / "devkit"
    annotations(kit / "cars_train_annos.mat", [car(), car(**changed)])
    with pytest.raises(BadPictures, match=r"cars_train.*entry 2 of"):
        read_set("cars", tmp_path, "train")


@pytest.mark.parametrize(
    ("file", "named"),
    [
        ("cars_meta.mat", "no 'class_names'"),
        ("cars_train_annos.mat", "no 'annotations'"),
    ],
)
def test_a_list_of_something_else_is_named(tmp_path, file, named):
    kit = published.cars(tmp_path) / "stanford_cars" / "devkit"
    scipy.io.savemat(kit / file, {"x": 1})
    with pytest.raises(BadPictures, match=f"{file}: {named}"):
        read_set("cars", tmp_path, "train")


# Layouts that people meet.


def test_cars_as_kaggle_and_torchvision_have_them(tmp_path):
    root = published.cars(tmp_path) / "stanford_cars"
    wanted = [read_set("cars", tmp_path, s).labels for s in ("train", "test")]
    answers = "cars_test_annos_withlabels.mat"
    (root / "devkit" / answers).rename(root / answers)
    for split in ("train", "test"):  # one folder deeper
        (root / f"cars_{split}").rename(root / "x")
        (root / f"cars_{split}").mkdir()
        (root / "x").rename(root / f"cars_{split}" / f"cars_{split}")
    (root / "car_devkit").mkdir()
    (root / "devkit").rename(root / "car_devkit" / "devkit")
    found = [read_set("cars", tmp_path, split) for split in ("train", "test")]
    assert [x.labels for x in found] == wanted
    assert all(file.is_file() for x in found for file in x.files)
    (root / answers).unlink()
    with pytest.raises(BadPictures, match=f"{answers}: .*fetch it"):
        read_set("cars", tmp_path, "test")


def test_cars_in_one_folder_with_one_list(tmp_path):
    names = numpy.array(["Hummer", "Acura"], dtype=object)
    rows = [
        {"relative_im_path": f"car_ims/{number:06}.jpg"}
        | {k: v for k, v in car().items() if k != "fname"}
        | {"test": test}
        for number, test in enumerate((0, 1, 0), start=1)
    ]
    annotations(tmp_path / "cars_annos.mat", rows, class_names=names)
    with pytest.raises(BadPictures, match=r"car_ims.*fetch the kit's lists"):
        read_set("cars", tmp_path, "train")
    for number in (1, 2, 3):
        gradient(tmp_path / "car_ims" / f"{number:06}.jpg")
    assert len(read_set("cars", tmp_path, "train")) == 2
    test = read_set("cars", tmp_path, "test")
    assert test.files == (tmp_path / "car_ims" / "000002.jpg",)
    assert test.boxes == ((2, 4, 10, 12),)


def test_tiny_imagenet_with_its_validation_pictures_sorted(tmp_path):
    root = published.tiny(tmp_path) / "tiny-imagenet-200"
    wanted = sorted(read_set("imagenet", tmp_path, "test").labels)
    for number, name in enumerate(("n02124075", "n01443537")):
        (root / "val" / name / "images").mkdir(parents=True)
        (root / "val" / "images" / f"val_{number}.JPEG").rename(
            root / "val" / name / "images" / f"val_{number}.JPEG"
        )
    (root / "val" / "val_annotations.txt").unlink()
    assert sorted(read_set("imagenet", tmp_path, "test").labels) == wanted


def test_a_set_unpacked_into_a_folder_of_its_own_name(tmp_path):
    published.cub(tmp_path / CUB)
    assert len(read_set("cubs", tmp_path, "train")) == 2


def test_imagenet_whose_validation_pictures_are_not_sorted(tmp_path):
    for name in ("n01440764", "n01443537"):
        gradient(tmp_path / "train" / name / "1.JPEG")
        gradient(tmp_path / "val" / f"{name}.JPEG")
    with pytest.raises(BadPictures, match=r"val: 2 file.*sort them into"):
        read_set("imagenet", tmp_path, "test")


# Copies with lists of their own.


def cars_by_class(root, deep="car_data/car_data"):
    """As Kaggle has them: two classes, one picture of each in each split."""
    names = ["AM General Hummer SUV 2000", "Ram C-V Cargo Van Minivan 2012"]
    rows = ["00002.jpg,1,1,30,20,2", "00001.jpg,3,5,10,12,1"]
    for split in ("train", "test"):
        for number, name in enumerate(names, start=1):
            gradient(root / deep / split / name / f"{number:05}.jpg")
        published.lines(root / f"anno_{split}.csv", *rows)
    published.lines(root / "names.csv", *names)
    return root


@pytest.mark.parametrize("deep", ["car_data/car_data", "car_data"])
@pytest.mark.parametrize("under", ["", "stanford_cars"])
def test_cars_in_folders_of_classes_have_their_boxes(tmp_path, deep, under):
    cars_by_class(tmp_path / under, deep)
    for split in ("train", "test"):
        found = read_set("cars", tmp_path, split)
        assert found.labels == (0, 1)
        assert found.boxes == ((2, 4, 10, 12), (0, 0, 30, 20))
        assert all(file.is_file() for file in found.files)


@pytest.mark.parametrize(
    ("line", "now"),
    [
        (1, "00002.jpg,1,1,30,20"),
        (2, "00001.jpg,3,5,ten,12,1"),
        (2, "00001.jpg,10,5,3,12,1"),
        (2, "../00001.jpg,3,5,10,12,1"),
        (2, "00001.jpg,3,5,10,12,0"),
    ],
)
def test_a_damaged_line_of_their_boxes_is_named(tmp_path, line, now):
    file = cars_by_class(tmp_path) / "anno_train.csv"
    rows = file.read_text().splitlines()
    rows[line - 1] = now
    file.write_text("\n".join(rows))
    with pytest.raises(BadPictures, match=f"anno_train.csv, line {line}: "):
        read_set("cars", tmp_path, "train")


def test_a_car_without_a_box_in_another_class_or_without_a_list(tmp_path):
    root = cars_by_class(tmp_path)
    [folder, _] = sorted((root / "car_data/car_data/train").iterdir())
    gradient(folder / "00003.jpg")
    with pytest.raises(BadPictures, match=r"nothing about .*00003\.jpg"):
        read_set("cars", tmp_path, "train")
    with (root / "anno_train.csv").open("a") as file:
        file.write("00003.jpg,1,1,9,9,2\n")
    with pytest.raises(BadPictures, match=r"line 3: class 2, and 00003"):
        read_set("cars", tmp_path, "train")
    (root / "anno_test.csv").unlink()
    with pytest.raises(BadPictures, match=r"anno_test\.csv: no such file.*"
                       "put it there, or name the folder"):  # fmt: skip
        read_set("cars", tmp_path, "test")


def challenge(root):
    """ImageNet as its localisation challenge has it, in small."""
    place = root / "ILSVRC" / "Data" / "CLS-LOC"
    for name in ("n01440764", "n02119789"):
        for number in (1, 2):
            gradient(place / "train" / name / f"{name}_{number}.JPEG")
    for number in (1, 2, 3):
        gradient(place / "val" / f"ILSVRC2012_val_{number:08}.JPEG")
    published.lines(
        root / "LOC_val_solution.csv",
        "ImageId,PredictionString",
        "ILSVRC2012_val_00000003,n01440764 1 1 9 9 n01440764 3 3 8 8 ",
        "ILSVRC2012_val_00000001,n02119789 85 1 499 272 ",
    )
    return root


@pytest.mark.parametrize(
    "under", ["", "imagenet", "imagenet-object-localization-challenge"]
)
def test_imagenet_as_kaggle_has_it(tmp_path, capsys, under):
    challenge(tmp_path / under)
    train = read_set("imagenet", tmp_path, "train")
    assert train.classes == ("n01440764", "n02119789")
    assert train.labels == (0, 0, 1, 1)
    assert capsys.readouterr().err == ""
    test = read_set("imagenet", tmp_path, "test")
    assert test.classes == train.classes and test.labels == (0, 1)
    assert [file.stem[-1] for file in test.files] == ["3", "1"]
    assert all(file.is_file() for file in test.files)
    assert "1 picture(s) of no known class" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "now"),
    [
        (2, "ILSVRC2012_val_00000003"),
        (2, "ILSVRC2012_val_00000003,"),
        (3, "ILSVRC2012_val_00000001,n00000000 1 1 9 9"),
        (3, "../1,n02119789 85 1 499 272"),
    ],
)
def test_a_damaged_line_of_the_solution_is_named(tmp_path, line, now):
    file = challenge(tmp_path) / "LOC_val_solution.csv"
    rows = file.read_text().splitlines()
    rows[line - 1] = now
    file.write_text("\n".join(rows))
    with pytest.raises(BadPictures, match=f"solution.csv, line {line}: "):
        read_set("imagenet", tmp_path, "test")


def test_imagenet_with_annotations_alone_and_with_nothing(tmp_path):
    root = challenge(tmp_path)
    (root / "LOC_val_solution.csv").unlink()
    with pytest.raises(BadPictures, match=r"solution\.csv: no such file.*"
                       "put it there"):  # fmt: skip
        read_set("imagenet", tmp_path, "test")
    folder = root / "ILSVRC" / "Annotations" / "CLS-LOC" / "val"
    for number, name in enumerate(("n02119789", "n01440764"), start=1):
        published.lines(
            folder / f"ILSVRC2012_val_{number:08}.xml",
            "<annotation><object>",
            f"<name>{name}</name></object></annotation>",
        )
    assert read_set("imagenet", tmp_path, "test").labels == (1, 0)
    published.lines(folder / "ILSVRC2012_val_00000003.xml", "<annotation/>")
    with pytest.raises(BadPictures, match=r"00000003\.xml: names no class"):
        read_set("imagenet", tmp_path, "test")


def test_imagenet_of_the_challenge_sorted_into_classes(tmp_path):
    val = challenge(tmp_path) / "ILSVRC" / "Data" / "CLS-LOC" / "val"
    for file, name in zip(
        sorted(val.iterdir()), ("n02119789", "n01440764", "n01440764")
    ):
        (val / name).mkdir(exist_ok=True)
        file.rename(val / name / file.name)
    assert read_set("imagenet", tmp_path, "test").labels == (0, 0, 1)
