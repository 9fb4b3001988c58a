"""One real set, from its makers' address to pictures ready to train on.

Each published file becomes one folder or file below the root, in one
move, so that what is there is complete and is never made twice. Then the
set is read, counted, and decoded into the place where training looks.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pooch
from tqdm import tqdm

from packnet_book.locks import alone
from packnet_book.photos.download import download
from packnet_book.photos.errors import BadArchive, BadDownload, ByHand, NoRoom
from packnet_book.photos.imagenet import sort_validation
from packnet_book.photos.layouts import read_set
from packnet_book.photos.listing import Listing
from packnet_book.photos.manifest import RealPictures, SetFile
from packnet_book.photos.preparation import Preparation
from packnet_book.photos.store import Stored, stored
from packnet_book.photos.unpack import unpack
from packnet_book.places import decoded
from packnet_core.errors import BadPictures

ARCHIVES = "archives"  # the folder, below the root, of what is downloaded


@dataclass(frozen=True)
class Fetched:
    """A set that is ready.

    kept: its pictures are decoded, `size` pixels wide, and need not be
    again; first: the folder that is read instead of this set where
    nothing else is said, as it comes earlier, or None.
    """

    about: RealPictures
    root: Path
    size: int
    kept: bool
    first: Path | None

    def __str__(self) -> str:
        about, archives = self.about, self.root / ARCHIVES
        lines = [
            f"{about.name}: {about.train:,} training and {about.test:,} "
            f"test pictures of {about.classes} classes, in "
            f"{self.root / about.folder}",
            f"decoded once, for {self.size} px, in {decoded()}"
            if self.kept
            else "not kept decoded: they are read anew in each epoch",
            f"terms: {about.terms}",
            f"cite: {about.citation}",
        ]
        if archives.is_dir():
            lines.append(f"{archives} is not needed any more; delete it to "
                         "save space")  # fmt: skip
        if self.first:
            lines.append(
                f"note: {self.first} is read first; training on "
                f"{about.name} needs a root of its own"
            )
        return "\n".join(lines)


def fetch(
    about: RealPictures,
    root: Path,
    size: int = 224,
    *,
    mirror: str | None = None,
) -> Fetched:
    """Download, check, unpack, count and decode one set.

    root: where it is put; size: side in pixels that pictures are prepared
    for; mirror: an address below which all its files lie, instead of
    their makers'. What is done already is checked and left as it is.
    Raises ByHand, BadDownload, BadArchive, NoRoom, BadPictures, OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    wait = f"{root}: another process prepares {about.name}; waiting for it"
    with (
        alone(root / f".{about.name}.lock", wait),
        _place_named(root),
    ):
        try:
            train, test = _both(about, root)
        except BadPictures:
            lacking = [f for f in about.files if not _made(root / f.makes)]
            if not lacking:
                raise
            (root / ARCHIVES).mkdir(exist_ok=True)
            _ask_for(about, root, [] if mirror else lacking)
            _look_for_room(about, root, lacking)
            for file in lacking:
                _make(file, about, root, mirror)
            train, test = _both(about, root)
        preparation = Preparation(size, about.cropped)
        kept = [stored(listing, preparation) for listing in (train, test)]
        usual = read_set(about.task, root, "test").files[0]
    return Fetched(
        about, root, size, all(isinstance(x, Stored) for x in kept),
        None if usual == test.files[0]
        else root / usual.relative_to(root).parts[0],
    )  # fmt: skip


def _ask_for(about: RealPictures, root: Path, files: list[SetFile]) -> None:
    """Raise ByHand if files are missing that nothing can download."""
    wanted = [
        file
        for file in files
        if file.address is None and not _found(file, about, root).exists()
    ]
    if wanted:
        lines = [
            about.by_hand,
            f"Put these files into {root / ARCHIVES}, and run the same "
            "command again:",
            *(f"  {file.name}  (md5 {file.md5})" for file in wanted),
            "Or put what is in them, unpacked already, at",
            *(f"  {root / file.makes}" for file in wanted),
            f"Terms: {about.terms}",
        ]
        names = ", ".join(file.name for file in wanted)
        raise ByHand(
            f"{about.name}: to be fetched by hand, and not in "
            f"{root / ARCHIVES}: {names}",
            "\n".join(lines),
        )


