"""The lists that come with published sets, as text or from MATLAB.

Whatever is wrong in one is BadPictures, with the file and the line.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

import numpy
import scipy.io

from packnet_core.errors import BadPictures


@dataclass(frozen=True)
class Line:
    """One line of a list: its words, and where it stands, from 1."""

    file: Path
    place: int
    words: tuple[str, ...]

    def refuse(self, why: str) -> NoReturn:
        """Raise BadPictures for this line."""
        raise BadPictures(
            f"{self.file}, line {self.place}: {why}; unpack the archive again"
        )

    def whole(self, word: int, first: int, last: int) -> int:
        """A word as a whole number in a range."""
        text = self.words[word]
        if text.isascii() and text.isdigit() and first <= int(text) <= last:
            return int(text)
        self.refuse(f"{text[:40]!r}, not a number from {first} to {last}")

    def name(self, word: int) -> str:
        """A word as the name of a file below the list's folder."""
        text = self.words[word]
        path = PurePosixPath(text)
        if path.is_absolute() or ".." in path.parts or "\0" in text:
            self.refuse(f"{text[:40]!r} leads out of the folder")
        return text

    def box(self) -> tuple[int, int, int, int]:
        """All its words as left, top, width and height, in pixels."""
        try:
            left, top, width, height = (round(float(w)) for w in self.words)
        except (ValueError, OverflowError):
            width = height = 0
        if width < 1 or height < 1:
            self.refuse(f"{' '.join(self.words)[:60]!r} is not a box")
        return left, top, width, height


def lines(
    file: Path, words: int, *, more: bool = False, separator: str = ""
) -> list[Line]:
    """A text file's lines of so many words; empty ones are passed over.

    more: further words may follow; separator: between words, else white
    space. Raises BadPictures.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPictures(
            f"{file}: cannot be read ({error}); unpack the archive again"
        ) from error
    found = []
    for place, one in enumerate(text.split("\n"), start=1):
        words_of = one.split(separator) if separator else one.split()
        line = Line(file, place, tuple(word.strip() for word in words_of))
        if not any(line.words):
            continue
        if len(line.words) < words or (len(line.words) > words and not more):
            line.refuse(f"{one[:60]!r} where {words} words belong")
        found.append(line)
    return found


def numbered(file: Path, words: int) -> dict[int, Line]:
    """A text file's lines of a number and so many words, by the number.

    Raises BadPictures.
    """
    table: dict[int, Line] = {}
    for line in lines(file, words + 1):
        number = line.whole(0, 1, 10**9)
        if number in table:
            line.refuse(f"number {number} again")
        table[number] = Line(file, line.place, line.words[1:])
    return table


def matlab(file: Path, name: str) -> numpy.ndarray:
    """A variable of a .mat file, of one row. Raises BadPictures."""
    try:
        found = scipy.io.loadmat(
            file, squeeze_me=True, struct_as_record=False
        )
    except Exception as error:  # scipy has no error of its own for these
        raise BadPictures(
            f"{file}: cannot be read ({error}); unpack the archive again"
        ) from error
    if name not in found:
        raise BadPictures(
            f"{file}: no {name!r} in it; unpack the archive again"
        )
    return numpy.atleast_1d(found[name])


def numbers(file: Path, name: str, last: int) -> list[int]:
    """A variable of whole numbers from 1 to `last`. Raises BadPictures."""
    found = []
    for place, value in enumerate(matlab(file, name).flat, start=1):
        with entry_named(file, name, place):
            found.append(whole(value, last))
    return found


def whole(value: Any, last: int) -> int:
    """A whole number from 1 to `last`. Raises ValueError."""
    if int(value) != value or not 1 <= value <= last:
        raise ValueError(f"{value!r}, not a number from 1 to {last}")
    return int(value)


@contextmanager
def entry_named(file: Path, name: str, place: int) -> Iterator[None]:
    """What is wrong with an entry of a .mat file is BadPictures."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError,
            OverflowError) as error:  # fmt: skip
        raise BadPictures(
            f"{file}, entry {place} of {name!r}: {error}; unpack the "
            "archive again"
        ) from error
