"""Disks, caches and locks as people have them."""

import _pyio
import errno
import io
import os
import tracemalloc
from pathlib import Path

import filelock
import numpy
import platformdirs
import pytest
import torch

from packnet_book.locks import alone
from packnet_book.photos import store
from packnet_book.photos.layouts import read_classes
from packnet_book.photos.preparation import Preparation
from packnet_book.photos.store import (
    Stored,
    Streamed,
    in_memory,
    stored,
)
from packnet_book.places import decoded, write_text
from packnet_book.runs import runner
from packnet_book.runs.presets import MINIATURE
from packnet_core.errors import BadRun
from packnet_core.files import replacing
from tests.test_sets import paint

SMALL = Preparation(28, cropped=False)


@pytest.fixture
def listing(tmp_path):
    for name in ("a", "b"):
        for number in range(4):
            paint(tmp_path / "train" / name / f"{number}.png", (9, 99, 9))
    return read_classes(tmp_path, "train")


def cut(file):
    os.truncate(file, 1000)


def grow(file):
    with file.open("ab") as more:
        more.write(b"more")


def spoil(file):
    file.write_bytes(b"\x93NUMPY" + bytes(9))


@pytest.mark.parametrize("kind", ["*.bytes", "*.npy"])
@pytest.mark.parametrize("harm", [Path.unlink, cut, grow, spoil])
def test_kept_pictures_that_were_swept_are_made_again(
    listing, tmp_path, kind, harm
):
    kept = tmp_path / "kept"
    stored(listing, SMALL, kept)
    [file] = kept.glob(kind)
    harm(file)
    found = stored(listing, SMALL, kept)
    assert isinstance(found, Stored)
    assert found[7][0, 0].tolist() == [9, 99, 9]


def test_it_says_once_where_pictures_are_kept(listing, tmp_path, capsys):
    kept = tmp_path / "kept"
    stored(listing, SMALL, kept)
    said = capsys.readouterr().err
    assert f"{kept}: 8 pictures are kept decoded there" in said
    stored(listing, SMALL, kept)
    assert capsys.readouterr().err == ""


def refuse(number):
    def refused(*_, **__):
        raise OSError(number, os.strerror(number))

    return refused


@pytest.mark.parametrize(
    ("what", "number"),
    [("mkdir", errno.EROFS), ("mkdir", errno.EACCES), ("open", errno.ENOSPC)],
)
def test_where_nothing_can_be_kept_pictures_are_streamed(
    listing, tmp_path, capsys, monkeypatch, what, number
):
    monkeypatch.setattr(Path, what, refuse(number))
    found = stored(listing, SMALL, tmp_path / "kept")
    monkeypatch.undo()
    assert isinstance(found, Streamed)
    said = capsys.readouterr().err
    assert os.strerror(number) in said and "PACKNET_PICTURES" in said


def test_a_disk_that_fills_up_is_left_clean(
    listing, tmp_path, capsys, monkeypatch
):
    kept, decode = tmp_path / "kept", store._decoded

    def full(*of):
        yield next(decode(*of))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "_decoded", full)
    assert isinstance(stored(listing, SMALL, kept), Streamed)
    assert "No space left" in capsys.readouterr().err
    assert {file.suffix for file in kept.iterdir()} <= {".lock"}


def test_what_a_killed_process_left_is_taken_away(listing, tmp_path):
    kept = tmp_path / "kept"
    stored(listing, SMALL, kept)
    [file] = kept.glob("*.bytes")
    file.rename(file.with_suffix(".12345678data.part"))
    stored(listing, SMALL, kept)
    assert not list(kept.glob("*.part")) and list(kept.glob("*.bytes"))


def test_a_cache_that_is_read_only_is_still_read(
    listing, tmp_path, monkeypatch
):
    stored(listing, SMALL, tmp_path / "kept")
    monkeypatch.setattr(Path, "mkdir", refuse(errno.EROFS))
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse(errno.EROFS))
    assert isinstance(stored(listing, SMALL, tmp_path / "kept"), Stored)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS])
