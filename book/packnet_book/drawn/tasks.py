"""The four tasks by name: one picture, or a balanced set of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from packnet_book.drawn.bird_species import BIRDS
from packnet_book.drawn.birds import draw_bird
from packnet_book.drawn.canvas import resize
from packnet_book.drawn.car_models import CARS
from packnet_book.drawn.cars import draw_car
from packnet_book.drawn.flowers import FLOWERS, draw_flower
from packnet_book.drawn.objects import draw_object
from packnet_book.drawn.scene import Chance, Scene
from packnet_book.drawn.things import THINGS
from packnet_core.images import Pictures


@dataclass(frozen=True)
class _Task:
    classes: tuple[str, ...]
    draw: Callable[[int, Chance, int], Scene]


_TASKS = {
    "objects": _Task(tuple(t.__name__ for t in THINGS), draw_object),
    "birds": _Task(tuple(b.name for b in BIRDS), draw_bird),
    "cars": _Task(tuple(c.name for c in CARS), draw_car),
    "flowers": _Task(tuple(f.name for f in FLOWERS), draw_flower),
}

TASKS: tuple[str, ...] = tuple(_TASKS)
SPLITS = ("train", "val", "test")


def class_names(task: str) -> tuple[str, ...]:
    """The names of the classes, in the order of the labels."""
    return _known(task).classes


def draw_scene(
    task: str,
    label: int,
    *,
    seed: int,
    split: str,
    index: int,
    size: int = 48,
) -> Scene:
    """One picture, decided by (seed, task, split, index) and the label.

    Birds and cars: a scene of 5/3 by 4/3 the size, with the box of the
    figure. Objects and flowers: a square of 8/7 of the size, no box.
    """
    known = _known(task)
    if split not in SPLITS:
        raise ValueError(f"no split {split!r}: choose one of {SPLITS}")
    if not 0 <= label < len(known.classes):
        raise ValueError(
            f"no label {label}: {task!r} has "
            f"{len(known.classes)} classes, counted from 0"
        )
    chance = Chance(f"{seed}/{task}/{split}/{index}")
    return known.draw(label, chance, size)


def crop(scene: Scene, size: int) -> NDArray[np.uint8]:
    """What the network sees of a scene: uint8 (3, side, side).

    A scene with a box: its content at size x size, whatever its shape
    (Mallya & Lazebnik 2018, section 4). Without one: the whole picture.
    """
    image = scene.image.transpose(2, 0, 1)
    if scene.box is None:
        return image
    x, y, width, height = scene.box
    inside = image[:, y : y + height, x : x + width]
    return resize(inside, size, size).astype(np.uint8)


def draw(
    task: str, split: str, per_class: int, *, seed: int = 0, size: int = 48
) -> Pictures:
    """Draw per_class pictures of every class of one task.

    images: (N, 3, S, S) for birds and cars, S = size; objects and
    flowers come at S = round(size * 8 / 7), to be cropped to the size as
    the paper crops 224 out of 256. Labels run 0, 1, ..., 0, 1, ...: a
    smaller set is the beginning of a larger one.
    Raises ValueError for an unknown task or split.
    """
    classes = class_names(task)
    labels = torch.arange(per_class * len(classes)) % len(classes)
    images = [
        crop(
            draw_scene(
                task, label, seed=seed, split=split, index=index, size=size
            ),
            size,
        )
        for index, label in enumerate(labels.tolist())
    ]
    return Pictures(torch.from_numpy(np.stack(images)), labels, classes)


def _known(task: str) -> _Task:
    if task not in _TASKS:
        raise ValueError(f"no task {task!r}: choose one of {TASKS}")
    return _TASKS[task]


def centre(images: Tensor, size: int) -> Tensor:
    """The square (B, 3, size, size) in the middle of each picture."""
    top = (images.shape[2] - size) // 2
    left = (images.shape[3] - size) // 2
    return images[:, :, top : top + size, left : left + size]
