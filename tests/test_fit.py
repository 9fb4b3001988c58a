"""Training and testing with the library: modes, accelerators, pictures."""

import math
from copy import deepcopy

import pytest
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from PIL import Image
from torch import nn

from packnet_core import (
    PackNet,
    Phase,
    Pictures,
    evaluate,
    fit,
    load,
    training,
)
from packnet_core.errors import BadPictures, BadRun, Changed, Diverged
from packnet_core.evaluation import logits

PHASE = Phase(2, 0.05, batch=8)
SIZE = 8


def make_trunk() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(24, 12),
        nn.ReLU(),
    )


def start(trunk=make_trunk) -> PackNet:
    torch.manual_seed(0)
    network = PackNet(trunk(), 12)
    network.add_task("one", 3)
    return network


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(24) % 3
    images = torch.randint(0, 90, (24, 3, 10, 10), generator=generator)
    images[torch.arange(24), labels] += 120
    return Pictures(images.byte(), labels, ("red", "green", "blue"))


def modes(network) -> dict[str, bool]:
    return {n: m.training for n, m in network.named_modules()}


class Broken(nn.Module):
    """Works until it does not."""

    def __init__(self, calls=0):
        super().__init__()
        self.inner, self.calls = make_trunk(), calls

    def forward(self, images):
        self.calls -= 1
        if self.calls < 0:
            raise RuntimeError("on purpose")
        return self.inner(images)


# Modes


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("calls", [0, 2])
def test_an_error_inside_leaves_every_mode_as_it_was(pictures, mode, calls):
    for use in (
        lambda net: fit(net, pictures, PHASE, size=SIZE),
        lambda net: evaluate(net, pictures, size=SIZE, batch=4),
        lambda net: logits(net, pictures, size=SIZE, batch=4),
    ):
        network = start(lambda: Broken(calls)).train(mode)
        network.trunk.inner[1].eval()
        network.trunk.inner[5].train()
        before = modes(network)
        with pytest.raises(RuntimeError, match="on purpose"):
            use(network)
        assert modes(network) == before


@pytest.mark.parametrize("mode", [True, False])
def test_modes_are_afterwards_as_before(pictures, mode):
    network = start().train(mode)
    network.trunk[1].train(not mode)
    before = modes(network)
    fit(network, pictures, PHASE, size=SIZE)
    assert modes(network) == before
    evaluate(network, pictures, size=SIZE)
    assert modes(network) == before
    logits(network, pictures, size=SIZE)
    assert modes(network) == before


def test_what_is_in_eval_mode_on_purpose_stays_so_while_training(pictures):
    network = start().train()
    norm = network.trunk[1].eval()
    before = norm.running_mean.clone()
    fit(network, pictures, PHASE, size=SIZE)
    assert torch.equal(norm.running_mean, before)
    other = start().train()
    before = other.trunk[1].running_mean.clone()
    fit(other, pictures, PHASE, size=SIZE)
    assert not torch.equal(other.trunk[1].running_mean, before)


def test_a_network_in_eval_mode_is_trained_in_training_mode(pictures):
    ends = []
    for mode in (True, False):
        network = start().train(mode)
        fit(network, pictures, PHASE, size=SIZE)
        ends.append(network.state_dict())
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name


def test_watching_with_an_evaluation_changes_nothing(pictures):
    ends = []
    for watching in (False, True):
        network = start()

        def look(_, network=network):
            evaluate(network, pictures, size=SIZE)

        fit(
            network,
            pictures,
            PHASE,
            size=SIZE,
            watch=look if watching else None,
        )
        ends.append(network.state_dict())
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name


def test_fitting_a_second_task_keeps_the_first_exact(pictures):
    network = start()
    fit(network, pictures, PHASE, size=SIZE)
    network.prune(0.5)
    fit(network, pictures, PHASE, size=SIZE)
    with network.view("one"):
        expected = logits(network, pictures, size=SIZE)
    network.add_task("two", 3)
    fit(network, pictures, PHASE, size=SIZE)
    with network.view("one"):
        assert torch.equal(logits(network, pictures, size=SIZE), expected)


