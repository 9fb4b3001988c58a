"""Archives, unpacked so that a hostile one does no harm.

Only folders and plain files are made, and only below the folder named: no
link, no device, no way out by `..` or an absolute path. How much may come
out is limited by the archive's own size, since pictures hardly shrink.
"""

import gzip
import shutil
import stat
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from tqdm import tqdm

from packnet_book.photos.errors import BadArchive

RATIO = 10  # times the archive's size, and
SLACK = 100_000_000  # bytes more, may come out of it
BLOCK = 4096  # bytes that any file or folder takes at least
PIECE = 2**20  # bytes copied at a time
DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, EOFError,
    gzip.BadGzipFile,
    NotImplementedError,  # zipfile's word for a compression it cannot undo
)  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One entry: its name, its size in bytes, its content or a folder."""

    name: str
    size: int
    content: IO[bytes] | None


def unpack(archive: Path, folder: Path, *, nested: bool = False) -> None:
    """Unpack a .tar, .tar.gz, .tgz or .zip into a new folder.

    nested: every file in it is a tar itself, of one class: it becomes a
    folder of its name. If it fails, what is in the new folder is of no
    use. Raises BadArchive, OSError.
    """
    room = RATIO * archive.stat().st_size + SLACK
    folder.mkdir(parents=True)
    bar = tqdm(desc=f"{archive.name}", unit="file", file=sys.stderr)
    with _damage_named(archive), bar:
        for member in _members(archive):
            inside: Iterable[Member] = (member,)
            if nested and member.content is not None:
                inside = _nested(member)
            for one in inside:
                room -= max(one.size, BLOCK)
                if room < 0:
                    raise BadArchive(
                        f"{archive}: more comes out of it than can be "
                        "right; delete it and fetch it again"
                    )
                _write(one, folder, archive)
                bar.update()


def _members(archive: Path) -> Iterator[Member]:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                plain = kind in (0, stat.S_IFREG, stat.S_IFDIR)
                if not plain or entry.flag_bits & 1:
                    _refuse(archive, entry.filename)
                if entry.is_dir():
                    yield Member(entry.filename, 0, None)
                else:
                    with packed.open(entry) as content:
                        yield Member(entry.filename, entry.file_size, content)
    else:
        with tarfile.open(archive) as opened:
            yield from _tarred(opened, archive)


def _nested(member: Member) -> Iterator[Member]:
    """What is in a tar within a tar, below its name."""
    name = PurePosixPath(member.name)
    with tarfile.open(fileobj=member.content) as opened:
        for one in _tarred(opened, name):
            yield Member(f"{name.with_suffix('')}/{one.name}", one.size,
                         one.content)  # fmt: skip


def _tarred(
    opened: tarfile.TarFile, archive: Path | PurePosixPath
) -> Iterator[Member]:
    for entry in opened:
        if entry.isdir():
            yield Member(entry.name, 0, None)
        elif entry.isreg():
            yield Member(entry.name, entry.size, opened.extractfile(entry))
        else:
            _refuse(archive, entry.name)


def _write(member: Member, folder: Path, archive: Path) -> None:
    windows = PureWindowsPath(member.name)  # the stricter of the two
    if (
        windows.drive or windows.root or ".." in windows.parts
        or "\\" in member.name or "\0" in member.name
    ):  # fmt: skip
        _refuse(archive, member.name)
    place = folder / member.name
    if member.content is None:
        place.mkdir(parents=True, exist_ok=True)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        shutil.copyfileobj(member.content, file, PIECE)
        if file.tell() != member.size:
            raise EOFError(f"{member.name} in it is not as long as it says")


def _refuse(archive: Path | PurePosixPath, name: str) -> None:
    raise BadArchive(
        f"{archive}: {name[:80]!r} in it is a link, a device, locked, or "
        "leads out of its folder; nothing was kept of it: delete it, it is "
        "not the published one"
    )


@contextmanager
def _damage_named(archive: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        [said, *_] = [*f"{error}".splitlines(), ""]
        raise BadArchive(
            f"{archive}: damaged, or cut short ({said.rstrip(':')}); delete "
            "it and fetch it again"
        ) from error
