"""Answers to the exercises of *Your own task*."""

import torch

from packnet_book.exercises.your_own_task import (
    check_predict,
    check_room,
    check_shared_pictures,
)
from tests.answers.cases import Case


def files(root, split):
    return sorted((root / split).glob("*/*"))


def shared(root):
    known = {file.read_bytes() for file in files(root, "train")}
    return {f for f in files(root, "test") if f.read_bytes() in known}


def shared_names(root):
    known = {file.name for file in files(root, "train")}
    return {f for f in files(root, "test") if f.name in known}


def shared_in_a_class(root):
    return {
        f
        for f in files(root, "test")
        if f.read_bytes()
        in {
            g.read_bytes() for g in (root / "train" / f.parent.name).iterdir()
        }
    }


def shared_sizes(root):
    known = {file.stat().st_size for file in files(root, "train")}
    return {f for f in files(root, "test") if f.stat().st_size in known}


def copies_in_training(root):
    known = {file.read_bytes() for file in files(root, "test")}
    return {f for f in files(root, "train") if f.read_bytes() in known}


def room(fractions):
    left = 1.0
    for fraction in fractions:
        left *= fraction
    return left


def room_kept(fractions):
    left = 1.0
    for fraction in fractions:
        left *= 1 - fraction
    return left


def room_of_the_last_fraction(fractions):
    return fractions[-1] if fractions else 1.0


def room_summed(fractions):
    return 1 - sum(fractions)


def named(network, task, outputs):
    classes = network.records[network.number(task) - 1].classes
    return [classes[number] for number in outputs.argmax(1).tolist()]


def predict(network, task, images):
    with torch.no_grad(), network.view(task):
        return named(network, task, network(images))


def predict_without_view(network, task, images):
    head = network.heads[network.number(task) - 1]
    with torch.no_grad():
        return named(network, task, head(network.features(images)))


def predict_numbers(network, task, images):
    with torch.no_grad(), network.view(task):
        return network(images).argmax(1).tolist()


def predict_by_the_last_head(network, task, images):
    with torch.no_grad():
        outputs = network(images)
    return named(network, network.tasks[-1], outputs)


def predict_one(network, task, images):
    return predict(network, task, images[:1])


CASES = (
    Case(
        check_shared_pictures,
        right=((shared,),),
        wrong=(
            (shared_names,), (shared_in_a_class,), (shared_sizes,),
            (copies_in_training,),
        ),
    ),
    Case(
        check_room,
        right=((room,),),
        wrong=((room_kept,), (room_of_the_last_fraction,), (room_summed,)),
    ),
    Case(
        check_predict,
        right=((predict,),),
        wrong=(
            (predict_without_view,), (predict_numbers,),
            (predict_by_the_last_head,), (predict_one,),
        ),
    ),
)  # fmt: skip