# Accelerators


@pytest.fixture
def alone():
    """No accelerator is left from before, nor for afterwards."""
    for state in (AcceleratorState, GradientState):
        state._reset_state()
    yield
    for state in (AcceleratorState, GradientState):
        state._reset_state()


class Steep(training.CurrentTask):
    """A loss that stays finite while its gradient is no number."""

    def forward(self, images, labels, batch_labels):
        loss = super().forward(images, labels, batch_labels)
        weights = (p.sum() for p in self.network.trunk.parameters())
        return loss + (0 * sum(weights)).abs().sqrt()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("kept", [True, False])
def test_gradients_that_are_no_numbers_damage_no_finished_task(
    pictures, tmp_path, optimizer, kept
):
    network = start()
    network.prune(0.5)
    images = torch.rand(4, 3, SIZE, SIZE)
    with network.eval().view("one"), torch.no_grad():
        before = network(images)
    network.add_task("two", 3)
    file = tmp_path / "phase.checkpoint" if kept else None
    phase = Phase(1, 0.1, batch=24, clip=1.0, optimizer=optimizer)
    fit(
        network, pictures, phase, size=SIZE, checkpoint=file,
        objective=training.Objective(Steep),
    )  # fmt: skip
    own = network.owner["0.weight"] == 2
    assert network.layers["0.weight"][own].isnan().all()
    again = start()
    again.prune(0.5)
    again.add_task("two", 3)
    if kept:
        again.load_state_dict(torch.load(file)["network"])
    for one in (network, again):
        with one.eval().view("one"), torch.no_grad():
            assert torch.equal(one(images), before)


def test_what_takes_gradients_again_is_still_after_every_step(pictures):
    """As many a training loop lets everything take gradients."""
    network = start()
    network.prune(0.5)
    network.add_task("two", 3)
    network.requires_grad_(True)
    images = torch.rand(4, 3, SIZE, SIZE)
    rest = [t.clone() for _, t in network.frozen_rest()]
    with network.eval().view("one"), torch.no_grad():
        before = network(images)

    def watch(step: int) -> None:
        now = [t for _, t in network.frozen_rest()]
        assert all(map(torch.equal, now, rest))
        copy = deepcopy(network)
        with copy.eval().view("one"), torch.no_grad():
            assert torch.equal(copy(images), before)

    fit(network, pictures, PHASE, size=SIZE, watch=watch)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_weights_with_gaps_between_them_train_as_others_do(
    pictures, optimizer
):
    """A trunk may hold views of larger tensors, whose other entries are not
    its own: optimisers that run over the memory would change them."""
    phase = Phase(2, 0.05, batch=8, optimizer=optimizer, weight_decay=1e-3)
    ends = []
    for gaps in (False, True):
        network = start()
        layer = network.trunk[6]
        whole = torch.full((*layer.weight.shape, 2), 7.0)
        whole[..., 0] = layer.weight.detach()
        if gaps:
            layer.weight.data = whole[..., 0]
        fit(network, pictures, phase, size=SIZE)
        network.prune(0.5)
        network.add_task("two", 3)
        fit(network, pictures, phase, size=SIZE)
        assert (whole[..., 1] == 7).all()
        ends.append({n: p.clone() for n, p in network.named_parameters()})
    for name, weight in ends[0].items():
        torch.testing.assert_close(weight, ends[1][name])


