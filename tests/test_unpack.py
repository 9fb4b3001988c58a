"""Archives are unpacked whole and harmlessly, or refused by name."""

import io
import os
import stat
import tarfile
import zipfile

import numpy
import pytest

from packnet_book.photos import unpack
from packnet_book.photos.errors import BadArchive
from tests import published


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
    "drive": "C:outside",
    "backslash": "a\\outside",
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


def test_a_file_shorter_than_it_says_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a", "some text")
        packed.infolist()[0].file_size = 100
    with pytest.raises(BadArchive, match="not as long as it says"):
        unpack.unpack(tmp_path / "a.zip", tmp_path / "new")


def test_a_damaged_zip_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as packed:
        packed.writestr("a", "some text")
    whole = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(whole.replace(b"some", b"same", 1))
    with pytest.raises(BadArchive, match="damaged"):
        unpack.unpack(tmp_path / "a.zip", tmp_path / "new")


def test_a_zip_compressed_in_an_unknown_way_is_refused(tmp_path):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a", "some text")
    whole = bytearray(archive.read_bytes())
    whole[8] = 97  # the method, before the entry and in the directory
    whole[whole.index(b"PK\x01\x02") + 10] = 97
    archive.write_bytes(whole)
    with pytest.raises(BadArchive, match="compression"):
        unpack.unpack(archive, tmp_path / "new")
