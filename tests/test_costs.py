"""Operations and bytes are counted right, and of the stages there are."""

from dataclasses import replace

import pytest
import torch
from pandas import DataFrame
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from packnet_book.runs.costs import (
    Work,
    answering,
    bookkeeping,
    kept_for_backward,
    step_memory,
    training,
    widest,
)
from packnet_book.runs.methods import METHODS
from packnet_book.runs.planner import (
    SETS,
    T4,
    SetSize,
    cost_table,
    hours,
    plan,
    without_first,
)
from packnet_book.runs.presets import PAPER
from packnet_core.trunks import NAMES, Architecture, build

VGG = Architecture("vgg16")
# By hand: side of the picture, channels in, channels out.
CONVOLUTIONS = (
    (224, 3, 64), (224, 64, 64),
    (112, 64, 128), (112, 128, 128),
    (56, 128, 256), (56, 256, 256), (56, 256, 256),
    (28, 256, 512), (28, 512, 512), (28, 512, 512),
    (14, 512, 512), (14, 512, 512), (14, 512, 512),
)  # fmt: skip
FIRST = 224 * 224 * 3 * 3 * 3 * 64
LINEAR = 7 * 7 * 512 * 4096 + 4096 * 4096
ADDED = ("cubs", "cars", "flowers")


def test_vgg16_takes_fifteen_and_a_half_thousand_million_multiply_adds():
    convolutions = sum(
        side * side * 3 * 3 * into * out for side, into, out in CONVOLUTIONS
    )
    assert convolutions == 15_346_630_656
    by_hand = convolutions + LINEAR + 4096 * 1000
    assert answering(VGG, [1000]) == 2 * by_hand
    assert 15.3e9 < by_hand < 15.5e9


def test_backward_takes_twice_forward_but_for_the_first_layers_input():
    forward = answering(VGG, [1000])
    assert training(VGG, Work((1000,))) == 3 * forward - 2 * FIRST


def test_a_head_alone_costs_a_forward_pass_and_itself_once_more():
    fixed = training(VGG, Work((200,), trunk=False))
    assert fixed == answering(VGG, [200]) + 2 * 4096 * 200


def test_a_teacher_costs_one_more_forward_pass():
    alone = training(VGG, Work((1000, 200)))
    taught = training(VGG, Work((1000, 200), teacher=True))
    assert taught == alone + answering(VGG, [1000])


@pytest.mark.parametrize("name", NAMES)
def test_every_network_can_be_counted(name):
    architecture = Architecture(name, size=64)
    forward = answering(architecture, [10])
    assert 2 < training(architecture, Work((10,))) / forward <= 3
    assert step_memory(architecture, Work((10,))).gt(0).sum() == 5