class SometimesLeftOut(nn.Module):
    """Stochastic depth: a layer that some steps do without."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(12, 12)

    def forward(self, features):
        if self.training and torch.rand(()) < 0.5:
            return features
        return features + self.layer(features)


@pytest.mark.parametrize("seed", range(4))
def test_layers_that_some_steps_do_without_are_trained(pictures, seed):
    """Their first gradient may come after the first step."""
    network = start(lambda: nn.Sequential(make_trunk(), SometimesLeftOut()))
    before = network.trunk[1].layer.weight.clone()
    fit(network, pictures, PHASE, size=SIZE, seed=seed)
    assert not torch.equal(network.trunk[1].layer.weight, before)


def test_layers_that_take_gradients_from_some_step_on_are_trained(pictures):
    network = start()
    network.trunk[0].requires_grad_(False)
    before = network.trunk[0].weight.clone()

    def watch(step: int) -> None:
        assert torch.equal(network.trunk[0].weight, before) == (step < 3)
        network.trunk[0].requires_grad_(step >= 2)

    fit(network, pictures, PHASE, size=SIZE, watch=watch)


def test_weights_of_a_finished_task_that_training_changes_are_noticed(
    pictures,
):
    """An objective of one's own may leave them unguarded."""
    network = start()
    network.prune(0.5)
    network.add_task("two", 3)
    network.trunk.requires_grad_(True)
    freely = training.Objective(guarded=False)
    phase = Phase(2, 0.05, batch=8, warmup=1)

    def watch(step: int) -> None:
        if step == 1:  # at a rate of zero: nothing has changed as yet
            network.eval()
            with network.view("one"):
                pass

    with pytest.raises(Changed):
        fit(
            network, pictures, phase, size=SIZE, objective=freely, watch=watch
        )
        with network.view("one"):
            pass


def test_what_is_freed_while_training_stays_at_zero(pictures):
    """The momentum that it had moves it no more."""
    network = start()
    seen = []

    def watch(step: int) -> None:
        if step == 3:
            network.prune(0.5)
        if step >= 3:
            freed = network.owner["0.weight"] == 0
            seen.append(network.layers["0.weight"][freed].abs().max().item())

    fit(network, pictures, PHASE, size=SIZE, watch=watch)
    assert len(seen) == 4 and set(seen) == {0.0}


@pytest.mark.usefixtures("alone")
def test_the_callers_accelerator_keeps_what_it_had_prepared(pictures):
    accelerator = Accelerator()
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model, optimizer = accelerator.prepare(model, optimizer)
    before = list(accelerator._models), list(accelerator._optimizers)
    fit(start(), pictures, PHASE, size=SIZE, accelerator=accelerator)
    evaluate(start(), pictures, size=SIZE, accelerator=accelerator)
    with pytest.raises(RuntimeError, match="on purpose"):
        fit(
            start(lambda: Broken(1)),
            pictures,
            PHASE,
            size=SIZE,
            accelerator=accelerator,
        )
    after = list(accelerator._models), list(accelerator._optimizers)
    assert all(
        len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))
        for a, b in zip(after, before, strict=True)
    )


@pytest.mark.usefixtures("alone")
def test_an_accelerator_that_prepared_this_network_keeps_it(pictures):
    accelerator = Accelerator()
    network = start()
    accelerator.prepare(network)
    fit(network, pictures, PHASE, size=SIZE, accelerator=accelerator)
    assert accelerator._models == [network]


@pytest.mark.usefixtures("alone")
def test_accumulation_set_from_outside_trains_the_same_network(
    pictures, monkeypatch
):
    ends = []
    for setting in (None, "4"):
        for state in (AcceleratorState, GradientState):
            state._reset_state()
        if setting is not None:
            monkeypatch.setenv(
                "ACCELERATE_GRADIENT_ACCUMULATION_STEPS", setting
            )
        network = start()
        fit(network, pictures, PHASE, size=SIZE)
        ends.append(network.state_dict())
    for name, tensor in ends[0].items():
        assert torch.equal(tensor, ends[1][name]), name


def fitted_with(pictures, count, before) -> dict:
    """The end of a phase with an accelerator that accumulates."""
    for state in (AcceleratorState, GradientState):
        state._reset_state()
    accelerator = Accelerator(gradient_accumulation_steps=count)
    before(accelerator)
    network = start()
    fit(network, pictures, PHASE, size=SIZE, accelerator=accelerator)
    return network.state_dict()


def same(state, wanted) -> bool:
    return all(torch.equal(state[name], wanted[name]) for name in wanted)


