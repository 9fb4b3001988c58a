"""The real sets that can be had: their files, checksums, terms, citation.

They are written down in `data/manifests/sets.json` in the repository, and
in the package where it is installed.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Literal

from packnet_book.places import shipped

How = Literal["copy", "unpack", "archive-a-class", "imagenet-validation"]


@dataclass(frozen=True)
class SetFile:
    """One published file of a set.

    address: None where a person must fetch it; bytes: None where its size
    is not known; how: what is done with it; takes: the folder in it that
    is wanted, all if empty; makes: what this becomes, below the root.
    """

    name: str
    address: str | None
    md5: str
    bytes: int | None
    how: How
    takes: str
    makes: str


@dataclass(frozen=True)
class RealPictures:
    """One set as its makers publish it.

    name: how the command calls it; task: one of `layouts.LAYOUTS`;
    folder: where it lies below the root; cropped: its pictures are cut
    out along their boxes; classes, train, test: how many it has; home:
    its page; by_hand: why a person must fetch it, and where, or empty;
    read: where all of this was read.
    """

    name: str
    title: str
    task: str
    folder: str
    cropped: bool
    classes: int
    train: int
    test: int
    home: str
    by_hand: str
    terms: str
    citation: str
    read: str
    files: tuple[SetFile, ...]


@cache
def known_sets() -> dict[str, RealPictures]:
    """Every set of the manifest, by name."""
    file = shipped("manifests", "manifests") / "sets.json"
    written = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: RealPictures(
            name=name,
            **{
                **about,
                "files": tuple(SetFile(**file) for file in about["files"]),
            },
        )
        for name, about in written["sets"].items()
    }