def test_what_vgg16_keeps_for_the_backward_pass_is_counted_by_hand():
    maps = sum(side * side * out for side, _, out in CONVOLUTIONS)
    pooled = sum(
        (side // 2) ** 2 * out
        for side, out in zip((224, 112, 56, 28, 14), (64, 128, 256, 512, 512))
    )
    # Each map once, for ReLU works in place; each pooled one, and where
    # its maxima were, in 8 bytes; the picture; of both hidden layers the
    # input's copy or the sums, the mask of dropout, and its product.
    hidden = 7 * 7 * 512 + 2 * 3 * 4096
    floats = 224 * 224 * 3 + maps + pooled + hidden
    kept = kept_for_backward(VGG, Work((1000,)))
    assert kept == pytest.approx(4 * floats + 8 * pooled, rel=1e-3)
    half = kept_for_backward(VGG, Work((1000,)), "fp16")
    assert half == pytest.approx(2 * floats + 8 * pooled, rel=1e-3)
    assert kept_for_backward(VGG, Work((200,), trunk=False)) == 4 * 4096


@pytest.mark.parametrize("half", [False, True])
def test_it_is_what_a_real_pass_keeps(half):
    architecture = Architecture("vgg16", width=0.25, size=64)
    trunk = build(architecture)
    head = nn.Linear(trunk.out_features, 10)

    def kept(batch):
        seen = {}

        def keep(tensor):
            storage = tensor.untyped_storage()
            seen[storage._cdata] = (storage.nbytes(), tensor)
            return tensor

        with (
            saved_tensors_hooks(keep, lambda tensor: tensor),
            torch.autocast("cpu", torch.bfloat16, enabled=half),
        ):
            head(trunk(torch.rand(batch, 3, 64, 64))).sum()
        return sum(size for size, _ in seen.values())

    counted = kept_for_backward(
        architecture, Work((10,)), "bf16" if half else "no"
    )
    each = (kept(5) - kept(1)) / 4  # without the weights
    assert counted == pytest.approx(each, rel=0.03)


def test_memory_of_a_step_by_part():
    parts = step_memory(VGG, Work((1000,), guarded=True))
    everything = 138_357_544  # as torchvision says
    assert parts["weights"] == parts["gradients"] == 4 * everything
    assert parts["momentum"] == 4 * everything
    assert parts["owner map"] == 134_248_128 + 0
    assert parts["guard's copy"] == 4 * 134_248_128
    assert parts["teacher"] == parts["half copies"] == 0
    quarter = step_memory(VGG, Work((1000,), guarded=True), accumulate=4)
    assert 4 * quarter["activations"] == parts["activations"]
    assert quarter.drop("activations").equals(parts.drop("activations"))
    head = step_memory(VGG, Work((200,), trunk=False, guarded=True))
    assert head["gradients"] == 4 * (4096 * 200 + 200)


def test_the_widest_layer_of_vgg16_is_its_second():
    assert widest(VGG) == 4 * 2 * 64 * 224 * 224


def test_the_stages_of_packnet_are_those_of_the_paper():
    stages = plan(PAPER, "packnet")
    assert [(s.title, s.task) for s in stages] == [
        ("train", "imagenet"),
        ("prune", "imagenet"), ("retrain", "imagenet"),
        ("add", "cubs"), ("prune", "cubs"), ("retrain", "cubs"),
        ("add", "cars"), ("prune", "cars"), ("retrain", "cars"),
        ("add", "flowers"),
    ]  # fmt: skip
    assert stages[0].phase is None  # ImageNet's network is there already
    assert stages[2].phase == PAPER.retrain_first
    assert [s.phase for s in stages if s.title == "add"] == 3 * [PAPER.add]
    assert all(s.work.guarded and s.work.trunk for s in stages[1:])
    assert stages[-1].tested == ("imagenet", *ADDED)


@pytest.mark.parametrize(
    ("method", "trunk", "guarded", "teacher", "heads"),
    [
        ("individual", True, False, False, 1),
        ("classifier-only", False, True, False, 1),
        ("sequential", True, False, False, 1),
        ("lwf", True, False, True, 4),
        ("joint", True, False, False, 4),
    ],
)
def test_what_the_last_stage_of_a_method_trains(
    method, trunk, guarded, teacher, heads
):
    work = plan(PAPER, method)[-1].work
    assert (work.trunk, work.guarded) == (trunk, guarded)
    assert (work.teacher, len(work.heads)) == (teacher, heads)


def test_a_cost_table_counts_whole_batches_of_every_epoch():
    small = replace(PAPER, architecture=Architecture("vgg16", 1 / 32, 32))
    sets = {name: SetSize(3, 70, 9) for name in SETS}
    table = cost_table(small, "packnet", sets).set_index(["title", "task"])
    added = table.loc["add", "cubs"]
    assert (added.steps, added.images) == (40, 20 * 64)  # two of 32
    work = Work((3,), guarded=True)
    assert added.moved == 40 * bookkeeping(small.architecture, work)
    assert added.tested == 2 * 9  # ImageNet and birds
    each = training(small.architecture, Work((3,)))
    assert added.train == 20 * 64 * each
    assert added.test == 18 * answering(small.architecture, [3])
    joint = cost_table(small, "joint", sets).iloc[-1]
    assert joint.images == 20 * (4 * 70 // 32 * 32)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_cost_table(method):
    table = cost_table(PAPER, method)
    assert table.train.sum() > 0 and (table.test > 0).all()


def test_bookkeeping_is_twenty_bytes_a_weight_and_the_guard_twenty_two():
    alone = bookkeeping(VGG, Work((1000,)))
    assert alone == 20 * 138_357_544
    guarded = bookkeeping(VGG, Work((1000,), guarded=True))
    assert guarded == alone + 22 * 134_248_128
    head = bookkeeping(VGG, Work((200,), trunk=False, guarded=True))
    assert head == 20 * (4096 * 200 + 200)  # no gradient reaches the trunk


def test_hours_are_arithmetic_and_bookkeeping():
    cost = DataFrame({"train": [3000 * 65e12], "test": [600 * 65e12],
                      "moved": [1800 * 320e9]})  # fmt: skip
    assert hours(cost, T4, "fp16", 1.0).tolist() == pytest.approx([1.5])
    assert hours(cost, T4, "fp16", 0.5).tolist() == pytest.approx([2.5])


def test_without_imagenet_the_birds_come_first():
    stages = plan(without_first(PAPER), "packnet")
    assert {s.task for s in stages} == set(ADDED)
    assert (stages[0].title, stages[0].phase) == ("train", PAPER.alone)
    assert not stages[0].work.guarded  # it owns everything
