"""Told to stop, by Ctrl-C or a scheduler, nothing that was done is lost."""

import math
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
import torch

from packnet_book.cli import main
from packnet_core import fit, training
from packnet_core.files import uninterrupted
from tests.contents import ROOT
from tests.processes import finish, start, told_to_stop
from tests.test_command_line import fails, packed
from tests.test_command_line import pictures as folder
from tests.test_fit import PHASE, SIZE, pictures
from tests.test_fit import start as network

__all__ = ["folder", "packed", "pictures"]  # fixtures
PAGE = (ROOT / "book" / "your_stack.md").read_text("utf-8")
STEPS = 6  # of the phase


def alike(one, other) -> bool:
    tensors, others = one.state_dict(), other.state_dict()
    return all(
        torch.equal(tensor, others[name])
        for name, tensor in tensors.items()
        if isinstance(tensor, torch.Tensor)
    )


@pytest.fixture
def told():
    """SIGTERM as the command handles it; back to what it was afterwards."""
    former = signal.signal(signal.SIGTERM, signal.default_int_handler)
    yield
    signal.signal(signal.SIGTERM, former)


def at(moment: int, number: int, repeat: int = 1):
    """What is called after each step: at one, signals come."""

    def watch(step: int) -> None:
        if step == moment:
            for _ in range(repeat):
                signal.raise_signal(number)

    return watch


@pytest.mark.parametrize("moment", [1, 3, STEPS])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_phase_saves_the_step_at_which_it_is_stopped(
    pictures, tmp_path, told, number, moment
):
    undisturbed = network()
    fit(undisturbed, pictures, PHASE, size=SIZE)
    file, done = tmp_path / "phase.checkpoint", []
    options = {"size": SIZE, "checkpoint": file}
    stopped = network()
    watch = at(moment, number, repeat=3)
    with pytest.raises(KeyboardInterrupt):
        fit(stopped, pictures, PHASE, watch=watch, **options)
    resumed = network()
    fit(resumed, pictures, PHASE, watch=done.append, **options)
    assert done == list(range(moment + 1, STEPS + 1))
    assert alike(resumed, undisturbed)
    assert signal.getsignal(number) is signal.default_int_handler


def test_a_handler_of_the_programs_own_decides(pictures):
    """Lightning's, say, notes the signal and stops when it likes to."""
    came, steps = [], []

    def watch(step):
        at(2, signal.SIGTERM)(step)
        steps.append((step, len(came)))

    def note(*of):
        came.append(of)

    former = signal.signal(signal.SIGTERM, note)
    try:
        fit(network(), pictures, PHASE, size=SIZE, watch=watch)
        assert signal.getsignal(signal.SIGTERM) is note
    finally:
        signal.signal(signal.SIGTERM, former)
    assert steps == [(n, int(n > 1)) for n in range(1, STEPS + 1)]


def test_what_ends_a_process_at_once_still_does():
    usual = signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    with uninterrupted():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is not usual


def test_two_processes_of_which_one_is_told_stop_at_the_same_step(tmp_path):
    finish(start(2, told_to_stop, tmp_path))


# The command.


class Later:
    """Signals at a step of training, counted over all phases."""

    def __init__(self, monkeypatch, moment: int):
        self.done, self.moment, step = 0, moment, training._gradients

        def counted(*of):
            self.done += 1
            if self.done == self.moment:
                signal.raise_signal(signal.SIGTERM)
            return step(*of)

        monkeypatch.setattr(training, "_gradients", counted)


def stops(capsys, words) -> None:
    capsys.readouterr()
    assert main([str(word) for word in words]) == 75
    out, err = capsys.readouterr()
    said = err.strip().split("\r")[-1].splitlines()[-1]
    assert said == "packnet: stopped; the same command goes on from here"
    assert out == ""


@pytest.mark.parametrize("moment", [2, 5])  # while training again, adding
def test_add_goes_on_where_it_was_stopped(
    packed, folder, tmp_path, capsys, monkeypatch, moment
):
    monkeypatch.setattr(training, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(training, "LONGEST_SHARE", math.inf)
    first = tmp_path / "one.packnet"
    words = ["add", packed, "--task", "mine", "--data", folder, "--prune",
             "0.5", "--epochs", "1", "--out", first]  # fmt: skip
    assert main([str(word) for word in words]) == 0
    words = ["add", first, "--task", "again", "--data", folder, "--prune",
             "0.5", "--retrain", folder, "--epochs", "3"]  # fmt: skip
    whole, out = tmp_path / "whole.packnet", tmp_path / "two.packnet"
    steps = Later(monkeypatch, 0)
    assert main([str(word) for word in [*words, "--out", whole]]) == 0
    assert steps.done == 6
    steps = Later(monkeypatch, moment)
    stops(capsys, [*words, "--out", out])
    assert not out.exists() and list(tmp_path.glob("two.*.checkpoint"))
    assert steps.done == moment
    assert main([str(word) for word in [*words, "--out", out]]) == 0
    assert "written to" in capsys.readouterr().out
    assert steps.done == 6  # each was done once
    assert out.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob("*.checkpoint"))


