"""The task's name, taken away: which head is believed then.

What every head says of every test picture is given; the page shows some
pictures, and the shares of all of them.
"""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO

import torch
from PIL import Image
from torch import Tensor

from packnet_book.explorer.page import Page
from packnet_book.interactives.page import page
from packnet_book.runs import inference
from packnet_core.images import Pictures

EACH = 4  # pictures of a task that are shown
QUALITY = 80  # of a shown picture, of 100


def take_name_away(
    pictures: Mapping[str, Pictures],
    outputs: Mapping[str, Sequence[Tensor]],
    title: str = "Take the task’s name away",
) -> Page:
    """A page on which pictures lose the name of their task.

    pictures: the test pictures of each task, in the tasks' order, bytes
    in memory; outputs: for each task the logits (N, classes) of all heads
    in their views, in the same order. Raises ValueError if a task has not
    one list of logits for each.
    """
    tasks = list(pictures)
    for task in tasks:
        if len(outputs[task]) != len(tasks):
            raise ValueError(
                f"{task}: {len(outputs[task])} outputs for {len(tasks)} "
                "views: give those of all heads"
            )
    data = {
        "tasks": tasks,
        "counts": [len(pictures[task].labels) for task in tasks],
        "named": [
            _wrong(outputs[task][place], pictures[task].labels)
            for place, task in enumerate(tasks)
        ],
        "ways": [
            {"name": way, **_believed(pictures, outputs, way)}
            for way in inference.WAYS
        ],
        "shown": [
            shown
            for place, task in enumerate(tasks)
            for shown in _shown(place, pictures, outputs[task])
        ],
    }
    return page(
        "names",
        title,
        f"Test pictures of {', '.join(tasks)}, answered with and without "
        "the name of their task.",
        data,
        height=1000,
    )


def _wrong(logits: Tensor, labels: Tensor) -> int:
    return int((logits.argmax(1) != labels).sum())


def _believed(
    pictures: Mapping[str, Pictures],
    outputs: Mapping[str, Sequence[Tensor]],
    way: str,
) -> dict:
    """How many pictures of each task are taken for each, and are wrong."""
    believed, wrong = [], []
    for place, (task, own) in enumerate(pictures.items()):
        views = outputs[task]
        chosen = inference.believed(way, views)
        believed.append(chosen.bincount(minlength=len(views)).tolist())
        right = views[place].argmax(1) == own.labels
        wrong.append(int((~right | (chosen != place)).sum()))
    return {"believed": believed, "wrong": wrong}


def _shown(
    place: int, pictures: Mapping[str, Pictures], views: Sequence[Tensor]
) -> list[dict]:
    """Some pictures of a task, evenly spaced, and what all heads say."""
    tasks = list(pictures)
    own = pictures[tasks[place]]
    assert isinstance(own.images, Tensor)
    chosen = torch.linspace(0, len(own.labels) - 1, EACH).round().long()
    ways = [inference.believed(way, views) for way in inference.WAYS]
    return [
        {
            "task": place,
            "label": own.classes[own.labels[i]],
            "image": _image(own.images[i]),
            "believed": [int(way[i]) for way in ways],
            "heads": [
                [
                    pictures[task].classes[logits[i].argmax()],
                    round(float(logits[i].max()), 4),
                    round(float(logits[i].softmax(0).max()), 4),
                    round(float(inference.entropy(logits[i : i + 1])), 4),
                ]
                for task, logits in zip(tasks, views)
            ],
        }
        for i in chosen.tolist()
    ]


def _image(pixels: Tensor) -> str:
    """A picture (3, H, W), bytes, as data that a page can hold."""
    written = BytesIO()
    Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(
        written, format="webp", quality=QUALITY
    )
    told = base64.b64encode(written.getvalue()).decode()
    return f"data:image/webp;base64,{told}"
