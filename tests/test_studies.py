"""Every study runs from beginning to end, in a very small version.

What the tables must hold is asserted; what the errors are is not: of
networks this small, trained this short, nothing is to be learnt.
"""

from dataclasses import replace

import pytest

from packnet_book.runs.presets import MINIATURE, shortened
from packnet_core.trunks import Architecture
from studies import STUDIES, ablations, error_table, full_size, photographs
from studies.full_scale import Scale

BY_NAME = {study.name: study for study in STUDIES}
TASKS = [task.name for task in MINIATURE.tasks]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A function that runs a study of very small networks by its name."""
    folder = tmp_path_factory.mktemp("studies")
    with pytest.MonkeyPatch.context() as patch:
        short = shortened(MINIATURE, 1)
        tiny = replace(
            short,
            add=replace(
                short.add, warmup=0.0
            ),  # or its one step is at rate 0
            architecture=Architecture(
                "vgg16", width=0.0625, size=32, dropout=0.0
            ),
            tasks=tuple(
                replace(task, train=2, test=1) for task in MINIATURE.tasks
            ),
        )
        wide = replace(tiny.architecture, name="vgg16_bn")
        for module in (error_table, full_size, ablations):
            patch.setattr(module, "MINIATURE", tiny)
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
        patch.setattr(ablations, "WIDTHS", (0.03125,))
        patch.setattr(ablations, "FRACTIONS", (0.5,))
        patch.setattr(ablations, "RETRAINED", 1)
        patch.setattr(full_size, "FULL", tiny.architecture)
        patch.setattr(full_size, "SCALE", Scale(batch=2, classes=(6, 3)))
        patch.setattr(photographs, "PHOTOS", tiny)  # drawn: they are there
        patch.setattr(photographs, "PRECISION", "no")
        patch.setenv("PACKNET_PHOTOS", str(folder))
        yield lambda name: BY_NAME[name].table(0, folder)


def test_the_studies_of_the_error_table(small):
    tables = [small(n) for n in ("miniature", "lwf", "joint", "higher")]
    for table in tables:
        for _, rows in table.groupby("method"):
            assert sorted(rows.task) == sorted(TASKS)
    assert set(tables[0].method) == set(error_table.IN_TURN)
    assert [set(table.method) for table in tables[1:]] == [
        {"lwf"}, {"joint"}, {"packnet"},
    ]  # fmt: skip
    assert set(tables[3].prune) == {"0.75/0.75/0.75"}

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
    assert orders.order.nunique() == 6
    assert (orders.groupby("order").size() == 4).all()

    steps = small("steps").set_index(["method", "task"])
    assert set(steps.index.get_level_values(0)) == {
        "packnet", "at-random", "one-cutoff", "stale-values", "free-biases",
    }  # fmt: skip
    for method in ("packnet", "at-random", "one-cutoff", "stale-values"):
        rows = steps.loc[method]
        assert (rows.own_error == rows.top1_error).all()  # nothing forgotten

    norms = small("norms").set_index(["method", "task"])
    right = norms.loc["packnet"]
    assert (right.own_error == right.top1_error).all()
    assert len(norms.loc["drifting-norms"]) == 3

    widths = small("widths")
    cells = widths.groupby(["width", "method", "task"]).size()
    assert len(cells) == 2 * 2 * 4 and (cells == 1).all()


def test_the_study_of_capacity(small):
    table = small("capacity")
    packed = table[table.method == "packnet"].sort_values("position")
    assert len(packed) == 10 and packed.owned.sum() == pytest.approx(100)
    assert packed.owned.iloc[0] == pytest.approx(50, abs=0.1)
    assert packed.owned.iloc[1] < 26  # half of the rest; zeros go first
    assert table[table.method == "individual"].owned.isna().all()


def test_the_study_of_learning_rates(small):
    table = small("tuning")
    assert set(table.method) == set(error_table.RATES)
    for method, rows in table.groupby("method"):
        assert tuple(rows.rate.unique()) == error_table.RATES[method]


def test_the_studies_of_photographs(small):
    table = small("photos")
    assert set(table.method) == {
        "packnet", "individual", "classifier-only", "sequential", "lwf",
    }  # fmt: skip
    for method, rows in table.groupby("method"):
        assert sorted(rows.task) == sorted(TASKS)
        if method not in ("sequential", "lwf"):
            assert (rows.own_error == rows.top1_error).all()

    inherited = small("photos_inherited")
    cells = inherited.groupby(["trunk", "trained"]).size()
    assert (cells == 1).all() and set(cells.index) == {
        ("adapted", "head"),
        *((task, "head") for task in TASKS[:-1]),
        *((task, "free weights") for task in TASKS[:-1]),
    }

    tuned = small("photos_tuning")
    assert set(tuned.method) == set(photographs.PHOTO_RATES)
    for method, rows in tuned.groupby("method"):
        assert tuple(rows.rate.unique()) == photographs.PHOTO_RATES[method]
        assert (rows.groupby("rate").task.nunique() == len(TASKS)).all()
