"""Real sets on disk: found and read right, or refused by name."""

import multiprocessing
import os
import time
import tracemalloc
from dataclasses import replace

import numpy
import platformdirs
import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.datasets import ImageFolder

from packnet_book.photos import store
from packnet_book.photos.layouts import read_classes, read_set
from packnet_book.photos.listing import Listing
from packnet_book.photos.preparation import Preparation, clipped
from packnet_book.photos.store import (
    Stored,
    Streamed,
    estimate,
    fingerprint,
    in_memory,
    stored,
)
from packnet_core.errors import BadPictures
from packnet_core.images import Pictures
from tests import published

SQUARE = Preparation(8, cropped=True)


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


def decoded(folder):
    return in_memory(read_classes(folder, "train"), SQUARE)


def test_folders_are_classes_in_the_order_of_their_names(root):
    train = read_classes(root, "train")
    assert train.classes == ("blue", "red")
    assert train.labels == (0,) * 4 + (1,) * 4
    assert [file.name for file in train.files[:4]] == [
        "0.png", "1.png", "2.png", "3.png",
    ]  # fmt: skip
    images = decoded(root)
    assert images[0].shape == (8, 8, 3)
    assert images[0][3, 3].tolist() == [0, 0, 255]
    assert images[7][3, 3].tolist() == [255, 0, 0]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_kind_of_picture_becomes_colours(root, mode):
    name = "odd.tif" if mode in ("CMYK", "I;16") else "odd.png"
    if mode == "I;16":
        pixels = numpy.full((9, 9), 700, dtype=numpy.uint16)
        Image.fromarray(pixels).save(root / "train" / "red" / name)
    else:
        Image.new(mode, (9, 9)).save(root / "train" / "red" / name)
    images = decoded(root)
    assert len(images) == 9
    assert images[8].shape == (8, 8, 3)


def test_a_budget_takes_a_share_of_each_class_at_least_one(root):
    train = read_classes(root, "train")
    assert train.subset(0.5).labels == (0, 0, 1, 1)
    assert train.subset(0.01).labels == (0, 1)
    assert train.subset(1.0) == train


def test_every_fifth_picture_of_a_class_is_held_out():
    files = tuple(f"{number}.jpg" for number in range(12))
    labels = (0,) * 7 + (1,) * 5
    train = Listing(
        files, labels, ("a", "b"), tuple((n,) * 4 for n in range(12))
    )
    fit, held = train.divided()
    assert held.files == ("4.jpg", "11.jpg") and held.labels == (0, 1)
    assert held.boxes == ((4,) * 4, (11,) * 4)
    assert len(fit) == 10 and not set(fit.files) & set(held.files)


def test_hidden_files_and_folders_are_passed_over(root):
    (root / "train" / ".DS_Store").write_bytes(b"x")
    (root / "train" / "red" / ".DS_Store").write_bytes(b"x")
    (root / "train" / ".cache").mkdir()
    assert len(read_classes(root, "train")) == 8


def test_a_test_set_takes_the_labels_of_the_training_set(root):
    for file in (root / "test" / "blue").iterdir():
        file.unlink()
    (root / "test" / "blue").rmdir()
    assert read_classes(root, "test").labels == (1, 1)
    named = read_classes(root, "test", classes=("red", "blue"))
    assert named.labels == (0, 0)


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
        decoded(where)
    assert str(named) in str(raised.value)
    assert ";" in str(raised.value) or "expected" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_class_that_only_the_test_set_has_is_refused(root):
    paint(root / "test" / "green" / "0.png", (0, 255, 0))
    with pytest.raises(BadPictures, match="training set does not have"):
        read_classes(root, "test")


# The sets as their makers published them.


@pytest.fixture
def cub(tmp_path):
    return published.cub(tmp_path)


def test_cub_is_read_as_published_boxes_counted_from_one(cub):
    train, test = (read_set("cubs", cub, s) for s in ("train", "test"))
    assert train.classes == (
        "001.Black_footed_Albatross", "002.Laysan_Albatross",
    )  # fmt: skip
    assert train.labels == test.labels == (0, 1)
    assert train.boxes == ((2, 4, 10, 12), (24, 14, 32, 23))
    crop = in_memory(train, SQUARE)[0]  # 8 by 8 as it is
    assert crop[0, 0].tolist() == [2, 4, 0]
    assert crop[7, 7].tolist() == [9, 11, 0]