def _found(file: SetFile, about: RealPictures, root: Path) -> Path:
    """Where a published file is: in the set's folder, or with the rest."""
    other = root / about.folder / file.name
    return other if other.is_file() else root / ARCHIVES / file.name


def _look_for_room(
    about: RealPictures, root: Path, files: list[SetFile]
) -> None:
    """Raise NoRoom if the files and what is in them will not fit."""
    needed = 0
    for file in files:
        there = _found(file, about, root)
        part = there.with_name(f"{there.name}.part")
        have = sum(x.stat().st_size for x in (there, part) if x.exists())
        whole = file.bytes or have
        needed += whole + max(whole - have, 0)
    free = shutil.disk_usage(root).free
    if needed > free:
        raise NoRoom(
            f"{root}: {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB "
            "are free; free some space, or name another root"
        )


def _make(
    file: SetFile, about: RealPictures, root: Path, mirror: str | None
) -> None:
    """Make one folder or file below the root, all of it or nothing."""
    source = _found(file, about, root)
    address = f"{mirror.rstrip('/')}/{file.name}" if mirror else file.address
    if address is not None and source.parent.name == ARCHIVES:
        download(address, source, file.md5)
    else:
        _compare(source, file)
    half, made = root / f".{about.name}-unpacking", root / file.makes
    _clear(half)
    try:
        if file.how == "copy":
            half.mkdir()
            done = Path(shutil.copyfile(source, half / file.name))
        else:
            unpack(source, half, nested=file.how == "archive-a-class")
            done = half / file.takes
        if file.how == "imagenet-validation":
            kit = next(x for x in about.files if x.how == "unpack")
            sort_validation(done, root / kit.makes)
        if not done.exists():
            raise BadArchive(
                f"{source}: no {file.takes} in it; delete it and fetch it "
                "again"
            )
        made.parent.mkdir(parents=True, exist_ok=True)
        if made.is_dir():  # an empty one, which Windows does not replace
            made.rmdir()
        done.rename(made)
    finally:
        _clear(half)


def _made(place: Path) -> bool:
    return place.is_file() or (place.is_dir() and any(place.iterdir()))


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _compare(source: Path, file: SetFile) -> None:
    """Raise BadDownload unless a file fetched by hand is the right one."""
    tqdm.write(f"{source}: comparing its checksum", file=sys.stderr)
    found = pooch.file_hash(str(source), alg="md5")
    if found != file.md5:
        size, right = source.stat().st_size, file.bytes
        cut = f", {size:,} of {right:,} bytes" if right else ""
        raise BadDownload(
            f"{source}: not the file that was published: its md5 is {found}"
            f"{cut}, not {file.md5}; delete it and fetch it again"
        )


def _both(about: RealPictures, root: Path) -> tuple[Listing, Listing]:
    return _counted(about, root, "train"), _counted(about, root, "test")


def _counted(about: RealPictures, root: Path, split: str) -> Listing:
    """One split, as large as it was published, every file there."""
    place = root / about.folder
    again = f"delete {place} and run the same command again"
    listing = read_set(about.task, root, split, folder=about.folder)
    right = about.train if split == "train" else about.test
    if (len(listing), len(listing.classes)) != (right, about.classes):
        raise BadPictures(
            f"{place}: {len(listing):,} {split} pictures of "
            f"{len(listing.classes)} classes, where {right:,} of "
            f"{about.classes} were published; {again}"
        )
    for picture in listing.files:
        if not picture.is_file():
            raise BadPictures(f"{picture}: no such file; {again}")
    return listing


@contextmanager
def _place_named(root: Path) -> Iterator[None]:
    """Let an error of the system say which place it is about."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(root)) from error
        raise
