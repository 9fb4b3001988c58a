"""The presets say what they should; the paper's is the paper's."""

import json
from dataclasses import replace

import pytest

from packnet_book.photos.layouts import LAYOUTS
from packnet_book.runs.presets import (
    FULL_LENGTH,
    MINIATURE,
    PAPER,
    PHOTOS,
    PRESETS,
    SPLIT_TINY_IMAGENET,
    preset,
    shortened,
    with_rates,
)
from packnet_book.runs.pretrained import own_weights
from packnet_book.runs.runner import Run
from packnet_core.errors import BadRun
from packnet_core.trunks import Architecture


@pytest.mark.parametrize(
    ("phase", "rates"),
    [  # the rate in each epoch, as published
        ("retrain_first", 5 * [1e-3] + 5 * [1e-4]),
        ("add", 10 * [1e-3] + 10 * [1e-4]),
        ("retrain", 10 * [1e-4]),
        ("alone", 10 * [1e-3] + 10 * [1e-4]),
        ("classifier", 20 * [1e-3]),
        ("lwf", 10 * [1e-3] + 10 * [1e-4]),
    ],
)
def test_the_papers_phases_are_those_published(phase, rates):
    planned = getattr(PAPER, phase)
    ends = [epoch + part for epoch in range(planned.epochs)
            for part in (0, 0.999)]  # fmt: skip
    found = [planned.lr * planned.factor(epoch) for epoch in ends]
    assert found == pytest.approx([rate for rate in rates for _ in (0, 1)])
    assert planned.head_lr in (None, planned.lr)
    assert (planned.batch, planned.momentum, planned.clip) == (32, 0.9, None)
    assert planned.weight_decay == (5e-4 if phase == "lwf" else 0)
    assert planned.trunk_from == (5 if phase == "lwf" else 0)


def test_the_papers_networks_and_sets():
    assert PAPER.architecture == Architecture("vgg16", 1.0, 224, 0.5)
    assert PAPER.pretrained and PAPER.first is None
    assert PAPER.fractions == (0.5, 0.75, 0.75)
    assert [(task.name, task.cropped) for task in PAPER.tasks] == [
        ("imagenet", False), ("cubs", True), ("cars", True),
        ("flowers", False),
    ]  # fmt: skip
    assert {task.name for task in PAPER.tasks} == set(LAYOUTS)


def test_split_tiny_imagenet_is_the_benchmark_of_the_survey():
    preset = SPLIT_TINY_IMAGENET
    classes = [set(range(*task.classes)) for task in preset.tasks]
    assert len(classes) == 10 and {len(one) for one in classes} == {20}
    assert set.union(*classes) == set(range(200))
    for phase, epochs in ((preset.add, 30), (preset.retrain, 15)):
        assert (phase.epochs, phase.lr, phase.batch) == (epochs, 1e-3, 200)
        assert phase.optimizer == "adam"


def test_presets_are_found_by_name_and_made_short():
    for name, there in PRESETS.items():
        assert preset(name) is there and there.name == name
        assert shortened(there, 1).add.epochs == 1
    assert shortened(PAPER, 1).first is None
    with pytest.raises(
        BadRun,
        match="choose from miniature, miniature-full, photos, paper, split",
    ):
        preset("enormous")


def test_trunk_and_new_head_may_be_given_rates_of_their_own():
    other = with_rates(PHOTOS, lr=1e-4, head_lr=0.5)
    for phase in (
        other.add, other.alone, other.lwf, other.ewc, other.joint
    ):  # fmt: skip
        assert (phase.lr, phase.head_lr) == (1e-4, 0.5)
    assert other.classifier.lr == 0.5
    for name in ("first", "retrain_first", "retrain"):
        assert getattr(other, name) == getattr(PHOTOS, name)
    assert with_rates(PHOTOS) == PHOTOS
    trunk = with_rates(PHOTOS, lr=1e-4)
    assert trunk.add.head_lr == PHOTOS.add.head_lr
    assert trunk.classifier == PHOTOS.classifier


def test_the_miniature_begins_with_weights_that_know_the_first_task(tmp_path):
    file = own_weights(MINIATURE.architecture)
    record = json.loads(file.with_suffix(".json").read_text())
    assert record["phase"] == vars(FULL_LENGTH.first)
    assert record["task"] == MINIATURE.tasks[0].name
    assert file.stat().st_size < 5e6
    run = Run(MINIATURE, tmp_path / "run", seed=7)
    run.first()
    [row] = run.history().itertuples()
    assert (row.method, row.stage, row.task) == ("first", "train", "objects")
    assert (row.train_seconds, row.test_images) == (0, record["test_images"])
    assert row.top1_error == pytest.approx(record["top1_error"], abs=0.3)
    assert row.top1_error < 5  # percent; chance level: 95
    read = json.loads((tmp_path / "run" / "read.json").read_text())
    assert {"weights", "objects, test"} <= set(read)
    other = Run(MINIATURE, tmp_path / "other", seed=8).first()
    for mine, theirs in zip(
        run.first().parameters(), other.parameters(), strict=True
    ):
        assert mine.equal(theirs)  # whatever the seed


def test_weights_that_do_not_fit_are_told_the_cure(tmp_path):
    narrow = replace(MINIATURE.architecture, width=0.125)
    turned = MINIATURE.tasks[1:] + MINIATURE.tasks[:1]
    for name, other in (
        ("narrow", replace(MINIATURE, architecture=narrow)),
        ("turned", replace(MINIATURE, tasks=turned)),
    ):
        with pytest.raises(BadRun, match="FROM_NOTHING"):
            Run(other, tmp_path / name, subset=0.02).first()