def test_boxes_that_leave_the_picture_are_clipped():
    assert clipped((24, 14, 32, 23), 30, 20) == (24, 14, 30, 20)
    assert clipped((-3, -1, 8, 9), 30, 20) == (0, 0, 8, 9)
    # one that lies outside altogether says nothing
    assert clipped((39, 39, 44, 44), 30, 20) == (0, 0, 30, 20)


@pytest.fixture
def cars(tmp_path):
    return published.cars(tmp_path)


def test_cars_are_read_as_published_boxes_inclusive(cars):
    for split in ("train", "test"):
        listing = read_set("cars", cars, split)
        assert listing.classes == (
            "AM General Hummer SUV 2000", "Acura RL Sedan 2012",
        )  # fmt: skip
        assert listing.labels == (1, 0)
        assert listing.boxes == ((2, 4, 10, 12), (0, 0, 30, 20))
        assert listing.files[0].parent.name == f"cars_{split}"
        assert in_memory(listing, SQUARE)[0][7, 7].tolist() == [9, 11, 0]


def test_flowers_train_on_the_official_train_and_valid_sets(tmp_path):
    published.flowers(tmp_path)
    train = read_set("flowers", tmp_path, "train")
    assert [f.name for f in train.files] == [
        "image_00001.jpg", "image_00003.jpg", "image_00006.jpg",
    ]  # fmt: skip
    assert train.labels == (1, 101, 76)
    assert len(train.classes) == len(set(train.classes)) == 102
    assert read_set("flowers", tmp_path, "test").labels == (0, 0, 1)


@pytest.fixture
def tiny(tmp_path):
    return published.tiny(tmp_path)


def test_a_task_may_have_some_of_the_classes_of_a_set(tiny):
    whole = read_set("imagenet", tiny, "train")
    some = whole.of_classes(range(1, 2, 10))
    assert some.classes == whole.classes[1:2]
    assert set(some.labels) == {0}
    assert len(some) == whole.labels.count(1)


def test_classes_that_a_set_lacks_are_not_left_out_in_silence(tiny, capsys):
    whole = read_set("imagenet", tiny, "train")
    assert "left out" not in capsys.readouterr().err
    with pytest.raises(BadPictures, match="2 classes, and class 192 is"):
        whole.of_classes(range(1, 200, 10))
    published.gradient(
        tiny / "tiny-imagenet-200" / "train" / "n07749582" / "1.JPEG"
    )
    assert read_set("imagenet", tiny, "train").classes == whole.classes
    told = capsys.readouterr().err
    assert "wnids.txt does not list" in told and "n07749582" in told


def test_tiny_imagenet_is_tested_on_its_validation_pictures(tiny):
    train = read_set("imagenet", tiny, "train")
    assert train.classes == ("n01443537", "n02124075")
    assert train.labels == (0, 0, 1, 1)
    assert read_set("imagenet", tiny, "test").labels == (1, 0)


def test_imagenet_lies_in_train_and_val(tmp_path):
    for split in ("train", "val"):
        for name in ("n01440764", "n01443537"):
            published.gradient(tmp_path / split / name / "1.JPEG")
    for split in ("train", "test"):
        assert read_set("imagenet", tmp_path, split).labels == (0, 1)


@pytest.mark.parametrize(
    "file",
    ["image_class_labels.txt", "train_test_split.txt", "bounding_boxes.txt",
     "classes.txt"],
)  # fmt: skip
def test_a_file_that_is_cut_short_is_named(cub, file):
    whole = cub / "CUB_200_2011" / file
    whole.write_text(whole.read_text().splitlines()[0])
    with pytest.raises(BadPictures) as raised:
        read_set("cubs", cub, "train")
    assert file in str(raised.value) or "class" in str(raised.value)
    whole.unlink()
    with pytest.raises(BadPictures, match=f"{file}.*unpack"):
        read_set("cubs", cub, "train")


