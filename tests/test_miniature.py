"""Claims about the drawn tasks: same pixels everywhere, fair splits."""

import hashlib

import numpy as np
import pytest
import torch

import packnet_book.drawn.kept
from packnet_book.drawn import (
    SPLITS,
    TASKS,
    class_names,
    crop,
    draw,
    draw_scene,
)
from packnet_book.drawn.kept import kept

# sha256 of the first picture of each class, training split, seed 0
PIXELS = {
    "objects": (
        "9df825ddee24063ccd6fd031cc0520c1aebf39711388885a5595ca9d1baf7275"
    ),
    "birds": (
        "1db93ba6ae97067ef6ee36dc060f17adf7422ae0a751dc15af20d8de13c87d01"
    ),
    "cars": (
        "b74842f0a6cc57df5c86d50aea1cfd5d94e645db4ae2124ec1804f75f0656184"
    ),
    "flowers": (
        "9289cc0bf5f17b4bcc25ff976980577681ae217bb800ba608e5a85055d1cb316"
    ),
}


@pytest.mark.parametrize("task", TASKS)
def test_the_pixels_are_the_same_on_every_machine(task):
    images = draw(task, "train", 1).images
    assert (
        hashlib.sha256(images.numpy().tobytes()).hexdigest() == (PIXELS[task])
    )


@pytest.mark.parametrize("task", TASKS)
def test_a_picture_does_not_depend_on_how_many_are_drawn(task):
    few, many = draw(task, "train", 1), draw(task, "train", 3)
    assert torch.equal(many.images[: len(few)], few.images)
    assert torch.equal(many.labels[: len(few)], few.labels)


@pytest.mark.parametrize("task", TASKS)
def test_a_picture_does_not_depend_on_what_was_drawn_before(task):
    label, index = 3, 3
    alone = draw_scene(task, label, seed=0, split="train", index=index)
    in_a_row = draw(task, "train", 1).images[index].numpy()
    assert np.array_equal(crop(alone, 48), in_a_row)


@pytest.mark.parametrize("task", TASKS)
def test_no_picture_is_in_two_splits_or_twice_in_one(task):
    seen = [
        picture.numpy().tobytes()
        for split in SPLITS
        for picture in draw(task, split, 3).images
    ]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize("task", TASKS)
def test_another_seed_draws_other_pictures(task):
    first, second = (draw(task, "train", 1, seed=s).images for s in (0, 1))
    assert not (first == second).flatten(1).all(1).any()


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize(
    ("task", "margin"),
    [("objects", 8 / 7), ("birds", 1), ("cars", 1), ("flowers", 8 / 7)],
)
def test_pictures_have_the_size_that_training_crops_from(task, margin, size):
    pictures = draw(task, "val", 1, size=size)
    side = round(size * margin)
    assert pictures.images.shape == (len(pictures), 3, side, side)
    assert pictures.images.dtype == torch.uint8


@pytest.mark.parametrize("task", TASKS)
def test_every_class_is_drawn_equally_often(task):
    pictures = draw(task, "train", 3)
    count = torch.bincount(pictures.labels)
    assert count.tolist() == [3] * len(class_names(task))
    assert pictures.labels.dtype == torch.int64
    assert pictures.classes == class_names(task)


@pytest.mark.parametrize("task", TASKS)
def test_class_names_differ_and_fit_a_plot(task):
    names = class_names(task)
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 22


@pytest.mark.parametrize("task", ["birds", "cars"])
def test_the_box_lies_in_the_scene_and_is_no_sliver(task):
    for index in range(100):
        scene = draw_scene(task, index % 14, seed=0, split="val", index=index)
        x, y, width, height = scene.box
        assert scene.image.shape == (64, 80, 3)
        assert x >= 0 and y >= 0
        assert x + width <= 80 and y + height <= 64
        assert width >= 24 and height >= 16


def test_a_box_of_the_final_size_is_cropped_without_resizing():
    scene = draw_scene("birds", 0, seed=0, split="val", index=0)
    cut = type(scene)(scene.image, (10, 5, 48, 48))
    expected = scene.image[5:53, 10:58].transpose(2, 0, 1)
    assert np.array_equal(crop(cut, 48), expected)


def test_a_crop_sees_nothing_outside_its_box():
    scene = draw_scene("cars", 0, seed=0, split="val", index=0)
    x, y, width, height = scene.box
    black = np.zeros_like(scene.image)
    black[y : y + height, x : x + width] = scene.image[
        y : y + height, x : x + width
    ]
    assert np.array_equal(
        crop(type(scene)(black, scene.box), 48), crop(scene, 48)
    )


@pytest.mark.parametrize("task", ["objects", "flowers"])
def test_objects_and_flowers_have_no_box(task):
    scene = draw_scene(task, 0, seed=0, split="val", index=0)
    assert scene.box is None


def test_an_unknown_task_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'fruit'.*'objects', 'birds'"):
        draw("fruit", "train", 1)


def test_an_unknown_split_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'dev'.*'train', 'val', 'test'"):
        draw_scene("birds", 0, seed=0, split="dev", index=0)


@pytest.mark.parametrize("label", [-1, 20])
def test_a_label_outside_the_task_is_refused(label):
    with pytest.raises(ValueError, match="20 classes"):
        draw_scene("objects", label, seed=0, split="train", index=0)


def test_a_set_is_drawn_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("PACKNET_CACHE", str(tmp_path))
    made = draw("cars", "test", 3, size=40)
    drawings = []

    def counted(*args, **options):
        drawings.append(args)
        return draw(*args, **options)

    monkeypatch.setattr(packnet_book.drawn.kept, "draw", counted)

    def is_as_drawn():
        found = kept("cars", "test", 3, 40)
        assert torch.equal(found.images, made.images)
        assert torch.equal(found.labels, made.labels)
        assert found.classes == made.classes

    is_as_drawn(), is_as_drawn()
    assert drawings == [("cars", "test", 3)]
    kept("cars", "val", 3, 40), kept("cars", "test", 2, 40)
    assert len(drawings) == 3  # others than these
    [file] = tmp_path.glob("*/cars-test-3-40.npz")
    whole = file.read_bytes()
    for spoilt in (
        whole[:-9],
        whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:],
        b"",
    ):
        file.write_bytes(spoilt)
        is_as_drawn()
        assert file.read_bytes() == whole  # kept again
    assert len(drawings) == 6


def test_where_nothing_can_be_kept_a_set_is_drawn(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PACKNET_CACHE", str(tmp_path / "file"))
    made = draw("birds", "val", 1, size=32)
    assert torch.equal(kept("birds", "val", 1, 32).images, made.images)
