"""A run is the same run, however often it is killed."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
import torch

from packnet_book.locks import alone
from packnet_book.runs import runner
from packnet_book.runs.methods import METHODS
from packnet_book.runs.metrics import accuracies, forgetting
from packnet_book.runs.planner import SetSize, plan
from packnet_book.runs.presets import FROM_NOTHING, PRESETS, Drawn, preset
from packnet_book.runs.provenance import provenance, revision
from packnet_book.runs.runner import Run, kept_place, run
from packnet_book.runs.stages import RESULTS
from packnet_book.runs.variants import VARIANTS, StaleValues
from packnet_core import PackNet, load, training
from packnet_core.errors import BadRun, DamagedFile
from packnet_core.training import Phase
from packnet_core.trunks import Architecture, build

SHORT = Phase(2, 0.02, batch=16, schedule="cosine", clip=1.0)
TINY = replace(
    FROM_NOTHING,
    name="tiny",
    architecture=Architecture("vgg16_bn", width=1 / 16, size=32),
    tasks=tuple(
        Drawn(task.name, train=6, test=3) for task in FROM_NOTHING.tasks[:3]
    ),
    fractions=(0.5, 0.75),
    first=SHORT,
    retrain_first=SHORT,
    add=SHORT,
    retrain=SHORT,
    alone=SHORT,
    classifier=SHORT,
    lwf=replace(SHORT, trunk_from=1),
    ewc=SHORT,
    joint=SHORT,
)


def carry_out(out: Path, pause: float, methods: tuple[str, ...]) -> None:
    """The tiny run in a process of its own."""
    training.SHORTEST_PAUSE = pause
    torch.set_num_threads(1)
    Run(TINY, out, seed=1).carry_out(methods)


def start(out: Path, pause: float = 5.0, methods=tuple(METHODS)):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["packnet_book.runs.runner"])
    process = context.Process(target=carry_out, args=(out, pause, methods))
    process.start()
    return process


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The directory of a run that nobody disturbed, and its seconds."""
    start(tmp_path_factory.mktemp("warm"), methods=()).join()
    begun = time.monotonic()
    out = tmp_path_factory.mktemp("undisturbed")
    process = start(out)
    process.join()
    assert process.exitcode == 0
    return out, time.monotonic() - begun


def test_a_run_killed_ten_times_ends_as_if_undisturbed(undisturbed, tmp_path):
    reference, seconds = undisturbed
    moments = random.Random(0)
    kills = 0
    while kills < 10:
        process = start(tmp_path, pause=0.05)
        process.join(moments.uniform(0.1, 0.3) * seconds)
        if process.exitcode is not None:
            break
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        kills += 1
    process = start(tmp_path)
    process.join()
    assert process.exitcode == 0
    assert kills >= 5, "the run was over before it could be killed"
    same_files(reference, tmp_path)


def test_processes_that_share_a_run_end_as_one_would(undisturbed, tmp_path):
    reference, _ = undisturbed
    turned = tuple(reversed(METHODS))
    together = [start(tmp_path, methods=m) for m in (tuple(METHODS), turned)]
    for process in together:
        process.join()
        assert process.exitcode == 0
    same_files(reference, tmp_path)


