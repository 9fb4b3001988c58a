"""A list of picture files with their classes, before any is opened."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from packnet_core.errors import BadPictures

HELD_OUT = 5  # one training picture of so many, where something is chosen

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Listing:
    """The pictures of one split of one set.

    labels: of each file, in [0, len(classes)); boxes: of each file, its
    object's left, top, right and bottom edge in pixels, counted from 0,
    the last two just outside; None where pictures are used whole.
    """

    files: tuple[Path, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    boxes: tuple[Box, ...] | None = None

    def __len__(self) -> int:
        return len(self.files)

    def take(self, places: Iterable[int]) -> "Listing":
        """Some of the pictures, by their places."""
        places = list(places)
        return Listing(
            tuple(self.files[place] for place in places),
            tuple(self.labels[place] for place in places),
            self.classes,
            None if self.boxes is None
            else tuple(self.boxes[place] for place in places),
        )  # fmt: skip

    def of_each_class(self) -> list[list[int]]:
        """The places of each class's pictures, for classes that have any."""
        places = defaultdict(list)
        for place, label in enumerate(self.labels):
            places[label].append(place)
        return [places[label] for label in sorted(places)]

    def of_classes(self, chosen: range) -> "Listing":
        """The pictures of some classes; the first's label becomes 0.

        Raises BadPictures for a set that has not all of them.
        """
        if chosen and max(chosen) >= len(self.classes):
            raise BadPictures(
                f"a set of {len(self.classes)} classes, and class "
                f"{max(chosen) + 1} is wanted of it: fetch the whole set "
                "and its list of classes again"
            )
        there = self.take(
            place
            for place, label in enumerate(self.labels)
            if label in chosen
        )
        labels = tuple(map(chosen.index, there.labels))
        classes = tuple(self.classes[n] for n in chosen)
        return replace(there, labels=labels, classes=classes)

    def subset(self, share: float) -> "Listing":
        """The first pictures of each class, at least one."""
        kept = [
            place
            for own in self.of_each_class()
            for place in own[: max(round(share * len(own)), 1)]
        ]
        return self.take(sorted(kept))

    def divided(self) -> tuple["Listing", "Listing"]:
        """A training set without, and with only, the pictures held out.

        They are each class's fifth, tenth, …, the same every time.
        """
        held = {
            place
            for own in self.of_each_class()
            for place in own[HELD_OUT - 1 :: HELD_OUT]
        }
        rest = set(range(len(self))) - held
        return self.take(sorted(rest)), self.take(sorted(held))