@pytest.mark.usefixtures("alone")
def test_a_callers_accumulating_accelerator_trains_the_same_network(
    pictures,
):
    plain = fitted_with(pictures, 1, lambda accelerator: None)
    four = fitted_with(pictures, 4, lambda accelerator: None)
    assert same(four, plain)


@pytest.mark.usefixtures("alone")
def test_what_the_caller_accumulated_before_does_not_stop_training(pictures):
    """A loop that ended between two of its steps."""

    def left_off(accelerator):
        model = accelerator.prepare(nn.Linear(2, 2))
        with accelerator.accumulate(model):  # the first of four
            pass

    plain = fitted_with(pictures, 1, lambda accelerator: None)
    assert same(fitted_with(pictures, 4, left_off), plain)


@pytest.mark.usefixtures("alone")
def test_neither_testing_nor_training_resets_what_another_accumulates(
    pictures,
):
    accelerator = Accelerator(gradient_accumulation_steps=4)
    evaluate(start(), pictures, size=SIZE)
    assert accelerator.gradient_accumulation_steps == 4
    fit(start(), pictures, PHASE, size=SIZE)
    logits(start(), pictures, size=SIZE)
    assert accelerator.gradient_accumulation_steps == 4


# Runs that cannot be


def test_batch_norm_of_a_single_value_is_named(pictures):
    def make():
        return nn.Sequential(
            nn.Flatten(), nn.Linear(192, 12), nn.BatchNorm1d(12)
        )

    network = start(make)
    before = modes(network)
    with pytest.raises(BadRun, match="batch norm met a chunk of 1 picture"):
        fit(network, pictures, Phase(1, 0.1, batch=1), size=SIZE)
    with pytest.raises(BadRun, match=r"fewer chunks \(accumulate\)"):
        fit(network, pictures, PHASE, size=SIZE, accumulate=8)
    assert modes(network) == before


@pytest.mark.parametrize("accumulate", [0, -1])
def test_a_batch_in_no_pieces_is_refused(pictures, accumulate):
    with pytest.raises(BadRun, match=f"accumulate {accumulate}: give 1"):
        fit(start(), pictures, PHASE, size=SIZE, accumulate=accumulate)


def empty():
    return Pictures(
        torch.zeros(0, 3, 10, 10, dtype=torch.uint8),
        torch.zeros(0, dtype=torch.int64),
        ("a", "b"),
    )


def test_training_on_no_pictures_is_refused():
    with pytest.raises(BadRun, match="no pictures"):
        fit(start(), empty(), PHASE, size=SIZE)


def test_testing_on_no_pictures_is_refused():
    with pytest.raises((BadRun, BadPictures), match="no pictures"):
        evaluate(start(), empty(), size=SIZE)


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_of_no_pictures_is_refused(pictures, batch):
    with pytest.raises(BadRun):
        fit(start(), pictures, Phase(1, 0.1, batch=batch), size=SIZE)


def test_pictures_smaller_than_the_square_are_refused(pictures):
    for use in (
        lambda: fit(start(), pictures, PHASE, size=12),
        lambda: evaluate(start(), pictures, size=12),
    ):
        with pytest.raises((BadRun, BadPictures)):
            use()


def test_testing_on_squares_one_pixel_too_large_is_refused(pictures):
    with pytest.raises((BadRun, BadPictures)):
        logits(start(), pictures, size=11)


def test_pictures_of_other_classes_than_the_tasks_are_refused(pictures):
    """A label without an output, or outputs that no label means."""
    many = Pictures(pictures.images, torch.arange(24) % 7, tuple("abcdefg"))
    for use in (
        lambda: fit(start(), many, PHASE, size=SIZE),
        lambda: evaluate(start(), many, size=SIZE),
    ):
        with pytest.raises((BadRun, BadPictures)):
            use()


def test_training_without_a_task_is_refused_by_name(pictures):
    from packnet_core.errors import NoTask

    with pytest.raises(NoTask, match="call add_task first"):
        fit(PackNet(make_trunk(), 12), pictures, PHASE, size=SIZE)


