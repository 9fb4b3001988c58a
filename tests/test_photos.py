"""Real photographs and a really pretrained network, in short.

The folder of `PACKNET_PHOTOS` holds the four sets in the PackNet layout
and SqueezeNet's ImageNet weights.
"""

import os
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
import torch

from packnet_book.cli import main
from packnet_book.runs.presets import MINIATURE, PHOTOS, shortened
from packnet_book.runs.runner import Run
from packnet_core import load
from packnet_core.evaluation import evaluate

HERE = os.environ.get("PACKNET_PHOTOS")
pytestmark = pytest.mark.skipif(
    not HERE, reason="PACKNET_PHOTOS names no folder of photographs"
)
ROOT = Path(HERE or ".")


def say(*words) -> list[str]:
    return [str(word) for word in words]


@pytest.fixture(scope="module", autouse=True)
def kept(tmp_path_factory):
    """A place of their own for the prepared pictures."""
    with pytest.MonkeyPatch.context() as patch:
        place = str(tmp_path_factory.mktemp("pictures"))
        patch.setenv("PACKNET_PICTURES", place)
        yield


@pytest.fixture(scope="module")
def short_run(tmp_path_factory):
    """All four sets, one picture in fifty, one epoch a phase."""
    out = tmp_path_factory.mktemp("photos")
    line = say("run", "photos", "--arch", "squeezenet1_1", "--data", ROOT,
               "--out", out, "--subset", 0.02, "--epochs", 1)  # fmt: skip
    assert main(line) == 0
    return out


def test_a_short_run_goes_through_the_four_real_sets(short_run):
    table = pandas.read_csv(short_run / "results.csv")
    assert table.task.tolist() == ["imagenet", "cubs", "cars", "flowers"]
    # one test picture a class, two or more where a class has many
    assert (table.test_images >= [200, 200, 196, 102]).all()
    network = load(short_run / "network.packnet")
    classes = [len(record.classes) for record in network.records]
    assert classes == [200, 200, 196, 102]
    history = pandas.read_csv(short_run / "history.csv")
    first = history[
        (history.task == "imagenet") & (history.method != "first")
    ]
    assert first.top1_error[1:].nunique() == 1


def test_the_pretrained_network_knows_the_first_task_from_the_start(tmp_path):
    start = Run(PHOTOS, tmp_path, data=ROOT, subset=0.2)
    network = start._new_network()
    pictures = start.pictures("imagenet", "test")
    errors = evaluate(network, pictures, size=112)
    assert len(pictures) == 1000
    assert 55 < errors.top1 < 80  # 99.5 without what it has learnt
    assert errors.top5 < 55


def test_every_photograph_of_a_set_is_found(tmp_path):
    preset = replace(PHOTOS, pretrained=False)
    run = Run(preset, tmp_path, data=ROOT)
    assert len(run.pictures("flowers", "train")) == 2040
    assert len(run.pictures("cubs", "test")) == 3033


def test_real_flowers_become_the_fifth_task_of_a_drawn_network(
    tmp_path, capsys
):
    run = Run(shortened(MINIATURE, 2), tmp_path / "run", subset=0.05)
    run.carry_out(["packnet"])
    four, five = tmp_path / "run/network.packnet", tmp_path / "five.packnet"
    flowers = ROOT / "flowers"
    line = say("add", four, "--task", "photographs", "--data", flowers,
               "--out", five, "--prune", 0.5, "--epochs", 2,
               "--subset", 0.3)  # fmt: skip
    capsys.readouterr()
    assert main(line) == 0
    printed = capsys.readouterr().out
    assert "flowers: pruned by 0.5 and trained again" in printed
    old, new = load(four).eval(), load(five).eval()
    assert new.tasks == [*old.tasks, "photographs"]
    assert len(new.records[-1].classes) == 102
    images = torch.rand(4, 3, 48, 48)
    for task in ("objects", "birds", "cars"):
        with torch.no_grad(), old.view(task), new.view(task):
            assert torch.equal(old(images), new(images))
    few = tmp_path / "few"
    for kind in (flowers / "test").iterdir():
        here = few / "test" / kind.name
        here.mkdir(parents=True)
        for file in sorted(kind.iterdir())[:2]:
            (here / file.name).symlink_to(file.resolve())
    line = say("evaluate", five, "--task", "photographs", "--data", few)
    assert main(line) == 0
    assert "204 images" in capsys.readouterr().out
