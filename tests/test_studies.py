"""Every study runs from beginning to end, in a very small version.

What the tables must hold is asserted; what the errors are is not: of
networks this small, trained this short, nothing is to be learnt.
"""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from pandas import DataFrame

from packnet_book.runs.inference import believed, entropy
from packnet_book.runs.merging import ties, trim
from packnet_book.runs.presets import (
    BEFORE_TUNING,
    FROM_NOTHING,
    at_length,
    shortened,
)
from packnet_core.trunks import Architecture, build
from studies import (
    STUDIES,
    ablations,
    controls,
    error_table,
    full_size,
    in_chapters,
    length,
    photographs,
    rates,
)
from studies.full_scale import Scale

BY_NAME = {study.name: study for study in STUDIES}
TASKS = [task.name for task in FROM_NOTHING.tasks]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A function that runs a study of very small networks by its name."""
    folder = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        short = shortened(FROM_NOTHING, 1)
        tiny = replace(
            short,
            add=replace(
                short.add, warmup=0.0
            ),  # or its one step is at rate 0
            architecture=Architecture(
                "vgg16", width=0.0625, size=32, dropout=0.0
            ),
            tasks=tuple(
                replace(task, train=2, test=1) for task in FROM_NOTHING.tasks
            ),
        )
        wide = replace(tiny.architecture, name="vgg16_bn")
        for module in (error_table, full_size, ablations, controls):
            patch.setattr(module, "FULL_LENGTH", tiny)
        patch.setattr(
            error_table, "HIGHER", replace(tiny, fractions=(0.75,) * 3)
        )
        patch.setattr(
            ablations, "NORMED",
            replace(
                tiny, architecture=wide, tasks=tiny.tasks[:3],
                fractions=tiny.fractions[:2],
            ),
        )  # fmt: skip
        patch.setattr(in_chapters, "MINIATURE", tiny)
        patch.setattr(in_chapters, "SIZE", tiny.architecture.size)
        patch.setattr(ablations, "FRACTIONS", (0.5,))
        patch.setattr(length, "FROM_NOTHING", tiny)
        patch.setattr(rates, "BEGINNING", tiny)
        patch.setattr(length, "START", tiny)
        patch.setattr(length, "FULL_LENGTH", tiny)
        patch.setattr(length, "LENGTHS", (1, 2))
        patch.setattr(length, "FIRST_LENGTHS", (1, 2))
        patch.setattr(full_size, "FULL", tiny.architecture)
        patch.setattr(full_size, "SCALE", Scale(batch=2, classes=(6, 3)))
        patch.setattr(photographs, "PHOTOS", tiny)  # drawn: they are there
        features = replace(
            tiny, architecture=Architecture("vgg16_features", 1 / 16, 32)
        )
        patch.setattr(photographs, "VGG_START", features)
        patch.setattr(photographs, "VGG_PHOTOS", features)
        patch.setattr(photographs, "PRECISION", "no")  # one a process
        patch.setenv("PACKNET_PHOTOS", str(folder))
        yield lambda name: BY_NAME[name].table(0, folder)


def test_the_studies_of_the_error_table(small):
    tables = [small(n) for n in ("miniature", "lwf", "ewc", "joint")]
    for table in tables:
        for _, rows in table.groupby("method"):
            assert sorted(rows.task) == sorted(TASKS)
    assert set(tables[0].method) == set(error_table.IN_TURN)
    assert [set(table.method) for table in tables[1:]] == [
        {"lwf"}, {"ewc"}, {"joint"},
    ]  # fmt: skip
    times = small("times")
    assert set(times.method) == {"first", *error_table.EVERY}
    again = times[times.method.eq("packnet") & times.stage.eq("retrain")]
    assert len(again) == 3 * error_table.ROUNDS  # of all but the last task
    assert (times.train_seconds > 0).all() and (times.epochs > 0).all()
    higher = small("higher")
    assert set(higher.method) == {"packnet"}
    assert set(higher.prune) == {"0.75/0.75/0.75"}

    matrices = small("matrices")
    assert (matrices[matrices.method == "untrained"].after == "").all()
    for _, rows in matrices[matrices.after != ""].groupby("method"):
        assert len(rows) == 16 and rows.accuracy.between(0, 100).all()
        assert not rows.duplicated(["after", "task"]).any()
    last = matrices[matrices.after == TASKS[-1]].set_index(["method", "task"])
    errors = tables[0].set_index(["method", "task"]).top1_error
    for method in ("packnet", "classifier-only", "sequential"):
        ends = last.accuracy[method] + errors[method]
        assert ends.sub(100).abs().max() < 1e-6

    switch = small("switch")
    for _, rows in switch.groupby("method"):
        assert rows.step.is_monotonic_increasing and rows.step.iloc[0] == 0
    starts = switch[switch.step == 0].set_index("method").top1_error
    assert starts["sequential"] == starts["lwf"]  # the common first network
    packed = switch[switch.method == "packnet"].top1_error
    assert packed.nunique() == 1  # its first task does not change

    sizes = small("sizes").set_index(["network", "method", "part"]).bytes
    for network in ("miniature", "vgg16"):
        packed, four = sizes[network].packnet, sizes[network].individual
        assert 4 * packed["trunk"] == four["trunk"]
        assert packed["heads"] == pytest.approx(four["heads"], rel=0.01)


def test_the_studies_of_what_chapters_train(small):
    every = small("chapters")
    assert set(every.method) == {"first", *in_chapters.METHODS}
    ends = every.groupby(["method", "task"]).top1_error.last()
    assert len(ends) == 1 + 4 + 3 + 4  # first, packed, apart, in turn
    later = every[(every.method == "packnet") & (every.task == TASKS[0])]
    assert later.top1_error[later.after != TASKS[0]].nunique() == 1

    unnamed = small("unnamed").set_index(["network", "way", "task"])
    errors = unnamed.top1_error
    named = errors.xs("task named", level="way")
    for task in TASKS:
        assert named["packed", task] == pytest.approx(ends["packnet", task])
    for task in TASKS[1:]:
        assert named["separate", task] == pytest.approx(
            ends["individual", task]
        )
    for way in in_chapters.WAYS:  # not to know a task never helps
        assert (errors.xs(way, level="way") >= named).all()

    merged = small("merged").set_index(["method", "task"])
    for task in TASKS[1:]:
        assert merged.top1_error["individual", task] == pytest.approx(
            ends["individual", task]
        )
    factors = merged.factor.groupby("method").unique()
    assert all(len(one) == 1 for one in factors)
    assert {*factors["mean"], *factors["TIES"]} <= set(in_chapters.FACTORS)


def test_changes_are_merged_as_by_hand():
    changes = torch.tensor(
        [[3.0, -1, 0.2, 2], [-1, 0.1, 0.3, 4], [0.2, 2, -0.1, -5]]
    )
    assert trim(changes[0], keep=0.5).tolist() == [3, 0, 0, 2]
    assert ties(changes, keep=0.5).tolist() == [3, 2, 0, 3]
    assert torch.equal(ties(changes[:1], keep=1.0), changes[0])


def test_a_task_is_chosen_by_how_much_its_answer_is_believed():
    sure, unsure = torch.tensor([[9.0, 0, 0]]), torch.tensor([[10.0, 9.9]])
    assert believed("largest logit", [sure, unsure]).tolist() == [1]
    for way in ("largest softmax", "least entropy"):
        assert believed(way, [sure, unsure]).tolist() == [0]
    assert entropy(torch.zeros(1, 4)).item() == pytest.approx(math.log(4))


def test_the_study_of_full_scale(small):
    table = small("full_scale").set_index("phase")
    assert {"train first", "prune first", "retrain first", "add second",
            "test first", "save", "load"} < set(table.index)  # fmt: skip
    assert (table.seconds >= 0).all() and table.seconds["add second"] > 0
    assert (table.peak_bytes >= table.peak_bytes["import"]).all()


def test_the_study_of_pruning(small):
    table = small("pruning").set_index(["fraction", "stage"]).top1_error
    assert set(table.index) == {
        (0.0, "trained"), (0.0, "retrained"), (0.0, "dense again"),
        (0.5, "pruned"), (0.5, "retrained"), (0.5, "dense again"),
    }  # fmt: skip


def test_the_studies_of_what_if(small):
    orders = small("orders")
    assert (orders.groupby("method").size() == 4).all()
    assert set(orders.method) == {"individual", "packnet"}
    turns = [ablations.in_turn(ablations.FULL_LENGTH, n).tasks
             for n in range(1000, 1024)]  # fmt: skip
    assert all(turns.count(turn) == 4 for turn in turns)
    assert len(set(turns)) == 6

    steps = small("steps").set_index(["method", "task"])
    variants = {"packnet", "at-random", "stale-values"}
    assert set(steps.index.get_level_values(0)) == variants
    for method in variants:
        rows = steps.loc[method]
        assert (rows.own_error == rows.top1_error).all()  # nothing forgotten

    norms = small("norms").set_index(["method", "task"])
    right = norms.loc["packnet"]
    assert (right.own_error == right.top1_error).all()
    assert len(norms.loc["drifting-norms"]) == 3


def test_the_study_of_capacity(small):
    table = small("capacity")
    packed = table[table.method == "packnet"].sort_values("position")
    assert len(packed) == 10 and packed.owned.sum() == pytest.approx(100)
    assert packed.owned.iloc[0] == pytest.approx(50, abs=0.1)
    assert packed.owned.iloc[1] < 26  # half of the rest; zeros go first
    assert table[table.method == "individual"].owned.isna().all()


def test_the_studies_of_length(small):
    table = small("lengths").set_index(["epochs", "method", "task"])
    assert len(table) == 2 * 2 * 3 and not table.index.duplicated().any()
    first = small("first_lengths").set_index(["epochs", "method"])
    assert set(first.index.get_level_values("epochs")) == {1, 2}
    for errors in (table, first):
        assert (
            errors[["train_error", "top1_error"]]
            .stack()
            .between(0, 100)
            .all()
        )


def test_the_lengths_are_in_the_authors_proportion():
    for epochs in (14, 28, 56):
        preset = at_length(FROM_NOTHING, epochs)
        assert preset.add.epochs == preset.alone.epochs == epochs
        assert preset.retrain.epochs == epochs / 2


def test_the_controls(small):
    longer = small("longer")
    names = longer.groupby("method").task.apply(list)
    assert names.individual == TASKS and names.packnet == TASKS[-1:]
    equal = small("equal")
    assert len(equal) == 4 and set(equal.method) == {"packnet"}


def test_a_search_ends_where_both_neighbours_are_worse():
    """The lowest error at 16 times the rate, and a hundredth strength."""
    best = {"lr": 16 * FROM_NOTHING.ewc.lr, "strength": 10.0}

    def measure(preset, method):
        far = abs(math.log2(preset.ewc.lr / best["lr"]))
        far += abs(math.log10(preset.ewc_strength / best["strength"]))
        return DataFrame({"task": TASKS, "top1_error": [0] + 3 * [far]})

    tried = rates.search(FROM_NOTHING, "ewc", measure, rates.AXES["ewc"])
    errors = {p: rows.top1_error.max() for p, rows in tried.items()}
    found = min(errors, key=errors.get)
    assert errors[found] == 0
    for axis, step in rates.AXES["ewc"].items():
        for factor in (step, 1 / step):
            assert rates.moved(found, "ewc", axis, factor) in tried
    packed = rates.moved(FROM_NOTHING, "packnet", "lr", 2)
    assert packed.retrain.lr == 2 * FROM_NOTHING.retrain.lr


def test_the_study_of_learning_rates(small, monkeypatch):
    monkeypatch.setattr(rates, "CLOSER", {"lwf": {"head_lr": 2.0}})
    table = small("tuning_lwf")
    assert list(table) == rates.COLUMNS and table.head_lr.nunique() >= 3
    assert table.lr.nunique() == 1


def test_the_dearest_search_is_at_half_the_length():
    full = BEFORE_TUNING.alone.epochs
    for method, field in rates.PHASE.items():
        searched = rates.as_searched(BEFORE_TUNING, method)
        epochs = getattr(searched, field).epochs
        assert epochs == (full // 2 if method == "joint" else full), method


def test_the_studies_of_photographs(small):
    table = small("photos")
    assert set(table.method) == set(photographs.MAIN)
    assert set(small("photos_joint").method) == {"joint"}
    for method, rows in table.groupby("method"):
        assert sorted(rows.task) == sorted(TASKS), method
        assert (rows.own_error == rows.top1_error).all()
    orders = [photographs.turned(FROM_NOTHING, n).tasks for n in range(3)]
    assert all(len(set(place)) == 3 for place in list(zip(*orders))[1:])
    assert set(small("photos_vgg").method) == set(photographs.MAIN)
    for name in ("photos_tuning_individual", "photos_vgg_tuning_packnet"):
        assert small(name).lr.nunique() >= 3
    assert small("photos_longer").task.tolist() == TASKS[:1]

    inherited = small("photos_inherited")
    cells = inherited.groupby(["trunk", "trained"]).size()
    ways = ("head", "free weights", "pruned and retrained")
    assert (cells == 1).all() and set(cells.index) == {
        ("adapted", "head"), *itertools.product(TASKS[:-1], ways)
    }  # fmt: skip


def test_an_adapter_changes_little_and_nothing_at_first(small):
    trunk = build(Architecture("squeezenet1_1", size=32)).eval()
    images = torch.randn(2, 3, 32, 32)
    before = trunk(images)
    adapted = photographs.adapters(trunk, 4)
    assert len(adapted) == 25
    # Not to the bit: a sum may lie in memory in another order.
    torch.testing.assert_close(trunk(images), before)
    table = small("photos_adapter")
    assert table.task.tolist() == TASKS[1:]


def test_rates_that_were_found_replace_those_of_the_search():
    found = rates.at_rates(
        FROM_NOTHING, {"packnet": 0.015, "individual": 0.04}
    )
    before, after = FROM_NOTHING.retrain.lr, found.retrain.lr
    assert (found.add.lr, found.alone.lr) == (0.015, 0.04)
    assert after / before == pytest.approx(0.015 / FROM_NOTHING.add.lr)
    assert found.lwf == FROM_NOTHING.lwf
