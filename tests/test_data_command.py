"""`packnet data`: real sets, from a server of this machine, in small."""

import hashlib
import io
import os
import stat
import tarfile
import threading
import zipfile
from dataclasses import replace
from typing import get_args

import numpy
import pytest
import torchvision
from torchvision.datasets import imagenet as theirs

from packnet_core.command_line import main
from packnet_core.errors import (
    BadArchive,
    BadDownload,
    BadPictures,
    ByHand,
    NoRoom,
)
from packnet_core.presets import PAPER
from packnet_core.sets import download, store, unpack
from packnet_core.sets.fetching import fetch
from packnet_core.sets.layouts import LAYOUTS
from packnet_core.sets.manifest import How, known_sets
from tests import published
from tests.http_server import serving
from tests.test_sets import paint

SIZE = 8
COUNTS = {  # of the sets in small: training and test pictures, classes
    "cubs": (2, 2, 2),
    "cars": (2, 2, 2),
    "flowers": (3, 3, 102),
    "tiny-imagenet": (4, 2, 2),
    "imagenet": (4, 3, 2),
}


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "PAUSES", (0, 0))
    monkeypatch.setenv("PACKNET_PICTURES", str(tmp_path / "kept"))


@pytest.fixture
def server(tmp_path):
    (tmp_path / "served").mkdir()
    with serving(tmp_path / "served") as server:
        yield server


@pytest.fixture
def root(tmp_path):
    return tmp_path / "root"


def md5(file):
    return hashlib.md5(file.read_bytes()).hexdigest()


def small(name, folder):
    """A set in small, its files made in a folder, its manifest for them."""
    about = known_sets()[name]
    work = folder.parent / f"published-{name}"
    work.mkdir()
    maker = {"cubs": "cub", "tiny-imagenet": "tiny"}.get(name, name)
    getattr(published, maker)(work)
    for file in about.files:
        made, target = work / file.makes, folder / file.name
        if name == "imagenet":
            (work / file.name).rename(target)
        elif file.how == "copy":
            made.rename(target)
        else:
            published.pack(target, made.parent, file.takes)
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


def get(about, root, server):
    return fetch(about, root, SIZE, mirror=server.address)


def tree(folder):
    """Every file below a folder, and when it was written."""
    return {
        file.relative_to(folder).as_posix(): file.stat().st_mtime_ns
        for file in sorted(folder.rglob("*"))
    }


def noisy(server, size=1_000_000):
    """A file that is no archive, and a set of only this file."""
    noise = numpy.random.default_rng(0).bytes(size)
    (server.folder / "noise").write_bytes(noise)
    return noise


def bring(server, target, checksum=None):
    checksum = checksum or md5(server.folder / "noise")
    download.download(f"{server.address}/noise", target, checksum)


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


def test_two_at_a_time_download_once(server, root):
    about, done = small("cubs", server.folder), []
    both = [
        threading.Thread(target=lambda: done.append(get(about, root, server)))
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


# The connection.


def test_a_cut_download_goes_on_where_it_was_cut(server, tmp_path):
    noise = noisy(server)
    server.cuts = [400_000, 300_000]
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == noise
    begun = [int(x[6:-1]) if x else 0 for _, x in server.asked]
    assert begun[0] == 0 and 300_000 < begun[1] <= 400_000
    assert begun[1] + 200_000 < begun[2] <= 700_000
    assert not (tmp_path / "noise.part").exists()


def test_it_gives_up_after_cuts_that_bring_nothing_and_keeps_the_part(
    server, tmp_path
):
    noise = noisy(server)
    server.cuts = [500_000] + [0] * 10
    with pytest.raises(BadDownload, match=r"bytes are kept.*goes on"):
        bring(server, tmp_path / "noise")
    kept = (tmp_path / "noise.part").read_bytes()
    assert len(kept) > 400_000 and noise.startswith(kept)
    server.cuts.clear()
    bring(server, tmp_path / "noise")
    assert server.asked[-1] == ("noise", f"bytes={len(kept)}-")
    assert (tmp_path / "noise").read_bytes() == noise


@pytest.mark.parametrize("part", ["some", "all", "more"])
@pytest.mark.parametrize("ranges", [True, False])
def test_every_part_left_behind_becomes_the_whole(
    part, ranges, server, tmp_path
):
    noise = noisy(server)
    left = {"some": noise[:9999], "all": noise, "more": noise + b"x"}[part]
    (tmp_path / "noise.part").write_bytes(left)
    server.ranges = ranges  # a server that ignores them sends everything
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == noise


def test_a_wrong_checksum_leaves_nothing_and_says_what_to_do(
    server, root, capsys
):
    for name in ("CUB_200_2011.tgz",):
        (server.folder / name).write_bytes(b"a page that says: not found")
    line = ["data", "cubs", "--root", str(root), "--mirror", server.address]
    assert main(line) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert "97eceeb196236b17998738112f37df78" in said
    assert "try again" in said and said.startswith("packnet: http")
    assert list((root / "archives").iterdir()) == []
    assert not (root / "CUB_200_2011").exists()
    get(small("cubs", server.folder), root, server)


def test_a_part_of_another_file_is_thrown_away_once(server, tmp_path):
    noise = noisy(server)
    (tmp_path / "noise.part").write_bytes(bytes(1000))
    with pytest.raises(BadDownload, match="deleted"):
        bring(server, tmp_path / "noise")
    bring(server, tmp_path / "noise")
    assert (tmp_path / "noise").read_bytes() == noise


def test_a_server_that_is_busy_is_asked_again(server, tmp_path):
    noisy(server)
    server.statuses = [503, 500]
    bring(server, tmp_path / "noise")
    assert len(server.asked) == 3


def test_a_file_that_is_not_there_is_asked_for_once(server, tmp_path):
    with pytest.raises(BadDownload, match=r"404 Not Found.*elsewhere"):
        bring(server, tmp_path / "noise", "0" * 32)
    assert len(server.asked) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "no address"])
