"""The command line: results out, one clear line when it fails."""

import json
import os
import shutil
import subprocess
import sys
from unittest.mock import MagicMock

import pandas
import pytest
import torch

from packnet_book.cli import main
from packnet_core import PackNet, __version__, load
from packnet_core.trunks import Architecture, build
from tests.test_sets import paint

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "grey": (99,) * 3}


@pytest.fixture
def packed(tmp_path):
    """A small packed network with two tasks and no free weights."""
    torch.manual_seed(0)
    trunk = build(Architecture("vgg16_bn", width=1 / 32, size=32))
    network = PackNet(trunk, trunk.out_features)
    network.add_task("one", list(COLOURS))
    network.prune(0.5)
    network.add_task("two", 4)
    network.save(tmp_path / "network.packnet")
    return tmp_path / "network.packnet"


@pytest.fixture
def pictures(tmp_path):
    for split, count in (("train", 8), ("test", 2)):
        for name, colour in COLOURS.items():
            for number in range(count):
                file = tmp_path / "mine" / split / name / f"{number}.png"
                paint(file, tuple(c + 5 * number for c in colour))
    return tmp_path / "mine"


def fails(capsys, *arguments) -> str:
    """Run a command that must fail with exactly one line on error."""
    capsys.readouterr()
    assert main([str(argument) for argument in arguments]) == 1
    out, err = capsys.readouterr()
    last = err.strip().split("\r")[-1].splitlines()[-1]
    assert out == ""
    assert last.startswith("packnet: ")
    assert "Traceback" not in err
    return last


def test_run_writes_its_three_files_and_prints_the_table(tmp_path, capsys):
    out = tmp_path / "run"
    short = ["--subset", "0.03", "--epochs", "3", "--seed", "4"]
    arguments = ["run", "miniature", "--out", str(out), *short]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    table = pandas.read_csv(out / "results.csv")
    assert table.task.tolist() == ["objects", "birds", "cars", "flowers"]
    assert set(table.seed) == {4}
    for name in table.task:
        assert name in printed
    assert (out / "run.json").exists()
    network = load(out / "network.packnet")
    assert network.tasks == table.task.tolist()
    assert main(["show", str(out / "network.packnet")]) == 0
    printed = capsys.readouterr().out
    assert "flowers" in printed and "classifier.3.weight" in printed
    shares = next(s for s in printed.splitlines() if s.startswith("all"))
    owned = [float(share) for share in shares.split()[2:7]]
    # Weights that never moved are ties at zero: a few more are freed.
    assert owned == pytest.approx([0, 50, 12.5, 9.375, 28.125], abs=0.2)
    size = os.path.getsize(out / "network.packnet")
    assert f"{size:,}" in printed


def test_run_takes_rates_and_a_batch_in_parts(tmp_path, capsys):
    line = ["run", "miniature-full", "--out", str(tmp_path), "--size", "32",
            "--subset", "0.01", "--epochs", "1", "--method",
            "classifier-only", "--lr", "0.001", "--head-lr", "0.2",
            "--precision", "no", "--accumulate", "3"]  # fmt: skip
    assert main(line) == 0
    written = json.loads((tmp_path / "run.json").read_text())
    planned = written["configuration"]["preset"]["add"]
    assert (planned["lr"], planned["head_lr"]) == (0.001, 0.2)


@pytest.mark.parametrize(
    ("words", "methods"),
    [
        ("", ["packnet"]),
        ("--method lwf packnet --seed 1", ["lwf", "packnet"]),
        ("--method lwf --seed 1 --method joint", ["lwf", "joint"]),
        ("--method=lwf", ["lwf"]),
    ],
)
def test_methods_after_one_flag_or_several(words, methods, monkeypatch):
    run = MagicMock()
    monkeypatch.setattr("packnet_book.cli.Run", run)
    assert main(["run", "miniature", "--out", "x", *words.split()]) == 0
    run.return_value.carry_out.assert_called_once_with(methods)


