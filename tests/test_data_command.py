"""`packnet data`: real sets, from a server of this machine, in small."""

import tarfile
import threading
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torchvision
from torchvision.datasets import imagenet as theirs

from packnet_book.cli import main
from packnet_book.photos import download, store, unpack
from packnet_book.photos.errors import BadArchive, BadDownload, ByHand, NoRoom
from packnet_book.photos.fetching import fetch
from packnet_book.photos.layouts import LAYOUTS
from packnet_book.photos.manifest import How, known_sets
from packnet_book.runs.presets import PAPER
from packnet_core.errors import BadPictures
from tests import published
from tests.published import COUNTS, described, md5, small
from tests.test_sets import paint

SIZE = 8


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    """A place of their own for the prepared pictures."""
    monkeypatch.setenv("PACKNET_PICTURES", str(tmp_path / "kept"))


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def get(about, root, server):
    return fetch(about, root, SIZE, mirror=server.address)


def tree(folder):
    """Every file below a folder, and when it was written."""
    return {
        file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in sorted(folder.rglob("*"))
    }


# What the manifest says.


def test_the_manifest_agrees_with_torchvision_and_with_the_presets():
    sets = known_sets()
    assert list(sets) == ["imagenet", "tiny-imagenet", "cubs", "cars",
                          "flowers"]  # fmt: skip
    sums = {f.name: f.md5 for about in sets.values() for f in about.files}
    for name, checksum in [
        *theirs.ARCHIVE_META.values(),
        *torchvision.datasets.Flowers102._file_dict.values(),
    ]:
        assert sums[name] == checksum
    cropped = {task.name: task.cropped for task in PAPER.tasks}
    for about in sets.values():
        assert about.cropped == cropped[about.task]
        assert about.folder in [x.folder for x in LAYOUTS[about.task]]
        assert about.terms and about.citation and about.read
        for file in about.files:
            assert len(bytes.fromhex(file.md5)) == 16
            assert file.how in get_args(How)
            assert file.makes.split("/")[0] == about.folder
            assert bool(about.by_hand) == (file.address is None)
            if file.address:
                assert file.address.endswith(f"/{file.name}")


# The whole road.


@pytest.mark.parametrize("name", COUNTS)
def test_a_set_is_made_once_and_read_by_the_presets(
    name, server, root, monkeypatch
):
    about = small(name, server.folder)
    first = get(about, root, server)
    train, test, classes = COUNTS[name]
    assert f"{train} training and {test} test pictures" in str(first)
    assert about.citation in str(first) and first.kept
    assert {asked for asked, _ in server.asked} == {
        file.name for file in about.files
    }
    task = next(task for task in PAPER.tasks if task.name == about.task)
    monkeypatch.setattr(store, "_pixels", None)  # nothing decodes again
    for split, count in (("train", train), ("test", test)):
        pictures = task.read(split, SIZE, root, 1.0)
        assert len(pictures) == count
        assert len(pictures.classes) == classes
    before = tree(root.parent)
    server.asked.clear()
    assert str(get(about, root, server)) == str(first)
    assert tree(root.parent) == before and server.asked == []
    for file in (root / "archives").iterdir():
        file.unlink()
    (root / "archives").rmdir()
    assert "not needed any more" not in str(get(about, root, server))
    assert server.asked == []


def test_validation_pictures_get_the_classes_that_torchvision_gives_them(
    server, root, tmp_path, monkeypatch
):
    about = small("imagenet", server.folder)
    get(about, root, server)
    kinds = dict(zip(("devkit", "val", "train"), about.files))
    for kind, file in kinds.items():
        monkeypatch.setitem(theirs.ARCHIVE_META, kind, (file.name, file.md5))
    torchvision.datasets.ImageNet(server.folder, "val")
    torchvision.datasets.ImageNet(server.folder, "train")
    for split in ("train", "val"):
        ours = root / "imagenet" / split
        assert list(tree(ours)) == list(tree(server.folder / split))
    assert (ours / "n01440764/ILSVRC2012_val_00000001.JPEG").is_file()


def test_another_form_of_the_set_that_is_read_first_is_said(server, root):
    for split in ("train", "test"):
        for name in ("a", "b"):
            paint(root / "cubs_cropped" / split / name / "0.png", (1, 2, 3))
    done = get(small("cubs", server.folder), root, server)
    assert f"note: {root / 'cubs_cropped'} is read first" in str(done)


def test_an_empty_folder_in_its_place_is_no_hindrance(
    server, root, monkeypatch
):
    def rename(file, target, rename=Path.rename):
        if target.exists():  # as on Windows
            raise FileExistsError(17, "File exists", str(target))
        return rename(file, target)

    about = small("flowers", server.folder)
    for file in about.files:
        if file.how == "unpack":
            (root / file.makes).mkdir(parents=True)
    monkeypatch.setattr(Path, "rename", rename)
    assert get(about, root, server).kept