def test_no_network_is_one_clear_line(address, root, capsys):
    line = ["data", "cubs", "--root", str(root), "--mirror", address]
    assert main(line) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"packnet: {address}/CUB_200_2011.tgz: ")
    assert "Traceback" not in said


def test_an_archive_called_encoded_is_not_unpacked_on_the_way(
    server, tmp_path
):
    about = small("cubs", server.folder)
    server.headers = {"Content-Encoding": "x-gzip"}
    [file] = about.files
    address = f"{server.address}/{file.name}"
    download.download(address, tmp_path / file.name, file.md5)
    assert md5(tmp_path / file.name) == file.md5


# Archives.


def hostile(kind, archive):
    """An archive with one bad entry after a good one."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("good.txt", "good")
            entry = zipfile.ZipInfo(NAMES.get(kind, "bad"))
            if kind == "symbolic link":
                entry.create_system = 3
                entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            packed.writestr(entry, "good.txt")
        return
    with tarfile.open(archive, "w:gz") as opened:
        good = tarfile.TarInfo("good.txt")
        good.size = 4
        opened.addfile(good, io.BytesIO(b"good"))
        bad = tarfile.TarInfo(NAMES.get(kind, "bad"))
        if kind in TYPES:
            bad.type, bad.linkname = TYPES[kind], "/etc/passwd"
        opened.addfile(bad)


NAMES = {
    "parent": "../outside",
    "hidden parent": "a/../../outside",
    "absolute": "/tmp/outside",
    "drive": "C:/outside",
    "backslash": "..\\outside",
}
TYPES = {
    "symbolic link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
    "device": tarfile.CHRTYPE,
    "pipe": tarfile.FIFOTYPE,
}


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [(kind, ".tgz") for kind in (*NAMES, *TYPES)]
    + [(kind, ".zip") for kind in (*NAMES, "symbolic link")],
)
def test_a_hostile_archive_is_refused_by_name(kind, suffix, tmp_path):
    archive = tmp_path / f"bad{suffix}"
    hostile(kind, archive)
    with pytest.raises(BadArchive, match="leads out of its folder") as raised:
        unpack.unpack(archive, tmp_path / "new")
    assert str(archive) in str(raised.value)
    assert set(os.listdir(tmp_path)) == {archive.name, "new"}
    assert os.listdir(tmp_path / "new") == ["good.txt"]


def test_a_hostile_archive_leaves_nothing_below_the_root(server, root):
    about = small("cubs", server.folder)
    hostile("symbolic link", server.folder / "CUB_200_2011.tgz")
    with pytest.raises(BadArchive, match="nothing was kept of it"):
        get(described("cubs", server.folder), root, server)
    left = {name for name in tree(root) if not name.endswith(".lock")}
    assert left == {"archives", "archives/CUB_200_2011.tgz"}
    assert about.folder not in left


@pytest.mark.parametrize("suffix", [".zip", ".tgz"])
def test_a_bomb_is_stopped(suffix, tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "SLACK", 0)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "zeros").write_bytes(bytes(3_000_000))
    if suffix == ".zip":
        with zipfile.ZipFile(tmp_path / "b.zip", "w",
                             zipfile.ZIP_DEFLATED) as packed:  # fmt: skip
            packed.write(tmp_path / "in" / "zeros", "zeros")
    else:
        published.pack(tmp_path / "b.tgz", tmp_path, "in")
    with pytest.raises(BadArchive, match="more comes out of it"):
        unpack.unpack(tmp_path / f"b{suffix}", tmp_path / "new")
    assert not (tmp_path / "new" / "zeros").exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("suffix", [".zip", ".tgz", ".tar"])
def test_an_archive_cut_short_is_refused(suffix, share, tmp_path):
    noise = numpy.random.default_rng(0).bytes(30_000)
    for name in ("a", "b", "c"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(noise)
    archive = tmp_path / f"cut{suffix}"
    published.pack(archive, tmp_path, "in")
    unpack.unpack(archive, tmp_path / "right")
    assert (tmp_path / "right" / "in" / "c").read_bytes() == noise
    end = 92_000 if suffix == ".tar" else archive.stat().st_size
    archive.write_bytes(archive.read_bytes()[: int(share * end)])
    with pytest.raises(BadArchive, match=r"cut.*(damaged|short).*again"):
        unpack.unpack(archive, tmp_path / "new")


@pytest.mark.parametrize("suffix", [".tgz", ".zip"])
def test_what_is_no_archive_is_refused_in_one_line(suffix, tmp_path):
    (tmp_path / f"a{suffix}").write_bytes(b"<html>no</html>" * 99)
    with pytest.raises(BadArchive, match="damaged") as raised:
        unpack.unpack(tmp_path / f"a{suffix}", tmp_path / "new")
    assert "\n" not in str(raised.value)


def test_a_damaged_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a", "some text")
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole.replace(b"some", b"same", 1))
    with pytest.raises(BadArchive, match="damaged"):
        unpack.unpack(tmp_path / "a.zip", tmp_path / "new")


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
