"""Two processes train the same network as one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

SCRIPT = Path(__file__).with_name("two_processes.py")


def launch(processes, folder):
    folder.mkdir()
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone",
        "--nproc-per-node", str(processes), SCRIPT, folder,
    ]  # fmt: skip
    on_cpu = os.environ | {"ACCELERATE_USE_CPU": "true"}
    done = subprocess.run(command, env=on_cpu, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [load_file(folder / f"{n}.safetensors") for n in range(processes)]


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    (single,) = launch(1, folder / "one")
    return single, *launch(2, folder / "two")


def test_both_processes_end_with_the_same_bits(ends):
    """The script itself asserts, in each, that fixed weights are fixed."""
    _, first, second = ends
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_two_processes_end_where_one_ends(ends):
    single, first, _ = ends
    for name, tensor in single.items():
        assert torch.allclose(tensor, first[name], atol=1e-5), name


def test_every_picture_is_tested_once(ends):
    assert [int(end["errors"][1]) for end in ends] == [47, 47, 47]
