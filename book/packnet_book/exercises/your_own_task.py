"""Checks of the exercises of *Your own task*."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from packnet_book.exercises import called, expect, near, right
from packnet_core.network import PackNet


def check_shared_pictures(function: Callable) -> None:
    """Pictures that stand in the training set and in the test set.

    function: takes a folder (train/<class>/*, test/<class>/*) and returns
    the set of test files, as paths, whose content is that of some
    training file. Raises WrongAnswer.
    """
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name, content in {
            "train/cat/1.png": b"one", "train/cat/2.png": b"two",
            "train/dog/3.png": b"three", "test/cat/1.png": b"another one",
            "test/cat/9.png": b"two", "test/dog/4.png": b"one",
            "test/dog/5.png": b"eno",
        }.items():  # fmt: skip
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
        found = {Path(file) for file in called(function, root)}
        told = sorted(str(file.relative_to(root)) for file in found)
        expect(
            root / "test/cat/1.png" not in found,
            f"you name {told}; 1.png of train and of test have the same "
            "name, but not the same content",
        )
        expect(
            root / "test/dog/4.png" in found,
            f"you name {told}; test/dog/4.png is the picture of "
            "train/cat/1.png, in another class: that is a leak too, and a "
            "wrong label besides",
        )
        wanted = {root / "test/cat/9.png", root / "test/dog/4.png"}
        expect(
            found == wanted,
            f"you name {told}; the copies are test/cat/9.png and "
            "test/dog/4.png, and no others",
        )
        shutil.rmtree(root / "test")
        (root / "test").mkdir()
        expect(not called(function, root), "an empty test set shares nothing")
    right()


def check_room(function: Callable) -> None:
    """The share of all weights that the last of several tasks may use.

    function: takes the fractions freed after each task but the last,
    in order. Raises WrongAnswer.
    """
    for fractions, wanted, why in (
        ((), 1, "one task alone has everything"),
        ((0.5,), 0.5, "half is freed, and the second task has that half"),
        ((0.5, 0.75, 0.75, 0.5), 0.140625,
         "of 28.125 % that the fourth task has, it gives half away"),
        ((0.9, 0.9), 0.81, "nine tenths of nine tenths are free"),
        ((0.5, 0), 0, "a task that frees nothing leaves nothing"),
    ):  # fmt: skip
        near(called(function, fractions), wanted, f"{fractions}: {why}")
    right()


def check_predict(function: Callable) -> None:
    """The class that a task of a packed network gives to each picture.

    function: takes a network, the name of a task, and images (B, 3, 8,
    8), ready for the network; returns a list of B class names. Raises
    WrongAnswer.
    """
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = PackNet(nn.Sequential(nn.Flatten(), nn.Linear(192, 30)), 30)
        images = torch.randn(40, 3, 8, 8)
        network.add_task("shapes", ["disc", "square", "star"])
        network.prune(0.5)
        network.add_task("colours", ["red", "blue"])
        with torch.no_grad():
            for weight in network.layers.values():
                weight.add_((weight == 0) * torch.randn_like(weight) / 5)
    for task, names in (
        ("colours", ("red", "blue")), ("shapes", ("disc", "square", "star")),
    ):  # fmt: skip
        with torch.no_grad(), network.view(task):
            best = network(images).argmax(1).tolist()
        network.train()
        found = called(function, network, task, images)
        expect(
            len(found) == len(images),
            f"{len(images)} pictures, and you name {len(found)} classes",
        )
        wanted = [names[number] for number in best]
        expect(
            all(name in names for name in found),
            f"task {task!r} has the classes {names}; you name "
            f"{sorted(map(str, set(found) - set(names)))}",
        )
        same = sum(x == y for x, y in zip(found, wanted, strict=True))
        expect(
            same == len(images),
            f"task {task!r}: {same} of {len(images)} pictures get the class "
            "with the largest output in the task's own view",
        )
    right()