def test_a_method_waits_for_no_other(undisturbed, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(undisturbed[0], out)
    for file in (out / "stages").glob("individual-*"):
        file.unlink()
    with alone(out / ".locks" / "packnet", ""):
        Run(TINY, out, seed=1).carry_out(["individual"])  # would wait
        second = start(out, methods=("packnet",))
        second.join(5)
        assert second.is_alive()
    second.join()
    assert second.exitcode == 0
    same_files(undisturbed[0], out)


def same_files(reference: Path, other: Path) -> None:
    ours, theirs = (
        pandas.read_csv(where / "results.csv").drop(columns="train_seconds")
        for where in (reference, other)
    )
    pandas.testing.assert_frame_equal(ours, theirs, check_exact=True)
    wanted, found = (
        {f.name: f.read_bytes() for f in where.rglob("*.packnet")}
        for where in (reference, other)
    )
    assert wanted.keys() == found.keys()
    for name, content in wanted.items():
        assert found[name] == content, name
    assert not list(other.rglob("*.checkpoint"))


def test_results_have_the_agreed_columns_and_a_row_a_task(undisturbed):
    table = pandas.read_csv(undisturbed[0] / "results.csv")
    assert list(table.columns) == RESULTS
    places = table.groupby("method").position.apply(list)
    assert places.tolist() == [[1, 2, 3]] * len(METHODS)
    assert set(table.method) == set(METHODS)
    assert table.top1_error.between(0, 100).all()
    assert (table.top5_error <= table.top1_error).all()
    timed = table.groupby("method").train_seconds.agg(["min", "sum"])
    assert (timed["sum"] > 0).all()
    assert (timed["min"].drop("joint") > 0).all()
    assert timed.at["joint", "min"] == 0  # all stands with the last task
    own = table[table.method == "packnet"]
    assert set(own.prune) == {"0.5/0.75"}
    assert set(table.order) == {"objects/birds/cars"}


def test_nothing_is_forgotten_by_packnet_and_much_by_sequential(undisturbed):
    table = pandas.read_csv(undisturbed[0] / "history.csv")
    own = table[(table.method == "packnet") & (table.task == "objects")]
    after = own[(own.stage != "prune") | (own.after != "objects")]
    assert after.top1_error.nunique() == 1
    assert len(after) == 5


def test_fixed_methods_forget_nothing_to_the_last_bit(undisturbed):
    history = pandas.read_csv(undisturbed[0] / "history.csv")
    for method in ("packnet", "classifier-only"):
        assert forgetting(accuracies(history, method)) == 0
    made = Run(TINY, undisturbed[0], seed=1)
    first, last = made.first(), made.after("classifier-only", "cars")
    for name, weight in first.trunk.state_dict().items():
        assert torch.equal(last.trunk.state_dict()[name], weight), name
    fixed = made.after("classifier-only", "birds").heads[1].weight
    assert torch.equal(last.heads[1].weight, fixed)


def test_fine_tuning_changes_the_trunk_but_no_old_head(undisturbed):
    made = Run(TINY, undisturbed[0], seed=1)
    first, last = made.first(), made.after("sequential", "cars")
    assert torch.equal(last.heads[0].weight, first.heads[0].weight)
    assert changed(first, last)


@pytest.mark.parametrize("method", ["lwf", "joint"])
def test_lwf_and_joint_train_all_heads(undisturbed, method):
    made = Run(TINY, undisturbed[0], seed=1)
    first, last = made.first(), made.after(method, "cars")
    assert not torch.equal(last.heads[0].weight, first.heads[0].weight)
    assert changed(first, last)
    assert last.tasks == ["objects", "birds", "cars"]


def changed(first, last) -> bool:
    """Whether every layer of the trunk was trained."""
    return not any(
        torch.equal(weight, last.layers[name])
        for name, weight in first.layers.items()
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_plan_has_the_stages_of_the_run(undisturbed, method):
    history = pandas.read_csv(undisturbed[0] / "history.csv")
    done = history[history.method.isin(["first", method])]
    sets = {task.name: SetSize(14, 84, 42) for task in TINY.tasks}
    planned = [
        (stage.method, stage.title, stage.task, task)
        for stage in plan(TINY, method, sets)
        for task in stage.tested
    ]
    rows = done[["method", "stage", "after", "task"]]
    assert sorted(rows.itertuples(index=False, name=None)) == sorted(planned)


def test_a_network_that_is_not_there_yet_is_named(tmp_path):
    with pytest.raises(BadRun, match="carry the method out first"):
        Run(TINY, tmp_path).after("lwf", "birds")


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_does_one_thing_differently(undisturbed, tmp_path, name):
    out = tmp_path / name
    (out / "stages").mkdir(parents=True)
    for file in (undisturbed[0] / "stages").glob("first-*"):
        shutil.copy(file, out / "stages")
    made = Run(TINY, out, seed=1)
    made.carry_out([name])
    usual = Run(TINY, undisturbed[0], seed=1).after("packnet", "cars")
    network = made.after(name, "cars")
    same = {
        layer: torch.equal(owner, network.owner[layer])
        for layer, owner in usual.owner.items()
    }
    shares, usual_shares = (
        [sum(c[k] for c in n.owner_counts().values()) for k in range(4)]
        for n in (network, usual)
    )
    assert shares == pytest.approx(usual_shares, rel=0.01)
    if name in {"at-random", "one-cutoff"}:
        assert not all(same.values())
    assert [r.fractions for r in network.records] == [(0.5,), (0.75,), ()]
    lost = forgetting(accuracies(made.history(), name))
    packed = made.after(name, "objects").trunk.state_dict()
    end = network.trunk.state_dict()
    kept = {
        what: torch.equal(end[what], packed[what])
        for what in ("features.0.bias", "features.1.running_mean")
    }
    assert kept["features.0.bias"] == (name != "free-biases")
    assert kept["features.1.running_mean"] == (name != "drifting-norms")
    if all(kept.values()):
        assert lost == 0


def test_stale_values_are_those_from_before_pruning():
    torch.manual_seed(0)
    trunk = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 6))
    network = PackNet(trunk, 6)
    network.add_task("one", 2)
    dense = deepcopy(network)
    network.prune(0.5)
    freed = network.owner["1.weight"] == 0
    StaleValues().add(network, dense, "two", ["a", "b"])
    assert freed.sum() == 36
    assert torch.equal(trunk[1].weight, dense.trunk[1].weight)


def test_the_network_is_the_packed_one_and_says_where_it_is_from(undisturbed):
    network = load(undisturbed[0] / "network.packnet")
    assert network.tasks == ["objects", "birds", "cars"]
    assert network.provenance["cropped"] == {
        "objects": False,
        "birds": True,
        "cars": True,
    }
    record = json.loads((undisturbed[0] / "run.json").read_text())
    assert record["configuration"]["seed"] == 1
    assert record["configuration"]["preset"]["fractions"] == [0.5, 0.75]
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    for key in ("date", "revision", "python", "processor", "threads"):
        assert record[key]