def test_two_at_a_time_download_once(server, root):
    about, done = small("cubs", server.folder), []
    [file] = about.files
    there = replace(file, address=f"{server.address}/{file.name}")
    about = replace(about, files=(there,))
    both = [
        threading.Thread(target=lambda: done.append(fetch(about, root, SIZE)))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(done) == 2 and done[0] == done[1]
    assert len(server.asked) == 1


def test_what_lacks_or_is_too_much_is_named(server, root):
    about = small("cubs", server.folder)
    get(about, root, server)
    with pytest.raises(BadPictures, match=r"where 5,994 of 2 .*; delete"):
        get(replace(about, train=5994), root, server)
    lost = next((root / "CUB_200_2011" / "images").rglob("*0009_34.jpg"))
    lost.unlink()
    with pytest.raises(BadPictures, match=rf"{lost}: no such file; delete"):
        get(about, root, server)


# By hand.


def test_what_a_person_must_fetch_is_said_and_checked_afterwards(
    tmp_path, root, capsys
):
    line = ["data", "cars", "--root", str(root)]
    assert main(line) == 1
    said, short = capsys.readouterr()
    for file in known_sets()["cars"].files:
        assert file.name in said and file.md5 in said and file.name in short
    assert f"into {root / 'archives'}" in said and "https://" in said
    assert short.count("\n") == 1 and short.startswith("packnet: cars: ")

    wrong = root / "archives" / "car_devkit.tgz"
    about = small("cars", tmp_path / "root" / "archives")
    whole = wrong.read_bytes()
    wrong.write_bytes(whole[:-9])
    with pytest.raises(BadDownload, match=rf"{len(whole) - 9:,} of "
                       rf"{len(whole):,} bytes.*fetch it again"):  # fmt: skip
        fetch(about, root, SIZE)
    assert not (root / "stanford_cars").exists()
    wrong.write_bytes(whole)
    assert fetch(about, root, SIZE).kept


def test_one_missing_file_is_asked_for_alone(root):
    (root / "archives").mkdir(parents=True)
    about = small("cars", root / "archives")
    (root / "archives" / "cars_test.tgz").unlink()
    with pytest.raises(ByHand) as raised:
        fetch(about, root, SIZE)
    assert "cars_test.tgz" in raised.value.steps
    assert "cars_train" not in raised.value.steps


def test_what_is_there_unpacked_already_needs_no_archive(tmp_path, root):
    about = small("cars", tmp_path)
    published.cars(root)
    assert fetch(about, root, SIZE).kept
    kit = root / "stanford_cars" / "devkit"
    labels = kit / "cars_test_annos_withlabels.mat"
    about = replace(about, files=tuple(
        replace(file, md5=md5(labels)) if file.how == "copy" else file
        for file in about.files
    ))  # fmt: skip
    labels.rename(kit.parent / labels.name)  # as torchvision has it
    assert fetch(about, root, SIZE).kept


# What goes wrong on the way.


def test_a_wrong_checksum_leaves_nothing_and_says_what_to_do(
    server, root, capsys
):
    page = server.folder / "CUB_200_2011.tgz"
    page.write_bytes(b"a page that says: not found")
    line = ["data", "cubs", "--root", str(root), "--mirror", server.address]
    assert main(line) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "97eceeb196236b17998738112f37df78" in said
    assert "try again" in said and said.startswith("packnet: http")
    assert list((root / "archives").iterdir()) == []
    assert not (root / "CUB_200_2011").exists()
    get(small("cubs", server.folder), root, server)


@pytest.mark.parametrize(
    ("address", "what"),
    [("http://127.0.0.1:9", "no answer"), ("nothing", "not an address")],
)
def test_no_network_is_one_clear_line(
    address, what, root, capsys, monkeypatch
):
    monkeypatch.setattr(download, "PAUSES", (0, 0))
    line = ["data", "cubs", "--root", str(root), "--mirror", address]
    assert main(line) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    begin = f"packnet: {address}/CUB_200_2011.tgz: {what}"
    assert said.startswith(begin)


def test_a_hostile_archive_leaves_nothing_below_the_root(server, root):
    about = small("cubs", server.folder)
    with tarfile.open(server.folder / about.files[0].name, "w") as opened:
        bad = tarfile.TarInfo(f"{about.folder}/images")
        bad.type, bad.linkname = tarfile.SYMTYPE, "/"
        opened.addfile(bad)
    with pytest.raises(BadArchive, match="nothing was kept of it"):
        get(described("cubs", server.folder), root, server)
    left = {name for name in tree(root) if not name.endswith(".lock")}
    assert left == {"archives", "archives/CUB_200_2011.tgz"}
    assert about.folder not in left


def test_unpacking_that_was_stopped_is_done_again(server, root, monkeypatch):
    about, write = small("cubs", server.folder), unpack._write

    def stopped(member, *of):
        if member.name.endswith("images.txt"):
            raise KeyboardInterrupt
        write(member, *of)

    monkeypatch.setattr(unpack, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        get(about, root, server)
    monkeypatch.setattr(unpack, "_write", write)
    (root / ".cubs-unpacking").mkdir(exist_ok=True)  # as after a kill
    (root / ".cubs-unpacking" / "half").write_text("x")
    assert not (root / "CUB_200_2011").exists()
    server.asked.clear()
    assert get(about, root, server).kept
    assert server.asked == []  # the archive was there, and was compared
    assert not (root / ".cubs-unpacking").exists()


def test_another_archive_under_the_name_has_no_such_folder(server, root):
    published.lines(server.folder / "x" / "y", "z")
    published.pack(server.folder / "CUB_200_2011.tgz", server.folder, "x")
    with pytest.raises(BadArchive, match=r"tgz: no CUB_200_2011 in it"):
        get(described("cubs", server.folder), root, server)


# The disk.


def test_a_disk_that_is_too_small_is_said_before(server, root):
    about = small("cubs", server.folder)
    huge = tuple(replace(file, bytes=10**17) for file in about.files)
    with pytest.raises(NoRoom, match=r"200000000\.0 GB are needed"):
        get(replace(about, files=huge), root, server)
    assert server.asked == []


def test_a_root_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    for place in (tmp_path / "file", tmp_path / "file" / "root"):
        assert main(["data", "cubs", "--root", str(place)]) == 1
        said = capsys.readouterr().err
        assert said.startswith(f"packnet: {place}: ")
        assert "can be written" in said and said.count("\n") == 1
