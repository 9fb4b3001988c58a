"""Training and testing: resumable, exact, clear when it goes wrong."""

import copy
import json
import math
import time
from dataclasses import replace

import pytest
import torch
from torch import nn

from packnet_book.drawn import centre
from packnet_core import PackNet, training
from packnet_core.errors import BadRun, DamagedFile, Diverged
from packnet_core.evaluation import ErrorRates, evaluate, logits
from packnet_core.images import (
    MEAN,
    STD,
    Pictures,
    generator,
    normalise,
    shuffled,
)
from packnet_core.training import Phase, fit
from packnet_core.trunks import Architecture, build

SIZE = 32


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """Three classes that differ in colour, 36 px, easy to learn."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(48) % 3
    images = torch.randint(0, 90, (48, 3, 36, 36), generator=generator)
    images[torch.arange(48), labels] += 120
    return Pictures(images.byte(), labels, ("red", "green", "blue"))


def start(name="vgg16_bn") -> PackNet:
    torch.manual_seed(0)
    trunk = build(Architecture(name, width=1 / 32, size=SIZE))
    network = PackNet(trunk, trunk.out_features)
    network.add_task("colours", 3)
    return network


PHASE = Phase(
    4, 0.02, head_lr=0.05, batch=8, clip=1.0, schedule="cosine", warmup=1
)


def test_training_lowers_the_error(pictures):
    network = start()
    before = evaluate(network, pictures, size=SIZE)
    fit(network, pictures, replace(PHASE, epochs=12), size=SIZE)
    after = evaluate(network, pictures, size=SIZE)
    assert after.top1 < before.top1 - 20
    assert after.images == 48


class Killed(Exception):
    """Stands for the moment in which a process is gone."""


@pytest.mark.parametrize("moment", [1, 3, 7, 12, 23])
def test_a_phase_cut_short_resumes_to_a_bit_identical_end(
    pictures, tmp_path, monkeypatch, moment
):
    monkeypatch.setattr(training, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(training, "LONGEST_SHARE", math.inf)
    undisturbed = start()
    fit(undisturbed, pictures, PHASE, size=SIZE)

    save = training.Checkpoint.save
    saves = []

    def dying(*arguments):
        save(*arguments)
        saves.append(arguments)
        if len(saves) == moment:
            raise Killed

    monkeypatch.setattr(training.Checkpoint, "save", dying)
    file = tmp_path / "phase.checkpoint"
    with pytest.raises(Killed):
        fit(start(), pictures, PHASE, size=SIZE, checkpoint=file)
    resumed = start()
    fit(resumed, pictures, PHASE, size=SIZE, checkpoint=str(file))
    assert len(saves) == 24  # each step was trained once
    wanted = undisturbed.state_dict()
    for name, tensor in resumed.state_dict().items():
        assert torch.equal(tensor, wanted[name]), name


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": -3}, {"decay_every": 0}, {"schedule": "linear"},
     {"optimizer": "rmsprop"}],
)  # fmt: skip
def test_a_phase_that_cannot_be_trained_is_refused_when_it_is_made(wrong):
    with pytest.raises(BadRun, match=str(*wrong.values())):
        Phase(**{"epochs": 1, "lr": 0.1} | wrong)


def test_the_schedule_is_what_the_phase_says():
    step = Phase(20, 1e-3, schedule="step", decay_every=10)
    assert [step.factor(e) for e in (0, 9.9)] == [1, 1]
    assert step.factor(10) == pytest.approx(0.1)
    cosine = Phase(10, 1e-3, schedule="cosine", warmup=2)
    assert cosine.factor(0) == 0 and cosine.factor(1) == 0.5
    assert cosine.factor(5) == pytest.approx(0.5)
    assert cosine.factor(10) == pytest.approx(0)
    assert Phase(3, 1e-3).factor(2.5) == 1


def test_a_head_may_have_a_rate_of_its_own(pictures):
    network = start()
    before = copy.deepcopy(network.state_dict())
    still = Phase(1, 0.0, head_lr=0.1, batch=8)
    fit(network, pictures, still, size=SIZE)
    after = network.state_dict()
    for name in network.layers:
        assert torch.equal(after[f"trunk.{name}"], before[f"trunk.{name}"])
    assert not torch.equal(after["heads.0.weight"], before["heads.0.weight"])


def test_a_loss_that_is_no_number_stops_with_a_clear_error(pictures):
    network = start("vgg16")
    with pytest.raises(Diverged, match="lower the learning rate"):
        fit(network, pictures, Phase(50, 1e6, batch=8), size=SIZE)


def test_the_callers_random_numbers_are_left_alone(pictures):
    before = torch.get_rng_state()
    fit(start(), pictures, Phase(1, 0.01, batch=8), size=SIZE)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_seed_alone_decides(pictures):
    ends = []
    for seed in (1, 1, 2):
        network = start()
        torch.manual_seed(time.time_ns() % 1000)
        fit(network, pictures, PHASE, size=SIZE, seed=seed)
        ends.append(network.state_dict()["trunk.features.0.weight"])
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


class Fixed(nn.Module):
    """Says the same outputs (N, classes) whatever it is shown."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = outputs
        self.place = 0

    def forward(self, images):
        rows = self.outputs[self.place : self.place + len(images)]
        self.place += len(images)
        return rows