def test_a_copy_without_git_is_told_its_revision(monkeypatch):
    monkeypatch.delenv("PACKNET_REVISION", raising=False)
    own = revision()
    monkeypatch.setenv("PACKNET_REVISION", "0123abc")
    assert own != provenance()["revision"] == revision() == "0123abc"


def test_a_directory_belongs_to_one_run(undisturbed):
    with pytest.raises(
        BadRun, match="another preset, seed, subset, split or precision"
    ):
        Run(TINY, undisturbed[0], seed=2)
    with pytest.raises(BadRun, match="another preset"):
        Run(TINY, undisturbed[0], seed=1, subset=0.5)


def test_a_finished_run_answers_at_once_and_the_same(undisturbed):
    before = (undisturbed[0] / "network.packnet").stat().st_mtime_ns
    record = Run(TINY, undisturbed[0], seed=1)
    record.pictures = None  # nothing is drawn, trained or tested again
    stages = {f: f.stat().st_mtime_ns for f in record.out.rglob("stages/*")}
    record.carry_out(METHODS)
    assert stages == {f: f.stat().st_mtime_ns for f in stages}
    assert (undisturbed[0] / "network.packnet").stat().st_mtime_ns > before


def test_a_damaged_stage_is_named(undisturbed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(undisturbed[0], copy)
    stage = copy / "stages" / "first-1-objects-train.packnet"
    stage.write_bytes(stage.read_bytes()[:1000])
    with pytest.raises(DamagedFile, match=stage.name):
        Run(TINY, copy, seed=1).first()


def test_the_kept_place_depends_on_what_is_run(monkeypatch, tmp_path):
    monkeypatch.setenv("PACKNET_CACHE", str(tmp_path))
    places = {
        kept_place(TINY, seed=0),
        kept_place(TINY, seed=1),
        kept_place(replace(TINY, fractions=(0.5, 0.5)), seed=0),
    }
    assert len(places) == 3
    assert all(place.parent == tmp_path for place in places)
    assert kept_place(TINY, seed=0) in places
    before = runner.LOOKED_AT
    looked_at = {
        "exercises", "explorer", "figures", "interactives", "playground",
    }  # fmt: skip
    assert looked_at | {"from_scratch.py"} == before
    for name in before:
        monkeypatch.setattr(runner, "LOOKED_AT", before - {name})
        assert kept_place(TINY, seed=0) not in places


def test_wrong_requests_are_told_the_cure(tmp_path):
    with pytest.raises(BadRun, match="choose from miniature"):
        preset("enormous")
    with pytest.raises(BadRun, match="choose from packnet"):
        Run(TINY, tmp_path).carry_out(["magic"])
    with pytest.raises(BadRun, match="give a share"):
        Run(TINY, tmp_path, subset=0)
    with pytest.raises(BadRun, match="'validation': give 'test' or 'val'"):
        Run(TINY, tmp_path, split="validation")
    with pytest.raises(BadRun, match="accumulate 0: give 1"):
        Run(TINY, tmp_path, accumulate=0)
    Run(TINY, tmp_path / "precise", precision="no")
    for precision in ("bf16", "exact"):  # it is settled for the process
        with pytest.raises(BadRun, match=f"'{precision}'.*begin a new one"):
            Run(TINY, tmp_path / precision, precision=precision)
        assert not (tmp_path / precision).exists()
    photos = replace(PRESETS["photos"], pretrained=False)
    with pytest.raises(BadRun, match="--data DIR"):
        run(photos, ["packnet"], tmp_path / "photos")


def test_weights_without_a_head_need_a_first_phase(tmp_path):
    shape = Architecture("vgg16_features", width=1 / 16, size=32)
    torch.save(build(shape).state_dict(), tmp_path / "weights.pth")
    started = replace(TINY, architecture=shape, pretrained=True)
    options = {"weights": tmp_path / "weights.pth"}
    Run(started, tmp_path / "trained", **options).first()
    taken = replace(started, first=None)  # a random head would answer
    with pytest.raises(BadRun, match="no outputs for the classes of 'obj"):
        Run(taken, tmp_path / "taken", **options).first()


def test_a_hidden_file_among_the_stages_is_passed_over(undisturbed, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(undisturbed[0], copy)
    before = Run(TINY, copy, seed=1).results()
    (copy / "stages" / "._first-1-objects-train.json").write_text("litter")
    assert Run(TINY, copy, seed=1).results().equals(before)


def test_a_run_goes_on_with_what_it_has_read_before_only(tmp_path):
    task = TINY.tasks[0].name
    Run(TINY, tmp_path).pictures(task, "train")
    Run(TINY, tmp_path).pictures(task, "train")
    file = tmp_path / "read.json"
    [(name, digest)] = json.loads(file.read_text()).items()
    assert name == f"{task}, train" and len(digest) == 64
    file.write_text(json.dumps({name: "0" * 64}))
    with pytest.raises(BadRun, match="is not what this run has read"):
        Run(TINY, tmp_path).pictures(task, "train")