def test_where_files_cannot_be_locked_it_goes_on_and_says_so(
    listing, tmp_path, capsys, monkeypatch, number
):
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse(number))
    assert isinstance(stored(listing, SMALL, tmp_path / "kept"), Stored)
    assert "cannot be locked" in capsys.readouterr().err
    monkeypatch.setattr(filelock.FileLock, "acquire", refuse(errno.EACCES))
    with pytest.raises(PermissionError), alone(tmp_path / "x", ""):
        pass


def test_a_home_that_cannot_be_written_names_the_variable(
    tmp_path, monkeypatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.delenv("PACKNET_CACHE", raising=False)
    monkeypatch.setattr(
        platformdirs, "user_cache_dir", lambda _: str(tmp_path / "file/x")
    )
    with pytest.raises(BadRun, match="PACKNET_CACHE"):
        runner.run(MINIATURE, ["packnet"])
    monkeypatch.delenv("PACKNET_PICTURES", raising=False)
    assert decoded() == tmp_path / "file/x" / "pictures"


def test_pictures_are_in_memory_once(tmp_path):
    for name in ("a", "b"):
        for number in range(30):
            paint(
                tmp_path / "train" / name / f"{number}.png", "red", (64, 64)
            )
    listing = read_classes(tmp_path, "train")
    one = 3 * 64 * 64
    tracemalloc.start()
    found = in_memory(listing, Preparation(56, cropped=False))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.data) == 60 * one
    assert most < 60 * one * 1.6  # and a few that are being decoded
    indices = torch.tensor([59])
    no = torch.zeros(1, dtype=torch.bool)
    square = found.crop(indices, torch.zeros(1, 2).long(), no, 56)
    assert square.float().mean((0, 2, 3)).tolist() == [255, 0, 0]


# Writing.


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.ENOSYS])
def test_saving_needs_no_modes(tmp_path, monkeypatch, number):
    monkeypatch.setattr(Path, "chmod", refuse(number))
    monkeypatch.setattr(os, "chmod", refuse(number))
    write_text(tmp_path / "a.txt", "a")
    assert (tmp_path / "a.txt").read_text() == "a"


@pytest.mark.parametrize(
    "number", [errno.EINVAL, errno.ENOTSUP, errno.ENOSYS]
)
def test_saving_needs_no_word_that_it_is_on_the_disk(
    tmp_path, monkeypatch, number
):
    monkeypatch.setattr(os, "fsync", refuse(number))
    write_text(tmp_path / "a.txt", "a")
    assert (tmp_path / "a.txt").read_text() == "a"


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_named_and_the_former_file_stays(
    tmp_path, monkeypatch, number
):
    write_text(tmp_path / "a.txt", "former")
    monkeypatch.setattr(os, "fsync", refuse(number))
    with (
        pytest.raises(OSError, match=r"a\.txt"),
        replacing(tmp_path / "a.txt") as new,
    ):
        new.write_text("a")
    assert (tmp_path / "a.txt").read_text() == "former"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_lines_end_as_they_are_given(tmp_path, monkeypatch):
    """A table's, on Windows, would get a second carriage return."""
    monkeypatch.setattr(os, "linesep", "\r\n")
    monkeypatch.setattr(io, "open", _pyio.open)  # which looks there
    write_text(tmp_path / "a.csv", "a,b\r\n1,2\n")
    assert (tmp_path / "a.csv").read_bytes() == b"a,b\r\n1,2\n"


def test_text_of_names_that_are_not_utf8_is_written(tmp_path):
    write_text(tmp_path / "a.txt", "caf\udce9")
    assert (tmp_path / "a.txt").read_bytes() == b"caf\xe9"
    assert numpy.fromfile(tmp_path / "a.txt", "u1")[-1] == 0xE9