def test_training_inside_a_view_is_refused_and_changes_nothing(pictures):
    from packnet_core.errors import InsideView

    network = start()
    before = {n: t.clone() for n, t in network.state_dict().items()}
    with network.view("one"):
        with pytest.raises(InsideView, match="leave the view first"):
            fit(network, pictures, PHASE, size=SIZE)
    for name, weight in network.trunk.named_parameters():
        assert torch.equal(weight, before[f"trunk.{name}"])


# Number types


@pytest.mark.parametrize(
    "kind", [torch.float64, torch.bfloat16, torch.float16]
)
def test_networks_of_every_number_type_are_trained_and_tested(pictures, kind):
    network = start().to(kind)
    before = network.trunk[0].weight.clone()
    fit(network, pictures, Phase(1, 0.01, batch=8), size=SIZE)
    assert {p.dtype for p in network.parameters()} == {kind}
    assert not torch.equal(network.trunk[0].weight, before)
    errors = evaluate(network, pictures, size=SIZE)
    assert 0 <= errors.top1 <= 100
    network.prune(0.5)
    with network.view("one"):
        expected = logits(network, pictures, size=SIZE)
    network.add_task("two", 3)
    fit(network, pictures, Phase(1, 0.01, batch=8), size=SIZE)
    with network.view("one"):
        assert torch.equal(logits(network, pictures, size=SIZE), expected)


def test_a_network_loaded_into_a_doubled_trunk_is_tested(pictures, tmp_path):
    network = start()
    fit(network, pictures, PHASE, size=SIZE)
    network.save(tmp_path / "n.packnet")
    again = load(tmp_path / "n.packnet", make_trunk().double())
    single = logits(network, pictures, size=SIZE)
    double = logits(again, pictures, size=SIZE)
    assert torch.allclose(single, double, atol=1e-4)


# Pictures


def test_pictures_of_another_form_are_refused_with_the_cure():
    labels = torch.zeros(4, dtype=torch.int64)
    sound = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    two = ("a", "b")
    for images, match in (
        (sound.float(), r"\* 255"),
        (sound.long(), "give bytes"),
        (sound[:, :1], r"expand\(-1, 3, -1, -1\)"),
        (sound.permute(0, 2, 3, 1), r"\(N, 3, H, W\)"),
        (sound[0], r"\(N, 3, H, W\)"),
    ):
        with pytest.raises(BadPictures, match=match):
            Pictures(images, labels, two)
    for wrong, match in (
        (labels[:3], "one for each"),
        (labels[:, None], "one for each"),
        (labels.float(), "whole numbers"),
        (labels + 2, "from 0 to 1"),
        (labels - 1, "from 0 to 1"),
    ):
        with pytest.raises(BadPictures, match=match):
            Pictures(sound, wrong, two)


def test_labels_of_one_byte_count_as_whole_numbers(pictures):
    """A byte as an index means a mask to torch."""
    ends = []
    for kind in (torch.int64, torch.int32, torch.uint8):
        network = start()
        other = Pictures(
            pictures.images, pictures.labels.to(kind), pictures.classes
        )
        fit(network, other, PHASE, size=SIZE)
        evaluate(network, other, size=SIZE)
        ends.append(network.state_dict())
    for end in ends[1:]:
        for name, tensor in ends[0].items():
            assert torch.equal(tensor, end[name]), name


