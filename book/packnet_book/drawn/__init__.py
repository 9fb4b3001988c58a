"""Four small tasks, drawn from a seed: nothing to download.

They stand for the data of the paper (ImageNet, CUBS, Stanford Cars,
Oxford Flowers): `objects` is broad, the other three tell close relatives
apart.
"""

from packnet_book.drawn.scene import Scene
from packnet_book.drawn.tasks import (
    SPLITS,
    TASKS,
    centre,
    class_names,
    crop,
    draw,
    draw_scene,
)

__all__ = [
    "SPLITS",
    "TASKS",
    "Scene",
    "centre",
    "class_names",
    "crop",
    "draw",
    "draw_scene",
]