def test_a_damaged_matlab_file_is_named(cars):
    file = cars / "stanford_cars" / "devkit" / "cars_train_annos.mat"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(BadPictures, match=r"cars_train_annos\.mat.*unpack"):
        read_set("cars", cars, "train")


def test_a_set_that_is_not_there_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(BadPictures, match=r"CUB_200_2011.*unpack"):
        read_set("cubs", tmp_path, "train")


# Preparation: as the paper has it.


# Where an odd number of pixels is left over torchvision sometimes rounds up.
@pytest.mark.parametrize(
    "shape", [(60, 40), (40, 61), (50, 50), (333, 500), (64, 99)]
)
def test_the_centre_is_that_of_torchvision(tmp_path, shape):
    random = numpy.random.default_rng(0)
    for name in ("a", "b"):
        noise = random.integers(0, 256, (*shape[::-1], 3), numpy.uint8)
        (tmp_path / "train" / name).mkdir(parents=True)
        Image.fromarray(noise).save(tmp_path / "train" / name / "0.jpg")
    size = 28  # 32 of 28 as 256 of 224
    listing = read_classes(tmp_path, "train")
    preparation = Preparation(size, cropped=False)
    way = transforms.Compose(
        [
            transforms.Resize(32),
            transforms.CenterCrop(size),
            transforms.PILToTensor(),
        ]
    )
    theirs = ImageFolder(tmp_path / "train", transform=way)
    wanted = torch.stack([image for image, _ in theirs])
    assert listing.labels == tuple(theirs.targets)
    for source in (
        stored(listing, preparation, tmp_path / "kept"),
        Streamed(listing, preparation),
    ):
        ours = Pictures(source, torch.tensor([0, 1]), listing.classes)
        middles = ours.centres(
            torch.tensor([1, 0]), size, torch.device("cpu")
        )
        assert torch.equal(middles, wanted.flip(0))


def test_a_square_is_cut_and_flipped_alike_wherever_pictures_are(tmp_path):
    for name in ("a", "b"):
        published.gradient(tmp_path / "train" / name / "0.png", 12, 8)
    listing = read_classes(tmp_path, "train")
    preparation = Preparation(7, cropped=False)  # leaves them 12 by 8
    down, across = torch.meshgrid(
        torch.arange(8), torch.arange(12), indexing="ij"
    )
    image = torch.stack([across, down, 0 * down]).to(torch.uint8)
    draws = torch.tensor([[0.0, 0.99, 0.5], [0.5, 0.5, 0.49]])
    wanted = torch.stack([image[:, 0:7, 5:12].flip(2), image[:, 1:8, 3:10]])
    for source in (
        image.expand(2, 3, 8, 12),
        in_memory(listing, preparation),
        stored(listing, preparation, tmp_path / "kept"),
        Streamed(listing, preparation),
    ):
        pictures = Pictures(source, torch.tensor([0, 1]), listing.classes)
        squares = pictures.crops(
            torch.tensor([1, 0]), 7, draws, torch.device("cpu")
        )
        assert torch.equal(squares, wanted)


# Kept on the disk.


@pytest.fixture
def set_of(root):
    return read_classes(root, "train"), Preparation(7, cropped=False)