def test_another_addition_does_not_go_on_with_these_checkpoints(
    packed, folder, tmp_path, capsys, monkeypatch
):
    words = ["add", packed, "--task", "mine", "--data", folder, "--prune",
             "0.5", "--epochs", "3", "--out", tmp_path / "x"]  # fmt: skip
    Later(monkeypatch, 2)
    stops(capsys, words)
    steps = Later(monkeypatch, 0)
    assert main([*map(str, words), "--seed", "1"]) == 0
    assert steps.done == 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_outside_of_training_it_stops_at_once(
    tmp_path, capsys, monkeypatch, number
):
    def told(*_, **__):
        signal.raise_signal(number)

    monkeypatch.setattr("packnet_book.cli.Run", told)
    monkeypatch.setattr("packnet_book.cli.fetch", told)
    monkeypatch.setattr("packnet_book.cli.load", told)
    former = signal.getsignal(signal.SIGTERM)
    stops(capsys, ["run", "miniature", "--out", tmp_path])
    stops(capsys, ["data", "flowers", "--root", tmp_path])
    said = fails(capsys, "evaluate", "x", "--task", "a", "--data", "y")
    assert said == "packnet: stopped; nothing was written"
    assert signal.getsignal(signal.SIGTERM) is former


# The recipe.

SMALL = ("miniature-full --size 32 --arch small_vgg --subset 0.03 --epochs 4 "
         "--out run")  # fmt: skip


def scripts() -> list[str]:
    return re.findall(r"```bash\n(#!/bin/bash.*?)```", PAGE, re.DOTALL)


class Cluster:
    """A stand-in for a scheduler: what scripts find there, and their jobs."""

    def __init__(self, place: Path, **commands: str):
        self.place = place
        for name, text in commands.items():
            (place / "bin").mkdir(exist_ok=True)
            (place / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
            (place / "bin" / name).chmod(0o755)

    def submit(self, script: str, folder: str, **told: str):
        """Begin a script in a folder of its own."""
        (self.place / folder).mkdir(exist_ok=True)
        path = f"{self.place / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.Popen(
            ["bash", "-c", script], cwd=self.place / folder, text=True,
            env=os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"} | told,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


BASH = pytest.mark.skipif(not shutil.which("bash"), reason="no bash")


@BASH
def test_a_job_that_is_requeued_ends_as_if_undisturbed(tmp_path):
    """The scheduler tells the script alone, not what it has begun."""
    [script] = (s for s in scripts() if "requeue" in s)
    wanted = "paper --data sets --out runs/paper"
    assert script.count(wanted) == 1
    cluster = Cluster(
        tmp_path,
        packnet=f'exec "{sys.executable}" -m packnet_book "$@"',
        scontrol='echo "$@" >> asked',
    )

    def begin(folder: str) -> subprocess.Popen:
        small = script.replace(wanted, SMALL)
        return cluster.submit(small, folder, SLURM_JOB_ID="42")

    job = begin("job")
    said = ""
    while not re.search(r"retrain objects:[^\r]*\| [1-9]/", said):
        piece = job.stderr.read(1)
        assert piece, said
        said += piece
    job.terminate()
    _, said = job.communicate()
    assert said.splitlines()[-1] == (
        "packnet: stopped; the same command goes on from here"
    )
    assert job.returncode == 75
    assert (tmp_path / "job" / "asked").read_text() == "requeue 42\n"
    # Its last step may have been taken, and all of it kept.
    kept = [file.name for file in tmp_path.glob("job/run/stages/*retrain*")]
    assert kept and not (tmp_path / "job" / "run" / "results.csv").exists()
    for process in (begin("job"), begin("whole")):
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert not (tmp_path / "whole" / "asked").exists()
    assert (tmp_path / "job" / "asked").read_text() == "requeue 42\n"
    ends = [
        {f.name: f.read_bytes() for f in tmp_path.glob(f"{n}/**/*.packnet")}
        for n in ("whole", "job")
    ]
    assert len(ends[0]) > 4 and ends[0] == ends[1]


@BASH
def test_a_job_that_fails_is_not_requeued(tmp_path):
    [script] = (s for s in scripts() if "requeue" in s)
    cluster = Cluster(tmp_path, packnet="exit 3", scontrol="echo requeued")
    job = cluster.submit(script, "job", SLURM_JOB_ID="42")
    assert job.communicate()[0] == "" and job.returncode == 3


@BASH
def test_an_array_has_a_seed_for_each_job(tmp_path, monkeypatch):
    [script] = (s for s in scripts() if "--array" in s)
    run = MagicMock()
    monkeypatch.setattr("packnet_book.cli.Run", run)
    cluster = Cluster(tmp_path, packnet='echo "$@"')
    for task in ("0", "4"):
        job = cluster.submit(script, "job", SLURM_ARRAY_TASK_ID=task)
        words = job.communicate()[0].split()
        assert main(words) == 0
        _, out = run.call_args.args
        assert out.name == f"seed-{task}"
        assert run.call_args.kwargs["seed"] == int(task)
