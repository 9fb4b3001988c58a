"""Folders of pictures, one for each class, as people have them.

What is not read is told, on standard error: deeper folders, links that
lead nowhere, classes without a test picture. Hidden files and those of
the system (Thumbs.db, __MACOSX) are passed over.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from tqdm import tqdm

from packnet_book.photos.listing import Listing
from packnet_core.errors import BadPictures
from packnet_core.images import wanted

LAYOUT = "expected DIR/train/<class>/* and DIR/test/<class>/*"
SHOWN = 5  # names in a message, at most


@dataclass(frozen=True)
class Inside:
    """The names of what is in a folder, in order; other: links that lead
    nowhere or to themselves, pipes and devices."""

    folders: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def inside(folder: Path) -> Inside:
    """What is in a folder, without what is hidden. Raises BadPictures."""
    found = Inside()
    try:
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if not wanted(entry.name):
                    continue
                _kind(entry, found).append(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        raise BadPictures(f"{folder}: no such folder; {LAYOUT}") from None
    except OSError as error:
        raise BadPictures(
            f"{folder}: cannot be read ({error.strerror}); allow yourself to "
            "read it, or copy it to another place"
        ) from error
    return found


def _kind(entry: os.DirEntry, found: Inside) -> list[str]:
    """Where the name of an entry belongs."""
    with suppress(OSError):  # of links in a circle
        if entry.is_dir():
            return found.folders
        if entry.is_file():
            return found.files
    return found.other


def pictures_in(folder: Path, left_out: list[str]) -> list[str]:
    """The names of a folder's files; what else is in it is noted."""
    found = inside(folder)
    deeper = sum(_count(folder / name) for name in found.folders)
    if deeper:
        left_out.append(
            f"{folder}: {deeper} file(s) in deeper folders "
            f"({some(found.folders)}); move them up"
        )
    if found.other:
        left_out.append(
            f"{folder}: {len(found.other)} link(s) that lead nowhere, or no "
            f"files ({some(found.other)})"
        )
    return found.files


def read_classes(
    root: Path,
    split: str,
    *,
    test: str = "test",
    classes: tuple[str, ...] | None = None,
) -> Listing:
    """Folders of classes: `root/train/<class>/*`, `root/<test>/<class>/*`.

    classes: in the order of their labels; if None those of the training
    set, in the order of their names. Accents may be written as one
    character or as two. Raises BadPictures.
    """
    folder = root / (test if split == "test" else split)
    left_out: list[str] = []
    there = _classes(folder, left_out)
    known = classes or tuple(_classes(root / "train", []).values())
    alike = {_composed(name): name for name in known}
    strange = [name for key, name in there.items() if key not in alike]
    if strange:
        raise BadPictures(
            f"{folder / strange[0]}: a class that the training set does not "
            "have; remove it, or add training pictures of it"
        )
    files: list[Path] = []
    labels: list[int] = []
    without = []
    for label, name in enumerate(known):
        own, before = there.get(_composed(name)), len(left_out)
        names = pictures_in(folder / own, left_out) if own else []
        if split == "train" and not names:
            raise BadPictures(
                f"{folder / name}: no pictures in it; add some or remove "
                f"the folder{_said(left_out[before:])}"
            )
        if not names:
            without.append(name)
        files += [folder / own / file for file in names if own]
        labels += [label] * len(names)
    if without and files:
        left_out.append(
            f"{folder}: no picture of {len(without)} class(es) "
            f"({some(without)}), which are not tested"
        )
    tell(left_out)
    return checked(
        Listing(tuple(files), tuple(labels), tuple(known)), folder, split
    )


def checked(listing: Listing, place: Path, split: str) -> Listing:
    """The listing, if there is something to learn in it."""
    if len(listing.classes) < 2:
        raise BadPictures(
            f"{place}: {len(listing.classes)} class(es), at least two are "
            f"needed; {LAYOUT}"
        )
    if not len(listing):
        raise BadPictures(f"{place}: no {split} pictures in it; {LAYOUT}")
    return listing


def tell(left_out: Iterable[str]) -> None:
    """Say on standard error what is left out."""
    for one in left_out:
        tqdm.write(_printable(f"left out: {one}"), file=sys.stderr)


def some(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - SHOWN
    shown = ", ".join(map(repr, names[:SHOWN]))
    return f"{shown} and {more} more" if more > 0 else shown


def _classes(folder: Path, left_out: list[str]) -> dict[str, str]:
    """A folder's classes in order, by their names with composed accents."""
    found = inside(folder)
    named: dict[str, str] = {}
    for name in found.folders:
        other = named.setdefault(_composed(name), name)
        if other != name:
            raise BadPictures(
                f"{folder}: two folders {name!r} whose accents are written "
                "in two ways; put their pictures into one"
            )
    beside = found.files + found.other
    if beside and not named:
        raise BadPictures(
            f"{folder}: {len(beside)} file(s) and no folder for each class; "
            f"sort them into such folders: {LAYOUT}"
        )
    if beside:
        left_out.append(
            f"{folder}: {len(beside)} that are no folders of a class "
            f"({some(beside)})"
        )
    return named


def _composed(name: str) -> str:
    return normalize("NFC", name)


def _count(folder: Path) -> int:
    """How many files are in a folder, however deep."""
    return sum(
        wanted(name) for _, _, names in os.walk(folder) for name in names
    )


def _said(left_out: list[str]) -> str:
    return f" ({'; '.join(left_out)})" if left_out else ""


def _printable(text: str) -> str:
    """As text that any console takes, on one line."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text.replace("\n", "\\n").replace("\r", "\\r")