def test_a_set_is_decoded_once_and_the_same_as_when_streamed(
    set_of, tmp_path, monkeypatch
):
    first = stored(*set_of, tmp_path / "kept")

    def refused(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(store, "_pixels", refused)
    again = stored(*set_of, tmp_path / "kept")
    monkeypatch.undo()
    streamed = Streamed(*set_of)
    assert isinstance(first, Stored) and len(first) == len(streamed) == 8
    indices = torch.tensor([7, 0, 3])
    assert torch.equal(first.sizes(indices), torch.tensor([[8, 16]] * 3))
    assert torch.equal(streamed.sizes(indices), first.sizes(indices))
    corners = torch.tensor([[0, 0], [1, 9], [1, 3]])
    flips = torch.tensor([False, True, False])
    squares = [
        x.crop(indices, corners, flips, 7) for x in (first, again, streamed)
    ]
    assert torch.equal(squares[0], squares[1])
    assert torch.equal(squares[0], squares[2])
    assert squares[0][:, :, 3, 3].tolist() == [
        [255, 0, 0], [0, 0, 255], [0, 0, 255],
    ]  # fmt: skip
    assert estimate(*set_of) == len(first.data) == 8 * 3 * 8 * 16


def test_a_picture_that_changed_is_decoded_again(root, set_of, tmp_path):
    stored(*set_of, tmp_path / "kept")
    paint(root / "train" / "blue" / "0.png", (1, 2, 3), (40, 20))
    again = stored(*set_of, tmp_path / "kept")
    assert again[0][0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("what", ["time", "length", "box", "size"])
def test_what_says_that_pictures_are_others(set_of, what):
    listing, preparation = set_of
    before = fingerprint(listing, preparation)
    assert fingerprint(listing, preparation) == before
    file = listing.files[0]
    time = file.stat().st_mtime_ns
    if what == "length":
        file.write_bytes(file.read_bytes() + b"\0")
    if what in ("length", "time"):
        os.utime(file, ns=(time, time + (what == "time")))
    if what == "box":
        listing = replace(listing, boxes=((0, 0, 9, 9),) * len(listing))
    if what == "size":
        preparation = Preparation(8, cropped=False)
    assert fingerprint(listing, preparation) != before


def test_making_and_reading_take_the_memory_of_few_pictures(
    tmp_path, monkeypatch
):
    for name in ("a", "b"):
        for number in range(30):
            paint(
                tmp_path / "train" / name / f"{number}.png", "red", (64,) * 2
            )
    listing = read_classes(tmp_path, "train")
    monkeypatch.setattr(store, "AHEAD", 4)
    one = 3 * 64 * 64
    tracemalloc.start()
    kept = stored(listing, Preparation(56, cropped=False), tmp_path / "kept")
    indices, corners = torch.arange(60), torch.zeros(60, 2).long()
    for index in indices.split(2):
        part = corners[:2]
        kept.crop(index, part, part[:, 0] > 0, 64)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(kept, Stored) and len(kept.data) == 60 * one
    assert most < 20 * one


def test_what_was_cut_short_is_made_again(root, set_of, tmp_path):
    (root / "train" / "red" / "3.png").write_bytes(b"no picture")
    kept = tmp_path / "kept"
    with pytest.raises(BadPictures, match=r"3\.png"):
        stored(*set_of, kept)
    assert not list(kept.glob("*.npy")) and not list(kept.glob("*.bytes"))
    paint(root / "train" / "red" / "3.png", (9, 9, 9))
    assert stored(*set_of, kept)[7][0, 0].tolist() == [9, 9, 9]


def note(file, barrier, *of):
    """In a process of its own: what it decodes, one a line."""
    decode = store._pixels

    def noted(*of):
        with file.open("a") as lines:
            lines.write(f"{of[2]}\n")
        time.sleep(0.1)
        return decode(*of)

    store._pixels = noted
    barrier.wait()
    assert stored(*of)[7][0, 0].tolist() == [255, 0, 0]


def test_two_processes_at_a_time_make_one_file(set_of, tmp_path):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    barrier, file = context.Barrier(2), tmp_path / "decoded.txt"
    both = [
        context.Process(
            target=note, args=(file, barrier, *set_of, tmp_path / "kept")
        )
        for _ in range(2)
    ]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert sorted(file.read_text().split()) == list("01234567")


def test_where_there_is_no_room_pictures_are_streamed(
    set_of, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(store, "SHARE", 0.0)
    assert isinstance(stored(*set_of, tmp_path / "kept"), Streamed)
    assert "no room" in capsys.readouterr().err
    assert not list((tmp_path / "kept").glob("*.bytes"))


def test_keeping_pictures_is_moved_or_switched_off_by_the_environment(
    set_of, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        platformdirs, "user_cache_dir", lambda _: str(tmp_path / "cache")
    )
    monkeypatch.setenv("PACKNET_PICTURES", "off")
    assert isinstance(stored(*set_of), Streamed)
    assert not (tmp_path / "cache").exists()
    monkeypatch.setenv("PACKNET_PICTURES", str(tmp_path / "other"))
    assert isinstance(stored(*set_of), Stored)
    assert list((tmp_path / "other").glob("*.bytes"))
