"""Folders as people have them: what is left out is told, names are kept."""

import os
import shutil
import unicodedata

import pytest
import torch

from packnet_book.photos.folders import tell
from packnet_book.photos.layouts import read_classes
from packnet_book.photos.preparation import Preparation
from packnet_book.photos.store import fingerprint, in_memory, stored
from packnet_book.runs.provenance import digest_of
from packnet_core.errors import BadPictures
from packnet_core.images import Pictures
from tests.test_sets import paint

SMALL = Preparation(8, cropped=False)


@pytest.fixture
def root(tmp_path):
    for split in ("train", "test"):
        for name in ("a", "b", "c"):
            for number in range(4):
                paint(tmp_path / split / name / f"{number}.png", "red")
    return tmp_path


def deeper(root):
    (root / "train/a/more/still").mkdir(parents=True)
    for number in (1, 2, 3):
        (root / f"train/a/{number}.png").rename(
            root / f"train/a/more/still/{number}.png"
        )
    return "train", "3 file(s) in deeper folders ('more')"


def dangling(root):
    for number in (1, 2, 3):
        file = root / f"train/a/{number}.png"
        file.unlink()
        file.symlink_to("/nowhere/x.png")
    return "train", "3 link(s) that lead nowhere"


def circular(root):
    for one, other in (("x", "y"), ("y", "x"), ("z", "z")):
        (root / f"train/a/{one}.png").symlink_to(f"{other}.png")
    return "train", "3 link(s) that lead nowhere"


def dangling_class(root):
    for split in ("train", "test"):
        shutil.rmtree(root / split / "a")
        (root / split / "a").symlink_to("/nowhere")
    return "train", "1 that are no folders of a class ('a')"


def pipe(root):
    os.mkfifo(root / "train/a/pipe.png")
    return "train", "or no files ('pipe.png')"


def beside(root):
    paint(root / "train" / "lost.png", "red")
    return "train", "no folders of a class ('lost.png')"


def untested(root):
    shutil.rmtree(root / "test/a")
    return "test", "no picture of 1 class(es) ('a'), which are not tested"


def untested_though_named(root):
    for file in (root / "test/b").iterdir():
        file.unlink()
    return "test", "no picture of 1 class(es) ('b')"


@pytest.mark.parametrize(
    "make",
    [deeper, dangling, circular, dangling_class, pipe, beside, untested,
     untested_though_named],
)  # fmt: skip
def test_what_is_left_out_is_counted_and_told(root, capsys, make):
    split, told = make(root)
    read_classes(root, split)
    assert told in capsys.readouterr().err


def test_a_sound_folder_is_read_without_a_word(root, capsys):
    assert len(read_classes(root, "train")) == 12
    assert capsys.readouterr() == ("", "")


def test_files_of_the_system_are_passed_over(root, capsys):
    for place in (root / "train", root / "train/a"):
        for name in ("Thumbs.db", "desktop.ini", ".DS_Store", "._0.png"):
            (place / name).write_bytes(b"x")
        for name in ("__MACOSX", ".ipynb_checkpoints", "@eaDir"):
            (place / name).mkdir()
            paint(place / name / "0.png", "red")
    listing = read_classes(root, "train")
    assert listing.classes == ("a", "b", "c") and len(listing) == 12
    assert capsys.readouterr() == ("", "")
    core = Pictures.from_folder(root / "train", 8)
    assert core.classes == ("a", "b", "c")


def test_a_class_of_deeper_folders_alone_says_where_they_are(root):
    (root / "train/a/more").mkdir()
    for number in range(4):
        (root / f"train/a/{number}.png").rename(
            root / f"train/a/more/{number}.png"
        )
    with pytest.raises(BadPictures, match=r"4 file.*deeper.*move them up"):
        read_classes(root, "train")


def test_an_empty_class_is_not_told_what_others_left_out(root):
    dangling(root)
    for file in (root / "train/b").iterdir():
        file.unlink()
    with pytest.raises(BadPictures, match=r"b: no pictures.*the folder$"):
        read_classes(root, "train")


def test_pictures_that_are_not_sorted_into_classes(tmp_path):
    for number in range(3):
        paint(tmp_path / "train" / f"{number}.png", "red")
    with pytest.raises(BadPictures, match=r"3 file.*sort them into"):
        read_classes(tmp_path, "train")


@pytest.mark.skipif(
    os.name == "nt" or os.geteuid() == 0, reason="root may read everything"
)
def test_a_folder_that_may_not_be_read_is_named(root):
    (root / "train/a").chmod(0)
    try:
        with pytest.raises(BadPictures, match=r"train.a: .*allow yourself"):
            read_classes(root, "train")
    finally:
        (root / "train/a").chmod(0o755)


def test_a_folder_that_the_system_does_not_let_in_is_named(root, monkeypatch):
    def refused(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(BadPictures, match="allow yourself"):
        read_classes(root, "train")


# Names.


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_names_that_are_not_utf8(root, capsys):
    train = os.fsencode(root / "train")
    os.rename(train + b"/a", train + b"/caf\xe9")
    os.rename(train + b"/b/0.png", train + b"/b/\xff\n.png")
    os.mkdir(train + b"/caf\xe9/n\xe4her")
    (root / "train" / "b" / "x").symlink_to("/nowhere")
    with open(train + b"/caf\xe9/n\xe4her/x", "wb"):
        pass
    listing = read_classes(root, "train")
    assert len(in_memory(listing, SMALL)) == 12
    assert len(stored(listing, SMALL, root / "kept")) == 12
    assert len(capsys.readouterr().err.splitlines()) == 3
    images = in_memory(listing, SMALL)
    labels = torch.tensor(listing.labels)
    assert digest_of(Pictures(images, labels, listing.classes))


def test_what_is_told_takes_one_line_of_any_console(capsys):
    tell(["caf\udce9\n2"])
    assert capsys.readouterr().err == "left out: caf\\udce9\\n2\n"


def test_a_newline_in_a_name_is_no_other_list(root):
    listing = read_classes(root, "train")
    os.rename(root / "train/a/0.png", root / "train/a/0\n.png")
    changed = read_classes(root, "train")
    assert fingerprint(changed, SMALL) != fingerprint(listing, SMALL)
    assert len(stored(changed, SMALL, root / "kept")) == 12


def accented(root, name, train, test):
    for split, form in (("train", train), ("test", test)):
        for number in range(2):
            there = unicodedata.normalize(form, name)
            paint(root / split / there / f"{number}.png", "red")


@pytest.mark.parametrize("forms", [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_in_one_character_or_two_are_one_class(root, forms):
    accented(root, "été", *forms)
    test = read_classes(root, "test")
    named = unicodedata.normalize(forms[0], "été")
    assert test.labels.count(test.classes.index(named)) == 2
    again = read_classes(root, "train", classes=test.classes)
    assert again.labels.count(3) == 2


def test_two_folders_that_look_the_same_are_refused(root):
    accented(root, "été", "NFC", "NFC")
    (root / "train" / unicodedata.normalize("NFD", "été")).mkdir()
    with pytest.raises(BadPictures, match="accents are written in two ways"):
        read_classes(root, "train")