def write(path, mode="RGB", colour=(200, 10, 10), size=(30, 20), **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("RGB", size, colour)
    left = Image.new("RGB", (size[0] // 2, size[1]), (0, 0, 0))
    image.paste(left, (0, 0))
    image.convert(mode).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    for number in range(4):
        write(tmp_path / "f" / "red" / f"{number}.png")
        write(tmp_path / "f" / "blue" / f"{number}.png", colour=(0, 0, 250))
    return tmp_path / "f"


def test_a_folder_of_pictures_goes_through_training(folder):
    write(folder / "red" / "grey.png", "L")
    write(folder / "red" / "palette.png", "P")
    write(folder / "blue" / "clear.png", "RGBA")
    write(folder / "blue" / "cmyk.jpg", "CMYK")
    write(folder / "blue" / "bits.png", "1")
    found = Pictures.from_folder(folder, SIZE)
    assert found.classes == ("blue", "red") and len(found) == 13
    assert found.images.shape == (13, 3, 9, 9)
    assert Pictures.from_folder(
        str(folder), 8, cropped=True
    ).images.shape == ((13, 3, 8, 8))
    network = PackNet(make_trunk(), 12)
    network.add_task("mine", found.classes)
    fit(network, found, Phase(1, 0.01, batch=4), size=SIZE)
    assert evaluate(network, found, size=SIZE).images == 13


def test_pictures_are_turned_as_they_say(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter to the right
    write(tmp_path / "a" / "0.jpg", exif=exif, quality=95)
    write(tmp_path / "b" / "0.jpg", quality=95)
    turned, plain = Pictures.from_folder(tmp_path, 14).images.float()
    # The black left half is the upper half once it is turned.
    assert turned[0, 0].mean() < 60 and turned[0, -1].mean() > 150
    assert plain[0, :, 0].mean() < 60 and plain[0, :, -1].mean() > 150


def test_clear_places_of_a_palette_do_not_stop_reading(folder):
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    image.save(folder / "red" / "clear.png", transparency=b"\x80\x40")
    assert len(Pictures.from_folder(folder, SIZE)) == 9


def test_sixteen_bits_of_grey_are_not_turned_white(folder):
    import numpy

    grey = numpy.full((20, 20), 20000, dtype=numpy.uint16)
    Image.fromarray(grey).save(folder / "blue" / "0.png")
    images = Pictures.from_folder(folder, SIZE).images
    assert (images[0].float() - 20000 / 257).abs().max() < 3


@pytest.mark.parametrize("length", [0, 20, -30])
def test_a_damaged_picture_is_named(folder, length):
    file = folder / "red" / "2.png"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(BadPictures, match=r"red.2\.png: .*mend it"):
        Pictures.from_folder(folder, SIZE)


def test_an_empty_class_is_named(folder):
    (folder / "green").mkdir()
    with pytest.raises(BadPictures, match="green"):
        Pictures.from_folder(folder, SIZE)


def test_what_is_no_folder_of_classes_is_refused(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    for wrong in (
        tmp_path / "nothing",
        tmp_path / "empty",
        folder / "red",
        folder / "red" / "0.png",
    ):
        with pytest.raises(BadPictures, match="a folder of pictures for"):
            Pictures.from_folder(wrong, SIZE)


def test_a_checkpoint_from_before_pruning_is_refused(
    pictures, tmp_path, monkeypatch
):
    monkeypatch.setattr(training, "SHORTEST_PAUSE", -1.0)
    network, file = start(), tmp_path / "phase.checkpoint"
    fit(network, pictures, PHASE, size=SIZE, checkpoint=file)
    network.prune(0.5)
    before = network.owner_counts()
    with pytest.raises(BadRun, match="another phase"):
        fit(network, pictures, PHASE, size=SIZE, checkpoint=file)
    assert network.owner_counts() == before


def test_what_comes_after_the_last_step_loses_none(pictures, tmp_path):
    """Ctrl-C in the evaluation that follows, say."""
    network, again = start(), start()
    options = {"size": SIZE, "checkpoint": tmp_path / "phase.checkpoint"}
    fit(network, pictures, PHASE, **options)
    steps = []
    fit(again, pictures, PHASE, watch=steps.append, **options)
    assert not steps
    there = again.state_dict()
    for name, trained in network.state_dict().items():
        assert torch.equal(trained, there[name]), name


def test_divergence_is_named_where_no_bar_is_shown(pictures, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    network = start()
    before = network.state_dict()["trunk.0.weight"].clone()
    with torch.no_grad():
        network.heads[0].bias.fill_(math.nan)
    with pytest.raises(Diverged, match="loss became nan"):
        fit(network, pictures, PHASE, size=SIZE)
    assert torch.equal(network.state_dict()["trunk.0.weight"], before)
