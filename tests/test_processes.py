"""Several processes, and batches in parts, train the same network."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas
import pytest
import torch
from safetensors.torch import load_file

from packnet_book.runs.methods import METHODS
from packnet_book.runs.stages import RESULTS
from packnet_core import load
from tests.processes import finish, start, two_tasks, whole_run

WAYS = {  # processes, precision, parts, with batch norm
    "one": (1, "no", 1, False),
    "two": (2, "no", 1, False),
    "in parts": (1, "no", 4, False),
    "two in parts": (2, "no", 2, False),
    "half precision, batch norm": (2, "bf16", 2, True),
}


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """What each process ends with, for each way to train."""
    found = {}
    for name, (count, *settings) in WAYS.items():
        folder = tmp_path_factory.mktemp("processes")
        finish(start(count, two_tasks, folder, *settings))
        found[name] = [
            load_file(folder / f"{n}.safetensors") for n in range(count)
        ]
    return found


@pytest.mark.parametrize("way", [w for w in WAYS if WAYS[w][0] == 2])
def test_both_processes_end_with_the_same_bits(ends, way):
    """The work itself asserts, in each, that fixed weights are fixed."""
    first, second = ends[way]
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@pytest.mark.parametrize("way", ["two", "in parts", "two in parts"])
def test_however_a_batch_is_divided_training_ends_where_one_ends(ends, way):
    for name, tensor in ends["one"][0].items():
        assert torch.allclose(tensor, ends[way][0][name], atol=1e-9), name


def test_every_picture_is_tested_once(ends):
    for way, (first, *_) in ends.items():
        error, images = first["errors"].tolist()
        assert images == 47, way
        assert error < 20, way  # it has learnt; chance is 67


@pytest.fixture(scope="module")
def run_by_two(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("two")
    finish(start(2, whole_run, out, list(METHODS)))
    return out


def test_a_run_by_two_processes_is_the_run_of_one(run_by_two, tmp_path):
    finish(start(1, whole_run, tmp_path, list(METHODS)))
    same_but_for_rounding(tmp_path, run_by_two)


def same_but_for_rounding(one: Path, other: Path) -> None:
    ours, theirs = (pandas.read_csv(d / "results.csv") for d in (one, other))
    exact = [name for name in RESULTS if "_error" not in name][:-1]
    pandas.testing.assert_frame_equal(ours[exact], theirs[exact])
    assert set(ours.method) <= set(METHODS)
    for file in (one / "stages").glob("*.packnet"):
        wanted, found = load(file), load(other / "stages" / file.name)
        state = found.state_dict()
        for name, tensor in wanted.state_dict().items():
            if name == "_extra_state":  # with digests: rounding changes them
                continue
            assert torch.allclose(tensor, state[name], atol=1e-6), file.name
        for name, owner in wanted.owner.items():
            assert torch.equal(owner, found.owner[name]), file.name


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Path:
    """Left by two processes, killed while they trained the second task."""
    out = tmp_path_factory.mktemp("killed")
    processes = start(2, whole_run, out, ["packnet"], 0.0)
    checkpoint = out / "stages" / "packnet-2-birds-add.checkpoint"
    while not checkpoint.exists():
        assert all(process.is_alive() for process in processes)
        time.sleep(0.01)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()
    assert checkpoint.exists(), "the phase was over before it was cut short"
    return out


def test_two_that_were_killed_end_as_if_undisturbed(
    killed, run_by_two, tmp_path
):
    out = shutil.copytree(killed, tmp_path / "run")
    finish(start(2, whole_run, out, ["packnet"]))
    for file in (out / "stages").glob("*.packnet"):
        wanted = run_by_two / "stages" / file.name
        assert file.read_bytes() == wanted.read_bytes(), file.name
    assert not list(out.rglob("*.checkpoint"))


def test_one_process_goes_on_where_two_were_killed(
    killed, run_by_two, tmp_path
):
    out = shutil.copytree(killed, tmp_path / "run")
    finish(start(1, whole_run, out, ["packnet"]))
    assert load(out / "network.packnet").tasks == ["objects", "birds", "cars"]


def test_accelerate_launches_the_command(tmp_path):
    launch = [
        shutil.which("accelerate", path=os.path.dirname(sys.executable)),
        "launch", "--multi_gpu", "--num_processes", "2", "--num_machines",
        "1", "--mixed_precision", "bf16", "--dynamo_backend", "no", "-m",
    ]  # fmt: skip
    run = ["packnet_book", "run", "miniature-full", "--out", tmp_path,
           "--size", "32", "--epochs", "1", "--subset", "0.01"]  # fmt: skip
    on_cpu = os.environ | {"ACCELERATE_USE_CPU": "true"}
    on_cpu["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        launch + run, env=on_cpu, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("packnet") == 4  # a table, of four tasks
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    bars = re.compile(
        r"(first|packnet): (train|add|retrain) \w+: .*(step/s|s/step)"
    )
    assert [line for line in lines if not bars.search(line)] == []
    begun = [line for line in lines if ":   0%" in line]
    assert len(set(begun)) == len(begun) == 7
    assert '"precision": "bf16"' in (tmp_path / "run.json").read_text()