def test_errors_count_what_is_wrong():
    outputs = torch.eye(7)[torch.tensor([0, 1, 2, 3])] * 9.0
    outputs += torch.tensor([0.0, -1, -2, -3, -4, -5, -6])
    images = torch.zeros(4, 3, SIZE, SIZE, dtype=torch.uint8)
    #  right; second best; rank 6 (not in five); rank 7 (not in five)
    labels = torch.tensor([0, 0, 5, 6])
    test = Pictures(images, labels, tuple("abcdefg"))
    errors = evaluate(Fixed(outputs), test, size=SIZE, batch=3)
    assert (errors.top1, errors.top5, errors.images) == (75, 50, 4)
    few = Pictures(images, labels % 5, tuple("abcde"))
    errors = evaluate(Fixed(outputs[:, :5]), few, size=SIZE)
    assert math.isnan(errors.top5)


def test_testing_leaves_the_mode_as_it_was(pictures):
    network = start().train()
    evaluate(network, pictures, size=SIZE)
    assert network.training
    assert logits(network, pictures, size=SIZE).shape == (48, 3)


def test_a_random_square_is_a_part_of_the_picture_maybe_flipped():
    images = torch.arange(180).view(2, 3, 5, 6).byte()
    draws = torch.tensor([[0.0, 0.99, 0.9], [0.99, 0.0, 0.1]])
    pictures = Pictures(images, torch.tensor([0, 1]), ("a", "b"))
    squares = pictures.crops(
        torch.tensor([0, 1]), 4, draws, torch.device("cpu")
    )
    assert torch.equal(squares[0], images[0, :, 0:4, 2:6].flip(-1))
    assert torch.equal(squares[1], images[1, :, 1:5, 0:4])
    assert torch.equal(centre(images, 3), images[:, :, 1:4, 1:4])
    middles = pictures.centres(torch.tensor([1]), 3, torch.device("cpu"))
    assert torch.equal(middles, centre(images, 3)[1:])


@pytest.mark.parametrize(
    "layout", [torch.contiguous_format, torch.channels_last]
)
def test_every_byte_is_normalised_exactly_as_if_alone(layout):
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    images = torch.cat([every, every.flip(3)]).expand(2, 3, 16, 16)
    images = images.contiguous(memory_format=layout)
    floats = normalise(images)
    numbers = images.float()
    assert torch.equal(normalise(numbers), floats)
    assert torch.equal(numbers, images.float())
    assert floats.is_contiguous(memory_format=layout)
    for colour in range(3):
        mean, spread = torch.tensor([MEAN[colour], STD[colour]]) * 255
        wanted = (images[:, colour].float() - mean) / spread
        assert torch.equal(floats[:, colour], wanted)


def test_an_epoch_shows_every_picture_once_but_an_incomplete_batch():
    batches = shuffled(50, 8, "seed", epoch=3)
    seen = torch.cat(batches).tolist()
    assert len(batches) == 6 and len(set(seen)) == len(seen) == 48
    assert [len(b) for b in shuffled(5, 8, "seed", epoch=0)] == [5]
    other = torch.cat(shuffled(50, 8, "seed", epoch=4)).tolist()
    assert seen != other


def test_order_crops_and_dropout_of_a_phase_are_drawn_apart(
    pictures, monkeypatch
):
    seeds = []

    def noted(*words):
        made = generator(*words)
        seeds.append(made.initial_seed())
        return made

    monkeypatch.setattr(training, "generator", noted)
    monkeypatch.setattr("packnet_core.images.generator", noted)
    fit(start(), pictures, PHASE, size=SIZE)
    steps = PHASE.epochs * (len(pictures) // PHASE.batch)
    assert len(seeds) == len(set(seeds)) == PHASE.epochs + 2 * steps
    assert len({generator("a/b", "c").initial_seed(),
                generator("a", "b/c").initial_seed()}) == 2  # fmt: skip


def test_a_checkpoint_of_another_phase_is_refused(pictures, tmp_path):
    network = start()
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    file = tmp_path / "phase.checkpoint"
    this = training.Checkpoint(file, network, optimizer, "this one")
    this.save(3)
    assert this.load() == 3
    with pytest.raises(BadRun, match="another phase"):
        training.Checkpoint(file, network, optimizer, "that one").load()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DamagedFile, match="delete it"):
        this.load()


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_a_checkpoint_holds_the_optimiser_without_pickle(tmp_path, kind):
    options = {"momentum": 0.9} if kind is torch.optim.SGD else {}
    network = start()
    optimizer = kind(network.parameters(), 0.1, **options)
    network(torch.rand(4, 3, SIZE, SIZE)).sum().backward()
    optimizer.step()
    file = tmp_path / "phase.checkpoint"
    training.Checkpoint(file, network, optimizer, "x").save(1)
    other = start()
    again = kind(other.parameters(), 0.1, **options)
    training.Checkpoint(file, other, again, "x").load()
    ours, theirs = optimizer.state_dict(), again.state_dict()
    groups = json.dumps(ours["param_groups"])
    assert groups == json.dumps(theirs["param_groups"])
    for number, values in ours["state"].items():
        for name, value in values.items():
            assert torch.equal(
                torch.as_tensor(value),
                torch.as_tensor(theirs["state"][number][name]),
            )


def test_errors_say_that_few_classes_have_no_top_5_error():
    few, many = ErrorRates(12.5, math.nan, 8), ErrorRates(12.5, 1, 8)
    assert str(many) == "top-1 error 12.50 %, top-5 error 1.00 %, 8 images"
    assert "no top-5 error (five classes or fewer)" in str(few)