def test_show_draws_bars_and_writes_the_explorer(packed, tmp_path, capsys):
    page = tmp_path / "explorer.html"
    assert main(["show", str(packed), "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    whole = next(s for s in printed.splitlines() if s.startswith("all"))
    assert whole.split()[-1] == "1" * 20 + "2" * 20
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert str(tmp_path) in fails(capsys, "show", packed, "--html", tmp_path)


def test_add_and_evaluate_a_readers_own_pictures(
    packed, pictures, tmp_path, capsys
):
    before = packed.read_bytes()
    out = tmp_path / "three.packnet"
    line = ["add", packed, "--task", "mine", "--data", pictures]
    line += ["--out", out, "--prune", "0.5", "--epochs", "12"]
    assert main([str(word) for word in line]) == 0
    printed = capsys.readouterr().out
    assert "two: pruned by 0.5, not trained again" in printed
    assert packed.read_bytes() == before
    network = load(out)
    assert network.tasks == ["one", "two", "mine"]
    assert network.records[2].classes == tuple(sorted(COLOURS))

    line = ["evaluate", str(out), "--task", "mine", "--data", str(pictures)]
    assert main(line) == 0
    tested = capsys.readouterr().out
    assert tested.strip() in printed
    assert "6 images" in tested

    images = torch.rand(4, 3, 32, 32)
    old, new = load(packed).eval(), load(out).eval()
    with torch.no_grad(), old.view("one"), new.view("one"):
        assert torch.equal(old(images), new(images))


def test_nothing_is_pruned_in_a_network_without_tasks(
    pictures, tmp_path, capsys
):
    trunk = build(Architecture("small_vgg", 1 / 16, 32))
    PackNet(trunk, trunk.out_features).save(tmp_path / "empty.packnet")
    line = fails(capsys, "add", tmp_path / "empty.packnet", "--task", "mine",
                 "--data", pictures, "--out", tmp_path / "x", "--prune",
                 "0.5")  # fmt: skip
    assert "no task to free weights of; leave out --prune" in line


def test_the_last_task_is_trained_again_where_its_pictures_are_named(
    packed, pictures, tmp_path, capsys
):
    first = ["add", packed, "--task", "mine", "--data", pictures, "--out",
             tmp_path / "a", "--prune", "0.5", "--epochs", "1"]  # fmt: skip
    second = ["add", tmp_path / "a", "--task", "again", "--data", pictures,
              "--out", tmp_path / "b", "--prune", "0.5", "--epochs", "1",
              "--retrain", pictures]  # fmt: skip
    for line in (first, second):
        assert main([str(word) for word in line]) == 0
    assert "mine: pruned by 0.5 and trained again" in capsys.readouterr().out


def test_no_free_weights_left(packed, pictures, tmp_path, capsys):
    line = fails(capsys, "add", packed, "--task", "mine", "--data", pictures,
                 "--out", tmp_path / "x")  # fmt: skip
    assert "no free weights left" in line and "--prune" in line
    assert not (tmp_path / "x").exists()


def test_a_task_named_twice(packed, pictures, tmp_path, capsys):
    line = fails(capsys, "add", packed, "--task", "one", "--data", pictures,
                 "--out", tmp_path / "x", "--prune", "0.5")  # fmt: skip
    assert "'one' needs a name of its own" in line


def test_an_unknown_task(packed, pictures, capsys):
    line = fails(capsys, "evaluate", packed, "--task", "three", "--data",
                 pictures)  # fmt: skip
    assert "'three'" in line and "one, two" in line


def test_a_missing_folder_of_pictures(packed, tmp_path, capsys):
    line = fails(capsys, "add", packed, "--task", "mine", "--data",
                 tmp_path / "none", "--out", tmp_path / "x")  # fmt: skip
    assert str(tmp_path / "none") in line and "expected" in line


def test_pictures_to_train_on_alone_are_no_pictures_to_test_on(
    packed, pictures, tmp_path, capsys
):
    alone = tmp_path / "alone"
    shutil.copytree(pictures / "train", alone / "train")
    line = fails(capsys, "evaluate", packed, "--task", "one", "--data", alone)
    assert str(alone / "test") in line and "expected" in line
    (alone / "train").rename(alone / "val")
    assert main(["evaluate", str(packed), "--task", "one", "--data",
                 str(alone)]) == 0  # fmt: skip


def test_a_damaged_and_a_missing_network(packed, tmp_path, capsys):
    packed.write_bytes(packed.read_bytes()[:-9])
    assert "damaged" in fails(capsys, "show", packed)
    line = fails(capsys, "show", tmp_path / "none.packnet")
    assert "none.packnet: no such file; name another" in line


def test_missing_data_and_weights_are_named(tmp_path, capsys):
    out = tmp_path / "run"
    line = fails(
        capsys,
        "run",
        "photos",
        "--out",
        out,
        "--data",
        tmp_path,
        "--weights",
        tmp_path / "w.pth",
    )
    assert "w.pth: no such file of weights" in line  # fmt: skip
    line = fails(capsys, "run", "photos", "--out", out, "--arch", "vgg16")
    assert "another preset" in line


def test_a_download_of_weights_is_told_as_progress(
    tmp_path, capsys, monkeypatch
):
    def cut(*_, **__):
        print("Downloading, as torch says it")
        raise OSError("no network")

    place = "torchvision.models._api.load_state_dict_from_url"
    monkeypatch.setattr(place, cut)
    line = fails(capsys, "run", "photos", "--out", tmp_path / "run",
                 "--data", tmp_path)  # fmt: skip
    assert "cannot be fetched (no network)" in line and "--weights" in line


def test_a_graphics_card_that_is_too_small(tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to ...")

    monkeypatch.setattr("packnet_book.cli.Run", full)
    line = fails(capsys, "run", "miniature", "--out", tmp_path / "run")
    assert "memory" in line and "--accumulate" in line


def test_a_directory_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    line = fails(capsys, "run", "miniature", "--out", tmp_path / "file/run")
    assert str(tmp_path / "file") in line and "can be written" in line


def test_add_looks_for_a_place_to_write_before_it_trains(
    packed, pictures, tmp_path, capsys
):
    (tmp_path / "file").write_text("in the way")
    line = fails(capsys, "add", packed, "--task", "mine", "--data", pictures,
                 "--out", tmp_path / "file/x", "--prune", "0.5")  # fmt: skip
    assert "can be written" in line


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"),
    reason="a small disk of its own needs root and mount",
)
def test_a_full_disk_loses_nothing(packed, pictures, tmp_path, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        (disk / "big").write_bytes(bytes(150_000))
        kept = disk / "network.packnet"
        kept.write_text("saved before")
        line = fails(capsys, "add", packed, "--task", "mine", "--data",
                     pictures, "--out", kept, "--prune", "0.5", "--epochs",
                     "1")  # fmt: skip
        assert str(kept) in line and "No space left" in line
        assert "free some space" in line
        assert kept.read_text() == "saved before"
        assert sorted(os.listdir(disk)) == ["big", "network.packnet"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "huge", "--out", "x"],
        ["data", "tulips", "--root", "x"],
    ],
)
def test_wrong_usage_ends_with_status_2(line, capsys):
    assert main(line) == 2
    out, err = capsys.readouterr()
    assert out == "" and "Error: " in err


RUN = "run miniature --out x"
ADD = "add x --task a --data b --out c"


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        *[(RUN, "--lr", value) for value in ("-1", "0", "inf", "nan", "a")],
        (RUN, "--head-lr", "0"),
        (RUN, "--epochs", "0"),
        (RUN, "--accumulate", "0"),
        (RUN, "--size", "0"),
        *[(RUN, "--subset", value) for value in ("0", "1.1", "nan")],
        (RUN, "--precision", "fp12"),
        (RUN, "--arch", "alexnet"),
        (RUN, "--method", "packnet forget"),
        (RUN, "--method", ""),
        (RUN, "--method", "--seed 1"),
        *[(ADD, "--prune", value) for value in ("1", "-0.5", "nan")],
        (ADD, "--epochs", "1.5"),
        ("data cubs --root x", "--size", "-8"),
    ],
)
def test_a_value_that_cannot_be_is_wrong_usage(line, option, value, capsys):
    assert main([*line.split(), option, *value.split()]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("Error: ") and f"'{option}'" in last


@pytest.mark.parametrize(
    "command", ["run", "show", "evaluate", "add", "data"]
)
def test_every_command_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert "Usage: packnet " + command in capsys.readouterr().out


def test_the_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_the_module_and_the_command_are_the_same(packed):
    script = shutil.which("packnet", path=os.path.dirname(sys.executable))
    assert script, "the console script is not installed: pip install -e ."
    outputs = {
        subprocess.run(
            [*command, "show", packed], capture_output=True, check=True
        ).stdout
        for command in ([script], [sys.executable, "-m", "packnet_book"])
    }
    assert len(outputs) == 1


def test_a_closed_pipe_is_not_an_error(packed):
    command = [sys.executable, "-m", "packnet_book", "show", packed]
    read, write = os.pipe()
    os.close(read)  # as `head` does when it has its lines
    ended = subprocess.run(command, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert (ended.returncode, ended.stderr) == (0, b"")
