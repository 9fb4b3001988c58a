"""Folders of pictures: read right, or refused with the file's name."""

import numpy
import pytest
from PIL import Image

from packnet_core.errors import BadPictures
from packnet_core.folders import read_folder


def paint(file, colour, size=(20, 10)):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file)


@pytest.fixture
def root(tmp_path):
    for split, count in (("train", 4), ("test", 2)):
        for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
            for number in range(count):
                paint(tmp_path / split / name / f"{number}.png", colour)
    return tmp_path


def test_pictures_become_squares_with_their_labels(root):
    train = read_folder(root, "train", side=8)
    assert train.classes == ("blue", "red")
    assert train.images.shape == (8, 3, 8, 8)
    assert train.labels.tolist() == [0] * 4 + [1] * 4
    assert train.images[0, :, 3, 3].tolist() == [0, 0, 255]
    assert train.images[7, :, 3, 3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_kind_of_picture_becomes_colours(root, mode):
    name = "odd.tif" if mode in ("CMYK", "I;16") else "odd.png"
    if mode == "I;16":
        pixels = numpy.full((9, 9), 700, dtype=numpy.uint16)
        Image.fromarray(pixels).save(root / "train" / "red" / name)
    else:
        Image.new(mode, (9, 9)).save(root / "train" / "red" / name)
    assert len(read_folder(root, "train", side=8)) == 9


def test_a_budget_takes_a_share_of_each_class_at_least_one(root):
    half = read_folder(root, "train", side=8, budget=0.5)
    assert half.labels.tolist() == [0, 0, 1, 1]
    assert len(read_folder(root, "train", side=8, budget=0.01)) == 2


def test_hidden_files_and_folders_are_passed_over(root):
    (root / "train" / ".DS_Store").write_bytes(b"x")
    (root / "train" / "red" / ".DS_Store").write_bytes(b"x")
    (root / "train" / ".cache").mkdir()
    assert len(read_folder(root, "train", side=8)) == 8


def test_a_test_set_takes_the_labels_of_the_training_set(root):
    for file in (root / "test" / "blue").iterdir():
        file.unlink()
    (root / "test" / "blue").rmdir()
    test = read_folder(root, "test", side=8, classes=("blue", "red"))
    assert test.labels.tolist() == [1, 1]


def spoil(root, what):
    """Make one thing wrong; returns what the message must name."""
    red = root / "train" / "red"
    if what == "missing":
        return root / "nothing" / "train"
    if what == "a file":
        (root / "file").write_bytes(b"")
        return root / "file" / "train"
    if what == "empty":
        for file in red.iterdir():
            file.unlink()
        return red
    if what == "one class":
        for file in red.iterdir():
            file.unlink()
        red.rmdir()
        return root / "train"
    if what == "no picture":
        (red / "notes.txt").write_text("not a picture")
        return red / "notes.txt"
    if what == "truncated":
        noise = numpy.random.default_rng(0).integers(0, 255, (64, 64, 3))
        Image.fromarray(noise.astype("uint8")).save(red / "cut.jpg")
        whole = (red / "cut.jpg").read_bytes()
        (red / "cut.jpg").write_bytes(whole[: len(whole) // 2])
        return red / "cut.jpg"
    raise AssertionError(what)


@pytest.mark.parametrize(
    "what",
    ["missing", "a file", "empty", "one class", "no picture", "truncated"],
)
def test_what_is_wrong_is_named(root, what):
    named = spoil(root, what)
    where = named.parent if what in ("missing", "a file") else root
    with pytest.raises(BadPictures) as raised:
        read_folder(where, "train", side=8)
    assert str(named) in str(raised.value)
    assert ";" in str(raised.value) or "expected" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_class_that_only_the_test_set_has_is_refused(root):
    paint(root / "test" / "green" / "0.png", (0, 255, 0))
    with pytest.raises(BadPictures, match="training set does not have"):
        read_folder(root, "test", side=8, classes=("blue", "red"))
